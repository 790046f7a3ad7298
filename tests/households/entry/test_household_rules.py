from datetime import date
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from households import positions
from households.entry.household_rules import may_be_surveyed, missing, reminders
from households.models import Household, Method
from tests.cast import Cast


def told(home: Household, **changes: Any) -> dict[str, str]:
    """Reminders of the household with these values."""
    for name, value in changes.items():
        setattr(home, name, value)
    return reminders(home, middle=changes.get("middle"))


@pytest.fixture
def home(cast: Cast) -> Household:
    return Household.objects.select_related("area__owner").get(pk=cast.water_household.pk)


def test_a_whole_record_lacks_nothing(home: Household) -> None:
    home.electricity_account, home.latitude, home.longitude = "0000000043", 35.45, 112.85
    assert missing(home) == []
    assert reminders(home) == {}


def test_what_is_missing_is_told_in_words_with_what_is_needed_first(home: Household) -> None:
    for name in ("householder", "door", "phone"):
        setattr(home, name, "")
    home.heated_area = None
    found = missing(home)
    assert [one.field for one in found if one.is_needed] == ["householder", "door"]
    assert [one.field for one in found] == [
        "householder",
        "door",
        "phone",
        "heated_area",
        "latitude",
        "electricity_account",
    ]
    assert str(found[1]) == "门牌号；没有门牌的写位置，例如庙东第三户"


def test_a_place_stands_for_a_door(home: Household) -> None:
    home.door, home.place = "", "庙东第三户"
    assert "door" not in {one.field for one in missing(home)}


def test_network_heat_needs_neither_position_nor_account(home: Household) -> None:
    home.method = Method.CENTRAL_HEATING
    assert missing(home) == []


def test_where_the_network_reaches_another_method_is_asked_about(home: Household) -> None:
    assert "优先集中供热" in told(home, in_network_area=True)["method"]
    assert "method" not in told(home, method=Method.CENTRAL_HEATING)


def test_a_house_that_stands_in_winter_belongs_into_the_plan(home: Household) -> None:
    assert "demolition_on" not in told(
        home, in_demolition_plan=True, demolition_on=date(2026, 11, 14)
    )
    assert "纳入当年改造" in told(home, demolition_on=date(2026, 11, 15))["demolition_on"]
    assert "demolition_on" not in told(home, listed_on=date(2026, 6, 18))


def test_a_far_house_is_told_with_its_distance(home: Household) -> None:
    middle = positions.Middle(35.45, 112.85)
    home.latitude, home.longitude = 35.5, 112.85
    assert "约 5.6 公里" in reminders(home, middle=middle)["latitude"]
    assert "latitude" not in reminders(home)


def test_an_unknown_source_is_marked(home: Household) -> None:
    home.latitude, home.longitude, home.position_source = 35.45, 112.85, "unknown"
    assert "坐标来源不清楚" in reminders(home)["position_source"]


def test_large_houses_and_long_numbers_are_asked_about(home: Household) -> None:
    assert "500 m²" in told(home, heated_area=501)["heated_area"]
    assert "18 位数字" in told(home, note="123456789012345678")["note"]


def test_what_cannot_be_kept_is_refused_for_every_way_in(home: Household) -> None:
    home.phone, home.latitude, home.longitude = "1300000", 39.9, 116.4
    with pytest.raises(ValidationError) as refused:
        home.full_clean()
    assert set(refused.value.message_dict) == {"phone", "latitude"}


@pytest.mark.parametrize(
    ("changes", "may"),
    [({}, True), ({"door": ""}, False), ({"door": "", "place": "庙东第三户"}, True)],
)
def test_what_is_needed_is_told_without_its_words(
    home: Household, changes: dict[str, str], may: bool
) -> None:
    for name, value in changes.items():
        setattr(home, name, value)
    assert may_be_surveyed(home) is may
    assert any(one.is_needed for one in missing(home)) is not may
