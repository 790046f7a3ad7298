"""Lines as their operator sees them: bytes of a month, traces of frames, unknown transmitters."""

from __future__ import annotations

from datetime import date, timedelta

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from households import clock
from households.models import User

TRACE_LASTS = timedelta(minutes=10)


class GatewayMonth(models.Model):
    """What a gateway's connections carried in one month of Shanghai's: what its card pays for.

    `month` is the first day of the month; bytes as the platform received and sent them.
    """

    gateway = models.ForeignKey("devices.Gateway", models.CASCADE, related_name="months")
    month = models.DateField()
    bytes_in = models.BigIntegerField(default=0)
    bytes_out = models.BigIntegerField(default=0)

    class Meta:
        ordering = ["-month"]
        constraints = [
            models.UniqueConstraint(fields=["gateway", "month"], name="gateway_month_once")
        ]

    @property
    def total(self) -> int:
        return self.bytes_in + self.bytes_out

    @staticmethod
    def current() -> date:
        """The first day of the month in which we are."""
        return clock.today().replace(day=1)


class LineTraceQuerySet(models.QuerySet["LineTrace"]):
    def running(self) -> LineTraceQuerySet:
        return self.filter(until__gt=clock.now())

    def start(self, gateway_id: int, by: User) -> LineTrace:
        """Record frames for ten minutes from now; a trace that runs goes on that long."""
        now = clock.now()
        begun = self.running().filter(gateway=gateway_id).values_list("since", flat=True).first()
        changes = {"since": begun or now, "until": now + TRACE_LASTS, "by": by}
        return self.update_or_create(gateway_id=gateway_id, defaults=changes)[0]


class LineTrace(models.Model):
    """That the frames of a gateway's line are recorded until a moment; it ends by itself."""

    gateway = models.OneToOneField(
        "devices.Gateway", models.CASCADE, primary_key=True, related_name="trace"
    )
    since = models.DateTimeField()
    until = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True)

    objects = LineTraceQuerySet.as_manager()

    @property
    def runs(self) -> bool:
        return self.until > clock.now()

    @property
    def ends_in(self) -> timedelta:
        return max(self.until - clock.now(), timedelta(0))

    def end(self) -> None:
        self.until = min(self.until, clock.now())
        self.save(update_fields=["until"])


class TracedFrameQuerySet(models.QuerySet["TracedFrame"]):
    KEPT = timedelta(hours=24)
    AT_MOST = 20_000  # per line

    def prune(self, gateway_id: int) -> None:
        """Only the newest frames of a line stay."""
        mine = self.filter(gateway=gateway_id).order_by("-pk")
        oldest = mine.values_list("pk", flat=True)[self.AT_MOST : self.AT_MOST + 1].first()
        if oldest is not None:
            mine.filter(pk__lte=oldest).delete()

    def sweep(self) -> None:
        """What is older than a day goes."""
        self.filter(at__lt=clock.now() - self.KEPT).delete()


class TracedFrame(models.Model):
    """One chunk of bytes on a traced line, as it was sent or as it arrived.

    `lost` chunks before it could not be recorded.
    """

    class Direction(models.TextChoices):
        OUT = "out", _("发")
        IN = "in", _("收")

    gateway = models.ForeignKey("devices.Gateway", models.CASCADE, db_index=False)
    at = models.DateTimeField(db_index=True)
    direction = models.CharField(max_length=3, choices=Direction)
    data = models.BinaryField()
    lost = models.PositiveIntegerField(default=0)

    objects = TracedFrameQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        indexes = [models.Index(fields=["gateway", "id"], name="traced_frame_of_line")]


HELD = timedelta(seconds=30)  # after the line worker last said so


class UnknownTransmitterQuerySet(models.QuerySet["UnknownTransmitter"]):
    def held(self) -> UnknownTransmitterQuerySet:
        """Those whose connection is open now."""
        return self.filter(seen_at__gt=clock.now() - HELD)


class UnknownTransmitter(models.Model):
    """A transmitter that registered at a line worker's listener and that is on no record.

    It is held open and silent, never polled. `names` are the ids by which it may be known, the
    first one shown; `since` when its connection came, `seen_at` when it was last held.
    """

    line_worker = models.CharField(max_length=40)
    name = models.CharField(max_length=80)
    names = models.JSONField(default=list)
    peer = models.CharField(max_length=64, blank=True)
    listener = models.CharField(max_length=80, blank=True)
    since = models.DateTimeField()
    seen_at = models.DateTimeField()
    bytes_in = models.BigIntegerField(default=0)

    objects = UnknownTransmitterQuerySet.as_manager()

    class Meta:
        ordering = ["-seen_at", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["line_worker", "name"], name="unknown_transmitter_once_per_worker"
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_held(self) -> bool:
        """Whether its connection is open now."""
        return self.seen_at > clock.now() - HELD
