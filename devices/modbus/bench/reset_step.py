"""The step of the alarm reset: a fault goes, and nothing else changes.

A reset is written three times: once while a fault is there, where there is one or the tester makes
one in time, and again where there is none. A reset that switches the sample off is the worst that
this bench can find; it is switched on again at once.
"""

from __future__ import annotations

from devices.modbus.bench import writing_advice as advice
from devices.modbus.bench.bench import Bench
from devices.modbus.bench.names import said, shown
from devices.modbus.bench.results import Result
from devices.modbus.bench.trials import LOOKS, Trial
from devices.modbus.points import Value
from devices.modbus.words import N_, Sentence

TIMES = 3
FAULT_LOOK_S = 2.0


async def alarm_reset(bench: Bench) -> Result:
    """Three resets, the first at a fault."""
    return await Trial(bench, "alarm_reset").run(_reset)


async def _reset(trial: Trial) -> Sentence:
    await trial.begin()
    before = await _wait_for_a_fault(trial)
    for time in range(1, TIMES + 1):
        trial.bench.say(Sentence(N_("第 %(n)d 次，共 %(all)d 次"), n=time, all=TIMES))
        if time > 1 and before:
            await _see_it_stay_away(trial, before)
        await _once(trial)
        if time == 1 and before:
            await _see_it_go(trial, before)
    if not before:
        raise trial.unproven(
            N_("复位 %(n)d 次，其余设定未变；没有故障可复位，是否消除故障没有证明"), n=TIMES
        )
    return Sentence(N_("故障已消除，%(n)d 次复位其余设定未变"), n=TIMES)


async def _wait_for_a_fault(trial: Trial) -> list[str]:
    """The faults that are there, or that the tester makes in time."""
    wait_s = trial.bench.options.fault_wait_s
    trial.bench.say(Sentence(N_("请造一个故障（%(s)g 秒内），例如拔下一个传感器再插回"), s=wait_s))
    passed, look_s = 0.0, min(FAULT_LOOK_S, wait_s / LOOKS)
    while not (faults := await faults_of(trial.bench)) and passed < wait_s:
        await trial.bench.pause(look_s)
        passed += look_s
    trial.figures["faults"] = faults
    trial.tell(N_("故障"), "%(faults)s", faults=shown("fault_bits", faults))
    return faults


async def _once(trial: Trial) -> None:
    result = await trial.send(True)
    if result.state not in ("verified", "accepted"):
        trial.tell(N_("写入"), "%(written)s", written=advice.written(trial.point, True))
        why = said(result.detail)
        if result.state == "refused":
            told = advice.on_failure(trial.bench.here.settings, trial.point, None, True, result)
            raise trial.failed(told, N_("写入被拒绝：%(why)s"), why=why)
        raise trial.failed(advice.on_stuck_reset(trial.point), N_("复位没有做完：%(why)s"), why=why)
    if await trial.settle():
        await trial.leave_as_found()


async def _see_it_go(trial: Trial, before: list[str]) -> None:
    """The fault must go within `hold_s`; of several, those whose cause persists may stay."""
    for _ in range(LOOKS):
        now = await faults_of(trial.bench)
        stay = [label for label in before if label in now]
        if not stay:
            break
        await trial.bench.pause(trial.bench.options.hold_s / LOOKS)
    trial.figures["persist"] = stay
    if stay == before:
        raise trial.failed(
            advice.on_lasting_fault(trial.point), N_("复位后故障仍在：%(faults)s"),
            faults=shown("fault_bits", stay),
        )  # fmt: skip
    if stay:
        trial.tell(N_("仍在"), N_("%(faults)s（原因没有消除）"), faults=shown("fault_bits", stay))


async def _see_it_stay_away(trial: Trial, before: list[str]) -> None:
    """What went by the reset must not be back a while later."""
    back = [f for f in await faults_of(trial.bench) if f in before]
    if [label for label in back if label not in trial.figures["persist"]]:
        raise trial.failed(
            advice.on_lasting_fault(trial.point), N_("复位后故障消失又出现：%(faults)s"),
            faults=shown("fault_bits", back),
        )  # fmt: skip


async def faults_of(bench: Bench) -> list[str]:
    """The faults that show now; ["?"] where the map tells only that there is one."""
    points = (await bench.read()).points
    named = [*_labels(points.get("fault_bits")), *_labels(points.get("fault_code"))]
    active = points.get("fault_active")
    return named or (["?"] if active and active.value is True else [])


def _labels(value: Value | None) -> list[str]:
    if value is None or value.quality != "good" or value.value in (None, "none"):
        return []
    found = value.value
    if isinstance(found, list):
        return found
    return [found] if isinstance(found, str) else [f"{found:g}"] if found else []
