"""The report of a judged run as a PDF."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from households.archive import papers
from households.requests import SignedIn
from telemetry.docking import report
from telemetry.docking.test_page import the_run


@login_required
@require_safe
def docking_report(request: SignedIn, number: str) -> HttpResponse:
    """The report of the newest run (or `?run=`) as a PDF; before it is judged there is none
    (404)."""
    run = the_run(request.user, number, request.GET.get("run", ""))
    if run.judged_at is None:
        raise Http404
    try:
        content = report.pdf(run)
    except papers.NoFont:
        context = {"application": run.application}
        return render(request, "telemetry/docking/no_font.html", context, status=503)
    response = HttpResponse(content, content_type="application/pdf")
    name = f"{_('数据对接测试报告')}-{number}.pdf"
    response["Content-Disposition"] = str(content_disposition_header(False, name))
    response["Cache-Control"] = "no-store"
    return response
