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
from households.village_lists.slips import Locks

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
    Raises MergeRefused, also for a value that is not changed by hand now (`Locks`).
    """
    kept, other = _held(kept, other)
    if reasons := hindrances(kept, other) + _locked(kept, other, chosen):
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


def _held(kept: Household, other: Household) -> tuple[Household, Household]:
    """Both as they are now, kept from others until the transaction ends."""
    rows = Household.objects.select_for_update().filter(pk__in=[kept.pk, other.pk]).order_by("pk")
    found = {home.pk: home for home in rows}
    if gone := [home.number for home in (kept, other) if home.pk not in found]:
        raise MergeRefused([_("%(n)s 刚由别人合并：请从台账重新打开") % {"n": n} for n in gone])
    return found[kept.pk], found[other.pk]


def _locked(kept: Household, other: Household, chosen: Mapping[str, str]) -> list[str]:
    """Why values of `other` that were chosen cannot become those of `kept`."""
    locks = Locks().of(kept)
    taken = [part for part, whose in chosen.items() if whose == "other"]
    unlike = [part for part in taken if not editing.equal(kept, other, part)]
    names = [name for part in unlike for name in editing.PARTS[part]]
    return list(dict.fromkeys(locks[name] for name in names if name in locks))


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
