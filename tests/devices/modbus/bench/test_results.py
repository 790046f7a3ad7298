"""What a step found survives JSON, with its texts translatable."""

from __future__ import annotations

import json

import pytest

from devices.modbus.bench import STEPS, Kind, Result, step
from devices.modbus.bench.results import packed, unpacked
from devices.modbus.words import Sentence

FOUND = Result(
    "failed",
    Sentence("%(name)s 读到 %(raw)s", name=Sentence("运行模式"), raw="4"),
    ((Sentence("回读"), Sentence("制热")),),
    Sentence("点表第 %(row)d 行", row=9),
    {"p99_ms": 84.0, "seen": ["heating", 1]},
)


def test_a_result_comes_back_from_json_as_it_was() -> None:
    again = Result.from_json(json.loads(json.dumps(FOUND.as_json())))
    assert again == FOUND
    assert again.finding.params["name"].template == "运行模式"  # type: ignore[attr-defined]


def test_templates_and_parameters_stay_apart() -> None:
    assert packed(FOUND.finding) == [
        "%(name)s 读到 %(raw)s",
        {"name": ["运行模式", {}], "raw": "4"},
    ]
    assert unpacked(packed(FOUND.finding)) == "运行模式 读到 4"


def test_a_state_that_nobody_knows_is_refused() -> None:
    with pytest.raises(ValueError, match="fine"):
        Result.from_json(FOUND.as_json() | {"state": "fine"})


def test_every_step_is_run_by_the_bench_or_made_by_hand() -> None:
    assert [one.key for one in STEPS if (one.run is None) != (one.kind is Kind.HAND)] == []
    assert len({one.key for one in STEPS}) == len(STEPS)
    assert step("soak").kind is Kind.LONG
