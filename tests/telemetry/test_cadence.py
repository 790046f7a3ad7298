"""How often units are asked: what people set, what watches hurry, what a month's bytes slow."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from households import clock
from telemetry import cadence
from telemetry.models import GatewayMonth, IntervalInForce, Watch
from tests.cast import Cast

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 20, 4, tzinfo=UTC)


def minutes(number: float) -> datetime:
    return NOON + timedelta(minutes=number)


def reviewed(cast: Cast, at: datetime = NOON) -> IntervalInForce:
    """What is in force for the water unit after a review at that moment."""
    with clock.at(at):
        cadence.review()
    row = cadence.in_force(cast.water)
    assert row is not None
    return row


def test_the_default_goes_by_the_kind_of_gateway(cast: Cast, settings: Any) -> None:
    settings.POLL_INTERVAL_S = {"dial": 300, "serial": 60, "tcp": 60, "mbap": 60}
    row = reviewed(cast)
    assert (row.interval_s, row.why, row.since) == (300, "default", NOON)


def test_a_units_own_interval_goes_before_its_gateways(cast: Cast) -> None:
    cadence.set_interval(cast.water.gateway, 120, by=cast.service_unit)
    assert (reviewed(cast).interval_s, reviewed(cast).why) == (120, "gateway")
    cadence.set_interval(cast.water, 30, by=cast.service_unit)
    assert (reviewed(cast, minutes(1)).interval_s, reviewed(cast, minutes(1)).why) == (30, "unit")
    cadence.set_interval(cast.water, None, by=cast.service_unit)
    assert reviewed(cast, minutes(2)).interval_s == 120


def test_a_review_that_finds_nothing_new_writes_nothing(cast: Cast) -> None:
    with clock.at(NOON):
        assert set(cadence.review()) == {cast.water.pk, cast.air.pk}
    with clock.at(minutes(1)):
        assert cadence.review() == {}
    assert IntervalInForce.objects.count() == 2


def test_a_review_may_be_of_one_line_worker_or_of_some_units(cast: Cast) -> None:
    cast.air.gateway.line_worker = "north"
    cast.air.gateway.save()
    assert set(cadence.review("north")) == {cast.air.pk}
    assert cadence.review("north", units=[cast.water.pk]) == {}
    assert set(cadence.review(units=[cast.water.pk])) == {cast.water.pk}


def test_only_the_service_unit_and_administrators_set_intervals(cast: Cast) -> None:
    for person in (cast.district_officer, cast.town_officer, cast.supplier_member, cast.reader):
        with pytest.raises(PermissionDenied):
            cadence.set_interval(cast.water, 30, by=person)


@pytest.mark.parametrize("interval", [0, 9, 3601, -60])
def test_an_interval_out_of_bounds_is_refused(cast: Cast, interval: int) -> None:
    with pytest.raises(ValidationError):
        cadence.set_interval(cast.water, interval, by=cast.service_unit)


def test_an_open_page_hurries_a_unit_to_ten_seconds_and_a_minute_after_it_is_over(
    cast: Cast,
) -> None:
    cadence.set_interval(cast.water, 300, by=cast.service_unit)
    with clock.at(NOON):
        cadence.watch(cast.water)
    assert (reviewed(cast).interval_s, reviewed(cast).why) == (10, "open")
    assert reviewed(cast, minutes(0.9)).interval_s == 10
    assert reviewed(cast, minutes(1.1)).interval_s == 300


def test_a_page_left_open_is_watched_ten_minutes_and_no_longer(cast: Cast) -> None:
    with clock.at(NOON):
        cadence.watch(cast.water)
    for quarter in range(1, 60):
        with clock.at(minutes(quarter / 4)):
            cadence.still_watches(cast.water)
    assert minutes(9.5) < Watch.objects.get().until <= minutes(10)


def test_a_watch_that_is_over_begins_anew_only_when_the_page_is_opened_again(cast: Cast) -> None:
    with clock.at(NOON):
        cadence.watch(cast.water)
    with clock.at(minutes(5)):
        cadence.still_watches(cast.water)
        assert not Watch.objects.running().exists()
        cadence.watch(cast.water)
        assert Watch.objects.running().exists()


def test_a_write_hurries_its_units_to_a_minute_for_half_an_hour(cast: Cast) -> None:
    for thing in (cast.water, cast.air):
        cadence.set_interval(thing, 300, by=cast.service_unit)
    with clock.at(NOON):
        cadence.hasten([cast.water, cast.air.pk])
    assert (reviewed(cast, minutes(29)).interval_s, reviewed(cast, minutes(29)).why) == (
        60,
        "write",
    )
    assert reviewed(cast, minutes(31)).interval_s == 300


def test_the_fastest_of_several_wishes_counts_and_none_makes_slower(cast: Cast) -> None:
    cadence.set_interval(cast.water, 30, by=cast.service_unit)
    with clock.at(NOON):
        cadence.hasten([cast.water], why=Watch.Why.ALARM)
        assert reviewed(cast).interval_s == 30
        cadence.watch(cast.water)
        assert reviewed(cast).interval_s == 10


def test_eighty_percent_of_the_months_bytes_halve_the_pace_but_not_of_a_watch(cast: Cast) -> None:
    gateway = cast.water.gateway
    gateway.monthly_budget_mb = 10
    gateway.save()
    cadence.set_interval(cast.water, 300, by=cast.service_unit)
    with clock.at(NOON):
        month = GatewayMonth.objects.create(
            gateway=gateway, month=GatewayMonth.current(), bytes_in=4_000_000, bytes_out=3_999_999
        )
    assert reviewed(cast).interval_s == 300
    month.bytes_out += 1
    month.save()
    row = reviewed(cast, minutes(1))
    assert (row.interval_s, row.why) == (600, "budget")
    with clock.at(minutes(2)):
        cadence.watch(cast.water)
    assert reviewed(cast, minutes(2)).interval_s == 10
    assert reviewed(cast, NOON + timedelta(days=30)).interval_s == 300


def test_the_few_watched_units_are_reviewed_alone(cast: Cast) -> None:
    with clock.at(NOON):
        cadence.review()
        assert cadence.review_watched("main") == {}
        cadence.watch(cast.water)
        assert cadence.review_watched("elsewhere") == {}
        assert cadence.review_watched("main") == {cast.water.pk: 10}
    with clock.at(minutes(1.5)):
        assert set(cadence.review_watched("main")) == {cast.water.pk}


def test_rows_that_no_hour_needs_any_more_are_forgotten_but_never_the_one_in_force(
    cast: Cast,
) -> None:
    for day in (0, 1, 2):
        cast.water.interval_s = 100 + day
        cast.water.save()
        reviewed(cast, NOON + timedelta(days=day))
    with clock.at(NOON + timedelta(days=200)):
        cadence.forget_old()
    rows = IntervalInForce.objects.filter(unit=cast.water).values_list("interval_s", flat=True)
    assert list(rows) == [102]
