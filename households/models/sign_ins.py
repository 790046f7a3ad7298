"""Who is signed in where, how long that lasts, and the second factor of a person."""

from __future__ import annotations

import hashlib
from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from households import clock
from households.models.accounts import Role, User
from households.sealing import SealedField
from households.uid import uuid7

MINUTES = (5, 12 * 60)


class RoleRule(models.Model):
    """What the administrator of rights asks of a role beyond the platform's own settings."""

    role = models.CharField(_("角色"), max_length=16, choices=Role, unique=True)
    needs_second_factor = models.BooleanField(_("须有动态码"), default=False)
    idle_minutes = models.PositiveSmallIntegerField(_("闲置分钟"), null=True, blank=True)

    class Meta:
        verbose_name = _("登录规则")
        verbose_name_plural = _("登录规则")
        constraints = [
            models.CheckConstraint(name="role_rule_role_known", condition=Q(role__in=Role.values)),
            models.CheckConstraint(
                name="role_rule_idle_range",
                condition=Q(idle_minutes=None) | Q(idle_minutes__range=MINUTES),
            ),
        ]

    def __str__(self) -> str:
        return str(Role(self.role).label)


class SignInQuerySet(models.QuerySet["SignIn"]):
    def open(self) -> SignInQuerySet:
        """Not ended by anybody and younger than the absolute limit; some may have idled away."""
        oldest = clock.now() - timedelta(hours=settings.SESSION_HOURS)
        return self.filter(ended_at=None, at__gt=oldest)

    def end(self) -> int:
        """They end with their next request. Answers how many were open."""
        return self.open().update(ended_at=clock.now())


class SignIn(models.Model):
    """One signed-in browser, from signing in to its end.

    The session holds this row's key, so that ending the row ends the session.
    """

    user = models.ForeignKey(User, models.CASCADE, related_name="sign_ins")
    at = models.DateTimeField(_("登录时间"))
    last_seen = models.DateTimeField(_("最近活动"))
    address = models.GenericIPAddressField(_("地址"), null=True)
    agent = models.CharField(_("浏览器"), max_length=300, blank=True)
    ended_at = models.DateTimeField(_("结束时间"), null=True)

    objects = SignInQuerySet.as_manager()

    class Meta:
        verbose_name = _("登录")
        verbose_name_plural = _("登录")
        ordering = ["-last_seen"]

    def __str__(self) -> str:
        return f"{self.user} {self.at:%Y-%m-%d %H:%M}"


class SecondFactor(models.Model):
    """The secret that a person's phone shares with the platform to show a new code every 30 s.

    `counter` is the step of the newest code that was taken: no code is taken twice.
    """

    user = models.OneToOneField(User, models.CASCADE, related_name="second_factor")
    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    secret = SealedField(max_length=64, editable=False)
    counter = models.BigIntegerField(default=0, editable=False)
    confirmed_at = models.DateTimeField(_("启用时间"), null=True)

    class Meta:
        verbose_name = _("动态码")
        verbose_name_plural = _("动态码")

    def __str__(self) -> str:
        return str(self.user)


class BackupCode(models.Model):
    """A code for the day on which the phone is lost; each serves once. Kept as a digest only."""

    user = models.ForeignKey(User, models.CASCADE, related_name="backup_codes")
    digest = models.CharField(max_length=64, editable=False)
    used_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("备用码")
        verbose_name_plural = _("备用码")
        constraints = [
            models.UniqueConstraint(fields=["user", "digest"], name="backup_code_once_per_user")
        ]

    def __str__(self) -> str:
        return str(self.user)

    @staticmethod
    def digest_of(user: User, code: str) -> str:
        """SHA-256 of a random code of 50 bits, salted by the account."""
        plain = code.replace("-", "").replace(" ", "").lower()
        return hashlib.sha256(f"{user.pk}:{plain}".encode()).hexdigest()
