"""Pages to enter a household and to correct it."""

from __future__ import annotations

import copy
import uuid
from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from households import clock, positions
from households.audit import history
from households.entry import duplicates, editing, registering
from households.entry.editing import Opened, Woven
from households.entry.household_form import HouseholdForm
from households.entry.household_rules import missing, reminders
from households.models import FormerNumber, Household
from households.models.households import HouseholdQuerySet
from households.requests import SignedIn, whole_number
from households.uid import uuid7
from households.village_lists import later_entry


def require_registrar(request: SignedIn) -> None:
    """Only who registers households goes on."""
    if not request.user.may_register:
        raise PermissionDenied(_("您的角色不登记改造户；请联系村（社区）或镇（街道）"))


# -- a new one -----------------------------------------------------------------------------


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def new_household(request: SignedIn) -> HttpResponse:
    """A new household: 暂存 keeps whatever is there, 提交 takes 摸底登记 as well.

    The page's uid is the key: sent twice, it is one record.
    """
    require_registrar(request)
    if request.method != "POST":
        home = Household(uid=uuid7(), year=later_entry.year_of(request))
        return _page(request, HouseholdForm(instance=home, user=request.user))
    home = Household(uid=_uid(request), year=later_entry.year_of(request))
    if known := _known(request, home.uid):
        return _sent_again(request, known)
    form = HouseholdForm(request.POST, instance=home, user=request.user, draft=_is_draft(request))
    if not form.is_valid():
        return _page(request, form)
    alike = duplicates.of(home, request.user)
    if alike and not request.POST.get("not_same"):
        return _page(request, form, alike=alike)
    if not registering.register(home):
        return _sent_again(request, get_object_or_404(_reach(request), uid=home.uid))
    return _saved(request, home)


def _uid(request: SignedIn) -> uuid.UUID:
    try:
        return uuid.UUID(request.POST.get("uid", ""))
    except ValueError:
        raise Http404 from None


def _known(request: SignedIn, uid: uuid.UUID) -> Household | None:
    """The household that this page made before; another's uid is nobody's business."""
    if former := FormerNumber.objects.filter(uid=uid).first():
        uid = former.household.uid
    if not Household.objects.filter(uid=uid).exists():
        return None
    return get_object_or_404(_reach(request), uid=uid)


def _sent_again(request: SignedIn, home: Household) -> HttpResponse:
    """The page was sent a second time: to the record that it made. What was typed meanwhile comes
    as a correction that is yet to be saved."""
    stored = copy.copy(home)
    form = HouseholdForm(request.POST, instance=home, user=request.user, draft=True)
    form.is_valid()
    if not editing.weave(Opened.of(stored), stored, form.instance, {}).changed:
        return redirect("household", stored.number)
    messages.warning(
        request, _("这一户已登记为 %(n)s；下面有改动还没有保存。") % {"n": home.number}
    )
    return _page(request, form, home=stored)


# -- correcting one ------------------------------------------------------------------------


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def edit_household(request: SignedIn, number: str) -> HttpResponse:
    """Correct a household, or go on with a draft. What another officer saved meanwhile stays."""
    home = get_object_or_404(_reach(request), number=number)
    require_registrar(request)
    if request.method == "POST":
        with transaction.atomic():
            return _correct(request, number)
    if home.withdrawn_on:
        return _withdrawn(request, home)
    return _page(request, HouseholdForm(instance=home, user=request.user), home=home)


def _withdrawn(request: SignedIn, home: Household) -> HttpResponse:
    messages.error(request, _("该户已退出改造，不再更正。"))
    return redirect("household", home.number)


def _correct(request: SignedIn, number: str) -> HttpResponse:
    rows = _reach(request).select_for_update(of=("self",))
    theirs = get_object_or_404(rows, number=number)
    if theirs.withdrawn_on:
        return _withdrawn(request, theirs)
    opened = Opened.read(request.POST.get("opened", "")) or Opened.of(theirs)
    sent = _as_it_stands(request.POST, opened, theirs)
    opened = replace(opened, texts=Opened.of(theirs).texts)  # what the page shows from now on
    form = HouseholdForm(
        sent, instance=copy.copy(theirs), user=request.user, draft=_is_draft(request)
    )
    if not form.is_valid():
        return _page(request, form, home=theirs, opened=opened)
    woven = editing.weave(opened, theirs, form.instance, _answers(request))
    if woven.clashes:
        return _ask_back(request, sent, theirs, woven)
    if woven.changed and theirs.surveyed_on and not form.reason_words:
        form.add_error("reason", _("已登记的内容改动要选原因"))
        return _page(request, form, home=theirs, opened=opened)
    with history.because(form.reason_words):
        woven.household.save(update_fields=woven.columns or ["updated_at"])
    for why in form.not_taken:
        messages.warning(request, why)
    return _saved(request, woven.household, woven)


def _answers(request: SignedIn) -> dict[str, str]:
    """What was chosen for each part that had been asked back."""
    parts = {part: request.POST.get(f"whose_{part}", "") for part in editing.PARTS}
    return {part: whose for part, whose in parts.items() if whose}


def _as_it_stands(sent: QueryDict, opened: Opened, theirs: Household) -> QueryDict:
    """What was sent, with what stands there now in fields whose mask or rounded number came back
    as it had been shown: nobody typed it."""
    data = sent.copy()
    for part in opened.untouched(sent):
        for name in editing.PARTS[part]:
            data[name] = editing.text(theirs, name)
    return data


def _ask_back(request: SignedIn, sent: QueryDict, theirs: Household, woven: Woven) -> HttpResponse:
    """The same page with what was typed; untouched fields show the other's values already."""
    data = _with_theirs(request, sent, theirs, woven)
    form = HouseholdForm(data, instance=copy.copy(theirs), user=request.user, draft=True)
    opened = Opened.of(theirs, {clash.part: clash.was for clash in woven.clashes})
    taken = [editing.told(theirs, part, was) for part, was in woven.taken.items()]
    return _page(request, form, home=theirs, opened=opened, clashes=woven.clashes, taken=taken)


def _with_theirs(request: SignedIn, sent: QueryDict, theirs: Household, woven: Woven) -> QueryDict:
    data, plain = sent.copy(), HouseholdForm(instance=theirs, user=request.user)
    for part in woven.taken:
        for name in editing.PARTS[part]:
            value = plain.get_initial_for_field(plain.fields[name], name)
            if value in (None, "", False):
                data.pop(name, None)
            else:
                data[name] = "on" if value is True else str(value)
    return data


# -- hints ---------------------------------------------------------------------------------


@login_required
@require_POST
def alike_households(request: SignedIn) -> HttpResponse:
    """While one types: others that may be the same household; nothing of it is in an address."""
    require_registrar(request)
    home = Household(uid=_uid(request), year=clock.today().year)
    for name in ("householder", "door", "place", "electricity_account"):
        setattr(home, name, request.POST.get(name, "").strip())
    home.area_id = whole_number(request.POST.get("area", ""))  # type: ignore[assignment]
    context = {"alike": duplicates.of(home, request.user)}
    return render(request, "households/parts/alike.html", context)


# -- what all of them do -------------------------------------------------------------------


def _reach(request: SignedIn) -> HouseholdQuerySet:
    return Household.objects.visible_to(request.user).select_related("area__owner")


def _is_draft(request: SignedIn) -> bool:
    return "draft" in request.POST


def _saved(request: SignedIn, home: Household, woven: Woven | None = None) -> HttpResponse:
    """On to the household, to the next new one, or back to what 摸底登记 still waits for."""
    if later_entry.is_of_an_earlier_year(home) and home.surveyed_on is None:
        messages.success(request, _("%(n)s 已保存，请补录各步骤。") % {"n": home.number})
        return redirect("later_entry", home.number)
    stands = _is_draft(request) or registering.submit(home, by=request.user)
    _tell(request, home, woven)
    if not stands:
        return redirect("edit_household", home.number)
    if "next" in request.POST:
        return redirect("new_household")
    return redirect("household", home.number)


def _tell(request: SignedIn, home: Household, woven: Woven | None) -> None:
    if home.surveyed_on is None and not _is_draft(request):
        home.refresh_from_db(fields=["surveyed_on"])
    if woven and home.surveyed_on and not woven.changed:
        messages.success(request, _("没有改动。"))
    elif home.surveyed_on:
        messages.success(request, _("%(n)s 已保存。") % {"n": home.number})
    else:
        messages.success(request, _("%(n)s 已暂存，还没有提交摸底登记。") % {"n": home.number})


def _page(
    request: SignedIn,
    form: HouseholdForm,
    *,
    home: Household | None = None,
    opened: Opened | None = None,
    **extra: Any,
) -> HttpResponse:
    """The form; `home` is the stored household, None for a new one."""
    shown = home or form.instance
    if home is not None:
        extra["missing"] = missing(home)
        extra["reminders"] = reminders(home, middle=positions.middle_of(home.area))
        extra["opened"] = (opened or Opened.of(home)).signed
    context = {
        "form": form,
        "household": home,
        "uid": shown.uid,
        "unfolded": request.user.role != "clerk",
        "earlier_year": later_entry.is_of_an_earlier_year(shown) and shown.year,
        **extra,
    }
    return render(request, "households/household_form.html", context)
