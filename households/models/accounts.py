"""Accounts of people and tokens of programs."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import ClassVar

from django.contrib.auth.models import AbstractUser, UserManager
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from households import clock


class Role(models.TextChoices):
    """What an account is for; its reach is the area or the supplier beside it."""

    CLERK = "clerk", _("村（社区）网格员")
    TOWN = "town", _("镇（街道）")
    DISTRICT = "district", _("区领导小组办公室")
    INSTALLER = "installer", _("安装人员")
    SUPPLIER = "supplier", _("供应商")
    SERVICE_UNIT = "service_unit", _("平台服务单位")
    HEAT_COMPANY = "heat_company", _("供热企业")
    POWER_COMPANY = "power_company", _("供电公司")
    SUPERVISOR = "supervisor", _("监理单位")
    READER = "reader", _("区直有关单位（只读）")
    ADMINISTRATOR = "administrator", _("系统管理员")


WHOLE_DISTRICT = (Role.DISTRICT, Role.SERVICE_UNIT, Role.READER, Role.ADMINISTRATOR)
OF_AN_AREA = (Role.CLERK, Role.TOWN)
OF_A_SUPPLIER = (Role.SUPPLIER, Role.INSTALLER)
MAY_COMMAND = (Role.DISTRICT, Role.TOWN, Role.SERVICE_UNIT, Role.SUPPLIER)
TENDS_LINES = (Role.SERVICE_UNIT, Role.ADMINISTRATOR)
MAY_ACKNOWLEDGE = (Role.DISTRICT, Role.TOWN, Role.SERVICE_UNIT, Role.ADMINISTRATOR)
MAY_REGISTER = (Role.CLERK, Role.TOWN, Role.DISTRICT)
MAY_INSTALL = (Role.INSTALLER, Role.SUPPLIER, Role.TOWN, Role.DISTRICT)
MAY_CONNECT = (Role.HEAT_COMPANY, Role.TOWN)


class UserQuerySet(models.QuerySet["User"]):
    def visible_to(self, user: User) -> UserQuerySet:
        """All accounts for those who keep accounts, rights or the log; else one's own."""
        if user.is_keeper:
            return self
        return self.filter(pk=user.pk, is_active=True)


class AccountManager(UserManager["User"]):
    use_in_migrations = False

    def get_queryset(self) -> UserQuerySet:
        return UserQuerySet(self.model, using=self._db)

    def visible_to(self, user: User) -> UserQuerySet:
        return self.get_queryset().visible_to(user)


class User(AbstractUser):
    """A person with one role. Belonging to a supplier is `devices.SupplierMember`.

    The three administrators (三员) are three permissions, held by one administrator or by three.
    """

    name = models.CharField(_("姓名"), max_length=40, blank=True)
    role = models.CharField(_("角色"), max_length=16, choices=Role, default=Role.READER)
    area = models.ForeignKey(
        "households.Area", models.PROTECT, null=True, blank=True, verbose_name=_("所属区域")
    )
    language = models.CharField(_("语言"), max_length=8, default="zh-hans")
    must_change_password = models.BooleanField(_("首次登录须改密码"), default=False)
    keeps_accounts = models.BooleanField(_("账号管理（系统管理员）"), default=False)
    keeps_rights = models.BooleanField(_("权限管理（安全管理员）"), default=False)
    keeps_log = models.BooleanField(_("日志管理（审计管理员）"), default=False)

    objects: ClassVar[AccountManager] = AccountManager()

    class Meta:
        verbose_name = _("账号")
        verbose_name_plural = _("账号")
        constraints = [
            models.CheckConstraint(
                name="user_of_an_area_has_one",
                condition=~Q(role__in=OF_AN_AREA) | Q(area__isnull=False),
            ),
            models.CheckConstraint(name="user_role_known", condition=Q(role__in=Role.values)),
            models.CheckConstraint(
                name="user_keeper_is_administrator",
                condition=Q(role=Role.ADMINISTRATOR)
                | Q(keeps_accounts=False, keeps_rights=False, keeps_log=False),
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.username

    @property
    def sees_whole_district(self) -> bool:
        return self.is_active and self.role in WHOLE_DISTRICT

    @property
    def follows_plan(self) -> bool:
        """Whether the year's task concerns the role: it does everybody but a supplier's people."""
        return self.role not in OF_A_SUPPLIER

    @property
    def may_command(self) -> bool:
        """Whether the role may ask a heating unit to change something, within its own reach."""
        return self.is_active and self.role in MAY_COMMAND

    @property
    def may_acknowledge(self) -> bool:
        """Whether the role answers for what an alarm tells, within its own reach."""
        return self.is_active and self.role in MAY_ACKNOWLEDGE

    @property
    def may_register(self) -> bool:
        """Whether the role enters and corrects households, by form or by workbook."""
        return self.is_active and self.role in MAY_REGISTER

    @property
    def may_install(self) -> bool:
        """Whether the role enters installation records of units."""
        return self.is_active and self.role in MAY_INSTALL

    @property
    def may_connect(self) -> bool:
        """Whether the role enters connections to the heat network."""
        return self.is_active and self.role in MAY_CONNECT

    @property
    def reviews_lists(self) -> bool:
        """Whether the role reviews what its villages submit (镇审核)."""
        return self.is_active and self.role == Role.TOWN

    @property
    def files_lists(self) -> bool:
        """Whether the role files what towns have reviewed (区备案)."""
        return self.is_active and self.role == Role.DISTRICT

    @property
    def manages_accounts(self) -> bool:
        """Whether the person makes, disables and hands over accounts."""
        return self.is_active and self.keeps_accounts

    @property
    def manages_rights(self) -> bool:
        """Whether the person gives roles and permissions and rules second factors."""
        return self.is_active and self.keeps_rights

    @property
    def reads_log(self) -> bool:
        """Whether the person reads who looked at and changed what."""
        return self.is_active and self.keeps_log

    @property
    def is_keeper(self) -> bool:
        return self.manages_accounts or self.manages_rights or self.reads_log

    @property
    def hangs_walls(self) -> bool:
        """Whether the person gives out links to the wall screen of the whole district."""
        return self.is_active and (self.role == Role.DISTRICT or self.keeps_accounts)

    @property
    def tends_lines(self) -> bool:
        """Whether lines, transmitters and frames are the role's work."""
        return self.is_active and self.role in TENDS_LINES

    @property
    def is_maker(self) -> bool:
        """Whether the person acts for a company: its models, papers, register maps, docking."""
        return self.is_active and self.role == Role.SUPPLIER

    @property
    def reads_docking(self) -> bool:
        """Whether docking concerns the role: makers, each his own; offices of all the district."""
        return self.is_maker or self.sees_whole_district

    @property
    def tests_docking(self) -> bool:
        """Whether receiving samples, testing them and signing confirmations is the role's work."""
        return self.is_active and self.role == Role.SERVICE_UNIT

    @property
    def office(self) -> str:
        """The office that the account acts for, as papers and lists name it."""
        if self.role in OF_AN_AREA and self.area:
            return self.area.name
        return str(Role(self.role).label)


class ApiToken(models.Model):
    """A program's key to the API: scoped, expiring, kept only as a hash."""

    SCOPES = (
        "areas:read",
        "households:read",
        "plans:read",
        "units:read",
        "readings:read",
        "lines:read",
        "commands:write",
        "alarms:read",
        "alarms:write",
    )

    user = models.ForeignKey(User, models.CASCADE, related_name="api_tokens")
    name = models.CharField(_("名称"), max_length=60)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    scopes = models.JSONField(_("权限范围"), default=list)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(_("有效期至"))
    last_used_at = models.DateTimeField(null=True, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("接口令牌")
        verbose_name_plural = _("接口令牌")

    def __str__(self) -> str:
        return self.name

    @classmethod
    def issue(
        cls, user: User, name: str, scopes: list[str], days: int = 90
    ) -> tuple[ApiToken, str]:
        """A new token and its secret, which is shown this once. Unknown scopes: ValueError."""
        unknown = set(scopes) - set(cls.SCOPES)
        if unknown or not scopes:
            raise ValueError(f"unknown scopes: {sorted(unknown)}; choose from {cls.SCOPES}")
        secret = "qn_" + secrets.token_urlsafe(32)
        token = cls.objects.create(
            user=user,
            name=name,
            digest=cls.digest_of(secret),
            scopes=sorted(set(scopes)),
            expires_at=clock.now() + timedelta(days=days),
        )
        return token, secret

    @staticmethod
    def digest_of(secret: str) -> str:
        """SHA-256 of a 256-bit random secret: no salt needed, nothing to guess."""
        return hashlib.sha256(secret.encode()).hexdigest()

    @property
    def is_valid(self) -> bool:
        return self.revoked_at is None and self.expires_at > clock.now() and self.user.is_active
