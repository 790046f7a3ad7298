"""Lines (通信链路) as list, page and API show them: where each stands, and its figures."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import (
    BigIntegerField,
    Count,
    Exists,
    F,
    IntegerField,
    OuterRef,
    QuerySet,
    Subquery,
)
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from devices.models import Gateway, Installation, Unit
from households.models import User
from telemetry.cadence import MEGABYTE, SLOWED_FROM
from telemetry.models import GatewayMonth, GatewayState, UnitState, WorkerState

STANDINGS = {
    "well": ("st-ok", _("接通")),
    "troubled": ("st-warn", _("接通有问题")),
    "away": ("st-off", _("中断")),
    "worker_gone": ("st-bad", _("采集进程停止")),
    "disabled": ("st-none", _("停用")),
}


def lines_of(user: User) -> QuerySet[Gateway]:
    """The lines that the asker may see, with what lists and pages say of them.

    `units_total` and `units_online` count those of the units that he may see, `villages` are
    where these stand; `month_bytes` is what the line carried in this month.
    """
    units = Unit.objects.visible_to(user).filter(retired_at=None)
    online = UnitState.objects.online().filter(unit__in=units.values("pk"))
    places = Installation.objects.filter(removed_on=None, unit__in=units.values("pk"))
    worker = WorkerState.objects.living().filter(name=OuterRef("line_worker"))
    month = GatewayMonth.objects.filter(gateway=OuterRef("pk"), month=GatewayMonth.current())
    carried = Subquery(month.values_list(F("bytes_in") + F("bytes_out"))[:1])
    return (
        Gateway.objects.visible_to(user)
        .select_related("state")
        .annotate(
            worker_lives=Exists(worker),
            units_total=_counted(units, "gateway"),
            units_online=_counted(online, "unit__gateway"),
            villages=Subquery(_villages(places)),
            month_bytes=Coalesce(carried, 0, output_field=BigIntegerField()),
        )
    )


def _counted(rows: QuerySet[Any], line: str) -> Coalesce:
    """How many of the rows belong to each line; `line` leads from a row to it."""
    mine = rows.filter(**{line: OuterRef("pk")}).order_by().values(line)
    count = mine.annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(count, output_field=IntegerField()), 0)


def _villages(places: QuerySet[Installation]) -> QuerySet[Any]:
    mine = places.filter(unit__gateway=OuterRef("pk")).order_by().values("unit__gateway")
    return mine.annotate(all=ArrayAgg("household__area__name", distinct=True)).values("all")


def in_standing(lines: QuerySet[Any], wanted: str) -> QuerySet[Any]:
    """Lines of one of the five standings, which sum to all; the same rule as `standing_of`.

    Needs the lines of `lines_of`.
    """
    connected = GatewayState.objects.filter(connected=True).values("pk")
    troubled = GatewayState.objects.filter(connected=True).exclude(problems=[]).values("pk")
    served = lines.filter(enabled=True, worker_lives=True)
    if wanted == "disabled":
        return lines.filter(enabled=False)
    if wanted == "worker_gone":
        return lines.filter(enabled=True, worker_lives=False)
    if wanted == "away":
        return served.exclude(pk__in=connected)
    if wanted == "troubled":
        return served.filter(pk__in=troubled)
    return served.filter(pk__in=connected).exclude(pk__in=troubled)


@dataclass(frozen=True)
class Standing:
    """Where a line stands: its name, the class of its shape, its words, and since when."""

    name: str
    since: datetime | None
    why: str = ""

    @property
    def shape(self) -> str:
        return STANDINGS[self.name][0]

    @property
    def label(self) -> str:
        return str(STANDINGS[self.name][1])


def standing_of(line: Gateway) -> Standing:
    """Where a line of `lines_of` stands."""
    state = state_of(line)
    since, why = (state.since, state.problem) if state else (None, "")
    if not line.enabled:
        return Standing("disabled", None)
    if not line.worker_lives:  # type: ignore[attr-defined]  # annotated by lines_of
        return Standing("worker_gone", None)
    if state is None or not state.connected:
        return Standing("away", since, why)
    return Standing("troubled" if state.problems else "well", since)


def state_of(line: Gateway) -> GatewayState | None:
    """What its line worker last said, or None for a line that none ever opened."""
    return getattr(line, "state", None)


@dataclass(frozen=True)
class Exchanges:
    """How asking goes since the line was opened, of a line or of one unit; None is not known."""

    round_trip_ms: float | None = None
    requests: int | None = None
    answers: int | None = None
    timeouts: int | None = None
    wrong_frames: int | None = None

    @classmethod
    def of(cls, said: dict[str, Any]) -> Exchanges:
        return cls(**{name: said.get(name) for name in cls.__dataclass_fields__})

    @property
    def asked(self) -> int | None:
        """Requests that were answered or timed out."""
        if self.requests is not None:
            return self.requests
        if self.answers is None or self.timeouts is None:
            return None
        return self.answers + self.timeouts


@dataclass(frozen=True)
class Problem:
    """Something that the line worker found wrong with the wire, in a sentence."""

    code: str
    since: datetime | None
    address: int | None
    words: str


@dataclass(frozen=True)
class Connection:
    """The connection of now: since when, from where, and what it carried."""

    connected_since: datetime | None = None
    registered_at: datetime | None = None
    last_heartbeat_at: datetime | None = None
    heartbeats: int | None = None
    peer: str = ""
    listener: str = ""
    bytes_in: int | None = None
    bytes_out: int | None = None
    late_replies: int | None = None
    stray_bytes: int | None = None
    units: dict[str, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def of(cls, line: Gateway) -> Connection:
        state = state_of(line)
        said = dict(state.figures) if state else {}
        known = {name: said[name] for name in cls.__dataclass_fields__ if said.get(name)}
        for name in ("connected_since", "registered_at", "last_heartbeat_at"):
            known[name] = moment(said.get(name))
        return cls(**known)


def moment(unix: float | None) -> datetime | None:
    return datetime.fromtimestamp(unix, UTC) if unix else None


def exchanges_of(line: Gateway) -> Exchanges:
    state = state_of(line)
    return Exchanges.of(state.figures if state else {})


def problems_of(line: Gateway, user: User, own: Collection[int] = ()) -> list[Problem]:
    """What is wrong with the wire now; nothing of a line that is away.

    Who does not tend the lines learns of the line itself and of his `own` units' addresses.
    """
    state = state_of(line)
    if state is None or not state.connected:
        return []
    return [
        Problem(one["code"], moment(one.get("since")), one.get("address"), one["words"])
        for one in state.problems
        if user.tends_lines or one.get("address") in (None, *own)
    ]


@dataclass(frozen=True)
class Budget:
    """Bytes of a month against what the card has; megabytes as the carriers count."""

    used: int
    limit_mb: int | None

    @property
    def megabytes(self) -> float:
        return self.used / MEGABYTE

    @property
    def shape(self) -> str:
        """Empty while there is enough, or no limit."""
        if not self.limit_mb or self.megabytes < SLOWED_FROM * self.limit_mb:
            return ""
        return "st-bad" if self.megabytes >= self.limit_mb else "st-warn"


def budget_of(line: Gateway) -> Budget:
    return Budget(line.month_bytes, line.monthly_budget_mb)  # type: ignore[attr-defined]


def shown_id(line: Gateway) -> str:
    """What people call the line: its name, else where it is."""
    return line.name or place_of(line)


def place_of(line: Gateway) -> str:
    """The transmitter's id, the serial port, or host and port."""
    return line.transmitter or line.url.partition("://")[2].partition("?")[0]
