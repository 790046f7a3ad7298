"""Applications on their way: which step follows which, whose it is, and that the others hear of it.

`take` is the one door for a change of state. Each step is kept as a DockingAct: dated, by whom, and
with its reason where one must be given.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Max, QuerySet
from django.urls import reverse
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import override

from devices.makers import access
from devices.models import (
    DeviceModel,
    DockingAct,
    DockingApplication,
    DockingState,
    RegisterMap,
)
from households import clock, notifications
from households.models import Role, User

S = DockingState
MAKERS: dict[str, set[DockingState]] = {
    S.DRAFT: {S.SUBMITTED, S.WITHDRAWN},
    S.SUBMITTED: {S.WITHDRAWN},
    S.RETURNED: {S.SUBMITTED, S.WITHDRAWN},
    S.RECEIVED: {S.WITHDRAWN},
    S.FAILED: {S.SUBMITTED, S.WITHDRAWN},
}
SERVICE_UNITS: dict[str, set[DockingState]] = {
    S.SUBMITTED: {S.RECEIVED, S.RETURNED},
    S.RECEIVED: {S.TESTING, S.RETURNED},
    S.TESTING: {S.PASSED, S.FAILED, S.RETURNED},
    S.PASSED: {S.TESTING, S.ISSUED, S.RETURNED},
    S.FAILED: {S.TESTING, S.RETURNED},
}
WITH_REASON = {S.RETURNED, S.WITHDRAWN}
EDITABLE = {S.DRAFT, S.RETURNED, S.FAILED}  # by the maker; what changed is received anew
AT_BENCH = (S.RECEIVED, S.TESTING, S.FAILED, S.PASSED)  # the sample is there, and may be connected
# What a maker says before it is submitted; the board's number is read off the sample.
ASKED = (
    "board",
    "board_version",
    "firmware",
    "transmitter_model",
    "protocol",
    "protocol_version",
)
# What is read off the samples and the paper as they come.
RECEIVED = ("board_number", *ASKED[1:])
SAMPLE = (*ASKED, "register_map")  # another one of these is another sample
LONGEST_REASON = 200  # characters, as the column has them
# What else ends when it is given back in the midst of its test; may raise DockingRefused. Filled at
# AppConfig.ready().
GIVEN_BACK: list[Callable[[DockingApplication, User], None]] = []
LOCK = 0x646F636B  # numbers are given one after the other


class DockingRefused(Exception):
    """The step is not taken; `sentence` says why and what to do."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


# -- who -----------------------------------------------------------------------------------


def acts_for(user: User, application: DockingApplication) -> bool:
    """Whether the user is of the maker's own people who see to its papers (no installer)."""
    if not user.is_active or user.role != Role.SUPPLIER:
        return False
    return application.supplier.members.filter(user=user).exists()


def steps(user: User, application: DockingApplication) -> set[DockingState]:
    """To which states the user may bring the application as it stands."""
    may: set[DockingState] = set()
    if acts_for(user, application):
        may |= MAKERS.get(application.state, set())
    if user.tests_docking:
        may |= SERVICE_UNITS.get(application.state, set())
        if application.tested_by_id == user.pk:
            may -= {S.ISSUED}
    return may


def ever(user: User, application: DockingApplication) -> set[DockingState]:
    """To which states the user's role ever brings this application, however it stands now."""
    may: set[DockingState] = set()
    if acts_for(user, application):
        may = may.union(*MAKERS.values())
    if user.tests_docking:
        may = may.union(*SERVICE_UNITS.values())
    return may


def people(application: DockingApplication) -> tuple[QuerySet[User], QuerySet[User]]:
    """The maker's people and those of the platform service unit: who hears of it."""
    return access.people(application.supplier), service_unit()


def service_unit() -> QuerySet[User]:
    """Who receives, tests and signs."""
    return User.objects.filter(role=Role.SERVICE_UNIT, is_active=True)


# -- drafting ------------------------------------------------------------------------------


@transaction.atomic
def draft(
    model: DeviceModel, register_map: RegisterMap, *, by: User, **said: Any
) -> DockingApplication:
    """A new application of the maker, with the next number of the year; the same sent twice is one.

    Raises DockingRefused.
    """
    if by.role != Role.SUPPLIER or not model.supplier.members.filter(user=by).exists():
        raise DockingRefused(_("只有本公司的供应商账号可以申请数据对接"))
    _refuse_foreign_map(model, register_map)
    year = clock.today().year
    serial = _next_serial(year)  # from here on one after the other
    said |= {"model": model, "register_map": register_map, "made_by": by}
    if twin := DockingApplication.objects.filter(state=DockingState.DRAFT, **said).first():
        return twin
    return DockingApplication.objects.create(
        year=year, serial=serial, supplier=model.supplier, made_at=clock.now(), **said
    )


@transaction.atomic
def edit(application: DockingApplication, *, by: User, **said: Any) -> DockingApplication:
    """What the maker says of the sample, written anew. Raises DockingRefused.

    Once an office was shown it, the acts say what changed; and what was tested and is another
    sample now must be submitted and received before it is tested again.
    """
    one = _held(application)
    if one.state not in EDITABLE or not acts_for(by, one):
        raise DockingRefused(
            _("申请现在是“%(state)s”，不能修改") % {"state": one.get_state_display()}
        )
    changes = _changes(one, {name: said[name] for name in SAMPLE if name in said})
    for name, value in said.items():
        setattr(one, name, value)
    _refuse_foreign_map(one.model, one.register_map)
    one.save()
    if changes and one.state != S.DRAFT:
        _give_back_changed(one, by, changes)
    return one


def _give_back_changed(application: DockingApplication, by: User, changes: str) -> None:
    was, application.state = application.state, S.RETURNED
    application.save(update_fields=["state"])
    act = application.acts.create(
        state=S.RETURNED, on=clock.today(), reason=changes, by=by, at=clock.now()
    )
    if was != S.RETURNED:
        _tell(application, act)


def _changes(application: DockingApplication, said: Mapping[str, object]) -> str:
    """What of `said` is other than the application has it, as the acts keep it: in the platform's
    own language, whoever writes it."""
    with override(settings.LANGUAGE_CODE):
        found = [
            f"{_name(field)} {_shown(was)} → {_shown(value)}"
            for field, value in said.items()
            if (was := getattr(application, field)) not in ("", value)
        ]
        return Truncator(_("；").join(found)).chars(LONGEST_REASON)


def _shown(value: object) -> str:
    if isinstance(value, RegisterMap):
        return _("第 %(n)d 版") % {"n": value.version}
    return str(value) or "—"


def _refuse_foreign_map(model: DeviceModel, register_map: RegisterMap) -> None:
    if register_map.model_id != model.pk:
        raise DockingRefused(_("点表不是这个型号的：请重新选择"))


def _next_serial(year: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    rows = DockingApplication.objects.filter(year=year)
    return int(rows.aggregate(last=Max("serial"))["last"] or 0) + 1


# -- the way -------------------------------------------------------------------------------


@transaction.atomic
def take(
    application: DockingApplication,
    state: DockingState,
    *,
    by: User,
    reason: str = "",
    on: date | None = None,
) -> DockingAct:
    """Bring the application to `state`, keep the step, and tell the other side.

    `test_digest` and `tested_by` of `application` are stored with it: set them before PASSED and
    FAILED. Raises DockingRefused where the step is not the user's, not next, or lacks something.
    """
    state, on = DockingState(state), on or clock.today()
    held = _held(application)
    if state not in steps(by, held):
        raise DockingRefused(_not_now(held, state))
    if state in WITH_REASON and not reason:
        raise DockingRefused(_("请写明原因"))
    _refuse_day(held, on)
    if held.state == S.TESTING and state == S.RETURNED:
        for end in GIVEN_BACK:
            end(held, by)
    application.state = state
    if state == S.SUBMITTED:  # what was judged was another sample, or the same one changed
        application.test_digest, application.tested_by = "", None
    _refuse_incomplete(application)
    application.save(update_fields=["state", "test_digest", "tested_by"])
    act = application.acts.create(state=state, on=on, reason=reason, by=by, at=clock.now())
    _tell(application, act)
    return act


@transaction.atomic
def receive(application: DockingApplication, *, by: User, on: date, **seen: str) -> DockingAct:
    """Samples came on that day; `seen` is what of RECEIVED stands on them. What differs from what
    the maker said is written down as it came. Raises DockingRefused."""
    changes = _changes(application, seen)
    for field in RECEIVED:
        setattr(application, field, seen[field])
    act = take(application, S.RECEIVED, by=by, on=on, reason=changes)
    application.save(update_fields=RECEIVED)
    return act


def _held(application: DockingApplication) -> DockingApplication:
    """The application as it is now, kept from others until the transaction ends."""
    rows = DockingApplication.objects.select_for_update(of=("self",))
    return rows.select_related("supplier", "model", "register_map").get(pk=application.pk)


def _not_now(application: DockingApplication, state: DockingState) -> str:
    words = {"now": application.get_state_display(), "next": state.label}
    return _("申请现在是“%(now)s”，您的账号这时不能办理“%(next)s”") % words


def _refuse_day(application: DockingApplication, on: date) -> None:
    if on > clock.today():
        raise DockingRefused(_("日期还没有到：%(on)s") % {"on": f"{on:%Y-%m-%d}"})
    last = next((act for act, is_step in reversed(acts_of(application)) if is_step), None)
    if last and on < last.on:
        words = {"last": f"{last.on:%Y-%m-%d}", "step": last.get_state_display()}
        raise DockingRefused(_("日期不能早于上一步“%(step)s”的 %(last)s") % words)


def _refuse_incomplete(application: DockingApplication) -> None:
    missing = lacks(application, DockingState(application.state))
    if missing:
        raise DockingRefused(_("还缺%(what)s：请先填写") % {"what": _("、").join(missing)})


def lacks(application: DockingApplication, state: DockingState) -> list[str]:
    """The names of what must be said before the application can come to `state`."""
    asked = {
        S.SUBMITTED: ASKED,
        S.RECEIVED: (*ASKED, "board_number"),
        S.TESTING: (*ASKED, "board_number"),  # the maker may have edited what failed
        S.PASSED: ("test_digest", "tested_by_id"),
        S.FAILED: ("test_digest", "tested_by_id"),
    }.get(state, ())
    return [_name(field) for field in asked if not getattr(application, field)]


def _name(field: str) -> str:
    if field in ("test_digest", "tested_by_id"):
        return _("测试报告")
    if field == "register_map":
        return _("点表")
    return str(DockingApplication._meta.get_field(field).verbose_name)  # type: ignore[union-attr]


def _tell(application: DockingApplication, act: DockingAct) -> None:
    """The other side; and those who may sign, once a colleague has tested."""
    makers, unit = people(application)
    heard = list(makers if act.by.tests_docking else unit)
    if act.state == S.PASSED:
        heard += unit.exclude(pk=act.by_id)
    if DockingState(act.state) == S.WITHDRAWN and not application.acts.filter(state=S.SUBMITTED):
        return  # the service unit has never seen it
    notifications.tell(heard, lambda: told(act), path(application))


def acts_of(application: DockingApplication) -> list[tuple[DockingAct, bool]]:
    """What was done, in order, each with whether it was a step: an act that leaves the state as it
    was only says something (留言)."""
    acts = list(application.acts.select_related("by__area"))
    before = [None, *(act.state for act in acts)]
    return [(act, act.state != last) for act, last in zip(acts, before, strict=False)]


def day_of(application: DockingApplication, state: DockingState) -> date | None:
    """When the application last came to that state; None where it never did."""
    days = [act.on for act, is_step in acts_of(application) if is_step and act.state == state]
    return days[-1] if days else None


def told(act: DockingAct) -> str:
    """A step in words, as it is told to the other side."""
    application = act.application
    words = {
        "number": application.number,
        "model": application.model.code,
        "state": act.get_state_display(),
        "reason": act.reason,
    }
    if act.reason:
        return _("数据对接 %(number)s（%(model)s）：%(state)s。%(reason)s") % words
    return _("数据对接 %(number)s（%(model)s）：%(state)s。") % words


def path(application: DockingApplication) -> str:
    """The application's own page."""
    return reverse("docking_application", args=[application.number])
