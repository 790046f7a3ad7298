"""The plan of the bench: how long each step takes is told before it begins."""

from __future__ import annotations

from dataclasses import replace

import pytest

from devices.modbus.bench import STEPS, Kind, Options, step
from devices.modbus.pointmap import PointMap
from tests.devices.modbus.bench.samples import CN_W10, map_of


def told(**settings: object) -> PointMap:
    map = map_of(CN_W10)
    return replace(map, settings=replace(map.settings, **settings))  # type: ignore[arg-type]


@pytest.mark.parametrize("key", [one.key for one in STEPS if one.kind == Kind.AUTO])
def test_the_slower_the_map_lets_a_sample_answer_the_longer_a_step_may_take(key: str) -> None:
    least, most = step(key).seconds(told(reply_timeout_ms=100))
    same, longer = step(key).seconds(told(reply_timeout_ms=5000))
    assert least == same < most < longer


def test_registers_that_are_read_one_by_one_take_longer() -> None:
    together, apart = (step("labels").seconds(told(max_read=most))[1] for most in (32, 1))
    assert together < apart


def test_writes_that_must_be_far_apart_are_reckoned_in() -> None:
    soon, late = (
        step("write_room").seconds(told(min_write_interval_s=apart))[0] for apart in (0, 60)
    )
    assert soon == step("write_room").about_s < late


def test_a_silence_and_a_soak_take_as_long_as_they_were_asked_for() -> None:
    options = Options(silence_s=60, soak_s=600)
    for key, asked_s in (("silence", 60), ("soak", 600)):
        assert step(key).seconds(told(), options)[0] == asked_s
