"""The platform's only clock: every rule that asks for "now" or "today" asks here.

Tests and replays set the clock with `at`; days and hours of the offices are those of Shanghai.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone

SHANGHAI = ZoneInfo("Asia/Shanghai")
_fixed: ContextVar[datetime | None] = ContextVar("fixed clock", default=None)


def now() -> datetime:
    """This moment, with its zone."""
    return _fixed.get() or timezone.now()


def today() -> date:
    """The date on the offices' wall."""
    return day_of(now())


def day_of(moment: datetime) -> date:
    """The day of the offices in which a moment lies."""
    return moment.astimezone(SHANGHAI).date()


def end_of(day: date) -> datetime:
    """The midnight with which a day of the offices ends."""
    return datetime.combine(day + timedelta(days=1), time(), SHANGHAI)


@contextmanager
def at(moment: datetime) -> Iterator[None]:
    """Hold the clock at `moment` (with its zone) within the block."""
    token = _fixed.set(moment)
    try:
        yield
    finally:
        _fixed.reset(token)
