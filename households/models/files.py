"""Files that the vault keeps."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from households import clock


class FilePurpose(models.TextChoices):
    """What a file is kept for, which says for how long."""

    UPLOAD = "upload", _("上传的表格")
    ANNOTATED = "annotated", _("平台写出的表格")
    DOCUMENT = "document", _("资料")


KEPT_FOR = {
    FilePurpose.UPLOAD: timedelta(hours=24),
    FilePurpose.ANNOTATED: timedelta(hours=24),
}


class StoredFileQuerySet(models.QuerySet["StoredFile"]):
    def expired(self) -> StoredFileQuerySet:
        return self.filter(expires_at__lte=clock.now())


class StoredFile(models.Model):
    """That a sealed file lies under a name; the name is random and says nothing.

    The row belongs to the transaction of whoever refers to it: a file whose row never came to be
    is removed by the vault's sweeping.
    """

    name = models.CharField(max_length=32, unique=True)
    purpose = models.CharField(max_length=9, choices=FilePurpose)
    size = models.PositiveBigIntegerField(_("字节数"))  # of the plain content
    created_at = models.DateTimeField(default=clock.now)
    expires_at = models.DateTimeField(null=True, blank=True, db_index=True)

    objects = StoredFileQuerySet.as_manager()

    class Meta:
        verbose_name = _("存放的文件")
        verbose_name_plural = _("存放的文件")
        constraints = [
            models.CheckConstraint(
                name="stored_file_purpose_known", condition=Q(purpose__in=FilePurpose.values)
            ),
            models.CheckConstraint(
                name="stored_file_stays_only_as_document",
                condition=Q(purpose=FilePurpose.DOCUMENT) | Q(expires_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def of(cls, name: str, purpose: FilePurpose, size: int) -> StoredFile:
        """The row of a file that lies there now, with the end of its time."""
        kept = KEPT_FOR.get(purpose)
        gone_at: datetime | None = clock.now() + kept if kept else None
        return cls(name=name, purpose=purpose, size=size, expires_at=gone_at)
