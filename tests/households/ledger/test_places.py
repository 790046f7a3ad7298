"""Towns and villages of a workbook."""

from households.ledger.places import Found, Places
from households.models import Area
from tests import cast as make
from tests.cast import Cast


def told(found: Found) -> tuple[str, str, str]:
    assert found.told is not None
    return found.key, found.told.reason, found.told.advice


def test_a_village_is_found_by_its_town_and_name(cast: Cast) -> None:
    places = Places(cast.district_officer)
    for town in ("钟家庄街道", "钟家庄", "钟家庄街道办事处", "晋城市城区钟家庄街道"):
        assert places.find(town, "洞头村").area == cast.area("洞头村")


def test_a_town_that_is_called_a_street_is_taken_and_said(cast: Cast) -> None:
    places = Places(cast.district_officer)
    for town, village in (("钟家庄镇", "洞头村"), ("南村街道办", "下庄")):
        found = places.find(town, village)
        assert found.area == cast.area(village)
        assert found.key == "town" and found.told and found.told.severity == "reminder"
    assert places.find("南村镇政府", "下庄").told is None


def test_a_village_may_be_written_with_its_town(cast: Cast) -> None:
    places = Places(cast.district_officer)
    for village in ("钟家庄街道洞头村", "城区钟家庄街道洞头村"):
        assert places.find("钟家庄街道", village).area == cast.area("洞头村")
    assert places.find("南村镇", "钟家庄街道洞头村").area is None


def test_a_village_without_its_ending_is_taken_and_said(cast: Cast) -> None:
    found = Places(cast.town_officer).find("钟家庄街道", "泽州东")
    assert found.area == cast.area("泽州东社区")
    assert found.told and found.told.severity == "reminder"


def test_a_misspelt_village_is_suggested(cast: Cast) -> None:
    found = Places(cast.town_officer).find("钟家庄街道", "泽州东居")
    assert told(found) == (
        "village",
        "钟家庄街道没有此村（社区）",
        "是否“泽州东社区”？改后重新上传",
    )


def test_a_misspelt_town_is_told_at_the_town(cast: Cast) -> None:
    found = Places(cast.district_officer).find("钟家壮街道", "洞头村")
    assert told(found) == ("town", "没有此镇（街道）", "是否“钟家庄街道”？")


def test_a_village_of_another_town_says_which(cast: Cast) -> None:
    found = Places(cast.district_officer).find("南村镇", "洞头村")
    assert "钟家庄街道" in told(found)[2]


def test_a_village_is_found_alone_where_only_one_town_has_it(cast: Cast) -> None:
    places = Places(cast.district_officer)
    assert places.find(None, "洞头村").area == cast.area("洞头村")
    twin = cast.area("南村镇")
    Area.objects.create(level="village", name="洞头村", owner=twin, order=99)
    key, reason, _advice = told(Places(cast.district_officer).find(None, "洞头村"))
    assert (key, reason) == ("village", "几个镇（街道）都有此村（社区）：钟家庄街道、南村镇")


def test_a_foreign_village_is_as_if_it_were_not_there(cast: Cast) -> None:
    places = Places(cast.outsider)
    foreign, unknown = (places.find("钟家庄街道", name) for name in ("洞头村", "没有村"))
    assert (
        told(foreign)
        == told(unknown)
        == (
            "town",
            "没有此镇（街道），或不归您管",
            "从下拉选镇（街道）",
        )
    )
    assert places.find(None, "洞头村").area is None


def test_scattered_households_belong_to_the_town(cast: Cast) -> None:
    places = Places(cast.town_officer)
    assert places.find("钟家庄街道", "（散户）").area == cast.area("钟家庄街道")
    empty = places.find("钟家庄街道", None)
    assert empty.area == cast.area("钟家庄街道")
    assert empty.told and empty.told.severity == "reminder"


def test_a_clerk_enters_his_own_village_alone(cast: Cast) -> None:
    places = Places(cast.clerk)
    assert places.find("钟家庄街道", "洞头村").area == cast.area("洞头村")
    assert places.find("钟家庄街道", "泽州东社区").area is None
    assert places.find("钟家庄街道", "散户").area is None


def test_many_rows_cost_one_query(cast: Cast, django_assert_num_queries: object) -> None:
    with django_assert_num_queries(1):  # type: ignore[operator]
        places = Places(cast.district_officer)
        for village in make.VILLAGES["南村镇"]:
            assert places.find("南村镇", village).area
