"""What the tester is told to do, and asked for, at the steps that are made at the sample."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from devices.modbus.bench.names import TEMPERATURES
from devices.modbus.pointmap import PointMap
from devices.modbus.signals import SEVEN
from households import personal_numbers
from telemetry import points

LEAST = 4  # readings that a panel must show
SELECT = {"class": "form-select"}
YES_NO = [("yes", _lazy("是")), ("no", _lazy("否"))]
GUIDES: dict[str, list[Any]] = {
    "panel": [
        _lazy("站在样机面板前，逐项抄下面板现在显示的数值；面板不显示的一项留空。"),
        _lazy("拍一张能看清数值的面板照片。"),
        _lazy("提交的一刻，平台把自己读到的七项定住，放在旁边比较。"),
    ],
    "resistor": [
        _lazy(
            "断开室外温度传感器，在它的端子上接电阻箱（10 kΩ B3435 传感器：约 40 kΩ 为 −7 °C）。"
        ),
        _lazy("等面板和平台的读数稳定下来，再填电阻值并提交。"),
        _lazy("拍一张电阻箱和接线的照片。"),
    ],
    "sensor": [
        _lazy("断开室外温度传感器的接线，等平台读到新值，点“记下：断开时”。"),
        _lazy("把传感器端子短接，等平台读到新值，点“记下：短接时”。"),
        _lazy("接回传感器，再提交。"),
    ],
    "controller": [
        _lazy("线控器在全部测试中一直接着，并且仍能操作样机。"),
        _lazy("现在用线控器改一次设定，看样机是否照办，再改回来。"),
    ],
    "power_cut": [
        _lazy("样机制热运行时，点“记下：断电前”，然后切断样机电源 1 分钟。"),
        _lazy("恢复供电，看样机启动时怎样应答、多久后正常应答。"),
        _lazy("等平台读到新值，点“记下：恢复后”，再提交。"),
    ],
    "transmitter": [
        _lazy("给无线数据传输装置断电重启，记下多少秒后重新在线。"),
        _lazy("拔出物联网卡，10 分钟后插回，记下插回后多少秒重新在线。"),
        _lazy("抄下装置设置里的注册包和心跳包（字节或文字）；专用注册文本不要抄，写“专用”。"),
    ],
}
# What the platform reads is frozen before the form is sent, under these names.
CAPTURES: dict[str, dict[str, Any]] = {
    "sensor": {"open": _lazy("断开时"), "short": _lazy("短接时")},
    "power_cut": {"before": _lazy("断电前"), "after": _lazy("恢复后")},
}
WATCHED: dict[str, tuple[str, ...]] = {
    "resistor": ("outdoor_temp",),
    "sensor": ("outdoor_temp",),
    "power_cut": ("power_state", "mode", "indoor_temp_setpoint"),
}  # signals that the page shows meanwhile; at the panel none, so that nobody copies them


def seconds(label: Any, *, if_ever: bool = False) -> forms.FloatField:
    """A length of time that was measured, up to two hours; empty where it never came, if that may
    be."""
    hint = _lazy("没有恢复则不填") if if_ever else ""
    return forms.FloatField(
        label=label, min_value=0, max_value=7200, required=not if_ever, help_text=hint
    )


def yes_or_no(label: Any) -> forms.TypedChoiceField:
    """A question; True for yes."""
    return forms.TypedChoiceField(
        label=label,
        choices=YES_NO,
        coerce=lambda said: said == "yes",
        widget=forms.RadioSelect,
    )


def note() -> forms.CharField:
    """Anything else, in words."""
    return forms.CharField(
        label=_lazy("说明"),
        max_length=200,
        required=False,
        validators=[personal_numbers.none_in],
    )


class PanelForm(forms.Form):
    """The panel's value of each of the seven readings that the panel shows."""

    def __init__(self, data: Any = None, *, map: PointMap, medium: str) -> None:
        super().__init__(data)
        for signal in SEVEN:
            self.fields[signal] = _field(signal, map, medium)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        said = {name: value for name, value in data.items() if value is not None}
        if not self.errors and len(said) < LEAST:
            raise ValidationError(_("至少填 %(n)d 项") % {"n": LEAST})
        return said


def _field(signal: str, map: PointMap, medium: str) -> forms.Field:
    label = points.label(signal, medium)
    if signal in TEMPERATURES:
        return forms.FloatField(
            label=f"{label}（°C）", required=False, min_value=-100, max_value=200
        )
    if signal == "mode":
        return _choice(label, [(mode, points.show("mode", mode)) for mode in _modes(map)], str)
    words = [("yes", points.show(signal, True)), ("no", points.show(signal, False))]
    return _choice(label, words, lambda said: said == "yes")


def _choice(
    label: str, choices: list[tuple[str, str]], coerce: Callable[[str], Any]
) -> forms.Field:
    every = [("", _("面板不显示")), *choices]
    return forms.TypedChoiceField(
        label=label,
        choices=every,
        coerce=coerce,
        required=False,
        empty_value=None,
        widget=forms.Select(attrs=SELECT),
    )


def _modes(map: PointMap) -> list[str]:
    """The modes that the map's rows name, each once."""
    rows = [point for point in map.points if point.signal == "mode" and point.enum]
    return list(dict.fromkeys(str(label) for row in rows for label in row.enum.values()))


class ResistorForm(forms.Form):
    """The resistance in place of the outdoor sensor; the platform reads it at the same moment."""

    ohms = forms.FloatField(
        label=_lazy("电阻箱（Ω）"), min_value=100, max_value=1_000_000, initial=40_000
    )


class SensorForm(forms.Form):
    """All of it is frozen by buttons."""

    note = note()


class ControllerForm(forms.Form):
    """Whether the wired controller stayed on the sample, and still works."""

    connected = yes_or_no(_lazy("线控器全程接着"))
    usable = yes_or_no(_lazy("线控器仍可操作样机"))
    note = note()


class PowerCutForm(forms.Form):
    """How the sample came back after its power was cut; before and after are frozen by buttons."""

    answered_after_s = seconds(_lazy("恢复供电后多少秒正常应答"))
    starting = forms.ChoiceField(
        label=_lazy("启动时怎样应答"),
        choices=[
            ("silent", _lazy("不应答")),
            ("exception", _lazy("返回异常码")),
            ("values", _lazy("应答，但数值不是真值")),
            ("right", _lazy("应答正确")),
        ],
        widget=forms.Select(attrs=SELECT),
    )
    note = note()


class TransmitterForm(forms.Form):
    """How soon the transmitter came back, and what it says when it registers and stays."""

    back_after_reboot_s = seconds(_lazy("重启后多少秒在线"), if_ever=True)
    back_after_sim_s = seconds(_lazy("插回卡后多少秒在线"), if_ever=True)
    registration = forms.CharField(
        label=_lazy("注册包"),
        max_length=200,
        required=False,
        help_text=_lazy("字节（十六进制）或文字"),
    )
    heartbeat = forms.CharField(
        label=_lazy("心跳包"),
        max_length=200,
        required=False,
        help_text=_lazy("字节（十六进制）或文字；没有心跳则不填"),
    )
    note = note()


FORMS: dict[str, type[forms.Form]] = {
    "resistor": ResistorForm,
    "sensor": SensorForm,
    "controller": ControllerForm,
    "power_cut": PowerCutForm,
    "transmitter": TransmitterForm,
}
