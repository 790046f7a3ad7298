"""Gateways: what stands between the platform and the units of one line."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from urllib.parse import unquote

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from devices.modbus.registration import digest
from households.models import User


class GatewayQuerySet(models.QuerySet["Gateway"]):
    def visible_to(self, user: User) -> GatewayQuerySet:
        """All for whoever tends the lines; those with a unit of his for a supplier's member; lines
        are no officer's business."""
        if user.tends_lines:
            return self
        if not user.is_active:
            return self.none()
        mine = Gateway.objects.filter(
            units__retired_at=None, units__model__supplier__members__user=user
        )
        return self.filter(pk__in=mine.values("pk"))

    def writable(self) -> GatewayQuerySet:
        """May be written to: the same rule as `Gateway.why_read_only`."""
        return self.filter(Q(trusted=True) & (~Q(kind=Gateway.Kind.DIAL) | ~Q(proven_by="")))

    def secrets(self) -> Mapping[str, str]:
        """The transmitter's id by the hash of its private registration text, of all that have
        one."""
        rows = self.filter(kind=Gateway.Kind.DIAL).exclude(secret_hash="")
        return {row.secret_hash: row.transmitter for row in rows}


class Gateway(models.Model):
    """A transmitter that dials in, a worker's serial port or a converter on the network.

    `url` is how the line is reached (`dial://ID`, `serial:///dev/ttyUSB0?baud=9600&parity=N`,
    `tcp://host:port`, `mbap://host:port`; `dial://ID?framing=mbap` where the transmitter converts
    to Modbus TCP itself); `line_worker` names the one process that owns it.

    A transmitter's id is sent in the clear and proves nothing, so writing needs two things:
    `trusted`, an identity confirmed on site, and a proof with which it last registered, as the
    line worker saw it: `proven_by`.
    """

    class Kind(models.TextChoices):
        DIAL = "dial", _("无线数据传输装置")
        SERIAL = "serial", _("串口")
        TCP = "tcp", _("网络串口服务器")
        MBAP = "mbap", _("Modbus TCP 网关")

    class Proof(models.TextChoices):
        PRIVATE_NETWORK = "private_network", _("运营商专网")
        PRIVATE_TEXT = "private_text", _("专用注册码")

    url = models.CharField(_("地址"), max_length=300, unique=True)
    kind = models.CharField(_("接入方式"), max_length=6, choices=Kind)
    name = models.CharField(_("名称"), max_length=60, blank=True)
    line_worker = models.CharField(_("采集进程"), max_length=40, default="main")
    trusted = models.BooleanField(
        _("可信"), default=False, help_text=_("身份已确认，允许远程设定；否则只读")
    )
    secret_hash = models.CharField(max_length=64, blank=True, editable=False)
    proven_by = models.CharField(
        _("注册方式"), max_length=16, choices=Proof, blank=True, editable=False
    )
    interval_s = models.PositiveIntegerField(_("采集间隔（秒）"), null=True, blank=True)
    monthly_budget_mb = models.PositiveIntegerField(_("每月流量（MB）"), null=True, blank=True)
    enabled = models.BooleanField(_("启用"), default=True)

    objects = GatewayQuerySet.as_manager()

    class Meta:
        verbose_name = _("通信链路")
        verbose_name_plural = _("通信链路")
        ordering = ["kind", "url"]
        constraints = [
            models.CheckConstraint(
                name="gateway_url_of_its_kind",
                condition=Q(kind="dial", url__startswith="dial://")
                | Q(kind="serial", url__startswith="serial://")
                | Q(kind="tcp", url__startswith="tcp://")
                | Q(kind="mbap", url__startswith="mbap://"),
            ),
            models.CheckConstraint(
                name="gateway_interval_positive",
                condition=Q(interval_s=None) | Q(interval_s__gte=1),
            ),
            models.UniqueConstraint(
                name="gateway_secret_once",
                fields=["secret_hash"],
                condition=~Q(secret_hash=""),
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.url

    @property
    def transmitter(self) -> str:
        """无线传输设备地址编号 of a transmitter that dials in, else empty."""
        if self.kind != self.Kind.DIAL:
            return ""
        return unquote(self.url.removeprefix("dial://").partition("?")[0])

    @property
    def why_read_only(self) -> str:
        """What is missing before this line may be written to, in words; empty where nothing is."""
        if not self.trusted:
            return _now("通信链路尚未确认身份，只能读数；请平台服务单位确认后再远程设定")
        if self.kind == self.Kind.DIAL and not self.proven_by:
            return _now(
                "无线数据传输装置既不是经运营商专网拨入，也没有用专用注册码注册，只能读数："
                "装置的编号是明文，不能证明它是谁"
            )
        return ""

    def new_secret(self) -> str:
        """A new private registration text (96 bits) for the transmitter, shown this once and kept
        as a hash; the one before opens nothing any more.

        Raises ValueError for a gateway that does not dial in.
        """
        if self.kind != self.Kind.DIAL:
            raise ValueError(f"{self.url} does not dial in")
        secret = secrets.token_hex(12)
        self.secret_hash, self.proven_by = digest(secret), ""
        self.save(update_fields=["secret_hash", "proven_by"])
        return secret
