"""The steps that write a temperature: the room's, the water's or air's.

Each writes a value beside the one that stands, proves it, sees whether it holds and puts the
former one back. Nothing else may change by it.
"""

from __future__ import annotations

from devices.modbus import policy
from devices.modbus.bench.bench import Bench
from devices.modbus.bench.names import said
from devices.modbus.bench.results import Result
from devices.modbus.bench.trials import Trial
from devices.modbus.words import N_, Sentence

FLOW = ("supply_temp_setpoint", "return_temp_setpoint")


async def write_room(bench: Bench) -> Result:
    """The room's setpoint."""
    return await Trial(bench, "indoor_temp_setpoint").run(_number)


async def write_flow(bench: Bench) -> Result:
    """The water's or the air's setpoint, on every side where the map lets it be written."""
    sides = [signal for signal in FLOW if bench.here.writers(signal)] or [FLOW[0]]
    results = [await Trial(bench, signal).run(_number) for signal in sides]
    if len(results) == 1:
        return results[0]
    order = ("broken_off", "failed", "unproven", "passed")
    worst = min(results, key=lambda result: order.index(result.state))
    return Result(
        worst.state,
        worst.finding if worst.state != "passed" else said("；".join(r.finding for r in results)),
        tuple(line for result in results for line in result.details),
        worst.advice,
        {signal: result.figures for signal, result in zip(sides, results, strict=True)},
    )


async def number_to_try(trial: Trial) -> float:
    """Begin the trial of a number: the value that is to be written; ends the step where there is
    none."""
    await trial.begin()
    trial.take_former()
    former = trial.former
    warm = trial.signal in FLOW and trial.bench.map.settings.medium == "water"
    if isinstance(former, bool) or not isinstance(former, int | float):
        raise trial.unproven(N_("%(name)s 读到的不是数字，没有写"))
    target = policy.trial_number(trial.point, former, warm=warm)
    if target is None:
        raise trial.unproven(N_("限值内没有别的值可写：%(name)s 没有写"))
    return target


async def _number(trial: Trial) -> Sentence:
    target = await number_to_try(trial)
    async with trial.restoring():
        await trial.write(target)
        trial.changed = await trial.disturbed()
        await trial.watch()
    values = [f"{value:.10g}" for value in (trial.former, target, trial.former)]
    held_s = trial.figures["held_s"]
    return Sentence(N_("%(values)s °C，保持 %(s)g 秒"), values=said(" → ".join(values)), s=held_s)
