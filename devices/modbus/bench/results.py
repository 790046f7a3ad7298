"""What a step of the bench found, in words and figures that survive JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from devices.modbus.words import Sentence

State = Literal["passed", "failed", "unproven", "not_applicable", "broken_off"]
STATES: tuple[str, ...] = get_args(State)
Details = tuple[tuple[Sentence, Sentence], ...]


@dataclass(frozen=True)
class Result:
    """The verdict of one step.

    passed and failed judge the sample; unproven: it could not be shown, `finding` says why;
    not_applicable: the sample has nothing of the kind; broken_off: the line went away or lets
    nothing be written now, so that the step judges nothing and is to be run again.

    `finding` is one line for the list, `details` are label and text (写入, 回读, 恢复 …), `advice`
    says what the maker must change, naming the register, the setting or the column. `figures` are
    for the report: JSON, times in milliseconds or seconds as their names say.
    """

    state: State
    finding: Sentence
    details: Details = ()
    advice: Sentence | None = None
    figures: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The same in types of JSON; texts as [template, parameters], translatable later."""
        return {
            "state": self.state,
            "finding": packed(self.finding),
            "details": [[packed(label), packed(text)] for label, text in self.details],
            "advice": packed(self.advice) if self.advice else None,
            "figures": dict(self.figures),
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Result:
        """The result that `as_json` gave; raises ValueError, KeyError for anything else."""
        if kept["state"] not in STATES:
            raise ValueError(f"no state of a step: {kept['state']}")
        return cls(
            kept["state"],
            unpacked(kept["finding"]),
            tuple((unpacked(label), unpacked(text)) for label, text in kept["details"]),
            unpacked(kept["advice"]) if kept["advice"] else None,
            kept["figures"],
        )


def packed(sentence: Sentence) -> list[Any]:
    """A sentence as [template, parameters]; a parameter that is one itself likewise."""
    params = {
        name: packed(value) if isinstance(value, Sentence) else value
        for name, value in sentence.params.items()
    }
    return [sentence.template, params]


def unpacked(kept: list[Any]) -> Sentence:
    """The sentence that `packed` gave."""
    template, params = kept
    return Sentence(
        template,
        **{
            name: unpacked(value) if isinstance(value, list) else value
            for name, value in params.items()
        },
    )
