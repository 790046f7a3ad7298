"""The form of a change slip: its households by 户编号, what its kind asks for, its basis."""

from __future__ import annotations

import re
from collections.abc import Iterable
from copy import deepcopy
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from households import clock, personal_numbers
from households.filters import FIELD
from households.models import ChangeSlip, Household, Method, Part, SlipKind, User
from households.village_lists.slip_effects import ASKED

SEPARATORS = re.compile(r"[\s,，、;；]+")
HOME_LABELS = {
    Part.LEAVES: _lazy("调出的户（户编号）"),
    Part.JOINS: _lazy("调入的户（户编号）"),
    Part.CHANGES: _lazy("变更的户（户编号）"),
    Part.STAYS: _lazy("保留的户（户编号）"),
}
DATE = forms.DateInput({**FIELD, "type": "date"}, "%Y-%m-%d")
VALUES: dict[str, forms.Field] = {
    "method": forms.ChoiceField(
        label=_lazy("新的改造方式"), choices=Method.choices, widget=forms.RadioSelect
    ),
    "householder": forms.CharField(
        label=_lazy("新的户主"),
        max_length=40,
        validators=[personal_numbers.none_in],
        widget=forms.TextInput(FIELD),
    ),
    "door": forms.CharField(
        label=_lazy("新户门牌号"),
        max_length=60,
        validators=[personal_numbers.none_in],
        widget=forms.TextInput(FIELD),
    ),
    "heated_area": forms.DecimalField(
        label=_lazy("分出的取暖面积（m²）"),
        min_value=1,
        max_digits=7,
        decimal_places=1,
        help_text=_lazy("从原户的取暖面积中减去"),
        widget=forms.NumberInput({**FIELD, "inputmode": "decimal"}),
    ),
    "demolition_on": forms.DateField(label=_lazy("预计拆迁日期"), widget=DATE),
}


class SlipForm(forms.Form):
    """The fields that `kind` asks for. `lines` and `values` are what was understood."""

    basis = forms.CharField(
        label=_lazy("调整依据（文号）"),
        max_length=80,
        help_text=_lazy("文件号或材料名称，例如：钟街办〔2026〕12 号、自愿放弃申请书"),
        validators=[personal_numbers.none_in],
        widget=forms.TextInput(FIELD),
    )
    basis_on = forms.DateField(label=_lazy("依据日期"), widget=DATE)
    reason = forms.ChoiceField(label=_lazy("原因"), widget=forms.RadioSelect)
    note = forms.CharField(
        label=_lazy("说明"),
        max_length=200,
        required=False,
        validators=[personal_numbers.none_in],
        widget=forms.TextInput(FIELD),
    )
    scan = forms.FileField(
        label=_lazy("依据扫描件"),
        required=False,
        help_text=_lazy("申请书、批复的照片或 PDF；可以以后补，提交前要有"),
        widget=forms.ClearableFileInput(
            {**FIELD, "accept": "image/jpeg,image/png,application/pdf"}
        ),
    )

    def __init__(self, kind: SlipKind, user: User, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.kind, self.user, self.asked = kind, user, ASKED[kind]
        self.lines: list[tuple[Household | None, Part]] = []
        self._offer_reasons()
        first = {self._name(part): self._home_field(part) for part in self.picked}
        values = {name: deepcopy(VALUES[name]) for name in self.asked.values}
        self.fields = {**first, **values, **self.fields}
        self.order_fields([*first, *values, "basis", "basis_on", "reason", "note", "scan"])

    def _offer_reasons(self) -> None:
        """Those of the kind, and the one that the slip has."""
        offered = {*self.asked.why, ChangeSlip.Why.OTHER, self.initial.get("reason")}
        reason = self.fields["reason"]
        assert isinstance(reason, forms.ChoiceField)
        reason.choices = [(why, why.label) for why in ChangeSlip.Why if why in offered]

    @property
    def picked(self) -> list[Part]:
        """Parts whose households exist already: a split makes its second one."""
        parts = self.asked.parts
        return [part for part in parts if not (self.kind == SlipKind.SPLIT and part == Part.JOINS)]

    @staticmethod
    def _name(part: Part) -> str:
        return f"{part}_number"

    def _home_field(self, part: Part) -> forms.Field:
        hint = _("可以填几户，用空格隔开") if self.asked.many else ""
        attributes = {**FIELD, "list": f"{part}_homes", "autocomplete": "off"}
        return forms.CharField(
            label=HOME_LABELS[part],
            max_length=2000,
            help_text=hint,
            widget=forms.TextInput(attributes),
        )

    def clean_basis_on(self) -> Any:
        on = self.cleaned_data["basis_on"]
        if on > clock.today():
            raise forms.ValidationError(_("日期 %(date)s 还没有到") % {"date": on})
        return on

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        for part in self.picked:
            name = self._name(part)
            if cleaned.get(name):
                self._find(part, SEPARATORS.split(cleaned[name].strip()))
        if self.kind == SlipKind.SPLIT:
            self.lines.append((None, Part.JOINS))
        if cleaned.get("reason") == ChangeSlip.Why.OTHER and not cleaned.get("note"):
            self.add_error("note", _("选了“其他”，请写明原因"))
        return cleaned

    def _find(self, part: Part, numbers: Iterable[str]) -> None:
        wanted = list(dict.fromkeys(numbers))
        rows = Household.objects.visible_to(self.user).filter(number__in=wanted)
        known = {home.number: home for home in rows.select_related("area__owner")}
        for number in wanted:
            if number not in known:
                words = _("没有户编号 %(number)s，或者不在本单位辖区") % {"number": number}
                self.add_error(self._name(part), words)
            else:
                self.lines.append((known[number], part))
        if len(wanted) > 1 and not self.asked.many:
            self.add_error(self._name(part), _("这里只填一户"))

    @property
    def values(self) -> dict[str, str]:
        """What the kind asked for, as the slip keeps it."""
        return {name: str(self.cleaned_data[name]) for name in self.asked.values}

    @classmethod
    def of(cls, slip: ChangeSlip, user: User) -> SlipForm:
        """The form with what the slip says."""
        kind = SlipKind(slip.kind)
        initial: dict[str, Any] = dict(slip.values)
        for name in ("basis", "basis_on", "reason", "note"):
            initial[name] = getattr(slip, name)
        for line in slip.lines.select_related("household"):
            key = cls._name(Part(line.part))
            if line.household:
                initial[key] = f"{initial.get(key, '')} {line.household.number}".strip()
        return cls(kind, user, initial=initial)
