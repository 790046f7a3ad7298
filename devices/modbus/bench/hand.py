"""The verdicts on the steps that a person makes at the sample, from what he typed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from devices.modbus.bench.entries import Entry, told_badly
from devices.modbus.bench.names import called, said, shown
from devices.modbus.bench.outdoor_sensor import resistor, sensor
from devices.modbus.bench.panel import panel
from devices.modbus.bench.results import Details, Result
from devices.modbus.pointmap import PointMap
from devices.modbus.words import N_, Sentence

SLOW_S = 300.0  # a unit or a transmitter that needs longer to come back is a defect


def judge(key: str, map: PointMap, entered: Mapping[str, Any]) -> Result:
    """The verdict on a step by hand; `map` as the sample has it (moved to its module).

    panel        values: {signal: typed}, platform: {signal: entry}
    resistor     ohms, platform: {"outdoor_temp": entry}
    sensor       open and short: {"outdoor_temp": entry}
    controller   connected, usable
    power_cut    before and after: {signal: entry}, answered_after_s, starting
    transmitter  back_after_reboot_s, back_after_sim_s, registration, heartbeat

    Raises KeyError for another key, and for an answer that is missing.
    """
    return _JUDGES[key](map, entered)


def controller(map: PointMap, entered: Mapping[str, Any]) -> Result:
    """The maker's wired controller, connected throughout, and usable beside the platform."""
    figures = {"connected": entered["connected"], "usable": entered["usable"]}
    if not entered["connected"]:
        return Result("unproven", Sentence(N_("测试时没有接线控器")), figures=figures)
    if not entered["usable"]:
        return Result(
            "failed",
            Sentence(N_("接入平台后线控器不能操作样机")),
            advice=Sentence(N_("远程通信不得锁住线控器：固件须让两者并用，以最后一次操作为准")),
            figures=figures,
        )
    return Result("passed", Sentence(N_("线控器全程接着，仍可操作")), figures=figures)


_STARTING = {
    "silent": N_("启动时不应答"),
    "exception": N_("启动时返回异常码"),
    "values": N_("启动时应答，但数值不是真值"),
    "right": N_("启动时应答正确"),
}


def power_cut(map: PointMap, entered: Mapping[str, Any]) -> Result:
    """Power cut while it runs: it must return to what it was, by itself."""
    before, after = entered["before"], entered["after"]
    seconds = entered["answered_after_s"]
    details: Details = (
        (
            Sentence(N_("恢复供电后")),
            Sentence(N_("%(seconds)d 秒正常应答"), seconds=round(seconds)),
        ),
        (Sentence(N_("启动时")), Sentence(_STARTING[entered["starting"]])),
    )
    figures = {"answered_after_s": seconds, "starting": entered["starting"]}
    if before.get("power_state", {}).get("value") is not True:
        why = Sentence(N_("断电前样机没有开机，没有验证"))
        return Result("unproven", why, details, figures=figures)
    changed = list(_changed(before, after))
    if changed:
        finding, advice = _came_back_otherwise(map, changed[0], before, after)
        return Result("failed", finding, details, advice, figures | {"changed": changed})
    if seconds > SLOW_S:
        return Result(
            "failed",
            Sentence(N_("恢复供电后 %(seconds)d 秒才应答"), seconds=round(seconds)),
            details,
            Sentence(N_("固件须在上电后 %(seconds)d 秒内正常应答"), seconds=round(SLOW_S)),
            figures,
        )
    return Result("passed", Sentence(N_("断电后恢复原状态")), details, figures=figures)


def _changed(before: Mapping[str, Entry], after: Mapping[str, Entry]) -> Iterator[str]:
    for signal, entry in before.items():
        if entry.get("quality") != "good":
            continue
        now = after.get(signal, {})
        if now.get("quality") != "good" or now.get("value") != entry.get("value"):
            yield signal


def _came_back_otherwise(
    map: PointMap, signal: str, before: Mapping[str, Entry], after: Mapping[str, Entry]
) -> tuple[Sentence, Sentence]:
    name, now = called(signal, map.settings.medium), after.get(signal, {})
    finding = Sentence(
        N_("断电恢复后 %(name)s 由 %(old)s 变为 %(new)s"),
        name=name,
        old=shown(signal, before[signal].get("value")),
        new=shown(signal, now["value"]) if now.get("value") is not None else told_badly(now),
    )
    return finding, Sentence(N_("固件须掉电保存 %(name)s，来电后自动恢复原状态"), name=name)


def transmitter(map: PointMap, entered: Mapping[str, Any]) -> Result:
    """The transmitter comes back by itself, after its own restart and after ten minutes without
    its card; what it registers with and its heartbeat are put on record."""
    reboot, sim = entered["back_after_reboot_s"], entered["back_after_sim_s"]
    registration, heartbeat = entered["registration"].strip(), entered["heartbeat"].strip()
    details: Details = (
        (Sentence(N_("注册包")), said(registration or "—")),
        (Sentence(N_("心跳包")), said(heartbeat or "—")),
    )
    figures = {
        "back_after_reboot_s": reboot,
        "back_after_sim_s": sim,
        "registration": registration,
        "heartbeat": heartbeat,
    }
    if reboot is None or sim is None or max(reboot, sim) > SLOW_S:
        return Result(
            "failed",
            Sentence(
                N_("重启后 %(reboot)s 秒、插回卡后 %(sim)s 秒在线"),
                reboot="—" if reboot is None else round(reboot),
                sim="—" if sim is None else round(sim),
            ),
            details,
            Sentence(
                N_("无线传输装置须在 %(seconds)d 秒内自动重新连接平台"), seconds=round(SLOW_S)
            ),
            figures,
        )
    if not registration:
        return Result("unproven", Sentence(N_("没有记下注册包")), details, figures=figures)
    finding = N_("重启后 %(reboot)d 秒、插回卡后 %(sim)d 秒自动在线")
    return Result(
        "passed",
        Sentence(finding, reboot=round(reboot), sim=round(sim)),
        details,
        figures=figures,
    )


_JUDGES: dict[str, Callable[[PointMap, Mapping[str, Any]], Result]] = {
    "panel": panel,
    "resistor": resistor,
    "sensor": sensor,
    "controller": controller,
    "power_cut": power_cut,
    "transmitter": transmitter,
}
