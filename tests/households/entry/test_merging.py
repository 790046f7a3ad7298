import io
from typing import Any

import pytest
from django.test import Client

from households.archive import documents
from households.entry import merging
from households.entry.merging import MergeRefused
from households.models import FormerNumber, Household, Step, StepKind
from tests import cast as make
from tests.cast import Cast
from tests.households.archive.test_photos import needs_the_font, picture
from tests.households.entry.test_household_pages import as_


@pytest.fixture
def kept(cast: Cast) -> Household:
    return make.household(cast.area("洞头村"), number="26-12-0101", householder="卫示丑")


@pytest.fixture
def other(cast: Cast) -> Household:
    return make.household(
        cast.area("洞头村"),
        number="26-12-0102",
        householder="卫示丑",
        phone="13011112222",
        note="院内有狗",
    )


def merged(cast: Cast, kept: Household, other: Household, **chosen: str) -> Household:
    return merging.merge(kept, other, chosen, by=cast.clerk, why="同一户登记了两次")


def test_the_chosen_values_hold_and_the_others_stay(
    cast: Cast, kept: Household, other: Household
) -> None:
    home = merged(cast, kept, other, phone="other", note="kept")
    assert (home.phone, home.note) == ("13011112222", "")
    assert not Household.objects.filter(number=other.number).exists()


def test_the_other_s_number_and_uid_lead_to_the_household(
    cast: Cast, kept: Household, other: Household
) -> None:
    merged(cast, kept, other)
    former = FormerNumber.objects.get()
    assert (former.number, former.uid, former.household) == ("26-12-0102", other.uid, kept)
    answer = as_(cast.clerk).get("/households/26-12-0102/")
    assert answer.headers["Location"] == "/households/26-12-0101/"
    assert "26-12-0102" in as_(cast.clerk).get("/households/26-12-0101/").content.decode()
    assert as_(cast.outsider).get("/households/26-12-0102/").status_code == 404


def test_numbers_lead_on_through_a_second_merge(
    cast: Cast, kept: Household, other: Household
) -> None:
    merged(cast, kept, other)
    third = make.household(cast.area("洞头村"), number="26-12-0103")
    merged(cast, third, kept)
    answer = as_(cast.clerk).get("/households/26-12-0102/")
    assert answer.headers["Location"] == "/households/26-12-0103/"


@needs_the_font
def test_papers_follow_and_of_two_equal_ones_one_is_withdrawn(
    cast: Cast, kept: Household, other: Household
) -> None:
    for home, sizes in ((kept, (100,)), (other, (100, 120))):
        for size in sizes:
            file = io.BytesIO(picture((size, size)))
            documents.add(home, "house_photo", file, by=cast.clerk)
    merged(cast, kept, other)
    assert kept.documents.count() == 3
    assert kept.documents.standing().count() == 2


def test_steps_follow(cast: Cast, kept: Household, other: Household) -> None:
    Step.objects.create(
        household=other,
        kind=StepKind.SURVEYED,
        on=make.INSTALLED_ON,
        recorded_by=cast.clerk,
        recorded_at=make.SERVICE_BEGAN,
    )
    Household.objects.filter(pk=other.pk).update(surveyed_on=make.INSTALLED_ON)
    home = merged(cast, kept, other)
    assert (home.surveyed_on, home.state) == (make.INSTALLED_ON, "to_list")


def test_a_listed_household_is_merged_by_change_slip_alone(
    cast: Cast, kept: Household, other: Household
) -> None:
    make.reach(other, StepKind.LISTED, cast.clerk)
    with pytest.raises(MergeRefused, match="变更单"):
        merged(cast, kept, other)


def test_what_a_slip_alone_changes_stays_whatever_the_other_says(
    cast: Cast, kept: Household, other: Household
) -> None:
    make.reach(kept, StepKind.LISTED, cast.clerk)
    Household.objects.filter(pk=other.pk).update(householder="卫示丁", in_demolition_plan=True)
    with pytest.raises(MergeRefused, match="变更单（户主变更）"):
        merged(cast, kept, Household.objects.get(pk=other.pk), householder="other")
    shown = as_(cast.clerk).get(f"/households/{kept.number}/merge/{other.number}/").content.decode()
    assert "变更单（户主变更）" in shown and "keep_householder" not in shown
    home = merged(cast, kept, Household.objects.get(pk=other.pk), phone="other")
    assert (home.householder, home.phone) == ("卫示丑", "13011112222")


def test_who_comes_second_does_not_bring_a_merged_record_back(
    cast: Cast, kept: Household, other: Household
) -> None:
    """Two officers open the same two records, each keeping another one."""
    second = Household.objects.get(pk=other.pk), Household.objects.get(pk=kept.pk)
    merged(cast, kept, other)
    for pair in (second, second[::-1]):
        with pytest.raises(MergeRefused, match="26-12-0102 刚由别人合并"):
            merged(cast, *pair)
    assert not Household.objects.filter(number=other.number).exists()


def test_what_an_app_protects_stays(
    cast: Cast, kept: Household, other: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merging, "PROTECTS", [lambda kept, other: ["两户都有在用的机组"]])
    with pytest.raises(MergeRefused, match="两户都有"):
        merged(cast, kept, other)


def test_records_that_nobody_moves_forbid_the_merge_in_words(
    cast: Cast, kept: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merging, "MERGES", [])
    with pytest.raises(MergeRefused, match="26-12-0001 还有安装记录"):
        merged(cast, kept, cast.water_household)
    assert Household.objects.filter(pk=cast.water_household.pk).exists()


def test_nothing_is_merged_with_itself(cast: Cast, kept: Household) -> None:
    with pytest.raises(MergeRefused, match="同一条"):
        merged(cast, kept, kept)


def test_the_page_shows_both_side_by_side_and_merges(
    cast: Cast, kept: Household, other: Household
) -> None:
    client, address = as_(cast.clerk), f"/households/{kept.number}/merge/{other.number}/"
    shown = client.get(address).content.decode()
    assert "130****0000" in shown and "130****2222" in shown and "13011112222" not in shown
    wrong: dict[str, Any] = {"keep_phone": "other"}
    assert "选原因" in client.post(address, wrong).content.decode()
    answer = client.post(address, wrong | {"why": "twice"})
    assert answer.headers["Location"] == f"/households/{kept.number}/"
    kept.refresh_from_db()
    assert kept.phone == "13011112222"


def test_where_only_the_other_way_round_is_possible_the_page_leads_there(
    cast: Cast, kept: Household, other: Household
) -> None:
    make.reach(other, StepKind.LISTED, cast.clerk)
    client, turned = as_(cast.clerk), f"/households/{other.number}/merge/{kept.number}/"
    shown = client.get(f"/households/{kept.number}/merge/{other.number}/").content.decode()
    assert "现在不能合并" in shown and turned in shown
    make.reach(kept, StepKind.LISTED, cast.clerk)
    shown = client.get(f"/households/{kept.number}/merge/{other.number}/").content.decode()
    assert turned not in shown  # two of the plan: a change slip alone


def test_the_household_s_page_leads_to_its_double(
    cast: Cast, kept: Household, other: Household
) -> None:
    shown = as_(cast.clerk).get(f"/households/{kept.number}/").content.decode()
    assert f"/households/{kept.number}/merge/{other.number}/" in shown


def test_merging_is_for_those_who_register_both(
    cast: Cast, kept: Household, other: Household
) -> None:
    address = f"/households/{kept.number}/merge/{other.number}/"
    assert as_(cast.reader).get(address).status_code == 403
    assert as_(cast.outsider).get(address).status_code == 404
    foreign = f"/households/{kept.number}/merge/{cast.air_household.number}/"
    assert as_(cast.clerk).get(foreign).status_code == 404
    assert Client().get(address).status_code == 302
