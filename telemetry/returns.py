"""Settings that came back changed from an outage: listed for people, never rewritten."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from devices.models import Unit
from households import clock
from telemetry import points
from telemetry.latest import form_of
from telemetry.models import SettingChanged
from telemetry.unit_clock import Changed

NEWS = timedelta(days=30)


@dataclass(frozen=True)
class Line:
    """One changed setting as people read it."""

    label: str
    before: str
    after: str
    away_since: datetime | None
    at: datetime


def keep(changed: Changed) -> None:
    """Store each setting that was another one before; told twice is stored once."""
    rows = [
        SettingChanged(
            unit_id=changed.unit_id,
            signal=signal,
            before=before,
            after=after,
            away_since=changed.away_since,
            at=changed.at,
        )
        for signal, (before, after) in changed.settings.items()
    ]
    SettingChanged.objects.bulk_create(rows, ignore_conflicts=True)


def changed_lately(unit: Unit) -> list[Line]:
    """What outages of the last 30 days changed of a unit's settings, newest first."""
    rows = SettingChanged.objects.filter(unit=unit, at__gt=clock.now() - NEWS)
    return [_line(unit, row) for row in rows]


def _line(unit: Unit, row: SettingChanged) -> Line:
    form = form_of(unit.register_map)

    def text(value: object) -> str:
        shown = points.show(row.signal, value, form.digits.get(row.signal))
        return f"{shown} {form.units.get(row.signal, '')}".strip()

    label = points.label(row.signal, unit.model.medium)
    return Line(label, text(row.before), text(row.after), row.away_since, row.at)
