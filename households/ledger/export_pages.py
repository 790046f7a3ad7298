"""Pages of exports: which rows, whole phones or masked, the progress, the file.

An export is seen by whoever asked for it: it holds what he could see then.
"""

from __future__ import annotations

import uuid
from contextlib import suppress

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.http import HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from households import clock, reveals, searching
from households.ledger import exporting, jobs
from households.ledger.import_pages import file_of
from households.models import WorkbookExport
from households.requests import SignedIn

Phones = WorkbookExport.Phones


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def new_export(request: SignedIn) -> HttpResponse:
    """Choose how, then let a worker write the file. The address carries the ledger's filters."""
    query = request.POST.get("query", "") if request.method == "POST" else _query(request)
    picked, words = request.POST.get("reason", ""), request.POST.get("words", "")
    if request.method == "POST":
        phones = request.POST.get("phones", "")
        reason = reveals.in_words(picked, words)
        if phones != Phones.PLAIN:
            return _ask_for(request, query, Phones.MASKED, "")
        if not request.user.may_register:
            raise PermissionDenied(_("完整电话只有村（社区）、镇（街道）和区办可以导出"))
        if reason:
            return _ask_for(request, query, Phones.PLAIN, reason)
    context = {
        "token": uuid.uuid4(),
        "query": query,
        "count": exporting.chosen(request.user, QueryDict(query)).count(),
        "reasons": reveals.REASONS,
        "reason": picked,
        "words": words,
        "phones": request.POST.get("phones", ""),
        "wrong": _("请选择原因；选“其他”时请写明。") if request.method == "POST" else "",
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "households/transfers/new_export.html", context, status=status)


def _query(request: SignedIn) -> str:
    """The filters of the ledger, without its page and order; what was looked for is kept sealed."""
    kept = request.GET.copy()
    if words := kept.get("q", ""):
        kept["q"] = searching.sealed(searching.opened(words))
    for name in ("page", "export", "sort"):
        kept.pop(name, None)
    return kept.urlencode()[:1000]


def _ask_for(request: SignedIn, query: str, phones: str, reason: str) -> HttpResponse:
    """Of a form that was sent twice the second changes nothing."""
    try:
        token = uuid.UUID(request.POST.get("token", ""))
    except ValueError:
        token = uuid.uuid4()
    with suppress(IntegrityError), transaction.atomic():
        WorkbookExport.objects.create(
            uid=token, by=request.user, query=query[:1000], phones=phones, reason=reason
        )
        jobs.wake()
    return redirect("export", uid=token)


@login_required
@never_cache
@require_safe
def export(request: SignedIn, uid: uuid.UUID) -> HttpResponse:
    """Where an export stands: its progress, or the file to fetch."""
    job = _mine(request, uid)
    if job.is_at_work:
        context = {
            "job": job,
            "title": _("正在导出"),
            "what": _("导出"),
            "bar_url": reverse("export_progress", args=[uid]),
        }
        return render(request, "households/transfers/progress.html", context)
    return render(request, "households/transfers/export.html", {"job": job})


@login_required
@never_cache
@require_safe
def export_progress(request: SignedIn, uid: uuid.UUID) -> HttpResponse:
    """The bar, asked for again and again; at the end it sends the page on."""
    job = _mine(request, uid)
    if not job.is_at_work:
        return HttpResponse(headers={"HX-Redirect": reverse("export", args=[uid])})
    return render(request, "households/transfers/bar.html", {"job": job})


@login_required
@never_cache
@require_safe
def exported(request: SignedIn, uid: uuid.UUID) -> HttpResponseBase:
    """The workbook."""
    job = _mine(request, uid)
    day = job.asked_at.astimezone(clock.SHANGHAI)
    return file_of(job, job.file, _("改造台账-%(at)s.xlsx") % {"at": f"{day:%Y%m%d-%H%M}"})


def _mine(request: SignedIn, uid: uuid.UUID) -> WorkbookExport:
    return get_object_or_404(WorkbookExport.objects.visible_to(request.user), uid=uid)
