"""Who put the demonstration's units in, and how its other households hang on the heat network."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta

from devices.models import Assignment, HeatConnection, Supplier
from heating_platform.demonstration import people
from heating_platform.demonstration.district import Home
from heating_platform.demonstration.farm import planned
from households import clock
from households.models import StepKind, User

PER_RISER = 12


def assign(homes: Iterable[Home], makers: dict[str, Supplier], accounts: dict[str, User]) -> None:
    """Give each household with a unit to its maker, at the time of its contract; of one maker the
    work is an installer's."""
    rows = []
    for plan, home in zip(planned(), homes, strict=True):
        maker = people.WATER_MAKER if plan.is_water else people.AIR_MAKER
        rows.append(
            Assignment(
                household=home.household,
                supplier=makers[maker],
                installer=accounts["anzhuang"] if plan.is_water else None,
                assigned_by=_town(home, accounts),
                assigned_at=_noon(home, StepKind.INSTALLED) - timedelta(days=3),
            )
        )
    Assignment.objects.bulk_create(rows)


def connect(homes: Iterable[Home], accounts: dict[str, User]) -> None:
    """The heat company's record of each household that is on the network, with the days of its
    steps."""
    rows = []
    for n, home in enumerate(one for one in homes if StepKind.INSTALLED in one.days):
        rows.append(
            HeatConnection(
                household=home.household,
                station=f"示范换热站 {home.item.seq:02d} 号",
                riser=f"{n // PER_RISER + 1} 号立管",
                agreement_number=f"SF-RW-{n + 1:04d}" if StepKind.SIGNED in home.days else "",
                agreement_on=_day(home, StepKind.SIGNED),
                connected_on=home.on(StepKind.INSTALLED),
                heated_on=_day(home, StepKind.COMMISSIONED),
                entered_by=accounts["gongre"],
                entered_at=_noon(home, StepKind.INSTALLED),
            )
        )
    HeatConnection.objects.bulk_create(rows)


def _day(home: Home, kind: StepKind) -> date | None:
    return home.on(kind) if kind in home.days else None


def _noon(home: Home, kind: StepKind) -> datetime:
    return min(datetime.combine(home.on(kind), time(12), clock.SHANGHAI), clock.now())


def _town(home: Home, accounts: dict[str, User]) -> User:
    area = home.item.area
    name = (area.town or area).name
    return next(user for user in accounts.values() if user.area and user.area.name == name)
