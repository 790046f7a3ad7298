"""Settings that came back changed from an outage: listed for people, never rewritten."""

from __future__ import annotations

from telemetry.models import SettingChanged
from telemetry.unit_clock import Changed


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
