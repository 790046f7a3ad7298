"""What the workers do with workbooks that came in and go out.

The row is the queue; a message only wakes. A row whose worker fell silent is taken again: a check
changes nothing, and an import is written in one transaction together with its row's state, so that
neither happens half nor twice.
"""

from __future__ import annotations

import contextlib
import logging
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import TypeVar

from celery import current_app
from django.conf import settings
from django.db import transaction
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import override
from kombu.exceptions import OperationalError

from households import clock, vault
from households.audit import history
from households.audit.history import acting
from households.ledger import annotating, checking, exporting, importing, reports, returning
from households.ledger.others import OTHERS, Found, NotTaken, Other
from households.ledger.reading import Unreadable
from households.ledger.telling import telling
from households.models import WorkbookExport, WorkbookImport

log = logging.getLogger(__name__)
Job = WorkbookImport | WorkbookExport
T = TypeVar("T", WorkbookImport, WorkbookExport)
State = WorkbookImport.State


def wake() -> None:
    """Once what was asked for is committed; where the broker is away, the scheduler comes by."""

    def send() -> None:
        with contextlib.suppress(OperationalError):
            current_app.send_task("households.work_on_workbooks", retry=False, expires=60)

    transaction.on_commit(send)


def work() -> int:
    """Take every row that waits, the oldest first; answers how many were taken."""
    taken = 0
    while _one_import() or _one_export():
        taken += 1
    return taken


def _one_import() -> bool:
    with transaction.atomic():
        row = WorkbookImport.objects.waiting().select_for_update(skip_locked=True, of=("self",))
        job = row.order_by("asked_at").first()
        if job is None:
            return False
        checks = job.state in (State.WAITING, State.CHECKING)
        job.state = State.CHECKING if checks else State.IMPORTING
        _begin(job)
    _guarded(job, _check if checks else _import)
    return True


def _one_export() -> bool:
    with transaction.atomic():
        row = WorkbookExport.objects.waiting().select_for_update(skip_locked=True, of=("self",))
        job = row.order_by("asked_at").first()
        if job is None:
            return False
        job.state = WorkbookExport.State.WRITING
        _begin(job)
    _guarded(job, _export)
    return True


def _begin(job: Job) -> None:
    job.seen_at, job.done, job.total = clock.now(), 0, 0
    job.save(update_fields=["state", "seen_at", "done", "total"])


def _guarded(job: T, act: Callable[[T], None]) -> None:
    """Whatever happens, the row says so in words; what a file holds never gets into the log."""
    via = f"{type(job).__name__} {str(job.uid)[:8]}"
    with override(job.by.language), history.acting(job.by, via):
        try:
            act(job)
        except (Unreadable, NotTaken) as refused:
            _end(job, "refused" if job.state == State.CHECKING else "failed", refused.sentence)
        except Exception:
            log.exception("a workbook could not be worked on: %s", job.uid)
            words = _("平台出错，没有写入任何内容。请再试一次；仍不行请报这个编号：%(number)s")
            _end(job, "failed", words % {"number": str(job.uid)[:8]})


def _end(job: Job, state: str, sentence: str = "") -> None:
    job.state = state
    job.sentence = sentence[:400]
    job.save(update_fields=["state", "sentence"])


def _check(job: WorkbookImport) -> None:
    """Check the file, then keep the report and the annotated workbook, sealed."""
    with vault.plain(job.file) as path, telling(job) as progress:
        check = checking.check(path, job.filename, job.by, progress=progress)
        other = None if check.heads else _look_further(path, job)
        if other:
            kind, found = other
            job.counts = reports.counts_of_other(kind, found)
            report = reports.of_other(found, path, job.filename)
        else:
            job.counts = reports.counts(check)
            report = reports.build(check, path, job.filename)
        job.counts["seconds"] = round((clock.now() - check.at).total_seconds(), 1)
        job.report = reports.keep(report)
        job.annotated = _annotated(path, job.filename, report)
        job.state, job.checked_at = State.CHECKED, check.at
    job.save(update_fields=["counts", "report", "annotated", "state", "checked_at"])


def _look_further(path: Path, job: WorkbookImport) -> tuple[str, Found] | None:
    """What another app finds in a file that holds no table of the ledger."""
    for kind, other in OTHERS.items():
        if found := other.look(path, job.filename, job.by):
            return kind, found
    return None


def _annotated(path: Path, filename: str, report: reports.Report) -> str:
    if not report.remarks:
        return ""
    with _scratch() as target:
        annotating.write(path, filename, target, report.remarks)
        return _kept(target)


@contextlib.contextmanager
def _scratch() -> Iterator[Path]:
    """A plain file to write into, where the vault sweeps up what killed processes leave behind."""
    folder = Path(settings.MEDIA_ROOT) / "plain"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, name = tempfile.mkstemp(dir=folder)  # 0600
    os.close(handle)
    try:
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def _kept(path: Path) -> str:
    with path.open("rb") as file:
        return vault.put(file, purpose="annotated")


def _import(job: WorkbookImport) -> None:
    """Check again, because the ledger may have changed since, and import as was chosen."""
    with vault.plain(job.file) as path, telling(job) as progress:
        progress.total = job.counts["rows"]
        if other := OTHERS.get(job.counts.get("kind", "")):
            return _write_other(job, path, other)
        check = checking.check(path, job.filename, job.by, progress=progress, since=job.checked_at)
        report = reports.load(job.report)
        if not reports.same(chain(check.mistakes, check.reminders), report):
            return _check_again(job)
        job.returned = _returned(path, job.filename, report) if job.only_right else ""
        with contextlib.suppress(importing.ImportRefused):
            return _write(job, check)
    return _check_again(job)


def _write_other(job: WorkbookImport, path: Path, other: Other) -> None:
    with acting(job.by, "import", job.uid), transaction.atomic():
        done = other.write(path, job.filename, job.by, job.counts.get("answers", {}))
        job.counts |= {"imported": {"rows": sum(done.values())} | done}
        job.state, job.imported_at = State.IMPORTED, clock.now()
        job.save(update_fields=["counts", "state", "imported_at"])


def _write(job: WorkbookImport, check: checking.Check) -> None:
    """The rows and what the job says of them, in one transaction."""
    with acting(job.by, "import", job.uid), transaction.atomic():
        done = importing.run(
            check,
            by=job.by,
            uid=job.uid,
            only_right=job.only_right,
            confirmed=set(job.confirmed),
        )
        job.counts |= {"imported": asdict(done)}
        job.state, job.imported_at = State.IMPORTED, clock.now()
        job.save(update_fields=["counts", "state", "imported_at", "returned"])


def _check_again(job: WorkbookImport) -> None:
    """The ledger says something else now than when the officer chose: he chooses anew."""
    job.sentence = _("检查之后台账有变化，已重新检查，请再看一遍。尚未导入任何一行。")
    job.state = State.CHECKING
    job.save(update_fields=["sentence", "state"])
    _check(job)


def _returned(path: Path, filename: str, report: reports.Report) -> str:
    wrong = [remark for remark in report.remarks if remark.severity == "mistake"]
    if not wrong:
        return ""
    with _scratch() as target:
        returning.write(path, filename, target, wrong)
        return _kept(target)


def _export(job: WorkbookExport) -> None:
    with _scratch() as target, telling(job) as progress:
        job.total = exporting.write(
            target,
            job.by,
            QueryDict(job.query),
            phones=job.phones,
            reason=job.reason,
            progress=progress,
        )
        job.file = _kept(target)
    job.state, job.ready_at, job.done = WorkbookExport.State.READY, clock.now(), job.total
    job.save(update_fields=["file", "state", "ready_at", "done", "total"])
