"""Workbooks that come in and go out: each a row, which is also the queue of the workers.

What a file says of people lies sealed in the vault and is gone after a day; a row keeps who, when,
how many and what became of it.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from households import clock

from .accounts import User

KEPT = timedelta(hours=24)
SILENT = timedelta(minutes=2)  # whoever works on a row tells of it every second


class Transfer(models.Model):
    """What an import and an export have in common: who waits for it, and how far it is."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    by = models.ForeignKey(User, models.CASCADE, verbose_name=_("经办人"))
    asked_at = models.DateTimeField(_("时间"), default=clock.now)
    seen_at = models.DateTimeField(null=True, editable=False)
    done = models.PositiveIntegerField(_("已处理行数"), default=0)
    total = models.PositiveIntegerField(_("总行数"), default=0)
    sentence = models.CharField(_("说明"), max_length=400, blank=True)

    class Meta:
        abstract = True

    @property
    def gone_at(self) -> datetime:
        """When its files are removed."""
        return self.asked_at + KEPT

    @property
    def is_gone(self) -> bool:
        return self.gone_at <= clock.now()


class ImportQuerySet(models.QuerySet["WorkbookImport"]):
    def visible_to(self, user: User) -> ImportQuerySet:
        """His own and nobody else's: a piece of the sheet shows names and phones as typed."""
        return self.filter(by=user) if user.may_register else self.none()

    def waiting(self) -> ImportQuerySet:
        """Rows that a worker should take: asked for, or left by a worker that fell silent."""
        asked = Q(state__in=(WorkbookImport.State.WAITING, WorkbookImport.State.CHOSEN))
        return self.filter(asked | _left("checking", "importing"))


class WorkbookImport(Transfer):
    """One uploaded workbook on its way into the ledger: checked, then imported as chosen."""

    class State(models.TextChoices):
        WAITING = "waiting", _("等待检查")
        CHECKING = "checking", _("正在检查")
        CHECKED = "checked", _("已检查，尚未导入")
        REFUSED = "refused", _("读不了")
        CHOSEN = "chosen", _("等待导入")
        IMPORTING = "importing", _("正在导入")
        IMPORTED = "imported", _("已导入")
        ABANDONED = "abandoned", _("已放弃")
        FAILED = "failed", _("中途失败")

    state = models.CharField(_("状态"), max_length=9, choices=State, default=State.WAITING)
    filename = models.CharField(_("文件名"), max_length=200)
    size = models.PositiveBigIntegerField(_("字节数"))
    file = models.CharField(max_length=120, editable=False)
    report = models.CharField(max_length=120, blank=True, editable=False)
    annotated = models.CharField(max_length=120, blank=True, editable=False)
    returned = models.CharField(max_length=120, blank=True, editable=False)
    counts = models.JSONField(default=dict, blank=True)
    confirmed = models.JSONField(default=list, blank=True)
    only_right = models.BooleanField(_("只导入没有错误的行"), default=False)
    checked_at = models.DateTimeField(null=True, editable=False)
    imported_at = models.DateTimeField(null=True, editable=False)

    objects = ImportQuerySet.as_manager()

    class Meta:
        verbose_name = _("导入")
        verbose_name_plural = _("导入")
        ordering = ["-asked_at"]
        constraints = [
            models.CheckConstraint(
                name="import_state_known",
                condition=Q(
                    state__in=[
                        "waiting",
                        "checking",
                        "checked",
                        "refused",
                        "chosen",
                        "importing",
                        "imported",
                        "abandoned",
                        "failed",
                    ]
                ),
            ),
            models.CheckConstraint(
                name="import_written_once_imported",
                condition=Q(state="imported", imported_at__isnull=False)
                | (~Q(state="imported") & Q(imported_at=None)),
            ),
        ]

    def __str__(self) -> str:
        return self.filename

    @property
    def is_at_work(self) -> bool:
        """Whether a worker has it, or will."""
        return self.state in ("waiting", "checking", "chosen", "importing")


class ExportQuerySet(models.QuerySet["WorkbookExport"]):
    def visible_to(self, user: User) -> ExportQuerySet:
        """His own: a file holds what he might see when he asked for it."""
        return self.filter(by=user) if user.is_active else self.none()

    def waiting(self) -> ExportQuerySet:
        return self.filter(Q(state=WorkbookExport.State.WAITING) | _left("writing"))


class WorkbookExport(Transfer):
    """One workbook of the ledger that somebody asked for: which rows, whole phones or masked."""

    class State(models.TextChoices):
        WAITING = "waiting", _("等待生成")
        WRITING = "writing", _("正在生成")
        READY = "ready", _("可以下载")
        FAILED = "failed", _("中途失败")

    class Phones(models.TextChoices):
        MASKED = "masked", _("电话打码（138****1234）")
        PLAIN = "plain", _("完整电话")

    state = models.CharField(_("状态"), max_length=7, choices=State, default=State.WAITING)
    query = models.CharField(_("筛选条件"), max_length=1000, blank=True)
    phones = models.CharField(max_length=6, choices=Phones, default=Phones.MASKED)
    reason = models.CharField(_("理由"), max_length=200, blank=True)
    file = models.CharField(max_length=120, blank=True, editable=False)
    ready_at = models.DateTimeField(null=True, editable=False)

    objects = ExportQuerySet.as_manager()

    class Meta:
        verbose_name = _("导出")
        verbose_name_plural = _("导出")
        ordering = ["-asked_at"]
        constraints = [
            models.CheckConstraint(
                name="export_state_known",
                condition=Q(state__in=["waiting", "writing", "ready", "failed"]),
            ),
            models.CheckConstraint(
                name="export_of_whole_phones_has_a_reason",
                condition=Q(phones="masked") | (Q(phones="plain") & ~Q(reason="")),
            ),
        ]

    def __str__(self) -> str:
        return str(self.uid)

    @property
    def is_at_work(self) -> bool:
        return self.state in ("waiting", "writing")


def _left(*states: str) -> Q:
    """Taken by a worker that has not been heard of since."""
    return Q(state__in=states, seen_at__lt=clock.now() - SILENT)
