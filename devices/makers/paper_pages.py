"""Papers of makers: sent in, shown, taken away."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from devices.makers import access, papers
from devices.makers.forms import PaperForm
from devices.makers.withdrawing import REASONS
from devices.models import DeviceModel, MakerPaper, Supplier
from households import downloads
from households.archive.incoming import JPEG, SUFFIXES, FileRefused
from households.language import as_kept
from households.notifications import tell
from households.requests import SignedIn


@login_required
@require_http_methods(["GET", "POST"])
def new_paper(request: SignedIn) -> HttpResponse:
    """A paper of the own company, or of the model that `?model=` names; `?kind=` is chosen."""
    company = access.own_company(request.user)
    model = _model_asked(request)
    owner = model or company
    form = PaperForm(
        request.POST or None, request.FILES or None, owner, request.GET.get("kind", "")
    )
    if request.method == "POST" and form.is_valid() and _taken(request, form, company, model):
        return redirect(_page(company, model) + "#papers")
    context = {"company": company, "model": model, "form": form, "back": _page(company, model)}
    return render(request, "devices/makers/paper_form.html", context)


def _model_asked(request: SignedIn) -> DeviceModel | None:
    asked = request.GET.get("model", "")
    if not asked:
        return None
    if not asked.isdecimal() or len(asked) > 18:
        raise Http404
    return access.own_model(request.user, int(asked))


def _page(company: Supplier, model: DeviceModel | None) -> str:
    return (
        reverse("device_model", args=[model.pk]) if model else reverse("maker", args=[company.pk])
    )


def _taken(
    request: SignedIn, form: PaperForm, company: Supplier, model: DeviceModel | None
) -> MakerPaper | None:
    """None where the file is not taken, which the form then says."""
    said: dict[str, Any] = dict(form.cleaned_data)
    file = said.pop("file")
    try:
        paper = papers.add(company, file, by=request.user, model=model, **said)
    except FileRefused as reason:
        form.add_error("file", reason.sentence)
        return None
    messages.success(request, _("已收“%(paper)s”。") % {"paper": paper})
    if form.has_ended:
        messages.warning(request, _("这份材料已经过期：只对有效期内的日子算数，请另传现行有效的。"))
    return paper


def _found(request: SignedIn, uid: uuid.UUID) -> MakerPaper:
    access.see_that_reads(request.user)
    rows = MakerPaper.objects.visible_to(request.user).select_related("supplier", "model")
    return get_object_or_404(rows, uid=uid)


@login_required
@require_safe
@never_cache
def maker_paper(request: SignedIn, uid: uuid.UUID) -> FileResponse:
    """One paper: a photo to look at, a PDF to keep. Never as a page of this site."""
    paper = _found(request, uid)
    return _file(paper, paper.file, paper.content_type)


@login_required
@require_safe
@never_cache
def maker_paper_thumbnail(request: SignedIn, uid: uuid.UUID) -> FileResponse:
    """The small picture of a photo; 404 for a PDF."""
    paper = _found(request, uid)
    if not paper.thumbnail:
        raise Http404
    return _file(paper, paper.thumbnail, JPEG)


def _file(paper: MakerPaper, name: str, content_type: str) -> FileResponse:
    of = paper.model.code if paper.model else paper.supplier.name
    title = f"{of} {paper.get_kind_display()}".replace("/", "-")
    try:
        return downloads.paper(name, f"{title}.{SUFFIXES[content_type]}", content_type)
    except FileNotFoundError:
        raise Http404 from None


@login_required
@require_POST
def withdraw_paper(request: SignedIn, uid: uuid.UUID) -> HttpResponse:
    """Its maker takes a paper away; so may the platform service unit, and the maker hears why."""
    paper = _found(request, uid)
    if not (request.user.is_maker or request.user.tests_docking):
        raise PermissionDenied(_("厂商材料由本厂商或平台服务单位撤下。"))
    why = dict(REASONS).get(request.POST.get("why", ""))
    if why is None and not paper.withdrawn_at:
        messages.error(request, _("撤下材料要选原因。"))
    elif why and papers.withdraw(paper, why=as_kept(why)):
        _tell_the_maker(request, paper, why)
        messages.success(request, _("已撤下“%(paper)s”。") % {"paper": paper})
    else:
        messages.success(request, _("这份材料已经撤下了。"))
    return redirect(_page(paper.supplier, paper.model) + "#papers")


def _tell_the_maker(request: SignedIn, paper: MakerPaper, why: Promise) -> None:
    if request.user.is_maker:
        return

    def words() -> str:
        said = {"paper": paper, "why": why}
        return _("平台服务单位撤下了“%(paper)s”：%(why)s。请重新上传。") % said

    tell(access.people(paper.supplier), words, _page(paper.supplier, paper.model))
