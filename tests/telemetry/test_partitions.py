"""Day partitions of the readings. The days lie far from now, so that no other test meets them."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from households import clock
from telemetry import partitions
from telemetry.models import Reading

FIRST, LAST = date(2031, 3, 1), date(2031, 3, 4)
DAYS = [FIRST + timedelta(days=n) for n in range(4)]


def tables_of(day: date) -> list[str]:
    """Where the rows of the test unit lie that belong to that Shanghai day's table."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT at AT TIME ZONE 'UTC' FROM telemetry_reading"
            " WHERE unit_id = 7 AND tableoid = %s::regclass ORDER BY at",
            [f"telemetry_reading_{day:%Y%m%d}"],
        )
        return [f"{at:%d %H:%M}" for (at,) in cursor.fetchall()]


@pytest.mark.django_db
def test_the_missing_days_are_made_once() -> None:
    assert partitions.ensure(FIRST, LAST) == DAYS
    assert partitions.ensure(FIRST, LAST) == []
    assert partitions.ensure(FIRST, LAST + timedelta(days=1)) == [LAST + timedelta(days=1)]
    assert set(DAYS) < partitions.existing()


@pytest.mark.django_db
def test_without_a_wish_today_and_a_week_ahead_are_made() -> None:
    with clock.at(datetime(2031, 3, 1, 15, 59, tzinfo=UTC)):  # one minute to midnight in Shanghai
        made = partitions.ensure()
    assert made == [date(2031, 3, 1) + timedelta(days=n) for n in range(8)]


@pytest.mark.django_db
def test_a_day_begins_at_midnight_of_shanghai() -> None:
    partitions.ensure(FIRST, LAST)
    for moment in ("15:59", "16:00"):  # UTC: one minute to midnight, midnight
        hour, minute = map(int, moment.split(":"))
        at = datetime(2031, 3, 1, hour, minute, tzinfo=UTC)
        Reading.objects.create(unit_id=7, at=at)
    assert tables_of(date(2031, 3, 1)) == ["01 15:59"]
    assert tables_of(date(2031, 3, 2)) == ["01 16:00"]


@pytest.mark.django_db
def test_bounds_touch_without_a_gap() -> None:
    for day in DAYS[:-1]:
        assert partitions.bounds(day)[1] == partitions.bounds(day + timedelta(days=1))[0]


@pytest.mark.django_db
def test_a_row_of_a_day_that_nobody_prepared_is_an_error_at_once() -> None:
    with pytest.raises(DatabaseError, match="no partition"), transaction.atomic():
        Reading.objects.create(unit_id=7, at=datetime(2032, 1, 1, tzinfo=UTC))


@pytest.mark.django_db
def test_old_days_go_and_the_days_within_the_keeping_time_stay(settings: object) -> None:
    settings.RAW_READINGS_DAYS = 2  # type: ignore[attr-defined]
    ancient = [date(1999, 1, 1) + timedelta(days=n) for n in range(4)]
    partitions.ensure(ancient[0], ancient[-1])
    with clock.at(datetime(1999, 1, 4, 4, tzinfo=UTC)):
        assert partitions.drop_old() == ancient[:1]
        assert partitions.drop_old() == []
    assert set(ancient[1:]) <= partitions.existing()


@pytest.fixture
def cleared(transactional_db: None) -> Iterator[None]:
    yield
    with connection.cursor() as cursor:
        for day in DAYS:
            cursor.execute(f"DROP TABLE IF EXISTS telemetry_reading_{day:%Y%m%d}")


def test_several_makers_at_once_make_each_day_once(cleared: None) -> None:
    def make(_: int) -> list[date]:
        try:
            return partitions.ensure(FIRST, LAST)
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        made = list(pool.map(make, range(6)))
    assert sorted(day for days in made for day in days) == DAYS
