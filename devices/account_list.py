"""账号管理: the list of accounts, narrowed by role, place and state."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import django_filters as filters
from django import forms
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from households import lists
from households.accounts import account_acts
from households.filters import AreaFilter, choice
from households.models import Role, User
from households.models.accounts import UserQuerySet
from households.requests import SignedIn
from households.searching import WordsFilter

STATES = {
    "in_use": (_lazy("在用"), "st-ok"),
    "new": (_lazy("未登录过"), "st-wait"),
    "locked": (_lazy("已锁定"), "st-bad"),
    "disabled": (_lazy("已停用"), "st-off"),
}
SORTS = {
    "username": "username",
    "name": "name",
    "role": "role",
    "area": "area__order",
    "last_login": "last_login",
}


@dataclass(frozen=True)
class Line:
    """One account as the list shows it."""

    account: User
    state: str
    shape: str
    belongs: str

    @classmethod
    def of(cls, account: User, locked: set[str]) -> Line:
        words, shape = STATES[state_of(account, locked)]
        return cls(account, str(words), shape, belongs_to(account))


def state_of(account: User, locked: set[str]) -> str:
    """A key of STATES; `locked` are the usernames that are locked now."""
    if not account.is_active:
        return "disabled"
    if account.username in locked:
        return "locked"
    return "in_use" if account.last_login else "new"


def belongs_to(account: User) -> str:
    """Area or supplier, as a list says it."""
    member = getattr(account, "supplier_member", None)
    if member is not None:
        return str(member.supplier)
    return account.area.name if account.area else _("全区")


def in_state(rows: QuerySet[User], state: str) -> QuerySet[User]:
    """The accounts of which `state_of` says so."""
    locked = account_acts.locked_usernames()
    if state == "disabled":
        return rows.filter(is_active=False)
    rows = rows.filter(is_active=True)
    if state == "locked":
        return rows.filter(username__in=locked)
    return rows.exclude(username__in=locked).filter(last_login__isnull=state == "new")


class AccountFilter(filters.FilterSet):
    q = WordsFilter(_lazy("账号、姓名"))
    role = choice(_lazy("角色"), _lazy("角色：全部"), Role.choices)
    area = AreaFilter("area")
    state = filters.ChoiceFilter(
        choices=[(state, words) for state, (words, _shape) in STATES.items()],
        method="stands",
        widget=forms.HiddenInput,
    )

    class Meta:
        model = User
        fields: list[str] = []

    def search(self, rows: QuerySet[User], name: str, words: str) -> QuerySet[User]:
        for word in words.split():
            rows = rows.filter(Q(username__icontains=word) | Q(name__icontains=word))
        return rows

    def stands(self, rows: QuerySet[User], name: str, state: str) -> QuerySet[User]:
        return in_state(rows, state)


def accounts_of(request: SignedIn) -> UserQuerySet:
    """All accounts, for their keepers alone."""
    if not (request.user.manages_accounts or request.user.manages_rights):
        raise PermissionDenied(_("账号由系统管理员管理。"))
    rows: UserQuerySet = User.objects.visible_to(request.user)
    return rows.select_related("area", "supplier_member__supplier")


@login_required
@never_cache
@require_safe
def accounts(request: SignedIn) -> HttpResponseBase:
    """Accounts by page; `?export=csv` hands out all that are filtered."""
    narrowed = AccountFilter(request.GET, accounts_of(request), request=request)
    rows, sort = lists.in_order(narrowed.qs, request.GET.get("sort", ""), SORTS, "username")
    locked = account_acts.locked_usernames()
    if request.GET.get("export") == "csv":
        return lists.csv_of(_("账号"), _head(), _csv_rows(rows, locked))
    page = lists.page_of(rows, request)
    context = {
        "filters": narrowed,
        "page": page,
        "lines": [Line.of(account, locked) for account in page],
        "sort": sort,
        "chips": _chips(request, narrowed),
    }
    return render(request, "devices/accounts.html", context)


def _chips(request: SignedIn, narrowed: AccountFilter) -> list[lists.Chip]:
    """All other conditions kept, how many accounts are in each state."""
    others = {key: value for key, value in request.GET.items() if key != "state"}
    rows = AccountFilter(others, narrowed.queryset, request=request).qs
    chosen = request.GET.get("state", "")
    chips = [lists.Chip("", _("全部"), "", rows.count(), not chosen)]
    for state, (words, shape) in STATES.items():
        count = in_state(rows, state).count()
        if count or state == chosen:
            chips.append(lists.Chip(state, str(words), shape, count, state == chosen))
    return chips


def _head() -> list[str]:
    return [
        _("账号"),
        _("姓名"),
        _("角色"),
        _("区域、单位"),
        _("状态"),
        _("最近登录"),
        *(str(words) for words in account_acts.PERMISSION_WORDS.values()),
    ]


def _csv_rows(rows: QuerySet[User], locked: set[str]) -> Iterator[list[object]]:
    for line in (Line.of(account, locked) for account in rows):
        one = line.account
        kept = [_("是") if getattr(one, name) else "" for name in account_acts.PERMISSIONS]
        known = [one.username, one.name, one.get_role_display(), line.belongs, line.state]
        yield [*known, one.last_login, *kept]
