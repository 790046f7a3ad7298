"""What each kind of change slip asks for, whether it can be, and what it does to its households.

Every kind names the parts of its households and the values that it needs. `left` and `joined` of a
line say what the slip did to the year's task; the adjusted task is counted from them and typed by
nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from households import clock, numbering, path
from households.models import (
    ChangeSlip,
    Household,
    Method,
    Part,
    SlipKind,
    SlipLine,
    StepKind,
    User,
    VillageList,
)

KEPT = (  # fields that a slip may change, compared for its lines' before and after
    "householder",
    "method",
    "heated_area",
    "vacant",
    "in_demolition_plan",
    "demolition_on",
    "listed_on",
    "withdrawn_on",
)
Why = ChangeSlip.Why
COPIED = ("area", "year", "method", "site_kind", "in_network_area")  # a part of a house


# What else has to follow on a household that a slip changed: each app puts its own in when it is
# ready; part of the slip's transaction.
FOLLOWS: list[Callable[[Household], None]] = []


class SlipRefused(Exception):
    """The act is not possible; `messages` say why and what to do."""

    def __init__(self, *messages: str) -> None:
        super().__init__("；".join(messages))
        self.messages = list(messages)


@dataclass(frozen=True)
class Asked:
    """What a kind needs: the parts of its households, whether there may be several, its values;
    and the reasons that it may have, besides 其他."""

    parts: tuple[Part, ...]
    why: tuple[Why, ...]
    many: bool = False
    values: tuple[str, ...] = ()


GOES = (Why.GIVEN_UP, Why.CONVERTED, Why.MOVED, Why.EMPTY, Why.DEMOLITION, Why.NETWORK)
OWNS = (Why.SOLD, Why.MOVED, Why.FAMILY)
ASKED = {
    SlipKind.ADDED: Asked((Part.JOINS,), (Why.FORGOTTEN, Why.FAMILY, Why.NETWORK), many=True),
    SlipKind.WITHDRAWN: Asked((Part.LEAVES,), GOES, many=True),
    SlipKind.SWAPPED: Asked((Part.LEAVES, Part.JOINS), GOES),
    SlipKind.METHOD: Asked(
        (Part.CHANGES,), (Why.NETWORK, Why.GIVEN_UP), many=True, values=("method",)
    ),
    SlipKind.HOUSEHOLDER: Asked((Part.CHANGES,), OWNS, values=("householder",)),
    SlipKind.SPLIT: Asked(
        (Part.STAYS, Part.JOINS), OWNS, values=("householder", "door", "heated_area")
    ),
    SlipKind.MERGED: Asked((Part.STAYS, Part.LEAVES), OWNS),
    SlipKind.VACANT: Asked((Part.CHANGES,), (Why.EMPTY, Why.MOVED), many=True),
    SlipKind.DEMOLITION: Asked(
        (Part.CHANGES,), (Why.DEMOLITION,), many=True, values=("demolition_on",)
    ),
}
MARKS = {  # what a kind sets without being told
    SlipKind.VACANT: {"vacant": True},
    SlipKind.DEMOLITION: {"in_demolition_plan": True},
}


# -- whether it can be ---------------------------------------------------------------------


def check(slip: ChangeSlip) -> None:
    """Raises SlipRefused where the slip could not take effect as its households are now."""
    lines = list(slip.lines.select_related("household"))
    found = list(_wrong_parts(slip, lines))
    for line in lines:
        if line.household:
            said = _wrong_household(slip, line, line.household)
            found += [f"{line.household.number} {words}" for words in said]
    if found:
        raise SlipRefused(*found)


def _wrong_parts(slip: ChangeSlip, lines: list[SlipLine]) -> Iterator[str]:
    asked, kind = ASKED[SlipKind(slip.kind)], SlipKind(slip.kind)
    given = [Part(line.part) for line in lines]
    whole = set(given) == set(asked.parts) if asked.many else sorted(given) == sorted(asked.parts)
    if not whole:
        yield _("“%(kind)s”要选的户不全") % {"kind": kind.label}
    if any(not slip.values.get(name) for name in asked.values):
        yield _("“%(kind)s”还有内容没有填") % {"kind": kind.label}
    if any(line.household is None for line in lines) and kind != SlipKind.SPLIT:
        yield _("请选择改造户")


def _wrong_household(slip: ChangeSlip, line: SlipLine, home: Household) -> Iterator[str]:
    if (home.area_id, home.year) != (slip.area_id, slip.year):
        yield _("不在本村（社区）本年度的名单里：一张变更单只办一个村（社区）")
    if home.withdrawn_on:
        yield _("已于 %(date)s 退出改造") % {"date": home.withdrawn_on}
    elif line.part == Part.JOINS:
        yield from _wrong_to_join(home)
    elif not home.listed_on:
        yield _("还没有备案：备案之前直接修改，不用变更单")
    elif line.part == Part.LEAVES and home.accepted_on:
        yield _("已竣工验收，不能退出、调出或并入别户")
    elif slip.kind == SlipKind.METHOD:
        yield from _wrong_method(slip, home)


def _wrong_to_join(home: Household) -> Iterator[str]:
    if home.listed_on:
        yield _("已经在名单里")
    if home.surveyed_on is None:
        yield _("还是暂存：请补齐后提交摸底登记")
    if VillageList.objects.under_way().filter(area=home.area_id, year=home.year).exists():
        yield _("本村名单还没有备案：随名单一起报，不用变更单")


def _wrong_method(slip: ChangeSlip, home: Household) -> Iterator[str]:
    if slip.values.get("method") == home.method:
        yield _("本来就是这种改造方式")
    if home.installed_on:
        yield _("已记录安装，不能再变更改造方式")


def planned(slip: ChangeSlip, line: SlipLine) -> tuple[dict[str, Any], dict[str, Any]]:
    """Fields that the slip is to change of the line's household: as they are, as they will be.

    Empty for households that come, go or stay: of them the part says all.
    """
    kind = SlipKind(slip.kind)
    if line.part != Part.CHANGES or line.household is None:
        return {}, {}
    after: dict[str, Any] = {**MARKS.get(kind, {}), **slip.values}
    return {name: getattr(line.household, name) for name in after}, after


# -- what it does --------------------------------------------------------------------------


def take_effect(slip: ChangeSlip, *, by: User) -> None:
    """Do what the slip says, today. Part of the caller's transaction, which holds the slip.

    Raises SlipRefused where something has changed since it was drafted.
    """
    pks = [pk for pk in slip.lines.values_list("household", flat=True) if pk]
    homes = Household.objects.select_for_update().filter(pk__in=pks).order_by("pk").in_bulk()
    check(slip)
    effect = Effect(slip, by, clock.today())
    for line in slip.lines.all():
        home = homes[line.household_id] if line.household_id else effect.new_household()
        before = _kept(home) if line.household_id else {}
        line.household = home
        effect.of(line, home)
        home.refresh_from_db()
        after = _kept(home)
        line.before = {name: value for name, value in before.items() if value != after[name]}
        line.after = {name: value for name, value in after.items() if value != before.get(name)}
        line.save()
    for home in homes.values():
        for follow in FOLLOWS:
            follow(home)


def _kept(home: Household) -> dict[str, Any]:
    values = {name: getattr(home, name) for name in KEPT}
    return {
        name: str(value) if isinstance(value, date | Decimal) else value
        for name, value in values.items()
    }


@dataclass
class Effect:
    """One slip taking effect on a day."""

    slip: ChangeSlip
    by: User
    on: date

    def of(self, line: SlipLine, home: Household) -> None:
        """What the slip does to this household, and to the task."""
        acts: dict[str, Callable[[SlipLine, Household], None]] = {
            Part.JOINS: self._join,
            Part.LEAVES: self._leave,
            Part.CHANGES: self._change,
            Part.STAYS: self._stay,
        }
        acts[line.part](line, home)

    def _join(self, line: SlipLine, home: Household) -> None:
        line.joined = home.method
        note = _("变更单 %(number)s") % {"number": self.slip.number}
        path.take(home, StepKind.LISTED, on=self.on, by=self.by, note=note)

    def _leave(self, line: SlipLine, home: Household) -> None:
        line.left = home.method
        home.withdrawn_on = self.on
        home.save()

    def _stay(self, line: SlipLine, home: Household) -> None:
        if self.slip.kind == SlipKind.MERGED:
            gone = self.slip.lines.get(part=Part.LEAVES).household
            if gone and gone.heated_area and home.heated_area:
                home.heated_area += gone.heated_area
        elif self.slip.kind == SlipKind.SPLIT and home.heated_area:
            rest = home.heated_area - Decimal(self.slip.values["heated_area"])
            if rest <= 0:
                raise SlipRefused(_("分出的取暖面积不能大于原有面积"))
            home.heated_area = rest
        home.save()

    def _change(self, line: SlipLine, home: Household) -> None:
        if self.slip.kind == SlipKind.METHOD:
            line.left, line.joined = home.method, Method(self.slip.values["method"])
            home.method = line.joined
        elif self.slip.kind == SlipKind.HOUSEHOLDER:
            home.householder = self.slip.values["householder"]
        elif self.slip.kind == SlipKind.VACANT:
            home.vacant = True
        elif self.slip.kind == SlipKind.DEMOLITION:
            home.in_demolition_plan = True
            home.demolition_on = date.fromisoformat(self.slip.values["demolition_on"])
        home.save()

    def new_household(self) -> Household:
        """The second household of a split: what it shares with the first, and its own values."""
        first = self.slip.lines.get(part=Part.STAYS).household
        assert first is not None
        values = self.slip.values
        home = Household.objects.create(
            number=numbering.take(first.area, first.year)[0],
            householder=values["householder"],
            door=values["door"],
            heated_area=Decimal(values["heated_area"]),
            **{name: getattr(first, name) for name in COPIED},
        )
        path.take(home, StepKind.SURVEYED, on=self.on, by=self.by)
        return home
