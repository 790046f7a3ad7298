"""What a line finds out about itself: somebody else on it, echoes, wiring, two on one address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from devices.modbus.words import Sentence

Code = Literal["echo", "second_master", "two_on_one", "bias", "wrong_echo"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found: since when (Unix seconds), at which unit address if at one, in words."""

    code: Code
    since: float
    address: int | None
    sentence: Sentence
