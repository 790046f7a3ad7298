"""What allows and what limits writing: the one switch, wear, and what is owed after a test."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from devices.models import Unit
from households import clock
from households.models import User

OVERDUE_AFTER = timedelta(minutes=15)
RESTORE_WITHIN = timedelta(seconds=60)


class RemoteWriting(models.Model):
    """The one switch of all remote writing (远程设定总开关).

    A row says who turned it, when and why; the newest counts, and none at all means off. Rows are
    never changed or removed: a trigger of the database sees to it.
    """

    on = models.BooleanField(_("开"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(default=clock.now)
    why = models.CharField(_("理由"), max_length=200)

    class Meta:
        verbose_name = _("远程设定总开关")
        verbose_name_plural = _("远程设定总开关")
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.on}"

    @classmethod
    def newest(cls) -> RemoteWriting | None:
        return cls.objects.select_related("by").first()

    @classmethod
    def is_on(cls) -> bool:
        newest = cls.newest()
        return newest is not None and newest.on


class Wear(models.Model):
    """How often one register of one unit was written on one Shanghai day.

    The memory behind a register lasts some ten thousand writes: the sum over all days is its
    lifetime count. `area` and `address` are as on the wire.
    """

    unit = models.ForeignKey(Unit, models.CASCADE, related_name="wear")
    area = models.CharField(max_length=8)
    address = models.PositiveIntegerField()
    day = models.DateField()
    writes = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["unit", "area", "address", "day"], name="wear_once_per_day"
            )
        ]


class ObligationQuerySet(models.QuerySet["Obligation"]):
    def visible_to(self, user: User) -> ObligationQuerySet:
        return self.filter(unit__in=Unit.objects.visible_to(user))

    def open(self) -> ObligationQuerySet:
        """Not yet restored."""
        return self.filter(fulfilled_at=None)

    def overdue(self) -> ObligationQuerySet:
        """Open for longer than a test may last: somebody must look after the house."""
        since = clock.now() - OVERDUE_AFTER
        return self.open().filter(
            Q(docking_step=None, made_at__lte=since)
            | Q(docking_step__isnull=False, restore_at__lte=since)
        )


class Obligation(models.Model):
    """That a value which a test changed is put back (恢复义务), stored before the first test write.

    `former` is the value to put back, `test_value` what the test writes; `restore_at` is when the
    platform puts it back by itself. It does not expire, is not limited and not superseded, and is
    carried out on reconnection while the unit still shows the test value. `ending` says how it
    ended; `by` is whom to call, together with the household's contact. Only a docking step, whose
    sample heats no house, may keep a test value longer than OVERDUE_AFTER: to see it held.
    """

    class Ending(models.TextChoices):
        RESTORED = "restored", _("已恢复")
        FORMER = "former", _("读到的已是原值")
        CHANGED = "changed", _("现场已改为其他值")
        UNSENT = "unsent", _("测试没有写出")

    unit = models.ForeignKey(Unit, models.PROTECT, related_name="obligations")
    signal = models.CharField(_("项目"), max_length=40)
    former = models.JSONField(_("原值"))
    test_value = models.JSONField(_("测试值"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    docking_step = models.ForeignKey(
        "telemetry.DockingStep", models.PROTECT, null=True, editable=False, related_name="owed"
    )
    made_at = models.DateTimeField(default=clock.now)
    restore_at = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)
    fulfilled_at = models.DateTimeField(null=True)
    ending = models.CharField(max_length=8, blank=True, choices=Ending)

    objects = ObligationQuerySet.as_manager()

    class Meta:
        verbose_name = _("恢复义务")
        verbose_name_plural = _("恢复义务")
        ordering = ["-made_at", "-pk"]
        indexes = [
            models.Index(fields=["made_at"], condition=Q(fulfilled_at=None), name="obligation_open")
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["unit", "signal"],
                condition=Q(fulfilled_at=None),
                name="obligation_one_open_per_signal",
            ),
            models.CheckConstraint(
                name="obligation_ends_with_its_ending",
                condition=Q(fulfilled_at=None, ending="")
                | Q(~Q(ending=""), fulfilled_at__isnull=False),
            ),
            models.CheckConstraint(
                name="obligation_restored_soon",
                condition=Q(docking_step__isnull=False)
                | Q(restore_at__lte=F("made_at") + OVERDUE_AFTER),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.signal} → {self.former}"

    @property
    def overdue_at(self) -> datetime:
        return (self.restore_at if self.docking_step_id else self.made_at) + OVERDUE_AFTER
