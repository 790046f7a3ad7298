"""Pages of imports: upload, progress, what the check found, the choice, the files.

An import is seen by whoever uploaded it and by nobody else, because its pages show names and phones
as they were typed. The pages read rows and sealed reports; workers do the work (`ledger.jobs`).
"""

from __future__ import annotations

import io
import uuid
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from households import downloads, vault
from households.ledger import jobs, reports, result, template
from households.ledger.others import OTHERS
from households.models import User, WorkbookExport, WorkbookImport
from households.models.transfers import Transfer
from households.requests import SignedIn

State = WorkbookImport.State
LARGEST = 50 * 2**20  # bytes
LISTED = 20  # imports and exports on the first page


@login_required
@never_cache
@require_safe
def start(request: SignedIn) -> HttpResponse:
    """Template, upload, and what became of the last imports and exports."""
    _may_import(request)
    return _start(request)


def _start(request: SignedIn, wrong: str = "", status: int = 200) -> HttpResponse:
    context = {
        "token": uuid.uuid4(),  # of this form: pressed twice, it still makes one import
        "imports": WorkbookImport.objects.visible_to(request.user)[:LISTED],
        "exports": WorkbookExport.objects.visible_to(request.user)[:LISTED],
        "largest_mb": LARGEST // 2**20,
        "wrong": wrong,
    }
    return render(request, "households/transfers/start.html", context, status=status)


@login_required
@require_safe
def workbook_template(request: SignedIn) -> HttpResponseBase:
    """The workbook to fill in, with this person's own places in its lists."""
    _may_import(request)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "template.xlsx"
        template.write(path, request.user)
        return downloads.workbook(io.BytesIO(path.read_bytes()), _("改造台账模板.xlsx"))


@login_required
@require_POST
def upload(request: SignedIn) -> HttpResponse:
    """Take a file in, sealed; a worker checks it. Nothing is imported yet."""
    _may_import(request)
    file = request.FILES.get("file")
    if file is None or not file.name or file.size is None:
        return _start(request, _("请先选择要上传的文件。"), 422)
    if file.size > LARGEST:
        words = _("文件有 %(size)d MB，最多 %(most)d MB。请分成几个文件上传。")
        said = words % {"size": round(file.size / 2**20), "most": LARGEST // 2**20}
        return _start(request, said, 422)
    token = _token(request.POST.get("token", ""))
    if not WorkbookImport.objects.filter(uid=token).exists():
        try:
            _take_in(request.user, token, file)
        except vault.VaultRefused as refused:
            return _start(request, refused.sentence, 422)
    return redirect("import", uid=token)


def _take_in(user: User, token: uuid.UUID, file: UploadedFile) -> None:
    """Seal the file and make its row; of two at the same moment the second changes nothing."""
    with suppress(IntegrityError), transaction.atomic():
        WorkbookImport.objects.create(
            uid=token,
            by=user,
            filename=Path(file.name or "").name[-200:],
            size=file.size or 0,
            file=vault.put(file, purpose="upload"),
        )
        jobs.wake()


def _token(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        return uuid.uuid4()


@login_required
@never_cache
@require_safe
def one_import(request: SignedIn, uid: uuid.UUID) -> HttpResponse:
    """Where an import stands: its progress, what was found, or what was done."""
    job = _mine(request, uid)
    if job.is_at_work:
        writes = job.state in (State.CHOSEN, State.IMPORTING)
        context = {
            "job": job,
            "title": _("正在导入") if writes else _("正在检查"),
            "what": _("导入"),
            "bar_url": reverse("import_progress", args=[uid]),
        }
        return render(request, "households/transfers/progress.html", context)
    if job.state == State.IMPORTED:
        done = job.counts["imported"]
        other = OTHERS.get(job.counts.get("kind", ""))
        context = {
            "job": job,
            "written": done["new"] + done["changed"],
            "leads_to": reverse(other.leads_to) if other else "",
        }
        return render(request, "households/transfers/done.html", context)
    if job.state == State.CHECKED and not job.is_gone:
        return _result(request, job)
    return render(request, "households/transfers/over.html", {"job": job})


def _result(request: SignedIn, job: WorkbookImport, status: int = 200) -> HttpResponse:
    shown = result.Result.of(job, reports.load(job.report), request.GET)
    context = {"job": job, "result": shown, "by_sheet": list(job.counts["by_sheet"].items())}
    return render(request, "households/transfers/result.html", context, status=status)


@login_required
@never_cache
@require_safe
def progress(request: SignedIn, uid: uuid.UUID) -> HttpResponse:
    """The bar, asked for again and again; at the end it sends the page on."""
    job = _mine(request, uid)
    if not job.is_at_work:
        return HttpResponse(headers={"HX-Redirect": reverse("import", args=[uid])})
    return render(request, "households/transfers/bar.html", {"job": job})


@login_required
@require_POST
def confirm(request: SignedIn, uid: uuid.UUID) -> HttpResponse:
    """Confirm reminders (`key`, or all of a `kind`), or take the confirmation back (`off`)."""
    job = _checked(request, uid)
    report = reports.load(job.report)
    keys = set(request.POST.getlist("key")) | report.keys_of(request.POST.get("kind", ""))
    known = report.reminder_keys & keys
    before = set(job.confirmed)
    job.confirmed = sorted(before - known if request.POST.get("off") else before | known)
    job.save(update_fields=["confirmed"])
    return redirect(reverse("import", args=[uid]) + result.query_of(request.POST))


@login_required
@require_POST
def choose(request: SignedIn, uid: uuid.UUID) -> HttpResponse:
    """Import all rows, or those without a mistake. Pressed twice it is still one import."""
    job = _mine(request, uid)
    if job.state in (State.CHOSEN, State.IMPORTING, State.IMPORTED):
        return redirect("import", uid=uid)
    job = _checked(request, uid)
    only_right = request.POST.get("rows") == "right"
    asked = [name for name, _label, _example in job.counts.get("asks", ())]
    job.counts["answers"] = {name: request.POST.get(name, "").strip()[:100] for name in asked}
    if refusal := result.refusal(job, reports.load(job.report), only_right):
        messages.error(request, refusal)
        return _result(request, job, 422)
    chosen = WorkbookImport.objects.filter(pk=job.pk, state=State.CHECKED)
    choice = {"only_right": only_right, "counts": job.counts, "sentence": ""}
    if chosen.update(state=State.CHOSEN, **choice):
        jobs.wake()
    return redirect("import", uid=uid)


@login_required
@require_POST
def abandon(request: SignedIn, uid: uuid.UUID) -> HttpResponse:
    """Forget the file at once; nothing of it was imported."""
    job = _mine(request, uid)
    idle = (State.CHECKED, State.REFUSED, State.FAILED)
    gone = WorkbookImport.objects.filter(pk=job.pk, state__in=idle)
    if gone.update(state=State.ABANDONED, file="", report="", annotated=""):
        for name in filter(None, (job.file, job.report, job.annotated)):
            vault.remove(name)
        messages.success(request, _("已放弃，文件已删除，没有导入任何一行。"))
    return redirect("transfers")


@login_required
@never_cache
@require_safe
def annotated(request: SignedIn, uid: uuid.UUID) -> HttpResponseBase:
    """The officer's own workbook with the marks in it."""
    job = _mine(request, uid)
    return file_of(job, job.annotated, _("批注-%(name)s.xlsx") % {"name": Path(job.filename).stem})


@login_required
@never_cache
@require_safe
def returned(request: SignedIn, uid: uuid.UUID) -> HttpResponseBase:
    """The rows that were not imported, to be mended and sent again."""
    job = _mine(request, uid)
    return file_of(job, job.returned, _("退回-%(name)s.xlsx") % {"name": Path(job.filename).stem})


def file_of(job: Transfer, name: str, filename: str) -> HttpResponseBase:
    """A sealed workbook of `job` to keep; 404 where there is none, or none any more."""
    if not name or job.is_gone:
        raise Http404
    return downloads.workbook(vault.open(name), filename)


def _may_import(request: SignedIn) -> None:
    if not request.user.may_register:
        raise PermissionDenied(_("导入台账由村（社区）、镇（街道）和区领导小组办公室办理。"))


def _mine(request: SignedIn, uid: uuid.UUID) -> WorkbookImport:
    return get_object_or_404(WorkbookImport.objects.visible_to(request.user), uid=uid)


def _checked(request: SignedIn, uid: uuid.UUID) -> WorkbookImport:
    job = _mine(request, uid)
    if job.state != State.CHECKED or job.is_gone:
        raise Http404
    return job
