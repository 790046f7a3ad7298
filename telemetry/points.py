"""How points, their values and their qualities are named and shown to people (glossary)."""

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from devices.modbus.names import FAULTS, MODES, QUALITIES, signal_name

# The sign of each; st-unk of those that are only doubtful.
SHAPES = {
    "not_answered": "st-off",
    "line_down": "st-off",
    "starting": "st-run",
    "stale": "st-off",
    "sensor_open": "st-bad",
    "sensor_short": "st-bad",
    "sensor_fault": "st-bad",
    "not_supported": "st-none",
}


def label(signal: str, medium: str = "water") -> str:
    """The point's name on screens; a free name of a maker stays as it is."""
    known = signal_name(signal, medium)
    return _(known) if known else signal


def fault_label(name: str) -> str:
    """A fault's name on screens; a name that we have no word for stays the maker's."""
    return _(FAULTS[name]) if name in FAULTS else name


def show(signal: str, value: object, digits: int | None = None) -> str:
    """A good value in words or figures, without its unit; `digits` as the register map gives."""
    if value is None:
        return "—"
    if signal == "fault_active":
        return _("有故障") if value else _("无故障")
    if isinstance(value, bool):
        return _switch(signal, value)
    if signal == "mode":
        return _(MODES[str(value)]) if str(value) in MODES else str(value)
    if isinstance(value, list):
        return "、".join(fault_label(str(name)) for name in value) or _("无")
    if isinstance(value, int | float):
        return number(value, digits)
    return fault_label(str(value)) if signal.startswith("fault") else str(value)


def number(value: float, digits: int | None = None) -> str:
    """A figure for the screen: typographic minus, thousands comma from 1,000 on."""
    if digits is None:
        digits = 0 if float(value).is_integer() else 1
    return f"{value:,.{digits}f}".replace("-", "−")


def quality_label(quality: str) -> tuple[str, str]:
    """Shape class and words of a quality that is not good (look.md, 2)."""
    if quality.startswith("unknown_enum:"):
        return "st-unk", _("未知取值 %(raw)s") % {"raw": quality.removeprefix("unknown_enum:")}
    if quality.startswith("exception:"):
        return "st-off", _("未读到：异常码 %(code)s") % {"code": quality.removeprefix("exception:")}
    words = _(QUALITIES[quality]) if quality in QUALITIES else quality
    return SHAPES.get(quality, "st-unk"), words


def _switch(signal: str, value: bool) -> str:
    if signal == "power_state":
        return _("开机") if value else _("关机")
    if signal == "compressor_running":
        return _("运行") if value else _("停止")
    return pgettext("yes or no", "是") if value else pgettext("yes or no", "否")
