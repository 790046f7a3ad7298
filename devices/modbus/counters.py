"""What a line counts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Counters:
    """What happened on a line since it was made."""

    requests: int = 0
    answers: int = 0
    exceptions: int = 0
    timeouts: int = 0
    garbled: int = 0
    wrong_echoes: int = 0
    late_replies: int = 0
    duplicates: int = 0
    varied: int = 0
    stray_bytes: int = 0
