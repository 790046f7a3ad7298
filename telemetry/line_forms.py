"""Forms for what those who tend the lines may change."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from devices.models import Gateway
from households.filters import FIELD
from telemetry import cadence


class LineForm(forms.Form):
    name = forms.CharField(
        label=_lazy("名称"), max_length=60, required=False, widget=forms.TextInput(FIELD)
    )
    interval_s = forms.IntegerField(
        label=_lazy("采集间隔（秒）"), required=False, widget=forms.NumberInput(FIELD)
    )
    monthly_budget_mb = forms.IntegerField(
        label=_lazy("每月流量（MB）"),
        required=False,
        min_value=1,
        max_value=1_000_000,
        help_text=_lazy("用到 80% 提醒并放慢采集；不填不限"),
        widget=forms.NumberInput(FIELD),
    )
    enabled = forms.BooleanField(
        label=_lazy("启用（停用后不采集）"),
        required=False,
        widget=forms.CheckboxInput({"class": "form-check-input"}),
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        bounds = {"low": cadence.FASTEST_S, "high": cadence.SLOWEST_S}
        self.fields["interval_s"].help_text = (
            _("%(low)d 至 %(high)d；不填按默认。单独设定了间隔的机组不变") % bounds
        )

    @classmethod
    def of(cls, line: Gateway) -> LineForm:
        names = ("name", "interval_s", "monthly_budget_mb", "enabled")
        return cls(initial={name: getattr(line, name) for name in names})


class CardForm(forms.Form):
    """What stands on a transmitter and its card."""

    imei = forms.CharField(
        label="IMEI", required=False, max_length=24, widget=forms.TextInput(FIELD)
    )
    iccid = forms.CharField(
        label="ICCID", required=False, max_length=32, widget=forms.TextInput(FIELD)
    )
    number = forms.CharField(
        label=_lazy("流量卡号码"), required=False, max_length=32, widget=forms.TextInput(FIELD)
    )


class TransmitterForm(CardForm):
    field_order = ("identity",)
    identity = forms.CharField(
        label=_lazy("无线传输设备地址编号"),
        max_length=80,
        help_text=_lazy("换了装置才改；改后须重新确认身份，链路和机组不变"),
        widget=forms.TextInput(FIELD),
    )
    since = forms.DateTimeField(
        label=_lazy("更换时间"),
        required=False,
        help_text=_lazy("不填为现在；补录以前的更换时填写"),
        widget=forms.DateTimeInput({**FIELD, "type": "datetime-local"}, "%Y-%m-%dT%H:%M"),
    )
    why = forms.CharField(label=_lazy("原因"), max_length=200, widget=forms.TextInput(FIELD))

    @classmethod
    def of(cls, line: Gateway) -> TransmitterForm:
        now = line.transmitters.first()
        said = {name: getattr(now, name, "") for name in ("imei", "iccid", "number")}
        return cls(initial=said | {"identity": line.transmitter})
