"""Forms of the bench: how long the soak lasts, how the sample is connected."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from telemetry.models.docking import DAY_S, LONGEST_SOAK_S, SHORTEST_SOAK_S, SOAK_SHARE

HOUR_S = 3600


class StartForm(forms.Form):
    """Length of the soak in hours, and the share of polls that must succeed in percent."""

    soak_hours = forms.DecimalField(
        label=_lazy("连续运行时长（小时）"),
        initial=DAY_S // HOUR_S,
        max_digits=8,
        decimal_places=4,
        help_text=_lazy("10 秒至 7 天，印在测试报告上；一般为 24 小时"),
    )
    share = forms.DecimalField(
        label=_lazy("合格线（采集成功率，%）"),
        initial=round(100 * SOAK_SHARE),
        min_value=50,
        max_value=100,
        decimal_places=1,
        max_digits=4,
        help_text=_lazy("50 至 100，一般为 98"),
    )

    def clean_soak_hours(self) -> int:
        """Seconds."""
        hours: Decimal = self.cleaned_data["soak_hours"]
        seconds = round(hours * HOUR_S)
        if not SHORTEST_SOAK_S <= seconds <= LONGEST_SOAK_S:
            raise ValidationError(_("连续运行时长在 10 秒至 7 天之间"))
        return seconds

    @property
    def chosen(self) -> dict[str, Any]:
        """As `runs.start` takes it: seconds, and a share of 1."""
        data = self.cleaned_data
        return {"soak_s": data["soak_hours"], "soak_share": float(data["share"]) / 100}


class SampleForm(forms.Form):
    """Where the sample hangs: a transmitter that dials in, or a serial port or converter."""

    transmitter = forms.CharField(
        label=_lazy("无线数据传输装置编号"),
        max_length=80,
        required=False,
        help_text=_lazy("装置拨入时报的编号，如 IMEI；样机接在有线通信链路上时不填"),
    )
    line = forms.CharField(
        label=_lazy("通信链路"),
        max_length=200,
        required=False,
        help_text=_lazy("如 serial:///dev/ttyUSB0 或 tcp://10.20.3.68:4001；经装置拨入时不填"),
    )
    address = forms.IntegerField(label=_lazy("样机地址"), min_value=1, max_value=65_535, initial=1)
    second_address = forms.IntegerField(
        label=_lazy("同线第二台样机地址"),
        min_value=1,
        max_value=65_535,
        required=False,
        help_text=_lazy("用来证明两台同线互不应答；只有一台时不填"),
    )
    module = forms.IntegerField(
        label=_lazy("模块号"),
        min_value=0,
        max_value=255,
        required=False,
        help_text=_lazy("一个地址后面有几个模块时填写"),
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if bool(data.get("transmitter")) == bool(data.get("line")):
            self.add_error("transmitter", _("装置编号和通信链路填一项"))
        if data.get("second_address") and data.get("second_address") == data.get("address"):
            self.add_error("second_address", _("第二台样机的地址要与第一台不同"))
        return data
