"""Makers' own lists of registers, as they came, and how their columns were taken."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from .products import DeviceModel


class MapUpload(models.Model):
    """A list that is no register map yet: its rows as CSV, and the mapping chosen for it.

    `mapping` is what `devices.maps.mapping.Mapping.as_json` gives, None until it was confirmed. It
    stays with the upload, so that the next list with the same heads is taken the same way.
    """

    model = models.ForeignKey(DeviceModel, models.CASCADE, related_name="map_uploads")
    filename = models.CharField(_("文件"), max_length=100)
    content = models.TextField(_("内容"))
    mapping = models.JSONField(_("列对应"), null=True, blank=True)
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    uploaded_at = models.DateTimeField(_("上传时间"))

    class Meta:
        verbose_name = _("厂家寄存器表")
        verbose_name_plural = _("厂家寄存器表")
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.model} · {self.filename}"
