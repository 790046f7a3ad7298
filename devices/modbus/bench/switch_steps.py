"""The steps that switch: on and off, the mode.

Off is never the last thing that a sample hears: it is owed to be on from before the first byte,
and off no longer than a minute.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from devices.modbus import policy
from devices.modbus.bench import writing_advice as advice
from devices.modbus.bench.bench import Bench, NotLet
from devices.modbus.bench.heating import heats_though_off
from devices.modbus.bench.names import said, shown
from devices.modbus.bench.results import Result
from devices.modbus.bench.trials import Trial, Verdict
from devices.modbus.bench.write_steps import number_to_try
from devices.modbus.words import N_, Sentence

LONGEST_OFF_S = 60.0
EXCHANGES_WHILE_OFF = 9  # read, written, read back; looked at thrice; read and written again
MOST_LABELS = 4  # each costs two writes of the twenty of a run


async def write_power(bench: Bench) -> Result:
    """On, off, and on again."""
    return await Trial(bench, "power_state").run(_power)


async def _power(trial: Trial) -> Sentence:
    await trial.begin()
    trial.take_former()
    if trial.former is False:
        await _switch_on(trial)
    space_s = max(trial.bench.options.write_space_s, trial.bench.map.settings.min_write_interval_s)
    if space_s > LONGEST_OFF_S:
        await trial.write(True)
        raise trial.unproven(N_("只试了开机：两次写入须隔 %(s)g 秒，关机会超过 60 秒"), s=space_s)
    look_s = await _time_of_a_look(trial)
    if EXCHANGES_WHILE_OFF * look_s > LONGEST_OFF_S:
        await trial.write(True)
        raise trial.unproven(
            N_("只试了开机：样机应答一次要 %(s)g 秒，关机会超过 60 秒"), s=round(look_s, 1)
        )
    async with _other_room_setpoint(trial):
        return await _off_and_on(trial)


async def _time_of_a_look(trial: Trial) -> float:
    loop = asyncio.get_running_loop()
    asked_at = loop.time()
    await trial.bench.value(trial.signal)
    return loop.time() - asked_at


async def _off_and_on(trial: Trial) -> Sentence:
    loop = asyncio.get_running_loop()
    async with trial.restoring():
        await trial.write(False)
        off_at = loop.time()
        await _stays_off(trial)
    off_s = trial.figures["off_s"] = round(trial.restored_at - off_at, 1)
    trial.figures["read_back"] = True
    await trial.watch()
    return Sentence(N_("开 → 关 → 开，其余设定未变，关机 %(s)g 秒"), s=off_s)


async def _switch_on(trial: Trial) -> None:
    """A sample that was found off is switched on first, and stays so: off is never the last."""
    if heats_though_off(trial.bench.seen):
        raise trial.unproven(
            N_("读到关机，却像在供热：开、关可能接反，没有写；请在面板上核对、开机后重测")
        )
    trial.bench.say(Sentence(N_("样机处于关机，先开机")))
    await trial.write(True)
    trial.tell(N_("写入"), N_("测试前为关机，已开机；测试后保持开机"))
    trial.former = True
    await trial.look_around()


@asynccontextmanager
async def _other_room_setpoint(trial: Trial) -> AsyncIterator[None]:
    """Have a test value in the room's setpoint meanwhile, where one can be written and holds: a
    sample that falls back to its default would not show it where the default stands already. What
    is wrong with the setpoint itself is a matter of its own step."""
    room = Trial(trial.bench, "indoor_temp_setpoint")
    try:
        await room.write(await number_to_try(room))
        await room.watch()
        trial.details += room.details
        trial.others_formers = {room.signal: room.former}
    except (Verdict, NotLet):
        await room.undo()
    try:
        await trial.look_around()
        yield
    except Verdict:
        await room.undo()
        raise
    await room.undo()


async def _stays_off(trial: Trial) -> None:
    """Off for as long as it takes to see that it is, and no longer."""
    options = trial.bench.options
    async for _, value in trial.looks(min(options.off_s, options.hold_s) / 2, least=2):
        if value is not False:
            raise trial.failed(advice.on_not_holding(trial.point), N_("关机没有保持，自己又开了"))


async def write_mode(bench: Bench) -> Result:
    """Every label that may be written and goes on heating, each put back."""
    return await Trial(bench, "mode").run(_mode)


async def _mode(trial: Trial) -> Sentence:
    await trial.begin()
    trial.take_former()
    heats_only = trial.bench.map.settings.medium == "water"
    labels = policy.trial_labels(trial.point, trial.former, heats_only=heats_only)
    watched = [label for label in labels if label in policy.HEATING_MODES] or labels
    for label in labels[:MOST_LABELS]:
        async with trial.restoring():
            await trial.write(label)
            if label == watched[0]:
                await trial.watch()
    if not labels:
        await trial.write(trial.former)
    untried = [
        label
        for label in policy.writable_labels(trial.point)
        if label not in (trial.former, *labels[:MOST_LABELS])
    ]
    if untried:
        trial.tell(N_("未试"), "%(labels)s", labels=_listed(untried))
    tried = [str(trial.former), *labels[:MOST_LABELS]]
    trial.figures["labels"] = tried
    return Sentence(N_("写过：%(labels)s"), labels=_listed(tried))


def _listed(labels: list[str]) -> Sentence:
    return said("、".join(shown("mode", label) for label in labels))
