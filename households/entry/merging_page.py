"""Two records side by side, to be made one."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from households.entry import editing, merging
from households.entry.household_pages import require_registrar
from households.entry.merging import MergeRefused
from households.models import Household
from households.requests import SignedIn
from households.village_lists.slips import Locks

REASONS = [
    ("twice", _lazy("同一户登记了两次")),
    ("import", _lazy("导入时重复")),
    ("officers", _lazy("两人分别登记")),
]


@dataclass(frozen=True, slots=True)
class Side:
    """One part of both records, in words."""

    part: str
    label: str
    kept: str
    other: str
    differs: bool
    only_other: bool  # the record that stays says nothing here
    locked: str  # why its value stands whatever the other says, in words


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def merge_households(request: SignedIn, number: str, other: str) -> HttpResponse:
    """Field by field: which value holds. `number` stays, `other` leads to it afterwards."""
    rows = Household.objects.visible_to(request.user).select_related("area__owner")
    kept, loser = (get_object_or_404(rows, number=one) for one in (number, other))
    require_registrar(request)
    reasons = merging.hindrances(kept, loser)
    if request.method == "POST" and not reasons:
        why = dict(REASONS).get(request.POST.get("why", ""))
        if why is None:
            messages.error(request, _("合并要选原因。"))
        else:
            try:
                return _merged(request, kept, loser, str(why))
            except MergeRefused as refusal:
                reasons = refusal.reasons
    context = {
        "household": kept,
        "other": loser,
        "sides": _sides(kept, loser),
        "reasons": reasons,
        "turns": bool(reasons) and not merging.hindrances(loser, kept),
        "whys": REASONS,
    }
    return render(request, "households/merge.html", context)


def _merged(request: SignedIn, kept: Household, loser: Household, why: str) -> HttpResponse:
    chosen = {part: request.POST.get(f"keep_{part}", "") for part in editing.PARTS}
    number = loser.number
    kept = merging.merge(kept, loser, chosen, by=request.user, why=why)
    words = {"other": number, "kept": kept.number}
    messages.success(request, _("已把 %(other)s 并入 %(kept)s；旧编号仍能打开这一户。") % words)
    return redirect("household", kept.number)


def _sides(kept: Household, other: Household) -> list[Side]:
    locks = Locks().of(kept)
    return [
        Side(
            part,
            editing.label(part),
            editing.shown(kept, part),
            editing.shown(other, part),
            not editing.equal(kept, other, part),
            editing.is_empty(kept, part),
            next((locks[name] for name in editing.PARTS[part] if name in locks), ""),
        )
        for part in editing.PARTS
    ]
