"""Two records of one household become one: the other's number leads to it from then on."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from django.db import transaction
from django.db.models import ProtectedError
from django.utils.translation import gettext as _

from households import clock, path
from households.audit import history
from households.entry import editing
from households.models import Document, FormerNumber, Household, Step, User

Mover = Callable[[Household, Household], None]  # from, to
Protector = Callable[[Household, Household], list[str]]

# Each app that keeps records of households says how they follow, and what forbids a merge.
MERGES: list[Mover] = []
PROTECTS: list[Protector] = []


class MergeRefused(Exception):
    """The two cannot be merged; `reasons` says why, each in words."""

    def __init__(self, reasons: list[str]) -> None:
        super().__init__("；".join(reasons))
        self.reasons = reasons


def hindrances(kept: Household, other: Household) -> list[str]:
    """Why `other` cannot be merged into `kept`."""
    found = []
    if kept.pk == other.pk:
        found.append(_("这是同一条记录"))
    if other.listed_on or other.withdrawn_on:
        found.append(_("%(n)s 已列入计划或已退出：请办理变更单（分户/并户）") % {"n": other.number})
    if kept.withdrawn_on:
        found.append(_("%(n)s 已退出改造，不能作为保留的一户") % {"n": kept.number})
    for protects in PROTECTS:
        found += protects(kept, other)
    return found


@transaction.atomic
def merge(
    kept: Household, other: Household, chosen: Mapping[str, str], *, by: User, why: str
) -> Household:
    """Merge `other` into `kept`: of each part in `chosen` with the value "other" its value holds.

    Papers, steps and all that apps keep move; `other` is deleted, its number leads to `kept`.
    Raises MergeRefused.
    """
    locked = Household.objects.select_for_update().in_bulk([kept.pk, other.pk])
    if len(locked) == 2:
        kept, other = locked[kept.pk], locked[other.pk]
    if reasons := hindrances(kept, other):
        raise MergeRefused(reasons)
    with history.because(why):
        _take_values(kept, other, chosen)
        _move(kept, other)
        for move in MERGES:
            move(other, kept)
        _leave_number(kept, other, by, why)
        _delete(other)
    kept.refresh_from_db()
    return kept


def _delete(other: Household) -> None:
    try:
        Household.objects.get(pk=other.pk).delete()
    except ProtectedError as held:
        names = sorted({str(row._meta.verbose_name) for row in held.protected_objects})
        raise MergeRefused(
            [
                _("%(n)s 还有%(what)s，不能合并：请先处理")
                % {"n": other.number, "what": "、".join(names)}
            ]
        ) from None


def _take_values(kept: Household, other: Household, chosen: Mapping[str, str]) -> None:
    for part, names in editing.PARTS.items():
        if chosen.get(part) == "other":
            for name in names:
                setattr(kept, name, getattr(other, name))
    kept.save()


def _move(kept: Household, other: Household) -> None:
    """Papers and steps follow; of two equal papers one is withdrawn."""
    theirs = kept.documents.standing().values_list("digest", flat=True)
    for document in other.documents.standing().filter(digest__in=list(theirs)):
        document.withdrawn_at, document.withdrawn_why = clock.now(), _("合并时重复")
        document.save(update_fields=["withdrawn_at", "withdrawn_why"])
    Document.objects.filter(household=other).update(household=kept)
    Step.objects.filter(household=other).update(household=kept)
    path.count_again(kept)


def _leave_number(kept: Household, other: Household, by: User, why: str) -> None:
    other.former_numbers.update(household=kept)
    FormerNumber.objects.create(
        number=other.number,
        uid=other.uid,
        household=kept,
        merged_by=by,
        merged_at=clock.now(),
        why=why,
    )


def standing_number(user: User, number: str) -> str | None:
    """The number that a former one leads to, where the user may see that household."""
    former = FormerNumber.objects.filter(
        number=number, household__in=Household.objects.visible_to(user)
    )
    return former.values_list("household__number", flat=True).first()
