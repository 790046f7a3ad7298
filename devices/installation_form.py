"""What somebody says of an installation: the values of Annex 2 item 5 that are not the household's.

One form checks them for the page, the phone's queue and a workbook's row alike. A model is chosen
among the admitted ones; a unit of another model that stands there already is told as it is
(`existing`) and kept, like all that lacks a paper, as 手续不全.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.core.validators import RegexValidator
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from devices.docking import admission
from devices.models import DeviceModel, Installation
from households import clock, personal_numbers, positions
from households.filters import CHOICE, FIELD
from households.models import Household, PositionSource, User
from households.models.accounts import OF_A_SUPPLIER

REPLACES, ADDS = "replace", "add"
MANY = [
    ("", _lazy("这是该户唯一的一台")),
    (REPLACES, _lazy("更换原来的机组")),
    (ADDS, _lazy("加装一台")),
]
# A transmitter says who it is in plain letters, digits and signs: an id, an IMEI, a MAC.
TRANSMITTER_NUMBER = re.compile(r"[!-~]+")
AREAS = {"min_value": Decimal(1), "max_value": Decimal(100_000), "max_digits": 7}


def plain(text: str) -> str:
    """As plates are compared: narrow letters and figures, no spaces around or within."""
    return "".join(unicodedata.normalize("NFKC", text).split())


class PlateField(forms.CharField):
    """A number read from a plate."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=40, required=False, widget=forms.TextInput(WRITTEN), **options)

    def to_python(self, value: object) -> str:
        return plain(super().to_python(value) or "")


WRITTEN = {**FIELD, "autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}
COUNT = {**FIELD, "inputmode": "numeric"}
MEASURE = {**FIELD, "inputmode": "decimal"}


NAMES: dict[str, Callable[[DeviceModel], str]] = {
    "maker": lambda row: row.supplier.name,
    "device": lambda row: row.name,
    "model": lambda row: row.code,
}


def known(by: User) -> list[DeviceModel]:
    """Models that the platform can read, by maker, name and code: a supplier's people know their
    own. `is_admitted` tells which may be put in today."""
    of_today = DeviceModel.objects.admitted().filter(pk=OuterRef("pk"))
    rows = DeviceModel.objects.readable().annotate(is_admitted=Exists(of_today))
    if by.role in OF_A_SUPPLIER:
        rows = rows.filter(supplier__members__user=by)
    return list(rows.select_related("supplier").order_by("supplier__name", "name", "code"))


def admitted(by: User) -> list[DeviceModel]:
    """Those of them that `by` may put in today."""
    return [row for row in known(by) if is_admitted(row)]


def is_admitted(row: DeviceModel) -> bool:
    """What `known` found out of the model."""
    return bool(row.is_admitted)  # type: ignore[attr-defined]


def choices(by: User) -> list[dict[str, object]]:
    """The same for the pages' scripts, which offer the others only with `existing`."""
    return [
        {"admitted": is_admitted(row)} | {name: of(row) for name, of in NAMES.items()}
        for row in known(by)
    ]


class DegreesField(forms.CharField):
    """Degrees as a number or as people write them, 35°29′30″."""

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, widget=forms.TextInput(MEASURE), **options)

    def to_python(self, value: object) -> Any:
        text = super().to_python(value)
        try:
            return positions.degrees(text) if text else None
        except ValueError:
            raise forms.ValidationError(
                _("“%(text)s”不是经纬度，例如 35.4917 或 35°29′30″") % {"text": text}
            ) from None


class InstallationForm(forms.Form):
    """Its cleaned data also hold `chosen`, the DeviceModel; the position is WGS-84.

    `home` is the household, `kept` the record that is corrected, if it is one. A position that is
    theirs already is not converted again, whatever its source.
    """

    installed_on = forms.DateField(
        label=_lazy("安装日期"), widget=forms.DateInput({**FIELD, "type": "date"}, "%Y-%m-%d")
    )
    maker = forms.CharField(
        label=_lazy("设备厂商名称"), required=False, widget=forms.Select(CHOICE)
    )
    device = forms.CharField(label=_lazy("设备名称"), required=False, widget=forms.Select(CHOICE))
    model = forms.CharField(label=_lazy("设备型号"), required=False, widget=forms.Select(CHOICE))
    existing = forms.BooleanField(
        label=_lazy("设备已安装，如实登记"),
        required=False,
        help_text=_lazy("没有准入的型号，勾选后才列出；照实记下，按手续不全管理，补齐前不计入完工"),
        widget=forms.CheckboxInput({"class": "form-check-input"}),
    )
    factory_number = PlateField(label=_lazy("设备出厂地址编号"))
    transmitter_number = PlateField(
        label=_lazy("无线传输设备地址编号"),
        help_text=_lazy("照装置标签抄写；接在串口上的机组没有，可以不填"),
        validators=[
            RegexValidator(
                rf"^{TRANSMITTER_NUMBER.pattern}\Z", _lazy("装置编号只有字母、数字和半角符号")
            )
        ],
    )
    address = forms.IntegerField(
        label=_lazy("线上地址"),
        required=False,
        help_text=_lazy("一个装置接一台机组时为 1；几台共用一个装置时写各自的地址"),
        widget=forms.TextInput(COUNT),
    )
    network_address = forms.IntegerField(
        label=_lazy("网络地址"),
        required=False,
        min_value=1,
        max_value=65_535,
        help_text=_lazy("1～65535，全区不重复；还没有分配时可以不填"),
        widget=forms.TextInput(COUNT),
    )
    heated_area = forms.DecimalField(
        label=_lazy("取暖面积"),
        required=False,
        decimal_places=1,
        widget=forms.TextInput(MEASURE),
        **AREAS,  # type: ignore[arg-type]
    )
    latitude = DegreesField(label=_lazy("纬度"))
    longitude = DegreesField(label=_lazy("经度"))
    position_source = forms.ChoiceField(
        label=_lazy("坐标来源"),
        required=False,
        choices=[("", "—"), *PositionSource.choices],
        widget=forms.Select(CHOICE),
    )
    accuracy_m = forms.FloatField(
        label=_lazy("定位精度（米）"), required=False, min_value=0, widget=forms.HiddenInput
    )
    many = forms.ChoiceField(
        label=_lazy("该户已有机组时"),
        required=False,
        choices=MANY,
        widget=forms.Select(CHOICE),
    )
    note = forms.CharField(
        label=_lazy("备注"),
        max_length=200,
        required=False,
        validators=[personal_numbers.none_in],
        widget=forms.TextInput(FIELD),
    )

    def __init__(
        self,
        values: Mapping[str, object] | None,
        home: Household,
        by: User | None,
        kept: Installation | None = None,
        **options: Any,
    ) -> None:
        super().__init__(values, **options)
        self.home, self.kept = home, kept
        self.models = known(by) if by else []  # a blank form is nobody's
        for name, of in NAMES.items():
            names = dict.fromkeys(of(row) for row in self.models)
            self.fields[name].widget.choices = [("", "—"), *((text, text) for text in names)]

    def clean_installed_on(self) -> object:
        day = self.cleaned_data["installed_on"]
        if day > clock.today():
            raise forms.ValidationError(_("日期 %(date)s 还没有到") % {"date": day})
        return day

    def clean_address(self) -> int:
        return self.cleaned_data["address"] or 1

    def clean_heated_area(self) -> Decimal:
        area = self.cleaned_data["heated_area"] or self.home.heated_area
        if not area:
            raise forms.ValidationError(_("请填取暖面积：该户登记的资料里也没有"))
        return Decimal(area)

    def clean(self) -> dict[str, Any]:
        said = self.cleaned_data
        self._clean_position(said)
        numbers = ("transmitter_number", "factory_number")
        if not any(said.get(name) for name in numbers) and not self.errors.keys() & {*numbers}:
            self.add_error("transmitter_number", _("装置编号和设备出厂地址编号至少要有一个"))
        said["chosen"] = self._chosen(said)
        self._check_papers(said)
        return said

    def _clean_position(self, said: dict[str, Any]) -> None:
        """Both or neither; without a word on where it comes from it is 不清楚."""
        if self.errors.keys() & {"latitude", "longitude"}:
            return
        if (said["latitude"] is None) != (said["longitude"] is None):
            self.add_error("latitude", _("纬度和经度要一起填，或者都不填"))
        elif said["latitude"] is None:
            said["position_source"], said["accuracy_m"] = "", None
        else:
            said["position_source"] = said.get("position_source") or PositionSource.UNKNOWN
            self._convert(said)

    def _convert(self, said: dict[str, Any]) -> None:
        point = said["longitude"], said["latitude"]
        if not any(_same(point, known) for known in (self.home, self.kept) if known):
            point = positions.wgs84(*point, said["position_source"])
        said["longitude"], said["latitude"] = (round(degrees, 7) for degrees in point)
        if why := positions.outside(said["latitude"], said["longitude"]):
            self.add_error("latitude", why)

    def _chosen(self, said: dict[str, Any]) -> DeviceModel | None:
        """The model of these names; where there is none, which may be put in."""
        rows = self.models
        for field, of in NAMES.items():
            if field in self.errors:
                return None
            offered = rows if said["existing"] else [row for row in rows if is_admitted(row)]
            names = list(dict.fromkeys(of(row) for row in offered))
            if not said[field] and len(names) == 1:
                rows = offered
                continue
            wanted = plain(said[field]).casefold()
            rows = [row for row in rows if plain(of(row)).casefold() == wanted]
            if not rows:
                self.add_error(field, _not_among(said[field], names))
                return None
        return rows[0]

    def _check_papers(self, said: dict[str, Any]) -> None:
        """A model that lacks a paper on the day is not newly chosen, but told where it stands."""
        chosen, on = said["chosen"], said.get("installed_on")
        if chosen is None or on is None or said["existing"]:
            return
        if self.kept and self.kept.unit.model_id == chosen.pk:
            return
        if lacking := admission.sentences(chosen, on):
            told = {"lacks": _("；").join(lacking), "existing": self.fields["existing"].label}
            self.add_error("model", _("%(lacks)s。设备确已安装的，请勾选“%(existing)s”") % told)


def _same(point: tuple[float, float], known: Household | Installation) -> bool:
    """Whether this is the stored position, which is WGS-84 already."""
    if known.longitude is None or known.latitude is None:
        return False
    return max(abs(point[0] - known.longitude), abs(point[1] - known.latitude)) < 1e-6


def _not_among(value: str, known: list[str]) -> str:
    if not known:
        return _("没有可以安装的型号：请供应商先办齐点表、数据对接确认书、认证证书和保险单")
    told = {"value": value, "known": "、".join(known[:8])}
    if not value:
        return _("请选一个：%(known)s") % told
    return _("没有“%(value)s”，可以选：%(known)s") % told


def content_of(home: Household, said: Mapping[str, Any]) -> str:
    """A digest of all that was said, by which the same entry sent twice is known."""
    kept = {name: str(value) for name, value in said.items() if name not in ("chosen", "existing")}
    kept |= {"household": str(home.uid), "chosen": str(said["chosen"].pk)}
    kept["heated_area"] = str(said["heated_area"].normalize())
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()
