"""Pages of change slips: their list, one of them, drafting, and what is done with them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import django_filters as filters
from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from households import lists
from households.archive.incoming import FileRefused
from households.filters import AreaFilter, choice
from households.models import (
    ChangeSlip,
    Household,
    Part,
    SlipActKind,
    SlipKind,
    SlipLine,
    SlipState,
    User,
)
from households.models.slips import ChangeSlipQuerySet
from households.requests import SignedIn
from households.searching import WordsFilter
from households.templatetags.paperwork import SLIP_SHAPES
from households.village_lists import list_papers, slips
from households.village_lists.slip_effects import ASKED, SlipRefused, planned
from households.village_lists.slip_form import SlipForm

SORTS = {"number": "serial", "effective_on": "effective_on", "drafted_at": "drafted_at"}
ENDED = (SlipState.EFFECTIVE, SlipState.REFUSED, SlipState.CANCELLED)
CHANGE_LINES = [kind for kind in SlipKind if Part.CHANGES in ASKED[kind].parts]  # they tell values
MOST_HOMES = 600  # offered while typing; any 户编号 of the own area may be typed


class SlipFilter(filters.FilterSet):
    q = WordsFilter(_("户编号、户主、依据（文号）"))
    area = AreaFilter("area")
    kind = choice(_("变更事项"), _("变更事项：全部"), SlipKind.choices)
    year = filters.NumberFilter(widget=forms.HiddenInput)
    exactly = filters.NumberFilter(field_name="area", widget=forms.HiddenInput)
    state = filters.ChoiceFilter(choices=SlipState.choices, widget=forms.HiddenInput)

    class Meta:
        model = ChangeSlip
        fields: list[str] = []

    def search(self, rows: ChangeSlipQuerySet, name: str, words: str) -> ChangeSlipQuerySet:
        for word in words.split():
            homes = Household.objects.filter(search__contains=word.lower())
            rows = rows.filter(Q(basis__icontains=word) | Q(lines__household__in=homes)).distinct()
        return rows


@login_required
@require_safe
def slip_list(request: SignedIn) -> HttpResponseBase:
    """Slips of the user's area, the newest first."""
    found = SlipFilter(request.GET, ChangeSlip.objects.visible_to(request.user), request=request)
    rows, sort = lists.in_order(found.qs, request.GET.get("sort", ""), SORTS, "-drafted_at")
    rows = rows.select_related("area__owner", "town").prefetch_related("lines__household")
    if request.GET.get("export") == "csv":
        return lists.csv_of(_("变更单"), _head(), map(_csv_row, rows.iterator(chunk_size=500)))
    context = {
        "filters": found,
        "page": lists.page_of(rows, request),
        "sort": sort,
        "chips": list(_chips(request, found)),
        "may_draft": SlipActKind.DRAFT in slips.acts(request.user, None),
    }
    return render(request, "households/slips.html", context)


def _chips(request: SignedIn, found: SlipFilter) -> Iterator[lists.Chip]:
    others = {key: value for key, value in request.GET.items() if key != "state"}
    rows = SlipFilter(others, found.queryset, request=request).qs.order_by()
    counts = dict(rows.values_list("state").annotate(n=Count("pk", distinct=True)))
    chosen = request.GET.get("state", "")
    yield lists.Chip("", _("全部"), "", sum(counts.values()), not chosen)
    for state in SlipState:
        if counts.get(state) or state == chosen:
            count = counts.get(state, 0)
            yield lists.Chip(state, str(state.label), SLIP_SHAPES[state], count, state == chosen)


def _head() -> list[str]:
    return [_("变更单编号"), _("改造主体"), _("村（社区）"), _("变更事项"), _("户编号"), _("原因"),
            _("调整依据（文号）"), _("依据日期"), _("状态"), _("生效日期")]  # fmt: skip


def _csv_row(slip: ChangeSlip) -> list[object]:
    numbers = [line.household.number for line in slip.lines.all() if line.household]
    return [slip.number, slip.town.name, slip.area.as_village, slip.get_kind_display(),
            _("、").join(numbers), slip.get_reason_display(), slip.basis, slip.basis_on,
            slip.get_state_display(), slip.effective_on]  # fmt: skip


@login_required
@require_safe
def slip_page(request: SignedIn, uid: str) -> HttpResponse:
    """One slip as a paper: what it changes, its basis, what was done with it and what can be."""
    slip = _slip(request.user, uid)
    return render(request, "households/slip.html", _context(request.user, slip))


def _slip(user: User, uid: str) -> ChangeSlip:
    rows = ChangeSlip.objects.visible_to(user).select_related("area__owner", "town", "drafted_by")
    return get_object_or_404(rows, uid=uid)


def _context(user: User, slip: ChangeSlip, **more: Any) -> dict[str, Any]:
    lines = list(slip.lines.select_related("household__area"))
    acts = slips.acts(user, slip.state)
    return {
        "slip": slip,
        "shape": SLIP_SHAPES[SlipState(slip.state)],
        "lines": [_line(slip, line) for line in lines],
        "is_coming": slip.state not in ENDED,
        "values": slips.told({} if slip.kind in CHANGE_LINES else slip.values),
        "why": slip.get_reason_display(),
        "papers": list(slip.papers.all()),
        "history": list(slip.acts.select_related("by__area")),
        "acts": {str(act) for act in acts},
        "reasons": slips.REASONS.items(),
        "may_add_paper": SlipActKind.DRAFT in acts,
    } | more


def _line(slip: ChangeSlip, line: SlipLine) -> tuple[Any, ...]:
    """The line, what changes before and after, its household: as it was done or is to be done."""
    before, after = line.before, line.after
    if slip.state != SlipState.EFFECTIVE:
        before, after = planned(slip, line)
    return line, slips.told(before), slips.told(after), line.household


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def new_slip(request: SignedIn) -> HttpResponse:
    """Draft a slip; `kind` and `household` (户编号) may come with the address."""
    if SlipActKind.DRAFT not in slips.acts(request.user, None):
        raise PermissionDenied(_("变更单由村（社区）或镇（街道）起草。"))
    return _written(request, None)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def edit_slip(request: SignedIn, uid: str) -> HttpResponse:
    """Write a draft or returned slip anew."""
    slip = _slip(request.user, uid)
    if SlipActKind.DRAFT not in slips.acts(request.user, slip.state):
        raise PermissionDenied(_("这张变更单现在不能修改。"))
    return _written(request, slip)


def _written(request: SignedIn, slip: ChangeSlip | None) -> HttpResponse:
    kind = _kind(request, slip)
    home = _home(request, slip)
    if kind is None:
        return render(request, "households/slip_kinds.html", {"kinds": SlipKind, "home": home})
    if request.method == "POST":
        form = SlipForm(kind, request.user, request.POST, request.FILES)
        done = _drafted(request, form, slip) if form.is_valid() else None
        if done:
            return redirect("slip", uid=done.uid)
    elif slip:
        form = SlipForm.of(slip, request.user)
    else:
        first = SlipForm(kind, request.user).picked[0]
        form = SlipForm(kind, request.user, initial={f"{first}_number": home and home.number})
    status = 422 if form.is_bound else 200
    context = {"form": form, "kind": kind, "slip": slip, "home": home}
    context["offered"] = _offered(request.user, home, form)
    return render(request, "households/slip_form.html", context, status=status)


def _kind(request: SignedIn, slip: ChangeSlip | None) -> SlipKind | None:
    if slip:
        return SlipKind(slip.kind)
    asked = request.POST.get("kind") or request.GET.get("kind", "")
    return SlipKind(asked) if asked in SlipKind.values else None


def _home(request: SignedIn, slip: ChangeSlip | None) -> Household | None:
    if slip:
        line = slip.lines.exclude(household=None).select_related("household__area").first()
        return line.household if line else None
    number = request.GET.get("household", "")
    rows = Household.objects.visible_to(request.user).select_related("area")
    home = rows.filter(number=number).first()
    if number and home is None:
        raise Http404
    return home


def _drafted(request: SignedIn, form: SlipForm, slip: ChangeSlip | None) -> ChangeSlip | None:
    """The slip as drafted, or None with the reasons in the form."""
    names = ("basis", "basis_on", "reason", "note")
    fields = {name: form.cleaned_data[name] for name in names} | {"values": form.values}
    try:
        done = slips.draft(form.kind, form.lines, by=request.user, slip=slip, **fields)
    except SlipRefused as refused:
        for sentence in refused.messages:
            form.add_error(None, sentence)
        return None
    scan = form.cleaned_data["scan"]
    try:
        if scan:
            list_papers.add(done, scan, title=_("依据扫描件"), by=request.user)
    except FileRefused as refused:
        messages.error(request, refused.sentence)
    messages.success(request, _("变更单 %(number)s 已起草。") % {"number": done.number})
    return done


def _offered(user: User, home: Household | None, form: SlipForm) -> list[tuple[str, list[Any]]]:
    """For each field of households the numbers that may be meant, by the names of its list."""
    rows = Household.objects.visible_to(user).filter(withdrawn_on=None)
    if home:
        rows = rows.filter(area=home.area, year=home.year)
    found = []
    for part in form.picked:
        some = rows.filter(listed_on__isnull=part == Part.JOINS)
        names = some.values_list("number", "householder")[:MOST_HOMES]
        found.append((f"{part}_homes", list(names)))
    return found


# -- acts ----------------------------------------------------------------------------------


@login_required
@require_POST
def slip_act(request: SignedIn, uid: str) -> HttpResponse:
    """One act of the slip's way, named by `act`; a refused one says why on the slip's page."""
    slip = _slip(request.user, uid)
    act = request.POST.get("act", "")
    if act not in ACTS or not slips.may_ever(request.user, SlipActKind(act)):
        raise PermissionDenied(_("您的账号不办理变更单的这一步。"))
    text = request.POST.get("text", "").strip()[:200]
    picked = {"reasons": request.POST.getlist("reasons")} if act in WITH_REASONS else {}
    try:
        done = ACTS[act](slip, by=request.user, text=text, **picked)
    except SlipRefused as refused:
        for sentence in refused.messages:
            messages.error(request, sentence)
        context = _context(request.user, _slip(request.user, uid), typed=text, refused=act)
        return render(request, "households/slip.html", context, status=422)
    messages.success(request, _("变更单%(state)s。") % {"state": done.get_state_display()})
    return redirect("slip", uid=uid)


ACTS: dict[str, Any] = {
    SlipActKind.SUBMIT: slips.submit,
    SlipActKind.REVIEW: slips.review,
    SlipActKind.APPROVE: slips.approve,
    SlipActKind.RETURN: slips.send_back,
    SlipActKind.REFUSE: slips.refuse,
    SlipActKind.CANCEL: slips.cancel,
}
WITH_REASONS = (SlipActKind.RETURN, SlipActKind.REFUSE)


@login_required
@require_POST
def slip_paper(request: SignedIn, uid: str) -> HttpResponse:
    """A scan of the slip's basis."""
    slip = _slip(request.user, uid)
    if SlipActKind.DRAFT not in slips.acts(request.user, slip.state):
        raise PermissionDenied(_("依据扫描件由起草的村（社区）或镇（街道）上传。"))
    try:
        if "scan" not in request.FILES:
            raise FileRefused(_("请选择照片或 PDF"))
        list_papers.add(slip, request.FILES["scan"], title=_("依据扫描件"), by=request.user)
    except FileRefused as refused:
        messages.error(request, refused.sentence)
    else:
        messages.success(request, _("扫描件已保存。"))
    return redirect("slip", uid=uid)
