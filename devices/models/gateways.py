"""Gateways: what stands between the platform and the units of one line."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Gateway(models.Model):
    """A transmitter that dials in, a worker's serial port or a converter on the network.

    `url` is how the line is reached (`dial://ID`, `serial:///dev/ttyUSB0?baud=9600&parity=N`,
    `tcp://host:port`, `mbap://host:port`); `line_worker` names the one process that owns it.
    A gateway that is not trusted is read, never written: a transmitter's id is sent in the clear
    and proves nothing.
    """

    class Kind(models.TextChoices):
        DIAL = "dial", _("无线数据传输装置")
        SERIAL = "serial", _("串口")
        TCP = "tcp", _("网络串口服务器")
        MBAP = "mbap", _("Modbus TCP 网关")

    url = models.CharField(_("地址"), max_length=300, unique=True)
    kind = models.CharField(_("接入方式"), max_length=6, choices=Kind)
    name = models.CharField(_("名称"), max_length=60, blank=True)
    line_worker = models.CharField(_("采集进程"), max_length=40, default="main")
    trusted = models.BooleanField(
        _("可信"), default=False, help_text=_("身份已确认，允许远程设定；否则只读")
    )
    interval_s = models.PositiveIntegerField(_("采集间隔（秒）"), null=True, blank=True)
    monthly_budget_mb = models.PositiveIntegerField(_("每月流量（MB）"), null=True, blank=True)
    enabled = models.BooleanField(_("启用"), default=True)

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
        ]

    def __str__(self) -> str:
        return self.name or self.url

    @property
    def transmitter(self) -> str:
        """无线传输设备地址编号 of a transmitter that dials in, else empty."""
        return self.url.removeprefix("dial://") if self.kind == self.Kind.DIAL else ""
