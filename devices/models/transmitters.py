"""Transmitters and their cards: what stands behind a dial-in gateway, and since when."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from .gateways import Gateway


class Transmitter(models.Model):
    """What dials in for a gateway from `since` on, until the next row of the same gateway.

    `identity` is the id with which it registers; ICCID and `number` are the card's. Rows are made
    by `devices.transmitters` and never changed: units, readings and commands stay with the gateway
    whatever stands behind it.
    """

    gateway = models.ForeignKey(Gateway, models.CASCADE, related_name="transmitters")
    since = models.DateTimeField(_("自"))
    identity = models.CharField(_("无线传输设备地址编号"), max_length=80)
    imei = models.CharField("IMEI", max_length=15, blank=True)
    iccid = models.CharField("ICCID", max_length=20, blank=True)
    number = models.CharField(_("流量卡号码"), max_length=20, blank=True)
    why = models.CharField(_("原因"), max_length=200, blank=True)
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    recorded_at = models.DateTimeField(_("登记时间"))

    class Meta:
        verbose_name = _("无线数据传输装置")
        verbose_name_plural = _("无线数据传输装置")
        ordering = ["-since", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["gateway", "since"], name="transmitter_once_at_a_time"),
            models.CheckConstraint(
                name="transmitter_imei_digits", condition=Q(imei="") | Q(imei__regex=r"^\d{15}$")
            ),
            models.CheckConstraint(
                name="transmitter_iccid_digits",
                condition=Q(iccid="") | Q(iccid__regex=r"^[0-9A-F]{19,20}$"),
            ),
            models.CheckConstraint(
                name="transmitter_number_digits",
                condition=Q(number="") | Q(number__regex=r"^\d{5,20}$"),
            ),
        ]

    def __str__(self) -> str:
        return self.identity
