"""How alarms are put into words: what is wrong, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from devices.models import Gateway, Unit
from telemetry import history, points
from telemetry.cadence import MEGABYTE
from telemetry.models import Alarm, AlarmKind

Evidence = dict[str, Any]
ADVICE = {
    AlarmKind.UNIT_SILENT: _lazy("请联系住户看机组是否断电；电源正常的，通知供应商查通信接线。"),
    AlarmKind.FAULT: _lazy("请通知供应商售后；原因没有排除前不要反复复位。"),
    AlarmKind.FREEZE_RISK: _lazy("请马上联系住户开机；开不了机的，关闭补水并放空管路。"),
    AlarmKind.TRANSMITTER_DOWN: _lazy("请查装置电源、流量卡和天线。"),
    AlarmKind.VILLAGE_OUT: _lazy("请问村（社区）是否停电；有电的，问运营商基站。恢复后自动消除。"),
    AlarmKind.TWO_ON_ONE: _lazy("读数可能出自另一台机组；请通知供应商到现场改地址。"),
    AlarmKind.FLAPPING: _lazy("有人冒用编号或两个装置编号相同；核实前远程设定已停用。"),
    AlarmKind.SECOND_MASTER: _lazy("线控器或其他系统在用同一条线；核实前远程设定已停用。"),
    AlarmKind.RESTORE_OVERDUE: _lazy("请马上联系住户和测试人员，在机组上改回原值。"),
    AlarmKind.BUDGET: _lazy("已自动放慢采集；请核对流量卡套餐或延长采集间隔。"),
    AlarmKind.WORKER_GONE: _lazy("请平台服务单位查看采集进程；期间没有读数，也不能远程设定。"),
}
CLEARED = {
    "out_of_service": _lazy("机组或链路已停用"),
    "merged": _lazy("已并入链路或整村的告警"),
}


def kind_of(alarm: Alarm) -> str:
    """The kind's name; of a line that is no transmitter, what it is."""
    if alarm.kind == AlarmKind.TRANSMITTER_DOWN and _is_wired(alarm.gateway):
        return _("通信链路中断")
    return str(AlarmKind(alarm.kind).label)


def _is_wired(line: Gateway | None) -> bool:
    return line is not None and line.kind != Gateway.Kind.DIAL


def sentence(alarm: Alarm) -> str:
    """What is wrong, in one sentence without its place."""
    return SENTENCES[AlarmKind(alarm.kind)](alarm, alarm.evidence)


def advice(alarm: Alarm) -> str:
    """What somebody should do now; empty where it is over."""
    return str(ADVICE[AlarmKind(alarm.kind)]) if alarm.is_open else ""


def ending(alarm: Alarm) -> str:
    """Why it is over, where it did not just get better."""
    return str(CLEARED.get(alarm.evidence.get("cleared", ""), ""))


def _silent(alarm: Alarm, evidence: Evidence) -> str:
    if evidence.get("answered_at") is None:
        return _("机组离线，从未应答")
    cause = evidence.get("cause", "")
    why = history.cause_words(cause, _unit(alarm)) if cause else ""
    return _("机组离线：%(why)s") % {"why": why} if why else _("机组离线")


def _unit(alarm: Alarm) -> Unit:
    assert alarm.unit is not None  # such alarms are always a unit's
    return alarm.unit


def fault_names(evidence: Evidence) -> str:
    """The unit's own faults by name; a bare code says that it is one."""
    names = [
        _("代码 %(code)s") % {"code": n} if n.isdecimal() else points.fault_label(n)
        for n in evidence.get("faults", [])
        if n
    ]
    return "、".join(names) or points.show("fault_active", True)


def _fault(alarm: Alarm, evidence: Evidence) -> str:
    return fault_names(evidence)


def _freezing(alarm: Alarm, evidence: Evidence) -> str:
    figures = {
        "supply": points.number(evidence["supply"], 1),
        "outdoor": points.number(evidence["outdoor"], 1),
    }
    if evidence.get("stand_in"):
        return _("冻结风险：供水 %(supply)s °C，室外 %(outdoor)s °C（镇内中位数）") % figures
    return _("冻结风险：供水 %(supply)s °C，室外 %(outdoor)s °C") % figures


def _line_down(alarm: Alarm, evidence: Evidence) -> str:
    figures = {"n": evidence.get("units", 0)}
    if _is_wired(alarm.gateway):
        return _("通信链路中断，影响 %(n)s 台") % figures
    return _("装置离线，影响 %(n)s 台") % figures


def _village_out(alarm: Alarm, evidence: Evidence) -> str:
    if not alarm.is_open:
        most = {"most": evidence.get("most", evidence["away"]), "units": evidence["units"]}
        return _("整村离线：最多 %(most)s / %(units)s 台") % most
    return _("整村离线：%(away)s / %(units)s 台，可能停电或基站中断") % evidence


def _two_on_one(alarm: Alarm, evidence: Evidence) -> str:
    if evidence.get("address"):
        return _("线上地址 %(address)s 有两台机组应答") % evidence
    return _("同一地址有两台机组应答")


def _flapping(alarm: Alarm, evidence: Evidence) -> str:
    return _("装置编号被两个连接争用")


def _second_master(alarm: Alarm, evidence: Evidence) -> str:
    return _("通信链路上有其他主站")


def _restore_overdue(alarm: Alarm, evidence: Evidence) -> str:
    signal = evidence["signal"]
    return _("测试后未恢复：%(what)s仍可能是测试值 %(test)s，原值 %(former)s") % {
        "what": points.label(signal, _unit(alarm).model.medium),
        "test": points.show(signal, evidence["test_value"]),
        "former": points.show(signal, evidence["former"]),
    }


def _budget(alarm: Alarm, evidence: Evidence) -> str:
    used, budget = evidence["bytes"], evidence["budget"]
    return _("本月流量已用 %(used)s / %(budget)s MB（%(share)s%%）") % {
        "used": points.number(used / MEGABYTE, 1),
        "budget": points.number(budget / MEGABYTE, 0),
        "share": points.number(100 * used / budget, 1),
    }


def _worker_gone(alarm: Alarm, evidence: Evidence) -> str:
    figures = {"name": alarm.line_worker, "n": evidence.get("units", 0)}
    return _("采集进程 %(name)s 停止，影响 %(n)s 台") % figures


SENTENCES: dict[AlarmKind, Callable[[Alarm, Evidence], str]] = {
    AlarmKind.UNIT_SILENT: _silent,
    AlarmKind.FAULT: _fault,
    AlarmKind.FREEZE_RISK: _freezing,
    AlarmKind.TRANSMITTER_DOWN: _line_down,
    AlarmKind.VILLAGE_OUT: _village_out,
    AlarmKind.TWO_ON_ONE: _two_on_one,
    AlarmKind.FLAPPING: _flapping,
    AlarmKind.SECOND_MASTER: _second_master,
    AlarmKind.RESTORE_OVERDUE: _restore_overdue,
    AlarmKind.BUDGET: _budget,
    AlarmKind.WORKER_GONE: _worker_gone,
}
