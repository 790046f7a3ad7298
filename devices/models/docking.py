"""Docking (数据对接): applications, what was done to them, and confirmations.

Notice, Annex 2 items 1 to 4: before tendering a maker brings a control board, a transmitter and its
protocol; the platform service unit tests them and issues the data-docking confirmation.
"""

from __future__ import annotations

import re
from datetime import date

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q, Subquery, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from households import clock
from households.models import Role, User
from households.uid import uuid7

from .products import DeviceModel, RegisterMap
from .suppliers import Supplier
from .units import Unit

NUMBER = re.compile(r"DJ-(\d{4})-(\d{3}|[1-9]\d{3})", re.ASCII)


class DockingState(models.TextChoices):
    """Where an application stands. What becomes of an issued confirmation is the confirmation's
    own state."""

    DRAFT = "draft", _("草稿")
    SUBMITTED = "submitted", _("已提交")
    RETURNED = "returned", _("退回修改")
    RECEIVED = "received", _("已收样")
    TESTING = "testing", _("测试中")
    PASSED = "passed", _("测试通过")
    FAILED = "failed", _("测试未通过")
    ISSUED = "issued", _("已出具")
    WITHDRAWN = "withdrawn", _("已撤回")


class DockingApplicationQuerySet(models.QuerySet["DockingApplication"]):
    def visible_to(self, user: User) -> DockingApplicationQuerySet:
        """A maker's own, drafts and all, but for its installers; to the offices what was
        submitted."""
        if user.role == Role.INSTALLER:
            return self.none()
        rows = self.filter(supplier__in=Supplier.objects.visible_to(user))
        if user.sees_whole_district:
            acts = DockingAct.objects.filter(application=OuterRef("pk"))
            submitted = Exists(acts.filter(state=DockingState.SUBMITTED))
            given_up = Q(state=DockingState.WITHDRAWN) & ~submitted
            return rows.exclude(state=DockingState.DRAFT).exclude(given_up)
        return rows

    def open(self) -> DockingApplicationQuerySet:
        """Those that are not over: neither issued nor withdrawn."""
        return self.exclude(state__in=(DockingState.ISSUED, DockingState.WITHDRAWN))

    def of_number(self, number: str) -> DockingApplicationQuerySet:
        """The one that papers and addresses name so; none for what is no such number."""
        found = NUMBER.fullmatch(number)
        return self.filter(year=found[1], serial=found[2]) if found else self.none()


class DockingApplication(models.Model):
    """That a maker has one model, with one board, firmware, transmitter and register map, tested.

    `sample` is the unit at the bench; a unit without an installation.
    """

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    year = models.PositiveSmallIntegerField(_("年度"))
    serial = models.PositiveSmallIntegerField(_("序号"))
    supplier = models.ForeignKey(Supplier, models.PROTECT, related_name="applications")
    model = models.ForeignKey(DeviceModel, models.PROTECT, related_name="applications")
    register_map = models.ForeignKey(RegisterMap, models.PROTECT, related_name="applications")
    state = models.CharField(_("状态"), max_length=9, choices=DockingState, default="draft")
    board = models.CharField(_("主控板型号"), max_length=40, blank=True)
    board_version = models.CharField(_("主控板版本"), max_length=20, blank=True)
    board_number = models.CharField(_("主控板编号"), max_length=40, blank=True)
    firmware = models.CharField(_("固件版本"), max_length=20, blank=True)
    transmitter_model = models.CharField(_("无线数据传输装置型号"), max_length=40, blank=True)
    protocol = models.CharField(_("通讯协议文件"), max_length=80, blank=True)
    protocol_version = models.CharField(_("协议版本"), max_length=20, blank=True)
    note = models.CharField(_("说明"), max_length=200, blank=True)
    sample = models.ForeignKey(
        Unit, models.PROTECT, null=True, blank=True, related_name="applications"
    )
    second_sample = models.ForeignKey(Unit, models.PROTECT, null=True, blank=True, related_name="+")
    test_digest = models.CharField(max_length=64, blank=True)  # of the report, once it is judged
    tested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    made_at = models.DateTimeField(_("建立时间"))

    objects = DockingApplicationQuerySet.as_manager()

    class Meta:
        verbose_name = _("数据对接申请")
        verbose_name_plural = _("数据对接申请")
        ordering = ["-year", "-serial"]
        constraints = [
            models.UniqueConstraint(fields=["year", "serial"], name="docking_number_once"),
            models.CheckConstraint(
                name="docking_state_known", condition=Q(state__in=DockingState.values)
            ),
            models.CheckConstraint(
                name="docking_samples_are_two",
                condition=Q(second_sample=None) | ~Q(second_sample=F("sample")),
            ),
            models.CheckConstraint(
                name="docking_judged_with_its_report",
                condition=~Q(state__in=("passed", "failed", "issued"))
                | (~Q(test_digest="") & Q(tested_by__isnull=False)),
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def number(self) -> str:
        """As papers and addresses write it: DJ-2026-018."""
        return f"DJ-{self.year}-{self.serial:03d}"


class DockingAct(models.Model):
    """One step of an application: to which state, when, by whom, and why. Never changed."""

    application = models.ForeignKey(DockingApplication, models.PROTECT, related_name="acts")
    state = models.CharField(_("状态"), max_length=9, choices=DockingState)
    on = models.DateField(_("日期"))
    reason = models.CharField(_("原因"), max_length=200, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(_("时间"))

    class Meta:
        verbose_name = _("对接办理记录")
        verbose_name_plural = _("对接办理记录")
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                name="docking_act_state_known", condition=Q(state__in=DockingState.values)
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_state_display()} {self.on}"


class ConfirmationState(models.TextChoices):
    """What is stored; 未生效 and 已过期 follow from the date (`Confirmation.standing`)."""

    SIGNING = "signing", _("签发中")
    VALID = "valid", _("有效")
    SUSPENDED = "suspended", _("暂停使用")
    REVOKED = "revoked", _("已撤销")
    SUPERSEDED = "superseded", _("已被替代")


NOT_YET, EXPIRED = "not_yet", "expired"
ENDED = (ConfirmationState.SUSPENDED, ConfirmationState.REVOKED, ConfirmationState.SUPERSEDED)


class ConfirmationQuerySet(models.QuerySet["Confirmation"]):
    def visible_to(self, user: User) -> ConfirmationQuerySet:
        if user.role == Role.INSTALLER:
            return self.none()
        return self.filter(model__supplier__in=Supplier.objects.visible_to(user))

    def counting(self) -> ConfirmationQuerySet:
        """Those that the gates ask: the appointed platform's own, or the city's where the city's
        platform is the appointed one."""
        return self.filter(origin="own" if settings.APPOINTED_PLATFORM else "city")

    def valid_on(self, day: date) -> ConfirmationQuerySet:
        """Those that the gates ask and that were in force on that day."""
        return self.counting().in_force_on(day)

    def in_force_on(self, day: date) -> ConfirmationQuerySet:
        """Those in force on that day, whoever issued them: what was suspended, revoked or
        superseded only later held then, and what was put in then stays lawful; what was restored
        only later did not hold."""
        acts = ConfirmationAct.objects.filter(confirmation=OuterRef("pk")).order_by("-pk")
        before = acts.filter(at__lt=clock.end_of(day)).values("state")[:1]
        held = Q(state=ConfirmationState.VALID)
        held |= Q(Exists(acts.filter(state__in=ENDED)), state__in=ENDED)  # and says since when
        return (
            self.filter(held, valid_from__lte=day, valid_until__gte=day)
            .alias(that_day=Coalesce(Subquery(before), Value("")))
            .exclude(that_day__in=ENDED)
        )


class Confirmation(models.Model):
    """The data-docking confirmation (数据对接确认书) of one model and what it was tested with.

    Issued here after a test (`origin` own), or by the city's platform and entered with its number,
    issuer and scan (`origin` city). `code` opens the public page; it is random and tells nothing.
    `maker` is what the maker was called then: the letter goes on saying so.
    """

    class Origin(models.TextChoices):
        OWN = "own", _("本平台出具")
        CITY = "city", _("市平台出具")

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    code = models.CharField(max_length=32, unique=True, editable=False)
    number = models.CharField(_("文号"), max_length=60)
    origin = models.CharField(_("出具"), max_length=4, choices=Origin, default="own")
    issuer = models.CharField(_("出具单位"), max_length=60)
    application = models.OneToOneField(
        DockingApplication, models.PROTECT, null=True, blank=True, related_name="confirmation"
    )
    maker = models.CharField(_("设备厂商名称"), max_length=60)
    model = models.ForeignKey(DeviceModel, models.PROTECT, related_name="confirmations")
    register_map = models.ForeignKey(
        RegisterMap, models.PROTECT, null=True, blank=True, related_name="confirmations"
    )
    board = models.CharField(_("主控板型号"), max_length=40, blank=True)
    board_version = models.CharField(_("主控板版本"), max_length=20, blank=True)
    firmware = models.CharField(_("固件版本"), max_length=20, blank=True)
    transmitter_model = models.CharField(_("无线数据传输装置型号"), max_length=40, blank=True)
    test_digest = models.CharField(max_length=64, blank=True)
    conditions = models.JSONField(_("使用条件"), default=list)  # sentences
    issued_on = models.DateField(_("出具日期"))
    valid_from = models.DateField(_("生效日期"))
    valid_until = models.DateField(_("有效期至"))
    state = models.CharField(_("状态"), max_length=10, choices=ConfirmationState, default="signing")
    tester = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    signer = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    paper = models.CharField(max_length=120, blank=True)  # the signed PDF (own) or the scan (city)
    paper_type = models.CharField(max_length=40, blank=True)
    stamped = models.CharField(max_length=120, blank=True)  # scan of the printed and sealed letter
    stamped_type = models.CharField(max_length=40, blank=True)
    announced_days = models.PositiveSmallIntegerField(null=True, editable=False)  # before expiry
    made_at = models.DateTimeField(_("建立时间"))

    objects = ConfirmationQuerySet.as_manager()

    class Meta:
        verbose_name = _("数据对接确认书")
        verbose_name_plural = _("数据对接确认书")
        ordering = ["-issued_on", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["issuer", "number"], name="confirmation_number_once"),
            models.CheckConstraint(
                name="confirmation_state_known", condition=Q(state__in=ConfirmationState.values)
            ),
            models.CheckConstraint(
                name="confirmation_origin_known", condition=Q(origin__in=("own", "city"))
            ),
            models.CheckConstraint(
                name="confirmation_ends_after_it_begins",
                condition=Q(valid_until__gte=F("valid_from")),
            ),
            # Who tested does not sign.
            models.CheckConstraint(
                name="confirmation_of_two_people",
                condition=Q(tester=None) | ~Q(tester=F("signer")),
            ),
            models.CheckConstraint(
                name="confirmation_own_is_tested",
                condition=~Q(origin="own")
                | (
                    Q(application__isnull=False, tester__isnull=False, register_map__isnull=False)
                    & ~Q(test_digest="")
                ),
            ),
            models.CheckConstraint(
                name="confirmation_valid_with_its_paper",
                condition=Q(state="signing") | ~Q(paper=""),
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def standing(self) -> str:
        """The state as it is today: a valid one whose time has not come is `not_yet`, one whose
        time is over `expired`."""
        today = clock.today()
        if self.state != ConfirmationState.VALID:
            return self.state
        if self.valid_until < today:
            return EXPIRED
        return self.state if self.valid_from <= today else NOT_YET


class ConfirmationAct(models.Model):
    """What was done to a confirmation: suspended, restored, revoked, superseded. Never changed."""

    confirmation = models.ForeignKey(Confirmation, models.PROTECT, related_name="acts")
    state = models.CharField(_("状态"), max_length=10, choices=ConfirmationState)
    reason = models.CharField(_("原因"), max_length=200, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(_("时间"))

    class Meta:
        verbose_name = _("确认书办理记录")
        verbose_name_plural = _("确认书办理记录")
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                name="confirmation_act_state_known", condition=Q(state__in=ConfirmationState.values)
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_state_display()} {self.at:%Y-%m-%d}"
