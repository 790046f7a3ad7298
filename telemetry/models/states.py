"""Latest states: of units, of gateways, of line workers."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import Any

from django.db import models
from django.db.models import ExpressionWrapper, F, Q, Value
from django.utils.translation import gettext_lazy as _

from households import clock

# {"value", "quality", "raw", "at", "good", "good_at"}, times ISO 8601 in UTC; what is not known is
# left out or None; `good` is the last good value where the newest is not good.
Entry = dict[str, Any]
SILENT_AFTER = 3  # intervals without an answer


class UnitStateQuerySet(models.QuerySet["UnitState"]):
    def _answered_lately(self) -> Q:
        grace = ExpressionWrapper(
            F("interval_s") * Value(timedelta(seconds=SILENT_AFTER)),
            output_field=models.DurationField(),
        )
        return Q(
            answered_at__gt=ExpressionWrapper(
                Value(clock.now(), models.DateTimeField()) - grace,
                output_field=models.DateTimeField(),
            )
        )

    def online(self) -> UnitStateQuerySet:
        """Answered within three of its intervals."""
        return self.filter(self._answered_lately())

    def silent(self) -> UnitStateQuerySet:
        return self.exclude(self._answered_lately())

    def in_fault(self) -> UnitStateQuerySet:
        """Online and reporting a fault of its own."""
        return self.online().filter(fault_active=True)


class UnitState(models.Model):
    """The newest of one unit, written by the writer together with the readings.

    `values` is what was good in the newest answer, `{signal: value}`; `aside` the entries of all
    else: what is not good now, and what was read by an earlier answer and not asked since. Both
    are read through `entry` and `entries` alone. `missed_cause` says why the newest poll brought
    nothing.
    """

    unit = models.OneToOneField(
        "devices.Unit", models.CASCADE, primary_key=True, related_name="state"
    )
    answered_at = models.DateTimeField(null=True)  # no index: updates stay within their page
    polled_at = models.DateTimeField()
    interval_s = models.FloatField()
    missed_cause = models.CharField(max_length=24, blank=True)
    fault_active = models.BooleanField(null=True)
    values = models.JSONField(default=dict)
    aside = models.JSONField(default=dict)

    objects = UnitStateQuerySet.as_manager()

    class Meta:
        indexes = [  # the few that alarms look at; their columns seldom change
            models.Index(fields=["unit"], condition=~Q(missed_cause=""), name="state_poll_missed"),
            models.Index(fields=["unit"], condition=Q(fault_active=True), name="state_in_fault"),
        ]

    def entry(self, signal: str) -> Entry:
        """The newest of one signal; {} where it was never read."""
        if signal in self.values:
            return self._good(self.values[signal])
        return self._whole(self.aside.get(signal, {}))

    @property
    def entries(self) -> dict[str, Entry]:
        """The newest of every signal that was ever read."""
        entries = {signal: self._whole(entry) for signal, entry in self.aside.items()}
        return entries | {signal: self._good(value) for signal, value in self.values.items()}

    def _good(self, value: Any) -> Entry:
        assert self.answered_at is not None  # an answer brought the value
        at = self.answered_at.astimezone(UTC).isoformat(timespec="milliseconds")
        return {"value": value, "quality": "good", "at": at, "good": value, "good_at": at}

    @staticmethod
    def _whole(entry: Entry) -> Entry:
        """The entry with what goes without saying: a good value is the last good one."""
        if entry.get("quality") == "good":
            return {**entry, "good": entry["value"], "good_at": entry["at"]}
        return dict(entry)

    @property
    def is_online(self) -> bool:
        limit = timedelta(seconds=SILENT_AFTER * self.interval_s)
        return self.answered_at is not None and self.answered_at > clock.now() - limit

    @property
    def shape(self) -> str:
        """CSS class of the state's shape (look.md, 2)."""
        if not self.is_online:
            return "st-off"
        return "st-bad" if self.fault_active else "st-ok"

    @property
    def label(self) -> str:
        if not self.is_online:
            return str(_("离线"))
        return str(_("在线有故障") if self.fault_active else _("在线"))


class GatewayState(models.Model):
    """Whether a gateway's line is open now, since when, and how it goes.

    `figures`: connected_since, registered_at, heartbeats, last_heartbeat_at, bytes_in, bytes_out,
    requests, answers, timeouts, wrong_frames, late_replies, stray_bytes, round_trip_ms (median of
    the units), listener, peer, and `units: {address: {round_trip_ms, timeouts, answers,
    wrong_frames}}`, all counted since the line worker opened the line. `problems`: what is wrong
    with the wire, `[{code, since (Unix seconds), address or None, words}]`.
    """

    gateway = models.OneToOneField(
        "devices.Gateway", models.CASCADE, primary_key=True, related_name="state"
    )
    connected = models.BooleanField()
    since = models.DateTimeField()
    problem = models.CharField(max_length=200, blank=True)
    figures = models.JSONField(default=dict)
    problems = models.JSONField(default=list)

    class Meta:
        indexes = [
            models.Index(fields=["gateway"], condition=Q(connected=False), name="line_is_down"),
            models.Index(fields=["gateway"], condition=~Q(problems=[]), name="line_has_problems"),
        ]


WORKER_LIVES = timedelta(seconds=15)  # after its last word


class WorkerStateQuerySet(models.QuerySet["WorkerState"]):
    def living(self) -> WorkerStateQuerySet:
        """Those that said something lately."""
        return self.filter(seen_at__gt=clock.now() - WORKER_LIVES)


class WorkerState(models.Model):
    """A line worker's own word of how it goes, written every few seconds."""

    name = models.CharField(max_length=40, primary_key=True)
    start_id = models.UUIDField()
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    figures = models.JSONField(default=dict)

    objects = WorkerStateQuerySet.as_manager()

    @property
    def lives(self) -> bool:
        return self.seen_at > clock.now() - WORKER_LIVES
