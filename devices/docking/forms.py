"""Forms of docking: what a maker says of its sample, what the service unit receives and issues."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from devices.docking import applications
from devices.models import Confirmation, DeviceModel, DockingApplication, DockingState, RegisterMap
from households import clock, personal_numbers
from households.filters import CHOICE, FIELD
from households.language import as_kept

TEXT = {**FIELD, "autocomplete": "off"}
SCAN = {**FIELD, "accept": "image/jpeg,image/png,application/pdf"}
MOST_CONDITIONS, LONGEST_CONDITION = 20, 200
OTHER = "other"
RETURNED_WHY = [
    ("papers", _lazy("资料不全")),
    ("sample", _lazy("样品与申报不符")),
    ("map", _lazy("点表有误")),
    ("protocol", _lazy("通讯协议与样品不符")),
    (OTHER, _lazy("其他")),
]
WITHDRAWN_WHY = [
    ("replaced", _lazy("改送新版样品")),
    ("wrong", _lazy("填错了")),
    ("given_up", _lazy("不再申请")),
    (OTHER, _lazy("其他")),
]
ENDED_WHY = [
    ("sampling", _lazy("抽检不符")),
    ("supply", _lazy("供货与样品不一致")),
    ("changed", _lazy("主控板、固件、装置或点表变更后未重测")),
    ("maker", _lazy("厂商申请")),
    (OTHER, _lazy("其他")),
]
RESTORED_WHY = [
    ("mended", _lazy("已整改，复查合格")),
    ("cleared", _lazy("查无问题")),
    (OTHER, _lazy("其他")),
]


class Dressed(forms.Form):
    """Fields as the pages draw them; no identity numbers in free text."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for field in self.fields.values():
            dress(field)


def dress(field: forms.Field) -> None:
    widget = field.widget
    if isinstance(widget, forms.Select):
        widget.attrs.update(CHOICE)
    elif isinstance(widget, forms.DateInput):
        widget.input_type, widget.format = "date", "%Y-%m-%d"  # what a browser's calendar takes
        widget.attrs.update(FIELD)
    elif isinstance(field, forms.FileField):
        widget.attrs.update(SCAN)
    else:
        widget.attrs.update(TEXT)
    if isinstance(field, forms.CharField):
        field.validators.append(personal_numbers.none_in)


class MapChoice(forms.ModelChoiceField):
    def label_from_instance(self, points: RegisterMap) -> str:
        day = points.created_at.astimezone(clock.SHANGHAI)
        return _("第 %(n)d 版，%(day)s") % {"n": points.version, "day": f"{day:%Y-%m-%d}"}


class ApplicationForm(forms.ModelForm):
    """What a maker says of the sample that it brings; it may be kept with gaps."""

    register_map = MapChoice(RegisterMap.objects.none(), label=_lazy("点表"), empty_label=None)

    class Meta:
        model = DockingApplication
        fields = ("register_map", *applications.ASKED, "note")
        help_texts = {
            "board": _lazy("与板上印的一致"),
            "firmware": _lazy("主控板程序的版本号"),
            "protocol": _lazy("随样品带来的协议叫什么名称；纸件或电子件与样品一起交"),
        }

    def __init__(self, model: DeviceModel, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        maps = model.register_maps.order_by("-version")
        choice = self.fields["register_map"]
        assert isinstance(choice, MapChoice)
        choice.queryset = maps
        newest = maps.first()
        if self.instance.pk is None and newest:
            self.initial.setdefault("register_map", newest.pk)
        for field in self.fields.values():
            dress(field)

    def said(self) -> dict[str, Any]:
        return dict(self.cleaned_data)


class ReasonForm(Dressed):
    """Why: picked from a short list, with words where the list has none."""

    why = forms.ChoiceField(label=_lazy("原因"))
    text = forms.CharField(label=_lazy("说明"), required=False, max_length=150)

    def __init__(self, reasons: list[tuple[str, Any]], *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        choice = self.fields["why"]
        assert isinstance(choice, forms.ChoiceField)
        choice.choices = [("", _("请选择")), *reasons]
        self._words = dict(reasons)

    def clean(self) -> dict[str, Any]:
        said: dict[str, Any] = super().clean() or {}
        if said.get("why") == OTHER and not said.get("text"):
            self.add_error("text", _("选了“其他”，请写明原因"))
        return said

    @property
    def reason(self) -> str:
        """The reason in words, once the form is right."""
        why, text = self.cleaned_data["why"], self.cleaned_data["text"]
        if why == OTHER:
            return str(text)
        words = as_kept(self._words[why])
        return f"{words}：{text}" if text else words


class ReceivedForm(forms.ModelForm):
    """What stands on the samples and on the protocol's paper as they came. It has no row behind
    it: the application keeps what the maker said until the step is taken."""

    on = forms.DateField(label=_lazy("收样日期"))

    class Meta:
        model = DockingApplication
        fields = applications.RECEIVED

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for field in self.fields.values():
            field.required = True
            dress(field)
        self.fields["board_version"].help_text = _("以样品上的为准")
        self.initial.setdefault("on", clock.today())


class IssueForm(Dressed):
    """How long a confirmation holds, and under what conditions beside those of the test."""

    valid_until = forms.DateField(label=_lazy("有效期至"))
    conditions = forms.CharField(
        label=_lazy("其他使用条件"),
        required=False,
        help_text=_lazy("每行一条，印在纸件上；可以不填"),
        widget=forms.Textarea({"rows": 3}),
    )

    def clean_valid_until(self) -> date:
        day: date = self.cleaned_data["valid_until"]
        if day < clock.today():
            raise forms.ValidationError(_("有效期不能早于今天"))
        return day

    def clean_conditions(self) -> list[str]:
        lines = [line.strip() for line in self.cleaned_data["conditions"].splitlines()]
        found = [line for line in lines if line]
        if len(found) > MOST_CONDITIONS or any(len(line) > LONGEST_CONDITION for line in found):
            limits = {"n": MOST_CONDITIONS, "long": LONGEST_CONDITION}
            raise forms.ValidationError(_("最多 %(n)d 条，每条不超过 %(long)d 字") % limits)
        return found


class StampForm(Dressed):
    """The letter as it was printed and sealed."""

    scan = forms.FileField(label=_lazy("盖章扫描件"), help_text=_lazy("照片或 PDF"))


def usual_end() -> date:
    """Until when a confirmation of today holds unless the signer says otherwise: the day before
    the same day, settings.CONFIRMATION_MONTHS later."""
    today = clock.today()
    months = today.month - 1 + settings.CONFIRMATION_MONTHS
    first = date(today.year + months // 12, months % 12 + 1, 1)
    return first + timedelta(days=min(today.day, 28) - 2)


class ModelChoice(forms.ModelChoiceField):
    def label_from_instance(self, model: DeviceModel) -> str:
        return f"{model.supplier.name}　{model.code}　{model.name}"


class CityForm(forms.ModelForm):
    """A confirmation of the city's platform, as it stands on the paper that was brought."""

    model = ModelChoice(
        DeviceModel.objects.none(), label=_lazy("设备型号"), empty_label=_lazy("请选择")
    )
    scan = forms.FileField(label=_lazy("确认书扫描件"))

    class Meta:
        model = Confirmation
        fields = (
            "model",
            "number",
            "issuer",
            "issued_on",
            "valid_from",
            "valid_until",
            "board",
            "board_version",
            "firmware",
            "transmitter_model",
        )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        choice = self.fields["model"]
        assert isinstance(choice, ModelChoice)
        choice.queryset = DeviceModel.objects.select_related("supplier")
        for field in self.fields.values():
            dress(field)

    def clean(self) -> dict[str, Any]:
        said: dict[str, Any] = super().clean() or {}
        begins, ends, issued = (
            said.get(name) for name in ("valid_from", "valid_until", "issued_on")
        )
        if begins and ends and ends < begins:
            self.add_error("valid_until", _("不能早于生效日期"))
        if issued and issued > clock.today():
            self.add_error("issued_on", _("日期还没有到"))
        return said


StepForm = ReceivedForm | ReasonForm


def step_form(state: DockingState, data: Any, application: DockingApplication) -> StepForm | None:
    """The form of a step, bound to `data` where it was sent; None for a plain button."""
    if state == DockingState.RECEIVED:
        return ReceivedForm(data, initial=_as_said(application), prefix=state)
    if state == DockingState.RETURNED:
        return ReasonForm(RETURNED_WHY, data, prefix=state)
    if state == DockingState.WITHDRAWN:
        return ReasonForm(WITHDRAWN_WHY, data, prefix=state)
    return None


def _as_said(application: DockingApplication) -> dict[str, Any]:
    return {field: getattr(application, field) for field in applications.RECEIVED}
