"""Each planted defect fails the step that names it, and no other; none leaves a sample off."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, replace

import pytest

from devices.modbus.bench import STEPS, Kind, Result
from devices.modbus.bench.trials import SETTINGS
from devices.modbus.simulator.wire import Bus
from tests.devices.modbus.bench.defects import DEFECTS, Defect, Sample, gentle_fault, sample_of
from tests.devices.modbus.bench.other_maps import MIXED, NATIVE
from tests.devices.modbus.bench.samples import (
    ADDRESS,
    AIRBOX,
    BRIEF,
    CN_W10,
    SECOND,
    map_of,
    on_the_bench,
    results_of,
)

AUTOMATIC = [step.key for step in STEPS if step.kind is Kind.AUTO]
LONG = ["soak", "traffic"]
TURNS = 8


async def run_of(defect: Defect) -> tuple[dict[str, Result], Sample]:
    """The results of the steps, and the sample afterwards."""
    units = list(defect.units())
    bus = defect.bus(units, **defect.bus_options)
    options = replace(BRIEF, **defect.options)
    async with on_the_bench(map_of(defect.map(defect.file)), bus, options=options) as bench:
        return await results_of(bench, defect.steps or AUTOMATIC), units[0]


async def wrong_with(defect: Defect) -> list[str]:
    """What the bench made of a defect, where it is not what it should."""
    results, sample = await run_of(defect)
    failed = {key: result for key, result in results.items() if result.state == "failed"}
    wrong = [f"{key} failed: {r.finding}" for key, r in failed.items() if not defect.may(key)]
    wrong += [f"{key} passed" for key in defect.fails if key not in failed]
    first = results[defect.fails[0]]
    if defect.advice not in f"{first.advice}{first.finding}":
        wrong.append(f"names something else: {first.finding}; {first.advice}")
    if sample.values()["power_state"] is not True:
        wrong.append("left off")
    return wrong


@pytest.mark.parametrize("turn", range(TURNS))
def test_the_step_that_fails_names_the_defect_and_no_other_fails(turn: int) -> None:
    """Several samples at once, since most of the time each waits."""

    async def story() -> dict[str, list[str]]:
        chosen = DEFECTS[turn::TURNS]
        found = await asyncio.gather(*(wrong_with(defect) for defect in chosen))
        return {d.name: wrong for d, wrong in zip(chosen, found, strict=True) if wrong}

    assert asyncio.run(story()) == {}


@dataclass(frozen=True)
class Make:
    """A maker's map, and how its sample hangs on the bench."""

    text: str
    address: int = ADDRESS
    second: int = SECOND
    module: int | None = None


MAKES = {
    "CN-W10": Make(CN_W10),
    "AirBox": Make(AIRBOX),
    "coils, floats, bits, rows under a condition": Make(MIXED),
    "two-byte addresses, modules, locks, commands": Make(NATIVE, 0x0142, 0x0243, module=2),
}


def settings_of(sample: Sample, module: int) -> dict[str, object]:
    shown = sample.values(module - 1)
    return {signal: shown[signal] for signal in SETTINGS if signal in shown}


@pytest.mark.parametrize("make", MAKES.values(), ids=MAKES)
def test_a_sound_sample_of_any_shape_passes_and_is_left_as_it_was_found(make: Make) -> None:
    async def story() -> None:
        number = make.module or 1
        sample, other = (
            sample_of(make.text, at, modules=number) for at in (make.address, make.second)
        )
        before = settings_of(sample, number)
        sample.modules[number - 1].house.plant(gentle_fault(sample), stops=False)
        sample.registers.refresh()
        options = replace(BRIEF, second_address=make.second)
        async with on_the_bench(
            map_of(make.text), Bus([sample, other]), options=options, address=make.address,
            module=make.module,
        ) as bench:  # fmt: skip
            results = await results_of(bench, [*AUTOMATIC, *LONG])
        told = {key: (result.state, result.finding) for key, result in results.items()}
        assert {state for state, _ in told.values()} == {"passed"}, told
        assert settings_of(sample, number) == before
        for result in results.values():
            assert Result.from_json(json.loads(json.dumps(result.as_json()))) == result

    asyncio.run(story())


def test_there_are_more_defects_than_were_asked_for_and_every_automatic_step_names_some() -> None:
    named = {key for defect in DEFECTS for key in defect.fails}
    assert len(DEFECTS) >= 24
    assert named >= set(AUTOMATIC)
