"""A day's chart: lines break where there are no readings, and the break says why."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from households import clock
from telemetry import history
from telemetry.models import UnitHour
from tests.cast import Cast, reading

NOW = datetime(2026, 11, 23, 4, tzinfo=UTC)
START = NOW - timedelta(hours=2)


def hour(cast: Cast, at: datetime, **missed: int) -> None:
    UnitHour.objects.create(
        unit=cast.water, hour=at, interval_s=60, due=60, stored=30, on_seconds=0, missed=missed
    )


def minutes(cast: Cast, *spans: tuple[int, int]) -> None:
    """A reading each minute of the spans, counted from START."""
    for first, last in spans:
        for minute in range(first, last):
            reading(cast.water, START + timedelta(minutes=minute), supply_temp=40.0)


def chart(cast: Cast) -> Any:
    with clock.at(NOW):
        return history.chart(cast.water, START, NOW)


def test_a_gap_is_named_by_its_most_frequent_cause(cast: Cast) -> None:
    hour(cast, START, not_answered=2, line_down=28)
    hour(cast, START + timedelta(hours=1))
    minutes(cast, (0, 30), (58, 120))
    (gap,) = chart(cast)["gaps"]
    assert gap["words"] == "装置离线"
    assert gap["start"] == (START + timedelta(minutes=29)).timestamp()
    assert gap["end"] == (START + timedelta(minutes=58)).timestamp()


def test_no_line_crosses_a_gap(cast: Cast) -> None:
    hour(cast, START)
    hour(cast, START + timedelta(hours=1))
    minutes(cast, (0, 30), (58, 120))
    drawn = chart(cast)
    (gap,) = drawn["gaps"]
    inside = [n for n, at in enumerate(drawn["at"]) if gap["start"] < at < gap["end"]]
    assert inside
    assert all(series["values"][n] is None for series in drawn["series"] for n in inside)
    assert drawn["at"] == sorted(drawn["at"])


def test_two_missed_polls_are_no_gap(cast: Cast) -> None:
    hour(cast, START)
    hour(cast, START + timedelta(hours=1))
    minutes(cast, (0, 30), (32, 120))
    assert chart(cast)["gaps"] == []


def test_a_time_of_slower_polls_has_wider_gaps_only(cast: Cast) -> None:
    for at in (START, START + timedelta(hours=1)):
        UnitHour.objects.create(
            unit=cast.water, hour=at, interval_s=900, due=4, stored=4, on_seconds=0
        )
    for minute in range(0, 120, 15):
        reading(cast.water, START + timedelta(minutes=minute), supply_temp=40.0)
    assert chart(cast)["gaps"] == []


def test_the_silence_that_lasts_until_now_is_a_gap(cast: Cast) -> None:
    hour(cast, START)
    hour(cast, START + timedelta(hours=1), not_answered=50)
    minutes(cast, (0, 70))
    (gap,) = chart(cast)["gaps"]
    assert gap["end"] == NOW.timestamp()
    assert gap["words"] == "设备未应答"


def test_only_what_the_unit_measures_is_drawn(cast: Cast) -> None:
    drawn: Any = history.chart(cast.air, START, NOW)
    assert [series["label"] for series in drawn["series"]][:2] == ["送风温度", "回风温度"]
    assert "indoor_temp" in [series["signal"] for series in drawn["series"]]


def test_a_day_begins_and_ends_in_shanghai(cast: Cast) -> None:
    start, end = history.window(datetime(2026, 11, 22).date())
    assert start.isoformat() == "2026-11-22T00:00:00+08:00"
    assert end - start == timedelta(days=1)
