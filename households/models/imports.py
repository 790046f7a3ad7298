"""What was imported: the receipt that makes an import happen once."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class LedgerImport(models.Model):
    """That a file went into the ledger, written in the transaction that wrote its rows.

    `uid` is made by whoever asks; asked again with it, nothing is written again. `digest` is the
    file's SHA-256, by which the same file is known when it comes a second time.
    """

    uid = models.UUIDField(unique=True, editable=False)
    digest = models.CharField(max_length=64, db_index=True, editable=False)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, verbose_name=_("经办人"))
    at = models.DateTimeField(_("时间"))
    rows = models.PositiveIntegerField(_("总行数"))
    new = models.PositiveIntegerField(_("新增"))
    changed = models.PositiveIntegerField(_("更新"))
    unchanged = models.PositiveIntegerField(_("未变化"))
    installed = models.PositiveIntegerField(_("安装记录"), default=0)
    left_out = models.PositiveIntegerField(_("退回行数"), default=0)

    class Meta:
        verbose_name = _("导入记录")
        verbose_name_plural = _("导入记录")
        ordering = ["-at"]

    def __str__(self) -> str:
        return str(self.uid)
