"""Change slips on their way, and what they lock: a filed list changes by slip and not otherwise.

A slip is drafted by village or town, reviewed by the town, filed by the district; filing it is
what makes it take effect (`slip_effects`), in the same transaction and exactly once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

from django.db import models, transaction
from django.db.models import Max
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from households import clock
from households.audit import history
from households.language import as_kept
from households.models import (
    Area,
    ChangeSlip,
    Household,
    Part,
    SlipAct,
    SlipActKind,
    SlipKind,
    SlipLine,
    SlipState,
    User,
    VillageList,
)
from households.village_lists import list_papers, slip_effects
from households.village_lists.list_checks import SHOWN
from households.village_lists.slip_effects import SlipRefused
from households.village_lists.village_list import prepares

# Fields of a household that change by slip alone once it is on a filed list.
LOCKED = {
    "area": SlipKind.SWAPPED,
    "method": SlipKind.METHOD,
    "householder": SlipKind.HOUSEHOLDER,
    "vacant": SlipKind.VACANT,
    "in_demolition_plan": SlipKind.DEMOLITION,
    "demolition_on": SlipKind.DEMOLITION,
}
REASONS = {  # of a slip that is returned or refused
    "basis": _lazy("依据不足"),
    "households": _lazy("户信息有误"),
    "values": _lazy("变更内容有误"),
    "policy": _lazy("不符合政策"),
    "other": _lazy("其他"),
}
ENDS = {
    SlipActKind.SUBMIT: SlipState.SUBMITTED,
    SlipActKind.REVIEW: SlipState.REVIEWED,
    SlipActKind.APPROVE: SlipState.EFFECTIVE,
    SlipActKind.RETURN: SlipState.RETURNED,
    SlipActKind.REFUSE: SlipState.REFUSED,
    SlipActKind.CANCEL: SlipState.CANCELLED,
}


# -- what is locked ------------------------------------------------------------------------


def why_locked(field: str) -> str:
    """Why a field of a filed household cannot be changed by hand, and what to do instead."""
    label = _label(field)
    return _("名单已备案，“%(field)s”只能用变更单（%(kind)s）修改") % {
        "field": label,
        "kind": LOCKED[field].label,
    }


class Locks:
    """Which fields of households must not be changed now. One query, however many are asked."""

    @cached_property
    def _under_way(self) -> set[tuple[int, int]]:
        return set(VillageList.objects.under_way().values_list("area_id", "year"))

    def of(self, household: Household) -> dict[str, str]:
        """Locked fields, each with the sentence that says why and what to do."""
        if household.is_filed:
            return {field: why_locked(field) for field in LOCKED}
        if (household.area_id, household.year) not in self._under_way:
            return {}
        sentence = _("本村名单正在办理，公示的内容不能改；要改先在名单页“撤回修改”")
        return dict.fromkeys((*SHOWN, "area"), sentence)


# -- who may do what -----------------------------------------------------------------------


def acts(user: User, state: str | None) -> set[SlipActKind]:
    """What the user's role may do with a slip in that state (None: not yet drafted)."""
    may: set[SlipActKind] = set()
    if prepares(user):
        may |= _DRAFTING.get(state, set())
    if user.reviews_lists and state == SlipState.SUBMITTED:
        may |= {SlipActKind.REVIEW, SlipActKind.RETURN, SlipActKind.REFUSE}
    if user.files_lists and state == SlipState.REVIEWED:
        may |= {SlipActKind.APPROVE, SlipActKind.RETURN, SlipActKind.REFUSE}
    return may


def may_ever(user: User, kind: SlipActKind) -> bool:
    """Whether the act is the role's at all, in some state of a slip."""
    return any(kind in acts(user, state) for state in (None, *SlipState))


_DRAFTING: dict[str | None, set[SlipActKind]] = {
    None: {SlipActKind.DRAFT},
    SlipState.DRAFT: {SlipActKind.DRAFT, SlipActKind.SUBMIT, SlipActKind.CANCEL},
    SlipState.RETURNED: {SlipActKind.DRAFT, SlipActKind.SUBMIT, SlipActKind.CANCEL},
    SlipState.SUBMITTED: {SlipActKind.CANCEL},
}


# -- acts ----------------------------------------------------------------------------------


@transaction.atomic
def draft(
    kind: SlipKind,
    lines: Sequence[tuple[Household | None, Part]],
    *,
    by: User,
    slip: ChangeSlip | None = None,
    **fields: Any,
) -> ChangeSlip:
    """A new slip, or `slip` written anew, for these households of one village.

    `fields` are basis, basis_on, reason, note and the `values` that the kind asks for. Raises
    SlipRefused where the change could not take effect as things are now.
    """
    if slip is not None:
        slip = _held(slip)
    _refuse_unless(by, slip.state if slip else None, SlipActKind.DRAFT)
    first = next(home for home, _part in lines if home)
    if slip is None:
        slip = ChangeSlip(area=first.area, year=first.year, drafted_by=by)
        slip.drafted_at = clock.now()
        slip.town = first.area.town or first.area
        slip.serial = _next_serial(slip.town, slip.year)
    slip.kind = kind
    for name, value in fields.items():
        setattr(slip, name, value)
    slip.save()
    slip.lines.all().delete()
    SlipLine.objects.bulk_create(
        SlipLine(slip=slip, household=home, part=part) for home, part in lines
    )
    slip_effects.check(slip)
    _record(slip, SlipActKind.DRAFT, by)
    return slip


def _next_serial(town: Area, year: int) -> int:
    Area.objects.select_for_update().get(pk=town.pk)  # numbers are given one after the other
    last = ChangeSlip.objects.filter(town=town, year=year).aggregate(last=Max("serial"))["last"]
    return (last or 0) + 1


def submit(slip: ChangeSlip, *, by: User, text: str = "") -> ChangeSlip:
    """To the town for its review; needs a scan of the basis."""
    return _act(slip, SlipActKind.SUBMIT, by, text=text)


def review(slip: ChangeSlip, *, by: User, text: str = "") -> ChangeSlip:
    """The town agrees; the slip goes to the district."""
    return _act(slip, SlipActKind.REVIEW, by, text=text)


def approve(slip: ChangeSlip, *, by: User, text: str = "") -> ChangeSlip:
    """The district files the slip: it takes effect now, all of it or nothing."""
    return _act(slip, SlipActKind.APPROVE, by, text=text)


def send_back(slip: ChangeSlip, *, by: User, reasons: Sequence[str], text: str = "") -> ChangeSlip:
    """Returned to whoever drafted it, with reasons picked from `REASONS`."""
    return _act(slip, SlipActKind.RETURN, by, reasons=reasons, text=text)


def refuse(slip: ChangeSlip, *, by: User, reasons: Sequence[str], text: str = "") -> ChangeSlip:
    """Refused for good, with reasons picked from `REASONS`."""
    return _act(slip, SlipActKind.REFUSE, by, reasons=reasons, text=text)


def cancel(slip: ChangeSlip, *, by: User, text: str = "") -> ChangeSlip:
    """Whoever drafts gives it up; the number is not used again."""
    return _act(slip, SlipActKind.CANCEL, by, text=text)


@transaction.atomic
def _act(
    slip: ChangeSlip,
    kind: SlipActKind,
    by: User,
    *,
    reasons: Sequence[str] = (),
    text: str = "",
) -> ChangeSlip:
    one = _held(slip)
    _refuse_unless(by, one.state, kind)
    if kind in (SlipActKind.RETURN, SlipActKind.REFUSE):
        _refuse_without_reason(reasons, text)
    if kind in (SlipActKind.SUBMIT, SlipActKind.REVIEW):
        if not one.papers.exists():
            raise SlipRefused(_("还没有依据的扫描件：请上传申请书或批复"))
        slip_effects.check(one)
    if kind == SlipActKind.APPROVE:
        words = {"number": one.number, "basis": one.basis}
        with history.because(as_kept(_lazy("变更单 %(number)s，依据 %(basis)s")) % words):
            slip_effects.take_effect(one, by=by)
            list_papers.into_files(one)
        one.effective_on = clock.today()
    one.state = ENDS[kind]
    one.save()
    _record(one, kind, by, reasons=reasons, text=text)
    return one


def _held(slip: ChangeSlip) -> ChangeSlip:
    """The slip as it is now, kept from others until the transaction ends."""
    rows = ChangeSlip.objects.select_for_update(of=("self",)).select_related("town")
    return rows.get(pk=slip.pk)


def _refuse_unless(by: User, state: str | None, kind: SlipActKind) -> None:
    if kind not in acts(by, state):
        words = {"state": SlipState(state).label if state else _("新建"), "act": kind.label}
        raise SlipRefused(_("变更单现在是“%(state)s”，您的账号这时不能“%(act)s”") % words)


def _refuse_without_reason(reasons: Sequence[str], text: str) -> None:
    if not reasons or not set(reasons) <= set(REASONS):
        raise SlipRefused(_("请选择原因"))
    if "other" in reasons and not text:
        raise SlipRefused(_("选了“其他”，请写明原因"))


def _record(
    slip: ChangeSlip,
    kind: SlipActKind,
    by: User,
    *,
    reasons: Sequence[str] = (),
    text: str = "",
) -> None:
    SlipAct.objects.create(
        slip=slip, kind=kind, at=clock.now(), by=by, reasons=list(reasons), text=text
    )


# -- words ---------------------------------------------------------------------------------


def told(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Label and value of stored fields (a line's before or after, a slip's values) as shown."""
    return [(_label(name), _shown(name, value)) for name, value in values.items()]


def _label(name: str) -> str:
    """As forms and tables call it."""
    called = {"area": _("村（社区）"), "listed_on": _("列入计划"), "withdrawn_on": _("退出改造")}
    return called.get(name) or str(_field(name).verbose_name)


def _shown(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return _("是") if value else _("否")
    choices: Iterable[tuple[Any, Any]] = _field(name).flatchoices or ()
    return str(dict(choices).get(value, value) or "—")


def _field(name: str) -> models.Field[Any, Any]:
    found = Household._meta.get_field(name)
    assert isinstance(found, models.Field)
    return found
