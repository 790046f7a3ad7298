"""What became of every record, and the chain that seals it. The rows are written by triggers."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class ChangeKind(models.TextChoices):
    BEGIN = "begin", _("开始记录")
    INSERT = "insert", _("新增")
    UPDATE = "update", _("修改")
    DELETE = "delete", _("删除")


class Change(models.Model):
    """One change of one row of a tracked table: who, how, why, before and after.

    `before` and `after` hold the row's columns as JSON: all of them where the row came or went,
    else only those that changed. Sealed texts stay sealed. `user_id`, `via`, `request` and
    `reason` are empty where the change was made outside of the platform (SQL); `role` and
    `program` are always those of the database's session.

    One table for all, and JSON: a later migration of a tracked table must not touch what is
    sealed. No foreign keys either: what happened stays, whatever becomes of the rows.
    """

    at = models.DateTimeField(_("时间"))
    table = models.CharField(max_length=63, db_column="table_name")
    row_id = models.BigIntegerField()
    household_id = models.BigIntegerField(null=True)
    kind = models.CharField(_("变更"), max_length=6, choices=ChangeKind)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    user_id = models.BigIntegerField(null=True)
    via = models.TextField(default="", blank=True)
    request = models.UUIDField(null=True)
    reason = models.TextField(_("原因"), default="", blank=True)
    role = models.TextField()
    program = models.TextField()

    class Meta:
        verbose_name = _("变更记录")
        verbose_name_plural = _("变更记录")
        indexes = [
            models.Index(
                fields=["household_id", "-id"],
                condition=Q(household_id__isnull=False),
                name="change_of_household",
            ),
            models.Index(fields=["table", "row_id"], name="change_of_row"),
            models.Index(fields=["at"], name="change_at"),
        ]

    def __str__(self) -> str:
        return f"{self.table} {self.row_id} {self.kind}"


class HistorySeal(models.Model):
    """A link of the chain over all changes with ids from `after_id` (exclusive) to `last_id`.

    `ids` and `leaves` tell the changes that it seals and the SHA-256 (32 bytes) of each; `head` is
    the SHA-256 over the previous head, the link's own figures and the leaves.
    """

    number = models.PositiveIntegerField(unique=True)
    after_id = models.BigIntegerField()
    last_id = models.BigIntegerField()
    made_at = models.DateTimeField(_("封存时间"))
    ids = ArrayField(models.BigIntegerField())
    leaves = models.BinaryField()
    previous = models.CharField(max_length=64)
    head = models.CharField(max_length=64)

    class Meta:
        verbose_name = _("封存")
        verbose_name_plural = _("封存")
        ordering = ["number"]

    def __str__(self) -> str:
        return f"{self.number} {self.head[:12]}"
