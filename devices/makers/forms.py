"""Forms of the supplier's side: the company, a model, a paper."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from devices.makers import credit_code, model_rules, papers
from devices.models import DATED, GATING, DeviceModel, MakerPaper, MakerPaperKind, Supplier
from households import clock, personal_numbers, phones
from households.filters import CHOICE, FIELD

TEXT = {**FIELD, "autocomplete": "off"}
DAY = {**FIELD, "type": "date"}
FREE = ("name", "contact", "office", "service_head", "material", "standards", "title", "issuer")
# What may stand in a field of numbers, and the unit that it has.
RANGES: dict[str, tuple[float, float]] = {
    "service_people": (0, 999),
    "capacity_kw": (0.1, 9999),
    "design_temp": (-40, 20),
    "lowest_temp": (-45, 20),
    "voltage": (100, 500),
    "frequency": (40, 70),
    "energy_grade": (1, 5),
}


class Written(forms.ModelForm):
    """Fields as the pages draw them: plausible numbers, no identity numbers in free text."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for name, field in self.fields.items():
            self._dress(name, field)

    def _dress(self, name: str, field: forms.Field) -> None:
        if isinstance(field.widget, forms.Select):
            field.widget.attrs.update(CHOICE)
        elif not isinstance(field.widget, forms.RadioSelect):
            field.widget.attrs.update({**TEXT, **field.widget.attrs})
        if name in FREE:
            field.validators.append(personal_numbers.none_in)
        if name in RANGES:
            low, high = RANGES[name]
            field.validators += [MinValueValidator(low), MaxValueValidator(high)]
            field.help_text = field.help_text or _("%(low)s 至 %(high)s") % {
                "low": f"{low:g}".replace("-", "−"),
                "high": f"{high:g}",
            }
            field.widget.attrs["inputmode"] = "decimal"


class CompanyForm(Written):
    """What a maker tells of itself. Its name is entered by the platform and not its own to change:
    papers and installations are known by it."""

    class Meta:
        model = Supplier
        fields = (
            "licence_number",
            "contact",
            "phone",
            "office",
            "service_head",
            "service_phone",
            "service_people",
        )
        help_texts = {
            "licence_number": _lazy("营业执照上的 18 位代码"),
            "office": _lazy("本地的办公室和仓库，写到门牌"),
            "service_phone": _lazy("住户报修打的电话"),
            "service_people": _lazy("常驻本地、能上门的人数"),
        }

    def clean_licence_number(self) -> str:
        code: str = "".join(self.cleaned_data["licence_number"].split()).upper()
        if code and len(code) != credit_code.LENGTH:
            raise ValidationError(
                _("统一社会信用代码应为 18 位，现在是 %(n)d 位") % {"n": len(code)}
            )
        if code and not credit_code.is_right(code):
            raise ValidationError(_("校验位不符：请对照营业执照逐位核对（没有字母 I、O、S、V、Z）"))
        return code

    def clean_phone(self) -> str:
        return _phone(self.cleaned_data["phone"])

    def clean_service_phone(self) -> str:
        return _phone(self.cleaned_data["service_phone"])


def _phone(text: str) -> str:
    if wrong := phones.problem(text):
        raise ValidationError(wrong)
    return phones.tidy(text)


class MakerForm(Written):
    """A company that is not known yet, or whose name is to be corrected; for the platform."""

    class Meta:
        model = Supplier
        fields = ("name",)
        help_texts = {"name": _lazy("与营业执照一致；表格里的“设备厂商名称”按它认")}

    def clean_name(self) -> str:
        return " ".join(self.cleaned_data["name"].split())


class ModelForm(Written):
    """One model of a company, as its plate and its parameters have it."""

    class Meta:
        model = DeviceModel
        fields = (
            "code",
            "name",
            "kind",
            "medium",
            "material",
            "standards",
            "capacity_kw",
            "design_temp",
            "lowest_temp",
            "voltage",
            "frequency",
            "energy_grade",
        )
        help_texts = {
            "name": _lazy("如“空气源热泵热水机组”，安装记录和确认书都用它"),
            "code": _lazy("与铭牌一致"),
            "medium": _lazy("水：散热器或地暖；风：直接送热风"),
            "voltage": _lazy("220 或 380"),
            "energy_grade": _lazy("1 至 5 级，1 级最好；燃气壁挂炉不得低于 2 级"),
            "material": _lazy("附件 2 第 12 条：须为耐腐蚀材料"),
        }
        widgets = {"kind": forms.RadioSelect, "medium": forms.RadioSelect}

    FIXED = ("code", "name", "kind", "medium")

    def __init__(self, data: Any, company: Supplier, instance: DeviceModel | None = None) -> None:
        super().__init__(data, instance=instance or DeviceModel(supplier=company))
        self.company = company
        for name in ("kind", "medium"):
            choices = self.fields[name].choices  # type: ignore[attr-defined]
            self.fields[name].choices = [choice for choice in choices if choice[0]]  # type: ignore[attr-defined]
        if instance is not None and model_rules.is_fixed(instance):
            for name in self.FIXED:
                self.fields[name].disabled = True

    @property
    def is_fixed(self) -> bool:
        return self.fields["code"].disabled

    def clean_code(self) -> str:
        code = " ".join(self.cleaned_data["code"].split())
        same = DeviceModel.objects.filter(supplier=self.company, code__iexact=code)
        if same.exclude(pk=self.instance.pk).exists():
            raise ValidationError(_("本公司已有型号 %(code)s") % {"code": code})
        return code

    def clean(self) -> dict[str, Any]:
        said: dict[str, Any] = super().clean() or {}
        if "energy_grade" in said and (
            wrong := model_rules.refused_grade(said.get("kind", ""), said["energy_grade"])
        ):
            self.add_error("energy_grade", wrong)
        return said


class PaperForm(Written):
    """A paper with its file. Which kinds there are follows from whose it is."""

    file = forms.FileField(
        label=_lazy("文件"),
        help_text=_lazy("PDF 或照片，20 MB 以内"),
        widget=forms.FileInput(
            {"accept": "image/jpeg,image/png,image/webp,application/pdf", **FIELD}
        ),
    )

    class Meta:
        model = MakerPaper
        fields = ("kind", "number", "issuer", "valid_from", "valid_until", "title")
        widgets = {
            "valid_from": forms.DateInput(DAY, format="%Y-%m-%d"),
            "valid_until": forms.DateInput(DAY, format="%Y-%m-%d"),
        }
        help_texts = {
            "issuer": _lazy("认证机构、保险公司、检测机构"),
            "valid_until": _lazy("认证证书、保险单必填；长期有效的不填"),
        }

    def __init__(self, data: Any, files: Any, of: Supplier | DeviceModel, kind: str = "") -> None:
        super().__init__(data, files, initial={"kind": kind})
        wanted = papers.OF_A_MODEL if isinstance(of, DeviceModel) else papers.OF_A_COMPANY
        kinds = [*wanted, MakerPaperKind.OTHER]
        self.fields["kind"].choices = [(one.value, one.label) for one in kinds]  # type: ignore[attr-defined]
        order = ("kind", "file", *self.Meta.fields[1:])
        self.order_fields(order)

    def clean(self) -> dict[str, Any]:
        said: dict[str, Any] = super().clean() or {}
        kind, since, until = said.get("kind"), said.get("valid_from"), said.get("valid_until")
        if kind in GATING and not until and "valid_until" not in self.errors:
            self.add_error("valid_until", _("没有有效期不能作为准入依据：请照证书或保险单填写"))
        if kind in DATED and not said.get("number") and "number" not in self.errors:
            self.add_error("number", _("请照原件填写编号"))
        if since and until and until < since:
            self.add_error("valid_until", _("有效期在生效日期之前"))
        if kind == MakerPaperKind.OTHER and not said.get("title"):
            self.add_error("title", _("请写明是什么材料"))
        return said

    @property
    def has_ended(self) -> bool:
        """Whether the paper is over already: it counts for past days alone."""
        until = self.cleaned_data.get("valid_until")
        return bool(until and until < clock.today())
