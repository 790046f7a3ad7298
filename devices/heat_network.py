"""Connections to the heat network, entered by building: many households at once.

签订协议, 安装 and 调试 of such a household rest on the heat company's record: the agreement, the
day on which the pipes were joined, the day on which they were found warm.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date

from django.db import transaction
from django.utils.translation import gettext as _

from devices.models import HeatConnection
from households import clock, path
from households.models import Household, Method, StepKind, User

STEPS = {
    StepKind.SIGNED: "agreement_on",
    StepKind.INSTALLED: "connected_on",
    StepKind.COMMISSIONED: "heated_on",
}


@dataclass(frozen=True)
class Said:
    """What is said of one household's connection; what is empty stays as it was."""

    household: Household
    station: str = ""
    riser: str = ""
    agreement_number: str = ""
    agreement_on: date | None = None
    connected_on: date | None = None
    heated_on: date | None = None
    note: str = ""


FIELDS = [field.name for field in fields(Said) if field.name != "household"]


class ConnectionRefused(Exception):
    """Nothing was stored; `messages` say why by 户编号."""

    def __init__(self, messages: dict[str, list[str]]) -> None:
        self.messages = messages
        super().__init__("；".join(f"{n} {'、'.join(told)}" for n, told in messages.items()))


@transaction.atomic
def connect(rows: Sequence[Said], by: User) -> list[HeatConnection]:
    """Store the connections and take the steps for which they are ground, all or none.

    Raises ConnectionRefused.
    """
    pks = [row.household.pk for row in rows]
    locked = Household.objects.select_for_update(of=("self",)).filter(pk__in=pks).order_by("pk")
    homes = {home.pk: home for home in locked.select_related("heat_connection")}
    kept = [_merged(homes[row.household.pk], row, by) for row in rows]
    messages = {one.household.number: told for one in kept if (told := _mistakes(one))}
    if messages:
        raise ConnectionRefused(messages)
    for one in kept:
        one.save()
    for kind, field in STEPS.items():
        _take(kind, {row.household.pk: getattr(row, field) for row in rows}, by)
    return kept


def _merged(home: Household, said: Said, by: User) -> HeatConnection:
    row: HeatConnection = getattr(home, "heat_connection", None) or HeatConnection(household=home)
    for name in FIELDS:
        setattr(row, name, getattr(said, name) or getattr(row, name))
    row.household, row.entered_by, row.entered_at = home, by, clock.now()
    return row


def _mistakes(row: HeatConnection) -> list[str]:
    home, today = row.household, clock.today()
    found = []
    if Method(home.method).has_unit:
        found.append(
            _("改造方式是%(method)s：请登记安装信息") % {"method": home.get_method_display()}
        )
    if home.withdrawn_on:
        found.append(_("已退出改造"))
    if not row.station:
        found.append(_("没有写换热站"))
    if any(day and day > today for day in (row.agreement_on, row.connected_on, row.heated_on)):
        found.append(_("日期还没有到"))
    if row.heated_on and (row.connected_on is None or row.heated_on < row.connected_on):
        found.append(_("通热日期应在接入日期当天或之后"))
    return found


def _take(kind: StepKind, days: dict[int, date | None], by: User) -> None:
    """The step of all whose day was said now and is another than the one that counts."""
    homes = Household.objects.in_bulk([pk for pk, day in days.items() if day])
    taken = [
        path.Taken(home, day, by)
        for pk, home in homes.items()
        if (day := days[pk]) and getattr(home, f"{kind}_on") != day
    ]
    if taken:
        path.take_many(kind, taken)
