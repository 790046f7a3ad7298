"""Papers that a maker brings: of the company, and of each model what Annex 2 items 7 to 9 and 16
of the notice ask for."""

from __future__ import annotations

from datetime import date

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from households import clock
from households.models import User
from households.uid import uuid7

from .products import DeviceModel
from .suppliers import Supplier


class MakerPaperKind(models.TextChoices):
    LICENCE = "licence", _("营业执照")
    CERTIFICATE = "certificate", _("强制性认证证书")
    INSURANCE = "insurance", _("产品保险单")
    MANUAL = "manual", _("使用说明书")
    PARAMETERS = "parameters", _("技术参数")
    PERFORMANCE = "performance", _("性能检测报告")
    COMMITMENT = "commitment", _("室温不低于 16 °C 书面承诺")
    OTHER = "other", _("其他材料")


# Without these on the day nothing is admitted (Annex 2 items 7 and 8).
GATING = (MakerPaperKind.CERTIFICATE, MakerPaperKind.INSURANCE)
DATED = (*GATING, MakerPaperKind.LICENCE)  # say until when they hold


class MakerPaperQuerySet(models.QuerySet["MakerPaper"]):
    def visible_to(self, user: User) -> MakerPaperQuerySet:
        """Those of the makers that the user may see."""
        return self.filter(supplier__in=Supplier.objects.visible_to(user))

    def standing(self) -> MakerPaperQuerySet:
        return self.filter(withdrawn_at=None)

    def valid_on(self, day: date) -> MakerPaperQuerySet:
        """In force on that day. One that was withdrawn only later still covers the days on which
        it stood here: what was put in then stays lawful."""
        over = clock.end_of(day)
        return self.filter(
            Q(withdrawn_at=None) | Q(added_at__lt=over, withdrawn_at__gte=over),
            Q(valid_from=None) | Q(valid_from__lte=day),
            Q(valid_until=None) | Q(valid_until__gte=day),
        )


class MakerPaper(models.Model):
    """One paper of a company, or of one of its models. The content lies in the vault; a row is
    never deleted: what was wrong is withdrawn and says why."""

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    supplier = models.ForeignKey(Supplier, models.PROTECT, related_name="papers")
    model = models.ForeignKey(
        DeviceModel, models.PROTECT, null=True, blank=True, related_name="papers"
    )
    kind = models.CharField(_("材料"), max_length=12, choices=MakerPaperKind)
    number = models.CharField(_("证书（保单）编号"), max_length=60, blank=True)
    issuer = models.CharField(_("出具单位"), max_length=60, blank=True)
    valid_from = models.DateField(_("生效日期"), null=True, blank=True)
    valid_until = models.DateField(_("有效期至"), null=True, blank=True)
    title = models.CharField(_("说明"), max_length=80, blank=True)
    pages = models.PositiveSmallIntegerField(_("页数"), default=1)
    content_type = models.CharField(max_length=40)
    size = models.PositiveIntegerField(_("字节"))
    digest = models.CharField(max_length=64)  # SHA-256 of the file as it came
    file = models.CharField(max_length=120)
    thumbnail = models.CharField(max_length=120, blank=True)
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    added_at = models.DateTimeField(_("录入时间"))
    announced_days = models.PositiveSmallIntegerField(null=True, editable=False)  # before expiry
    withdrawn_at = models.DateTimeField(_("撤下时间"), null=True, blank=True)
    withdrawn_why = models.CharField(_("撤下原因"), max_length=80, blank=True)

    objects = MakerPaperQuerySet.as_manager()

    class Meta:
        verbose_name = _("厂商材料")
        verbose_name_plural = _("厂商材料")
        ordering = ["kind", "-valid_until", "-pk"]
        constraints = [
            models.CheckConstraint(
                name="maker_paper_kind_known", condition=Q(kind__in=MakerPaperKind.values)
            ),
            models.CheckConstraint(
                name="maker_paper_of_company_or_model",
                condition=Q(kind="other")
                | Q(kind="licence", model=None)
                | (~Q(kind="licence") & Q(model__isnull=False)),
            ),
            models.CheckConstraint(
                name="maker_paper_ends_after_it_begins",
                condition=Q(valid_from=None)
                | Q(valid_until=None)
                | Q(valid_until__gte=F("valid_from")),
            ),
            models.CheckConstraint(
                name="maker_paper_gating_is_dated",
                condition=~Q(kind__in=("certificate", "insurance")) | Q(valid_until__isnull=False),
            ),
            models.CheckConstraint(
                name="maker_paper_withdrawn_with_reason",
                condition=Q(withdrawn_at=None, withdrawn_why="")
                | (Q(withdrawn_at__isnull=False) & ~Q(withdrawn_why="")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.number}".strip()
