"""Day partitions of the readings: made ahead, dropped when their time has passed."""

from datetime import date, datetime, time, timedelta

from django.conf import settings
from django.db import connection, transaction

from households import clock

DAYS_AHEAD = 7
LOCK = 0x72656164  # one maker at a time, whoever calls


def bounds(day: date) -> tuple[datetime, datetime]:
    """Begin and end of a Shanghai day."""
    start = datetime.combine(day, time(), clock.SHANGHAI)
    return start, start + timedelta(days=1)


def ensure(first: date | None = None, last: date | None = None) -> list[date]:
    """Make the partitions of `first` (today) to `last` (a week ahead) that are still missing.

    Idempotent and safe to call from several processes at once. Answers the days it made.
    """
    first = first or clock.today()
    last = last or clock.today() + timedelta(days=DAYS_AHEAD)
    wanted = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        there = existing()
        made = [day for day in wanted if day not in there]
        for day in made:
            start, end = bounds(day)
            cursor.execute(
                f"CREATE TABLE {_name(day)} PARTITION OF telemetry_reading"
                f" FOR VALUES FROM ('{start.isoformat()}') TO ('{end.isoformat()}')"
            )
    return made


def drop_old() -> list[date]:
    """Drop the days older than RAW_READINGS_DAYS; their hours stay. Answers the days dropped."""
    oldest = clock.today() - timedelta(days=settings.RAW_READINGS_DAYS)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        old = sorted(day for day in existing() if day < oldest)
        for day in old:
            cursor.execute(f"DROP TABLE {_name(day)}")
    return old


def existing() -> set[date]:
    """The days that have a partition."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits"
            " WHERE inhparent = 'telemetry_reading'::regclass"
        )
        return {date.fromisoformat(name[-8:]) for (name,) in cursor.fetchall()}


def _name(day: date) -> str:
    return f"telemetry_reading_{day:%Y%m%d}"
