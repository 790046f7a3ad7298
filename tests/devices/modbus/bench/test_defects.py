"""Each planted defect fails the step that names it, and no other; none leaves a sample off."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from devices.modbus.bench import STEPS, Kind, Result
from devices.modbus.simulator.wire import Bus
from tests.devices.modbus.bench.defects import DEFECTS, Defect, Sample, gentle_fault, sample_of
from tests.devices.modbus.bench.samples import (
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


@pytest.mark.parametrize("text", [CN_W10, AIRBOX], ids=["CN-W10", "AirBox"])
def test_a_sound_sample_of_both_example_makers_passes_and_is_left_as_it_was_found(
    text: str,
) -> None:
    async def story() -> None:
        units = [sample_of(text), sample_of(text, SECOND)]
        before = units[0].values()
        units[0].plant(gentle_fault(units[0]))
        async with on_the_bench(map_of(text), Bus(units)) as bench:
            results = await results_of(bench, [*AUTOMATIC, *LONG])
        assert {key: result.state for key, result in results.items()} == dict.fromkeys(
            results, "passed"
        )
        assert units[0].values() == before

    asyncio.run(story())


def test_there_are_more_defects_than_were_asked_for_and_every_automatic_step_names_some() -> None:
    named = {key for defect in DEFECTS for key in defect.fails}
    assert len(DEFECTS) >= 24
    assert named >= set(AUTOMATIC)
