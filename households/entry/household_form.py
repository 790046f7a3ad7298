"""The form of one household: short for a clerk's phone, whole for an office."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Count
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from households import personal_numbers, phones, positions
from households.entry import editing
from households.filters import AreaChoice
from households.language import as_kept
from households.models import Area, Household, Method, PositionSource, SiteKind, User
from households.models.households import PHONES
from households.phones import masked
from households.sealing import SealBroken, Sealed
from households.village_lists.slips import Locks

REASONS = [
    ("typing", _lazy("录入有误")),
    ("measured", _lazy("实测")),
    ("visit", _lazy("入户核实")),
    ("resident", _lazy("住户提出")),
    ("supplement", _lazy("补充信息")),
    ("other", _lazy("其他")),
]
CHOICES = {  # without the empty one: a chip is chosen or it is not
    "method": Method.choices,
    "site_kind": SiteKind.choices,
    "position_source": PositionSource.choices,
}
HINTS = {
    "phone": _lazy("11 位手机号，座机带区号；没有电话的先空着，在备注里写明找谁"),
    "door": _lazy("例如 示范巷 43 号"),
    "heated_area": _lazy("1 至 999,999，可带一位小数"),
    "rooms": _lazy("整数"),
    "electricity_account": _lazy("见电费单，住户各不相同"),
    "latitude": _lazy("例如 35.4917 或 35°29′30″"),
    "longitude": _lazy("例如 112.8500 或 112度51分"),
    "position_source": _lazy("地图软件里查到的，选那个软件；不知道的选“不清楚”"),
    "note": _lazy("不要写身份证号、银行卡号"),
}
TEXT = {"class": "form-control", "autocomplete": "off"}
NUMBER = {**TEXT, "inputmode": "decimal"}
TYPED_POSITION = ("latitude", "longitude")
MEASURED_HERE = (PositionSource.BROWSER, PositionSource.WECHAT)  # these tell their accuracy
MAY_STAND_ALONE = ("phone", "other_phone")  # a draft keeps what is not right yet


class HouseholdForm(forms.ModelForm):
    """All that a person fills in of a household.

    `draft` keeps a telephone number that is not right yet, and lets the householder wait. Fields
    that only a change slip changes are shown and not changed; `locked` says why.
    """

    area = AreaChoice(queryset=Area.objects.none(), label=_lazy("村（社区）"))
    latitude = forms.CharField(label=_lazy("纬度"), required=False, max_length=40)
    longitude = forms.CharField(label=_lazy("经度"), required=False, max_length=40)
    reason = forms.ChoiceField(
        label=_lazy("更正原因"), choices=REASONS, required=False, widget=forms.RadioSelect
    )
    other_reason = forms.CharField(label=_lazy("其他原因"), required=False, max_length=60)

    class Meta:
        model = Household
        fields = [
            "area",
            "householder",
            "phone",
            "door",
            "place",
            "method",
            "site_kind",
            "applicant",
            "resident",
            "relation",
            "other_phone",
            "house_type",
            "rooms",
            "walls",
            "windows",
            "heated_area",
            "electricity_account",
            "latitude",
            "longitude",
            "position_source",
            "accuracy_m",
            "in_demolition_plan",
            "demolition_on",
            "vacant",
            "seasonal",
            "in_network_area",
            "note",
        ]
        widgets = {
            "method": forms.RadioSelect,
            "site_kind": forms.RadioSelect,
            "position_source": forms.RadioSelect,
            "accuracy_m": forms.HiddenInput,
            "phone": forms.TextInput({**TEXT, "inputmode": "tel"}),
            "other_phone": forms.TextInput({**TEXT, "inputmode": "tel"}),
            "heated_area": forms.NumberInput({**NUMBER, "step": "0.1"}),
            "rooms": forms.NumberInput({**TEXT, "inputmode": "numeric"}),
            "electricity_account": forms.TextInput({**TEXT, "inputmode": "numeric"}),
            "demolition_on": forms.DateInput({**TEXT, "type": "date"}, format="%Y-%m-%d"),
            "note": forms.Textarea({**TEXT, "rows": 2}),
        }

    def __init__(self, *args: Any, user: User, draft: bool = False, **options: Any) -> None:
        instance: Household = options["instance"]
        self.phones = {name: _held(instance, name) for name in PHONES}
        self.broken = {name: kept for name, kept in self.phones.items() if isinstance(kept, Sealed)}
        instance.__dict__.update(dict.fromkeys(self.broken, ""))  # a form reads every field
        super().__init__(*args, **options)
        instance.__dict__.update(self.broken)
        self.draft = draft
        self.is_new = instance.pk is None
        self.place_before = (
            self.instance.longitude,
            self.instance.latitude,
            self.instance.position_source,
        )
        self._choose_from(user)
        self._show_what_is_stored()
        self.locked = {} if self.is_new else Locks().of(self.instance)
        for name in self.locked:
            self.fields[name].disabled = True
        for name, field in self.fields.items():
            field.help_text = self.locked.get(name) or HINTS.get(name) or field.help_text
            _dress(field.widget)

    def _choose_from(self, user: User) -> None:
        areas = Area.objects.visible_to(user).exclude(level=Area.Level.DISTRICT)
        choice = cast(forms.ModelChoiceField, self.fields["area"])
        choice.queryset = areas.select_related("owner").by_town()
        choice.empty_label = _("请选择")
        self.fields["householder"].required = not self.draft
        for name, choices in CHOICES.items():
            cast(forms.ChoiceField, self.fields[name]).choices = choices
        if self.is_new and user.area:
            self._propose(user.area)

    def _propose(self, place: Area) -> None:
        """A clerk's own village, and the method that most there have."""
        if place.level == Area.Level.VILLAGE:
            self.initial["area"] = place.pk
        usual = Household.objects.filter(area=place).values_list("method")
        if found := usual.annotate(n=Count("pk")).order_by("-n").first():
            self.initial["method"] = found[0]

    def _show_what_is_stored(self) -> None:
        for name in (*PHONES, *TYPED_POSITION):
            self.initial[name] = editing.text(self.instance, name)

    # -- cleaning --------------------------------------------------------------------------

    def _phone(self, name: str) -> str:
        """A masked number that is the stored one's mask means: as it was."""
        typed = self.cleaned_data[name]
        stored = self.phones[name]
        if typed == _masked(stored):
            return stored if isinstance(stored, str) else ""
        if "*" in typed:
            raise ValidationError(_("号码被遮住了一部分：请写完整号码，不改就保持原样"))
        return phones.tidy(typed)

    def clean_phone(self) -> str:
        return self._phone("phone")

    def clean_other_phone(self) -> str:
        return self._phone("other_phone")

    def _degrees(self, name: str) -> float | None:
        typed = self.cleaned_data[name].strip()
        if not typed:
            return None
        stored = getattr(self.instance, name)
        if stored is not None and typed == f"{stored:.6f}":
            return float(stored)
        try:
            return positions.degrees(typed)
        except ValueError:
            raise ValidationError(
                _("看不懂“%(typed)s”：请写成 35.4917 或 35°29′30″") % {"typed": typed}
            ) from None

    def clean_latitude(self) -> float | None:
        return self._degrees("latitude")

    def clean_longitude(self) -> float | None:
        return self._degrees("longitude")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        self._bring_position_to_wgs84(cleaned)
        if cleaned.get("reason") == "other" and not cleaned.get("other_reason"):
            self.add_error("other_reason", _("选了“其他”，请写明原因"))
        if why := personal_numbers.refused(cleaned.get("other_reason", "")):
            self.add_error("other_reason", why)
        if cleaned.get("demolition_on") and not cleaned.get("in_demolition_plan"):
            # A day was given: it is in the plan; unless the mark was just taken away.
            cleaned["in_demolition_plan"] = not self.initial.get("in_demolition_plan")
            cleaned["demolition_on"] = (
                cleaned["demolition_on"] if cleaned["in_demolition_plan"] else None
            )
        return cleaned

    def _bring_position_to_wgs84(self, cleaned: dict[str, Any]) -> None:
        point = cleaned.get("longitude"), cleaned.get("latitude")
        if any(name in self.errors for name in TYPED_POSITION):
            return
        if (point[0] is None) != (point[1] is None):
            lacking = "longitude" if point[0] is None else "latitude"
            self.add_error(lacking, _("经度和纬度要一起填"))
            return
        if point[0] is None or point[1] is None:
            cleaned["position_source"], cleaned["accuracy_m"] = "", None
            return
        source = cleaned.get("position_source") or PositionSource.UNKNOWN
        longitude, latitude, was = self.place_before
        cleaned["position_source"] = source
        if point != (longitude, latitude):
            cleaned["longitude"], cleaned["latitude"] = positions.wgs84(point[0], point[1], source)
            if source not in MEASURED_HERE:
                cleaned["accuracy_m"] = None
            return
        cleaned["accuracy_m"] = self.instance.accuracy_m
        cleaned["position_source"] = source if was or source != "unknown" else ""
        if source != was and was:
            cleaned["longitude"], cleaned["latitude"] = positions.retold(
                point[0], point[1], was, source
            )

    def _post_clean(self) -> None:
        """A number that does not open any more stays as it lies there until it is written anew."""
        super()._post_clean()  # type: ignore[misc]
        for name, held in self.broken.items():
            if not self.cleaned_data.get(name):
                self.instance.__dict__[name] = held

    def _update_errors(self, errors: ValidationError) -> None:
        """A draft keeps a telephone number that is not right yet; the list of what is missing
        goes on naming it."""
        if self.draft and hasattr(errors, "error_dict"):
            for name in MAY_STAND_ALONE:
                errors.error_dict.pop(name, None)
        super()._update_errors(errors)  # type: ignore[misc]

    # -- for the page ----------------------------------------------------------------------

    @property
    def reason_words(self) -> str:
        """The picked reason of a correction, in words."""
        picked = self.cleaned_data.get("reason", "")
        if picked == "other":
            return str(self.cleaned_data["other_reason"])
        return as_kept(dict(REASONS)[picked]) if picked else ""

    @property
    def not_taken(self) -> list[str]:
        """Why what was typed into fields that were locked meanwhile is not taken, in words."""
        return [why for name, why in self.locked.items() if self._was_typed(name)]

    def _was_typed(self, name: str) -> bool:
        field, initial = self.fields[name], self.get_initial_for_field(self.fields[name], name)
        if name not in self.data:
            return False
        try:
            return bool(field.to_python(self.data[name]) != field.to_python(initial))
        except ValidationError:
            return True


def _held(household: Household, name: str) -> str | Sealed:
    """The number; one that does not open any more stays as it lies in the database."""
    try:
        return str(getattr(household, name))
    except SealBroken:
        sealed: Sealed = household.__dict__[name]
        return sealed


def _masked(number: str | Sealed) -> str:
    return "" if isinstance(number, Sealed) else masked(number)


def _dress(widget: forms.Widget) -> None:
    if isinstance(widget, (forms.TextInput, forms.Textarea)):
        widget.attrs = {**TEXT, **widget.attrs}
    elif isinstance(widget, forms.CheckboxInput):
        widget.attrs["class"] = "form-check-input"
    elif type(widget) is forms.Select:
        widget.attrs["class"] = "form-select"
