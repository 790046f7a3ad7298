"""The path of a household: the only door through which a step is taken.

A fact can always be recorded; what lacks a paper or comes out of order is kept, marked 手续不全
and does not count. Where something is granted (acceptance, proof, removal of the old stove) the
door stays shut instead: notice, principles 3 and Annex 2 item 6.

Each app puts its own checks into GATES when it is ready; a check gets the household and the date
and answers with what is missing, in words that say who can bring it.
"""

from collections.abc import Callable
from datetime import date

from django.db import transaction
from django.utils.translation import gettext as _

from households import clock
from households.models import Household, Step, StepKind, User

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


@transaction.atomic
def take(household: Household, kind: StepKind, *, on: date, by: User, note: str = "") -> Step:
    """Record that `kind` was taken on that day and, where nothing is missing, let it count.

    Raises StepRefused for a future date, for a withdrawn household, and where a granted step lacks
    something.
    """
    household = Household.objects.select_for_update().get(pk=household.pk)
    if on > clock.today():
        raise StepRefused([_("日期 %(date)s 还没有到") % {"date": on}])
    if household.withdrawn_on:
        raise StepRefused([_("该户已于 %(date)s 退出改造") % {"date": household.withdrawn_on}])
    missing = lacks(household, kind, on)
    if missing and kind in GRANTED:
        raise StepRefused(missing)
    step = Step.objects.create(
        household=household,
        kind=kind,
        on=on,
        lacks=missing,
        note=note,
        recorded_by=by,
        recorded_at=clock.now(),
    )
    _write_columns(household)
    return step


def _write_columns(household: Household) -> None:
    """Bring the household's date columns in line with the latest row of each kind."""
    latest: dict[str, Step] = {step.kind: step for step in household.steps.all()}
    for kind in StepKind:
        step = latest.get(kind)
        setattr(household, f"{kind}_on", step.on if step and not step.lacks else None)
    household.papers_incomplete = any(step.lacks for step in latest.values())
    household.save()
