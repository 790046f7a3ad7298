"""By what the ledger of households can be narrowed."""

import re
from datetime import timedelta
from uuid import UUID

import django_filters as filters
from django import forms
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field

from households.models import (
    REACHES,
    Area,
    Change,
    Household,
    Method,
    State,
    StepKind,
    User,
    WorkbookImport,
)
from households.models.households import HouseholdQuerySet, phone_is
from households.searching import WordsFilter

FIELD = {"class": "form-control"}
CHOICE = {"class": "form-select"}
WHOLE_PHONE = re.compile(r"\+?[\d-]{7,20}")
WHOLE_NUMBER = re.compile(r"\d{2}-\d{2,3}-\d{4,5}")  # 户编号
LONGEST_IMPORT = timedelta(hours=1)  # no task may take longer
PROGRESS = [
    ("complete", _("已完工")),
    ("not_complete", _("未完工")),
    ("accepted", _("已验收")),
    ("to_accept", _("已完工待验收")),
    ("listed", _("已列入计划")),
    ("signed", _("已签协议")),
    ("installed", _("已安装")),
    ("proven", _("运行检验合格")),
]


def areas_of(request: object) -> object:
    """Towns and villages that the asker may see, in the notice's order; of a role that belongs to
    none those where it has households."""
    user = getattr(request, "user", None)
    areas = Area.objects.visible_to(user)
    if isinstance(user, User) and user.is_active and user.role in REACHES and not user.area:
        homes = Household.objects.visible_to(user).order_by()
        here, owners = homes.values("area"), homes.values("area__owner")
        areas = Area.objects.filter(Q(pk__in=here) | Q(pk__in=owners))
    return areas.exclude(level=Area.Level.DISTRICT).by_town()


class AreaChoice(filters.fields.ModelChoiceField):
    """Towns flush, their villages set in below them."""

    def label_from_instance(self, area: Area) -> str:
        return area.name if area.level == Area.Level.TOWN else f"　{area.name}"


@extend_schema_field(int)
class AreaFilter(filters.ModelChoiceFilter):
    """A town means all of its villages too."""

    field_class = AreaChoice

    def __init__(self, field_name: str) -> None:
        widget = forms.Select({**CHOICE, "aria-label": _("镇（街道）、村（社区）")})
        super().__init__(
            field_name=field_name,
            queryset=areas_of,
            empty_label=_("全部镇、村（社区）"),
            label=_("村（社区）"),
            widget=widget,
        )

    def filter(self, rows: HouseholdQuerySet, area: Area | None) -> HouseholdQuerySet:
        if area is None:
            return rows
        return rows.filter(**{f"{self.field_name}__in": Area.objects.under(area)})


def choice(label: object, empty: object, choices: object, **options: object) -> object:
    """A filter by one of a few words."""
    widget = forms.Select({**CHOICE, "aria-label": label})
    return filters.ChoiceFilter(
        label=label, empty_label=empty, choices=choices, widget=widget, **options
    )


class HouseholdFilter(filters.FilterSet):
    q = WordsFilter(_("户主、门牌号、户编号、用电户号"))
    area = AreaFilter("area")
    method = choice(_("改造方式"), _("改造方式：全部"), Method.choices)
    progress = choice(_("进度"), _("进度：全部"), PROGRESS, method="reached")
    year = filters.NumberFilter(widget=forms.HiddenInput)
    # 散户 are the households of the town itself, not those of its villages.
    exactly = filters.NumberFilter(field_name="area", widget=forms.HiddenInput)
    state = filters.ChoiceFilter(choices=State.choices, widget=forms.HiddenInput)
    imported = filters.UUIDFilter(method="of_import", widget=forms.HiddenInput)

    class Meta:
        model = Household
        fields: list[str] = []

    def of_any_state(self) -> HouseholdQuerySet:
        """What all other conditions leave, whatever the state: the chips count these."""
        self.form.is_valid()  # conditions that are not understood are left out
        rows: HouseholdQuerySet = self.queryset.all()
        for name, value in self.form.cleaned_data.items():
            if name != "state":
                rows = self.filters[name].filter(rows, value)
        return rows

    def search(self, rows: HouseholdQuerySet, name: str, words: str) -> HouseholdQuerySet:
        for word in words.split():
            if WHOLE_NUMBER.fullmatch(word):
                rows = rows.filter(number=word)
                continue
            found = Q(search__contains=word.lower())
            if WHOLE_PHONE.fullmatch(word):  # sealed: found as a whole or not at all
                found |= phone_is(word)
            rows = rows.filter(found)
        return rows

    def of_import(self, rows: HouseholdQuerySet, name: str, uid: UUID) -> HouseholdQuerySet:
        """What an import by workbook wrote, as the history tells."""
        done = WorkbookImport.objects.filter(uid=uid, imported_at__isnull=False).first()
        if done is None or done.imported_at is None:
            return rows.none()
        when = (done.imported_at - LONGEST_IMPORT, done.imported_at + LONGEST_IMPORT)
        changes = Change.objects.filter(at__range=when, request=uid)
        return rows.filter(pk__in=changes.values("household_id"))

    def reached(self, rows: HouseholdQuerySet, name: str, wanted: str) -> HouseholdQuerySet:
        if wanted == "complete":
            return rows.complete()
        if wanted == "accepted":
            return rows.accepted()
        if wanted == "to_accept":
            return rows.complete().exclude(pk__in=rows.accepted())
        if wanted == "listed":
            return rows.in_task()
        if wanted in (StepKind.SIGNED, StepKind.INSTALLED, StepKind.PROVEN):
            return rows.through(StepKind(wanted))
        return rows.in_task().exclude(pk__in=rows.complete())
