"""A household that is converted, and where it stands on its path."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Case, Q, Value, When
from django.db.models.functions import Concat, Lower
from django.utils.translation import gettext_lazy as _

from households import personal_numbers, phones, positions
from households.pinyin import SoundField
from households.sealing import SealBroken, SealedField, blind
from households.uid import uuid7

from .accounts import Role, User
from .areas import Area
from .steps import StepKind


class Method(models.TextChoices):
    """Conversion method, in the notice's order."""

    CENTRAL_HEATING = "central_heating", _("集中供热")
    COAL_TO_ELECTRICITY = "coal_to_electricity", _("电代煤")
    COAL_TO_GAS = "coal_to_gas", _("气代煤")
    INDUSTRIAL_WASTE_HEAT = "industrial_waste_heat", _("工业余热")

    @property
    def has_unit(self) -> bool:
        """Whether a household of this method gets a heating unit of its own."""
        return self in (Method.COAL_TO_ELECTRICITY, Method.COAL_TO_GAS)


class SiteKind(models.TextChoices):
    HOUSEHOLD = "household", _("居民住户")
    SCHOOL = "school", _("学校")
    NURSING_HOME = "nursing_home", _("养老院")
    PUBLIC_BUILDING = "public_building", _("其他公益单位")


class PositionSource(models.TextChoices):
    """Who measured a position. Amap's and Baidu's are shifted on purpose and are stored converted
    to WGS-84; the source is kept because the conversion is only good to some metres."""

    BROWSER = "browser", _("手机浏览器")
    WECHAT = "wechat", _("微信")
    AMAP = "amap", _("高德")
    BAIDU = "baidu", _("百度")
    RTK = "rtk", _("RTK、奥维")
    UNKNOWN = "unknown", _("不清楚")


class State(models.TextChoices):
    """Where a household stands; computed by the database from the dates of its steps."""

    DRAFT = "draft", _("暂存")
    TO_LIST = "to_list", _("待列入计划")
    TO_SIGN = "to_sign", _("待签协议")
    TO_INSTALL = "to_install", _("待安装")
    TO_COMMISSION = "to_commission", _("待调试")
    TO_ACCEPT = "to_accept", _("待验收")
    ACCEPTED = "accepted", _("竣工验收")
    PROVEN = "proven", _("运行检验合格")
    STOVE_REMOVED = "stove_removed", _("已拆除燃煤设施")
    PAPERS_INCOMPLETE = "papers_incomplete", _("手续不全")
    WITHDRAWN = "withdrawn", _("退出改造")


# The state that names what comes next while a step's date is still missing.
WAITING_FOR = {
    StepKind.SURVEYED: State.DRAFT,
    StepKind.LISTED: State.TO_LIST,
    StepKind.SIGNED: State.TO_SIGN,
    StepKind.INSTALLED: State.TO_INSTALL,
    StepKind.COMMISSIONED: State.TO_COMMISSION,
    StepKind.ACCEPTED: State.TO_ACCEPT,
    StepKind.PROVEN: State.ACCEPTED,
    StepKind.STOVE_REMOVED: State.PROVEN,
}


# Both or neither: a check that comes out NULL would let one without the other pass.
POSITION_WHOLE = Q(latitude=None, longitude=None) | Q(
    latitude__isnull=False,
    longitude__isnull=False,
    latitude__range=(-90, 90),
    longitude__range=(-180, 180),
)


def _state_expression() -> Case:
    """The first step without a valid date names the state: a gap stops the path there."""
    waiting = [
        When(**{f"{kind}_on": None}, then=Value(state)) for kind, state in WAITING_FOR.items()
    ]
    return Case(
        When(withdrawn_on__isnull=False, then=Value(State.WITHDRAWN)),
        When(papers_incomplete=True, then=Value(State.PAPERS_INCOMPLETE)),
        *waiting,
        default=Value(State.STOVE_REMOVED),
    )


def phone_is(number: str) -> Q:
    """Exactly this number is one of the two, however it is written."""
    indexes = blind(number)
    return Q(phone_index__in=indexes) | Q(other_phone_index__in=indexes)


def index_of(phone: str) -> models.GeneratedField:
    """The blind index within a sealed column, for searching the whole number."""
    return models.GeneratedField(
        expression=models.Func(phone, Value(":"), Value(3), function="split_part"),
        output_field=models.CharField(max_length=64),
        db_persist=True,
    )


# Where people write what they like: no identity number may hide there.
FREE_TEXTS = (
    "householder",
    "applicant",
    "resident",
    "relation",
    "door",
    "place",
    "house_type",
    "walls",
    "windows",
    "note",
)
PHONES = ("phone", "other_phone")
LARGEST_DWELLING_M2 = 2_000

# How far roles see that have neither district nor area; each app puts its own in when it is ready.
REACHES: dict[Role, Callable[[HouseholdQuerySet, User], HouseholdQuerySet]] = {}


class HouseholdQuerySet(models.QuerySet["Household"]):
    def visible_to(self, user: User) -> HouseholdQuerySet:
        """Households of the user's area subtree; all of them for district-wide roles; for a
        role that is no office's, what its app says in `REACHES`."""
        if user.sees_whole_district:
            return self
        if not user.is_active:
            return self.none()
        if reach := REACHES.get(Role(user.role)):
            return reach(self, user)
        return self.filter(area__in=Area.objects.under(user.area)) if user.area else self.none()

    def with_phone(self, number: str) -> HouseholdQuerySet:
        """Households with exactly this number, however it is written."""
        return self.filter(phone_is(number))

    def in_task(self) -> HouseholdQuerySet:
        """Households that count: put on the list and not withdrawn."""
        return self.filter(listed_on__isnull=False, withdrawn_on=None)

    def complete(self, by: date | None = None) -> HouseholdQuerySet:
        """Commissioned with every step before it valid (完工); `by` looks back to a date."""
        return self.through(StepKind.COMMISSIONED, by)

    def accepted(self, by: date | None = None) -> HouseholdQuerySet:
        """Accepted with every step before it valid (竣工验收)."""
        return self.through(StepKind.ACCEPTED, by)

    def papers_incomplete(self) -> HouseholdQuerySet:
        """Households with a recorded step that lacks something (手续不全)."""
        return self.filter(withdrawn_on=None, papers_incomplete=True)

    def through(self, last: StepKind, by: date | None = None) -> HouseholdQuerySet:
        """With `last` and every step before it valid, no paper missing, not withdrawn."""
        kinds = list(StepKind)[: list(StepKind).index(last) + 1]
        rows = self.filter(withdrawn_on=None, papers_incomplete=False)
        rows = rows.filter(**{f"{kind}_on__isnull": False for kind in kinds})
        return rows.filter(**{f"{kind}_on__lte": by for kind in kinds}) if by else rows


class Household(models.Model):
    """One household (or school, nursing home) of a year's task.

    `uid` is made by whoever enters it first and is the key of imports, papers and offline entry;
    `number` (户编号, year-plan line-serial such as 26-10-0001) is the one that people read.
    Names and phones are never keys.
    """

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    number = models.CharField(_("户编号"), max_length=12, unique=True)
    year = models.PositiveSmallIntegerField(_("年度"))
    area = models.ForeignKey(
        Area, models.PROTECT, related_name="households", verbose_name=_("区域")
    )
    method = models.CharField(_("改造方式"), max_length=24, choices=Method)
    site_kind = models.CharField(
        _("类别"), max_length=16, choices=SiteKind, default=SiteKind.HOUSEHOLD
    )
    householder = models.CharField(_("户主"), max_length=40)
    householder_sound = SoundField(of="householder")
    applicant = models.CharField(_("申请人"), max_length=40, blank=True)
    resident = models.CharField(_("实际居住人"), max_length=40, blank=True)
    relation = models.CharField(_("与户主关系"), max_length=20, blank=True)
    phone = SealedField(_("联系电话"), max_length=20, blank=True)
    other_phone = SealedField(_("备用电话"), max_length=20, blank=True)
    door = models.CharField(_("门牌号"), max_length=60, blank=True)
    place = models.CharField(
        _("无门牌时的位置"), max_length=60, blank=True, help_text=_("例如：庙东第三户")
    )
    house_type = models.CharField(_("户型结构"), max_length=40, blank=True)
    rooms = models.PositiveSmallIntegerField(_("间数"), null=True, blank=True)
    walls = models.CharField(_("墙体"), max_length=40, blank=True)
    windows = models.CharField(_("门窗"), max_length=40, blank=True)
    heated_area = models.DecimalField(
        _("取暖面积"),
        max_digits=7,
        decimal_places=1,
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
    )
    electricity_account = models.CharField(_("用电户号"), max_length=20, blank=True)
    latitude = models.FloatField(_("纬度"), null=True, blank=True)
    longitude = models.FloatField(_("经度"), null=True, blank=True)
    position_source = models.CharField(
        _("坐标来源"), max_length=8, choices=PositionSource, blank=True
    )
    accuracy_m = models.FloatField(_("定位精度（米）"), null=True, blank=True)
    in_demolition_plan = models.BooleanField(_("列入拆迁"), default=False)
    demolition_on = models.DateField(_("预计拆迁日期"), null=True, blank=True)
    vacant = models.BooleanField(_("空置"), default=False)
    seasonal = models.BooleanField(_("季节性居住"), default=False)
    in_network_area = models.BooleanField(_("供热管网覆盖"), default=False)
    note = models.CharField(_("备注"), max_length=200, blank=True)

    surveyed_on = models.DateField(null=True, editable=False)
    listed_on = models.DateField(null=True, editable=False)
    signed_on = models.DateField(null=True, editable=False)
    installed_on = models.DateField(null=True, editable=False)
    commissioned_on = models.DateField(null=True, editable=False)
    accepted_on = models.DateField(null=True, editable=False)
    proven_on = models.DateField(null=True, editable=False)
    stove_removed_on = models.DateField(null=True, editable=False)
    withdrawn_on = models.DateField(null=True, editable=False)
    papers_incomplete = models.BooleanField(default=False, editable=False)
    state = models.GeneratedField(
        expression=_state_expression(),
        output_field=models.CharField(_("状态"), max_length=20, choices=State),
        db_persist=True,
    )
    # One text to look through instead of five: two Chinese characters are too few for an index.
    search = models.GeneratedField(
        expression=Lower(
            Concat(
                "number",
                Value(" "),
                "householder",
                Value(" "),
                "door",
                Value(" "),
                "place",
                Value(" "),
                "electricity_account",
            )
        ),
        output_field=models.TextField(),
        db_persist=True,
    )
    phone_index = index_of("phone")
    other_phone_index = index_of("other_phone")
    updated_at = models.DateTimeField(auto_now=True)

    objects = HouseholdQuerySet.as_manager()

    class Meta:
        verbose_name = _("改造户")
        verbose_name_plural = _("改造户")
        ordering = ["number"]
        indexes = [
            models.Index(fields=["area", "state"]),
            models.Index(fields=["year", "method", "state"]),
            models.Index(fields=["phone_index"]),
            models.Index(fields=["other_phone_index"]),
            models.Index(  # doubles are looked for while one types
                name="household_of_account",
                fields=["electricity_account"],
                condition=~Q(electricity_account=""),
            ),
        ]
        constraints = [
            models.CheckConstraint(
                name="household_number_form",
                condition=Q(number__regex=r"^\d{2}-\d{2,3}-\d{4,5}$"),
            ),
            models.CheckConstraint(
                name="household_method_known", condition=Q(method__in=Method.values)
            ),
            models.CheckConstraint(
                name="household_site_kind_known", condition=Q(site_kind__in=SiteKind.values)
            ),
            models.CheckConstraint(
                name="household_area_plausible",
                condition=Q(heated_area=None) | Q(heated_area__gt=0),
            ),
            models.CheckConstraint(
                name="household_position_source_known",
                condition=Q(position_source="") | Q(position_source__in=PositionSource.values),
            ),
            models.CheckConstraint(
                name="household_position_whole",
                condition=POSITION_WHOLE,
            ),
        ]

    def __str__(self) -> str:
        return self.number

    def clean(self) -> None:
        """The rules about one row, the same for form, workbook and API."""
        if found := self.mistakes():
            raise ValidationError(dict(found))

    def mistakes(self) -> dict[str, str]:
        """What cannot be kept as it is: words by field."""
        found = {field: personal_numbers.refused(getattr(self, field)) for field in FREE_TEXTS}
        found |= {field: self._phone_problem(field) for field in PHONES}
        if self.latitude is not None and self.longitude is not None:
            found["latitude"] = positions.outside(self.latitude, self.longitude)
        found["heated_area"] = self._area_problem()
        return {field: words for field, words in found.items() if words}

    def _area_problem(self) -> str | None:
        """A dwelling is never so large; a school may be."""
        is_dwelling = self.site_kind == SiteKind.HOUSEHOLD
        if not is_dwelling or (self.heated_area or 0) <= LARGEST_DWELLING_M2:
            return None
        words = _("一户住宅不会超过 %(most)d m²：核对面积；学校、养老院等请改类别")
        return str(words) % {"most": LARGEST_DWELLING_M2}

    def _phone_problem(self, field: str) -> str | None:
        """A number that does not open any more is nobody's mistake who writes other fields."""
        try:
            return phones.problem(getattr(self, field))
        except SealBroken:
            return None

    @property
    def is_filed(self) -> bool:
        """Whether it is in the year's plan: some of its fields change by change slip alone."""
        return self.listed_on is not None

    @property
    def has_phone(self) -> bool:
        """Whether a number is filled in; told without opening it."""
        held = self.__dict__.get("phone")
        return bool(self.phone if held is None else held)

    @property
    def masked_phone(self) -> str:
        """Phone for the screen: the first three and the last four digits.

        A number that does not open any more says so, and a list with it is shown all the same.
        """
        try:
            return phones.masked(self.phone)
        except SealBroken:
            return str(_("无法解密"))
