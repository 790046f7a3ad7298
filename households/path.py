"""The path of a household: the only door through which a step is taken.

A fact can always be recorded; what lacks a paper or comes out of order is kept, marked 手续不全
and does not count. Where something is granted (acceptance, proof, removal of the old stove) the
door stays shut instead: notice, principles 3 and Annex 2 item 6.

Each app puts its own checks into GATES when it is ready; a check gets the household and the date
and answers with what is missing, in words that say who can bring it.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from django.db import transaction
from django.db.models import prefetch_related_objects
from django.utils.translation import gettext as _

from households import clock
from households.models import Household, Method, Step, StepKind, User

Gate = Callable[[Household, date], list[str]]
GATES: dict[StepKind, list[Gate]] = {kind: [] for kind in StepKind}
GRANTED = (StepKind.ACCEPTED, StepKind.PROVEN, StepKind.STOVE_REMOVED)


class StepRefused(Exception):
    """The step is not granted; `lacks` says what is missing, each in words."""

    def __init__(self, lacks: list[str]) -> None:
        super().__init__("；".join(lacks))
        self.lacks = lacks


def lacks(household: Household, kind: StepKind, on: date) -> list[str]:
    """What is missing for `kind` on that day: the order first, then every app's gates."""
    missing = _out_of_order(household, kind, on)
    for gate in GATES[kind]:
        missing += gate(household, on)
    return missing


def _out_of_order(household: Household, kind: StepKind, on: date) -> list[str]:
    before = list(StepKind)[: list(StepKind).index(kind)]
    if not before:
        return []
    last = before[-1]
    done = getattr(household, f"{last}_on")
    if done is None:
        return [_("“%(step)s”还没有有效日期") % {"step": last.label}]
    if done > on:
        return [_("日期早于“%(step)s”（%(date)s）") % {"step": last.label, "date": done}]
    return []


@dataclass(frozen=True, slots=True)
class Later:
    """That a step is entered long after it was taken (补录): who took it then, and why later."""

    done_by: str
    why: str


@dataclass(frozen=True, slots=True)
class Taken:
    """That a household took a step: when, and who records it."""

    household: Household
    on: date
    by: User
    note: str = ""
    later: Later | None = None


def take(
    household: Household,
    kind: StepKind,
    *,
    on: date,
    by: User,
    note: str = "",
    later: Later | None = None,
) -> Step:
    """Record that `kind` was taken on that day and, where nothing is missing, let it count.

    Raises StepRefused for a future date, for a withdrawn household, and where a granted step lacks
    something. The gates ask the same of a step that is entered `later`.
    """
    return take_many(kind, [Taken(household, on, by, note, later)])[0]


@transaction.atomic
def take_many(kind: StepKind, taken: Sequence[Taken]) -> list[Step]:
    """Like `take` for many households: all of them, or none and StepRefused for the first."""
    wanted = {one.household.pk for one in taken}
    rows = Household.objects.select_for_update().filter(pk__in=wanted).order_by("pk")
    homes = {home.pk: home for home in rows}
    if len(homes) != len(wanted):
        raise Household.DoesNotExist
    steps = [_checked(homes[one.household.pk], kind, one) for one in taken]
    Step.objects.bulk_create(steps)
    _write_columns(list(homes.values()), kind)
    return steps


def mend(household: Household, kind: StepKind, *, since: date, note: str) -> bool:
    """Take a step that was kept as lacking once more, if nothing is missing now: on its own day,
    else from `since` on, when what it lacked came. Answers whether it counts now.

    It stays the step of whoever recorded it; `note` says why it is there twice.
    """
    household.refresh_from_db()
    latest = household.steps.filter(kind=kind).last()
    if latest is None or not latest.lacks:
        return False
    later = Later(latest.done_by, latest.why) if latest.entered_later else None
    for day in (latest.on, max(latest.on, since)):
        if not lacks(household, kind, day):
            take(household, kind, on=day, by=latest.recorded_by, note=note, later=later)
            return True
    return False


def begin(homes: Sequence[Household], surveyed: Sequence[Taken]) -> None:
    """Store new households; those in `surveyed` have taken 摸底登记 already. Two statements in all.

    Raises StepRefused like `take`; the caller's transaction is to be given up then.
    """
    steps = [_checked(one.household, StepKind.SURVEYED, one) for one in surveyed]
    for step in steps:
        step.household.surveyed_on = None if step.lacks else step.on
        step.household.papers_incomplete = bool(step.lacks)
    Household.objects.bulk_create(homes)
    Step.objects.bulk_create(steps)


def _checked(household: Household, kind: StepKind, taken: Taken) -> Step:
    if taken.on > clock.today():
        raise StepRefused([_("日期 %(date)s 还没有到") % {"date": taken.on}])
    if household.withdrawn_on:
        raise StepRefused([_("该户已于 %(date)s 退出改造") % {"date": household.withdrawn_on}])
    missing = lacks(household, kind, taken.on)
    if missing and kind in GRANTED:
        raise StepRefused(missing)
    return Step(
        household=household,
        kind=kind,
        on=taken.on,
        lacks=missing,
        note=taken.note,
        entered_later=taken.later is not None,
        done_by=taken.later.done_by if taken.later else "",
        why=taken.later.why if taken.later else "",
        recorded_by=taken.by,
        recorded_at=clock.now(),
    )


def _write_columns(households: list[Household], kind: StepKind) -> None:
    """Bring the column of this kind in line with its latest row, 手续不全 with those of all."""
    prefetch_related_objects(households, "steps")
    alike: dict[tuple[date | None, bool], list[int]] = defaultdict(list)
    for household in households:
        latest: dict[str, Step] = {step.kind: step for step in household.steps.all()}
        on = None if latest[kind].lacks else latest[kind].on
        alike[on, any(step.lacks for step in latest.values())].append(household.pk)
    for (on, incomplete), pks in alike.items():
        columns = {f"{kind}_on": on, "papers_incomplete": incomplete, "updated_at": clock.now()}
        Household.objects.filter(pk__in=pks).update(**columns)


def count_again(household: Household) -> None:
    """Bring all columns in line with the steps, after those of another record came to this one."""
    for kind in set(household.steps.values_list("kind", flat=True)):
        _write_columns([household], StepKind(kind))


@dataclass(frozen=True)
class Standing:
    """Where a household stands with one step: `sign` is done, now, lack or open."""

    kind: StepKind
    sign: str
    on: date | None
    lacks: tuple[str, ...] = ()


def standing(household: Household) -> list[Standing]:
    """The eight steps in lawful order, as lists and the household's page draw them.

    `now` is the step that can be taken next. Of a withdrawn household only what was done is told.
    Asks `household.steps`, so lists should prefetch them.
    """
    latest = {step.kind: step for step in household.steps.all()}
    found: list[Standing] = []
    for kind in StepKind:
        on, step = getattr(household, f"{kind}_on"), latest.get(kind)
        if on:
            found.append(Standing(kind, "done", on))
        elif step and step.lacks:
            found.append(Standing(kind, "lack", step.on, tuple(step.lacks)))
        else:
            is_next = not found or found[-1].sign == "done"
            found.append(Standing(kind, "now" if is_next else "open", None))
    return [one for one in found if one.sign == "done"] if household.withdrawn_on else found


def by_whom(household: Household, kind: StepKind) -> str:
    """Who takes this step, or brings its papers, for a household of this method."""
    supplier = _("供应商") if Method(household.method).has_unit else _("供热企业")
    installer = _("安装人员") if Method(household.method).has_unit else _("供热企业")
    return {
        StepKind.SURVEYED: _("村（社区）"),
        StepKind.LISTED: _("村（社区）"),  # its list begins there: verified, shown, handed on
        StepKind.SIGNED: _("村（社区）"),
        StepKind.INSTALLED: supplier,
        StepKind.COMMISSIONED: installer,
        StepKind.ACCEPTED: _("镇（街道）"),
        StepKind.PROVEN: _("镇（街道）"),
        StepKind.STOVE_REMOVED: _("镇（街道）"),
    }[kind]
