"""Who looked up a phone number, and the codes behind the QR of the cards."""

from __future__ import annotations

import secrets

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from households import clock

from .accounts import User
from .households import Household


class RevealHow(models.TextChoices):
    SHOW = "show", _("显示")
    DIAL = "dial", _("拨打")
    EXPORT = "export", _("导出")


class PhoneReveal(models.Model):
    """That a person was told a household's whole phone number.

    The household's number stands beside it, because the entry outlives the household.
    """

    user = models.ForeignKey(User, models.PROTECT, related_name="reveals", verbose_name=_("查看人"))
    household = models.ForeignKey(
        Household, models.SET_NULL, null=True, related_name="reveals", verbose_name=_("改造户")
    )
    number = models.CharField(_("户编号"), max_length=12)
    at = models.DateTimeField(_("时间"), default=clock.now)
    how = models.CharField(_("方式"), max_length=6, choices=RevealHow)
    reason = models.CharField(_("原因"), max_length=200, blank=True)
    address = models.GenericIPAddressField(_("网络地址"), null=True)

    class Meta:
        verbose_name = _("电话查看记录")
        verbose_name_plural = _("电话查看记录")
        indexes = [
            models.Index(fields=["user", "-at"], name="reveal_by_user"),
            models.Index(fields=["-at"], name="reveal_at"),
        ]
        constraints = [
            models.CheckConstraint(name="reveal_how_known", condition=Q(how__in=RevealHow.values)),
            models.CheckConstraint(
                name="reveal_in_export_has_reason",
                condition=~Q(how=RevealHow.EXPORT) | ~Q(reason=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.get_how_display()}"


def card_code() -> str:
    """192 random bits, as they stand in the address of a card."""
    return secrets.token_urlsafe(24)


class CardCode(models.Model):
    """The secret in the QR of a household's card; a revoked one opens nothing any more."""

    household = models.ForeignKey(
        Household, models.CASCADE, related_name="card_codes", verbose_name=_("改造户")
    )
    code = models.CharField(max_length=40, unique=True, default=card_code, editable=False)
    made_at = models.DateTimeField(default=clock.now)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("档案卡二维码")
        verbose_name_plural = _("档案卡二维码")
        constraints = [
            models.UniqueConstraint(
                fields=["household"],
                condition=Q(revoked_at=None),
                name="card_code_once_while_valid",
            )
        ]

    def __str__(self) -> str:
        return f"{self.household} {self.made_at:%Y-%m-%d}"
