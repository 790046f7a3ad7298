"""What waits for an account (待我处理): lists, slips and what other apps put in, each a count with
its rows behind it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from django.contrib.auth.decorators import login_required
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from households.models import (
    ChangeSlip,
    ListActKind,
    ListState,
    SlipActKind,
    SlipState,
    User,
    VillageList,
)
from households.requests import SignedIn
from households.village_lists import slips, village_list

# Acts that somebody waits for; taking back and giving up are nobody's duty.
LIST_DUTIES = {ListActKind.VERIFY, ListActKind.NOTICE, ListActKind.SUBMIT, ListActKind.REVIEW}
LIST_DUTIES |= {ListActKind.FILE}
SLIP_DUTIES = {SlipActKind.SUBMIT, SlipActKind.REVIEW, SlipActKind.APPROVE}


@dataclass(frozen=True)
class Todo:
    """So many things of one kind wait for the user; `url` shows them."""

    label: str
    count: int
    url: str
    shape: str


# Each app puts its own in when it is ready.
SOURCES: list[Callable[[User], Iterable[Todo]]] = []


def todo(user: User) -> list[Todo]:
    """What the user may do next with lists and slips of his area, two queries; and the rest."""
    others = [one for source in SOURCES for one in source(user)]
    return [*_lists(user), *_slips(user), *others]


def _lists(user: User) -> Iterator[Todo]:
    rows = VillageList.objects.visible_to(user).values_list("state")
    counts = Counter(dict(rows.annotate(n=Count("pk")).order_by()))
    for state in ListState:
        if counts[state] and village_list.acts(user, state) & LIST_DUTIES:
            label = _("名单%(state)s") % {"state": state.label}
            url = f"{reverse('village_lists')}?state={state}"
            shape = "st-bad" if state == ListState.RETURNED else "st-run"
            yield Todo(label, counts[state], url, shape)


def _slips(user: User) -> Iterator[Todo]:
    rows = ChangeSlip.objects.visible_to(user).values_list("state")
    counts = Counter(dict(rows.annotate(n=Count("pk")).order_by()))
    for state in SlipState:
        if counts[state] and slips.acts(user, state) & SLIP_DUTIES:
            label = _("变更单%(state)s") % {"state": state.label}
            url = f"{reverse('slips')}?state={state}"
            shape = "st-bad" if state == SlipState.RETURNED else "st-run"
            yield Todo(label, counts[state], url, shape)


@login_required
@require_safe
def todo_row(request: SignedIn) -> HttpResponse:
    """The row 待我处理, fetched by pages whose own queries are counted."""
    return render(request, "parts/todo.html", {"waiting": todo(request.user)})
