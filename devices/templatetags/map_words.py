"""How pages of register maps show words and values."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l

from devices.maps.by_hand import Decoded
from devices.modbus.points import Value

register = template.Library()
REASONS = {
    "sensor_open": _l("传感器断路"),
    "sensor_short": _l("传感器短路"),
    "sensor_fault": _l("传感器故障"),
    "not_supported": _l("不支持"),
}


@register.filter
def key(things: Mapping[str, object], name: str) -> object:
    """The thing of that name; the name itself where there is none."""
    return things.get(name, name)


@register.filter
def wire(number: int | None) -> str:
    """A word or an address as it goes on the wire: 0x0064."""
    return "—" if number is None else f"0x{number:04X}"


@register.filter
def decoded_value(decoded: Decoded) -> str:
    """The value with its unit; a number beyond the plausible range nevertheless."""
    value = decoded.number
    if value.quality != "good":
        return "—"
    return f"{_shown(value)} {decoded.unit}".strip()


def _shown(value: Value) -> str:
    if isinstance(value.value, bool):
        return "on" if value.value else "off"
    if isinstance(value.value, list):
        return "、".join(value.value) or _("无")
    if isinstance(value.value, int | float):
        return f"{Decimal(repr(value.value)):,f}".replace("-", "−")
    return str(value.value)


@register.filter
def decoded_verdict(decoded: Decoded) -> SafeString:
    """Whether it can be so."""
    quality = decoded.value.quality
    shape, words = "st-unk", _("未知取值")
    if quality == "good":
        shape, words = "st-ok", _("合理")
    elif quality == "out_of_range":
        shape, words = "st-bad", _("超出合理范围")
    elif quality in REASONS:
        shape, words = "st-bad", str(REASONS[quality])
    elif quality.startswith("unknown_enum:"):
        words = _("未知取值 %(raw)s") % {"raw": quality.partition(":")[2]}
    elif quality.startswith("scale_from:"):
        signal = quality.partition(":")[2]
        words = _("还要 %(signal)s 的字，写在后面") % {"signal": signal}
    else:
        words = quality
    return format_html('<span class="st {}">{}</span>', shape, words)
