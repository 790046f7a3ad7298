"""What is done with a village's list from its page: each act by whoever it belongs to."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from households.archive.incoming import FileRefused
from households.models import ListActKind, ListEntry, VillageList
from households.requests import SignedIn, whole_number
from households.village_lists import list_papers, objections, village_list
from households.village_lists.village_list import ListRefused
from plans import list_forms
from plans.list_pages import context_of, shown_place, year_of
from plans.village_places import Place


@login_required
@require_POST
def village_list_act(request: SignedIn, year: int, pk: int) -> HttpResponse:
    """One act of the list's way, named by `act`; refused acts say why on the list's page."""
    place = shown_place(request.user, year, pk)
    act = request.POST.get("act", "")
    if act not in ListActKind.values or not village_list.may_ever(request.user, ListActKind(act)):
        raise PermissionDenied(_("您的账号不办理名单的这一步。"))
    try:
        done = ACTS[ListActKind(act)](request, place)
    except (ListRefused, FileRefused) as refused:
        for sentence in getattr(refused, "messages", [str(refused)]):
            messages.error(request, sentence)
    else:
        messages.success(request, done)
        return redirect("village_list", year=year, pk=pk)
    return _again(request, shown_place(request.user, year, pk), act)


def _again(request: SignedIn, place: Place, act: str) -> HttpResponse:
    """The page with what was typed, after a refused act."""
    more: dict[str, Any] = {"typed": _text(request), "refused": act}
    if act == ListActKind.NOTICE:
        more["notice"] = list_forms.NoticeForm(request.POST)
    context = context_of(request.user, place, **more)
    return render(request, "plans/village_list.html", context, status=422)


def _verify(request: SignedIn, place: Place) -> str:
    village_list.verify(place.area, place.year, by=request.user, text=_text(request))
    return _("已核实。下一步：公示。")


def _notice(request: SignedIn, place: Place) -> str:
    form = list_forms.NoticeForm(request.POST, request.FILES)
    if not form.is_valid():
        raise ListRefused(*list_forms.sentences(form))
    one = _there(place)
    begin, end = form.cleaned_data["begin"], form.cleaned_data["end"]
    village_list.announce(one, begin, end, by=request.user)
    if form.cleaned_data["photo"]:
        photo = form.cleaned_data["photo"]
        list_papers.add(one, photo, title=_("公示照片"), by=request.user)
    return _("公示已登记。公示结束后提交镇（街道）审核。")


def _submit(request: SignedIn, place: Place) -> str:
    village_list.submit(_there(place), by=request.user, text=_text(request))
    return _("已提交镇（街道）审核。")


def _review(request: SignedIn, place: Place) -> str:
    village_list.review(_there(place), by=request.user, text=_text(request))
    return _("审核通过，已报区备案。")


def _file(request: SignedIn, place: Place) -> str:
    n = village_list.file([_there(place)], by=request.user)
    return _("已备案，%(n)d 户列入计划。") % {"n": n}


def _return(request: SignedIn, place: Place) -> str:
    reasons = request.POST.getlist("reasons")
    village_list.send_back(_there(place), by=request.user, reasons=reasons, text=_text(request))
    return _("已退回村（社区）修改。")


def _take_back(request: SignedIn, place: Place) -> str:
    village_list.take_back(_there(place), by=request.user, text=_text(request))
    return _("已撤回，可以修改。")


ACTS = {
    ListActKind.VERIFY: _verify,
    ListActKind.NOTICE: _notice,
    ListActKind.SUBMIT: _submit,
    ListActKind.REVIEW: _review,
    ListActKind.FILE: _file,
    ListActKind.RETURN: _return,
    ListActKind.TAKE_BACK: _take_back,
}


def _there(place: Place) -> VillageList:
    if place.listing is None:
        raise ListRefused(_("名单还没有核实"))
    return place.listing


def _text(request: HttpRequest) -> str:
    return request.POST.get("text", "").strip()[:200]


@login_required
@require_POST
def file_lists(request: SignedIn) -> HttpResponse:
    """The district files all lists that are ticked: all of them, or none and why not."""
    if not request.user.files_lists:
        raise PermissionDenied(_("只有区领导小组办公室可以备案。"))
    year = year_of(request)
    chosen = VillageList.objects.filter(uid__in=_uids(request), year=year)
    try:
        n = village_list.file(list(chosen.select_related("area")), by=request.user)
    except ListRefused as refused:
        for sentence in refused.messages:
            messages.error(request, sentence)
    else:
        words = {"lists": len(chosen), "n": n}
        messages.success(request, _("已备案 %(lists)d 份名单，%(n)d 户列入计划。") % words)
    return redirect(f"{reverse('village_lists')}?year={year}")


def _uids(request: HttpRequest) -> list[str]:
    found = []
    for text in request.POST.getlist("uid"):
        try:
            found.append(str(UUID(text)))
        except ValueError:
            raise Http404 from None
    return found


@login_required
@require_POST
def list_objection(request: SignedIn, year: int, pk: int) -> HttpResponse:
    """Take down an objection, or how one was settled (`objection` names it)."""
    one = shown_place(request.user, year, pk).listing
    if one is None:
        raise Http404
    if not village_list.prepares(request.user):
        raise PermissionDenied(_("异议由村（社区）或镇（街道）登记。"))
    try:
        if "objection" in request.POST:
            _settle(request, one)
        else:
            _object(request, one)
    except ListRefused as refused:
        for sentence in refused.messages:
            messages.error(request, sentence)
    return redirect("village_list", year=year, pk=pk)


def _object(request: SignedIn, one: VillageList) -> None:
    form = list_forms.ObjectionForm(request.POST)
    if not form.is_valid():
        raise ListRefused(*list_forms.sentences(form))
    objections.object_to(one, by=request.user, **form.cleaned_data)
    messages.success(request, _("异议已登记，提交审核前要有处理结果。"))


def _settle(request: SignedIn, one: VillageList) -> None:
    pk = whole_number(request.POST.get("objection", "")) or 0
    objection = get_object_or_404(one.objections.filter(pk=pk))
    outcome = request.POST.get("outcome", "").strip()[:200]
    if not outcome:
        raise ListRefused(_("请填写处理结果"))
    objections.settle(objection, outcome=outcome, by=request.user)
    messages.success(request, _("处理结果已登记。"))


@login_required
@require_POST
def list_remark(request: SignedIn, year: int, pk: int) -> HttpResponse:
    """What the reviewer says of one household of the list."""
    one = shown_place(request.user, year, pk).listing
    entries = ListEntry.objects.filter(village_list=one, household__uid__in=_uids(request))
    entry = get_object_or_404(entries.select_related("village_list"))
    if not (request.user.reviews_lists or request.user.files_lists):
        raise PermissionDenied(_("审核意见由镇（街道）和区领导小组办公室填写。"))
    try:
        objections.remark(entry, _text(request), by=request.user)
    except ListRefused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, _("审核意见已保存。"))
    return redirect("village_list", year=year, pk=pk)


@login_required
@require_POST
def list_paper(request: SignedIn, year: int, pk: int) -> HttpResponse:
    """A further photo or scan of the list."""
    one = shown_place(request.user, year, pk).listing
    if one is None:
        raise Http404
    if not village_list.prepares(request.user) or one.filed_on:
        raise PermissionDenied(_("公示照片由村（社区）或镇（街道）在备案之前上传。"))
    try:
        if "photo" not in request.FILES:
            raise FileRefused(_("请选择照片或 PDF"))
        list_papers.add(one, request.FILES["photo"], title=_("公示照片"), by=request.user)
    except FileRefused as refused:
        messages.error(request, refused.sentence)
    else:
        messages.success(request, _("照片已保存。"))
    return redirect("village_list", year=year, pk=pk)
