"""The papers and photos of a household's file (一户一档), and the numbers that it had before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Case, Q, Value, When
from django.utils.translation import gettext_lazy as _

from households.uid import uuid7

from .accounts import OF_A_SUPPLIER

if TYPE_CHECKING:
    from .accounts import User


class DocumentKind(models.TextChoices):
    """What a paper is, in the order of the archive (卷内目录)."""

    SURVEY_FORM = "survey_form", _("摸底登记表")
    HOUSE_PHOTO = "house_photo", _("住户照片")
    NOTICE_PHOTO = "notice_photo", _("公示照片")
    CHANGE_BASIS = "change_basis", _("变更依据")
    AGREEMENT = "agreement", _("供货合同书")
    HEAT_AGREEMENT = "heat_agreement", _("入网（供用热）协议")
    DOCKING = "docking", _("数据对接确认书")
    DRAWING = "drawing", _("图纸")
    INSTALLATION = "installation", _("安装记录及照片")
    COMMISSIONING = "commissioning", _("整机调试记录")
    USER_CONFIRMATION = "user_confirmation", _("用户签字确认")
    CONFORMITY = "conformity", _("安装合格性检验项目")
    ACCEPTANCE = "acceptance", _("竣工验收单")
    STOVE_REMOVAL = "stove_removal", _("拆除照片")
    OTHER = "other", _("其他材料")


OF_THE_UNIT = (
    DocumentKind.AGREEMENT,
    DocumentKind.DOCKING,
    DocumentKind.DRAWING,
    DocumentKind.INSTALLATION,
    DocumentKind.COMMISSIONING,
    DocumentKind.USER_CONFIRMATION,
    DocumentKind.CONFORMITY,
)


class DocumentQuerySet(models.QuerySet["Document"]):
    def visible_to(self, user: User) -> DocumentQuerySet:
        """Papers of the households that the user may see; a supplier's people see of them only
        what concerns the unit."""
        from .households import Household

        rows = self.filter(household__in=Household.objects.visible_to(user))
        return rows.filter(kind__in=OF_THE_UNIT) if user.role in OF_A_SUPPLIER else rows

    def standing(self) -> DocumentQuerySet:
        """Papers that hold: not withdrawn."""
        return self.filter(withdrawn_at=None)

    def in_archive_order(self) -> DocumentQuerySet:
        """By kind as the archive keeps them, within a kind by the paper's date."""
        places = [When(kind=kind, then=Value(n)) for n, kind in enumerate(DocumentKind.values)]
        place = Case(*places, default=Value(len(places)), output_field=models.IntegerField())
        return self.order_by(place, "on", "pk")


class Document(models.Model):
    """One paper or photo. Its content lies sealed in the vault under the names `file` and
    `thumbnail`; a row is never deleted: what was wrong is withdrawn and says why."""

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    household = models.ForeignKey(
        "households.Household", models.PROTECT, related_name="documents", verbose_name=_("改造户")
    )
    kind = models.CharField(_("材料"), max_length=20, choices=DocumentKind)
    title = models.CharField(_("说明"), max_length=80, blank=True)
    on = models.DateField(_("日期"))
    pages = models.PositiveSmallIntegerField(_("页数"), default=1)
    content_type = models.CharField(max_length=40)
    size = models.PositiveIntegerField(_("字节"))
    digest = models.CharField(max_length=64)  # SHA-256 of the file as it came
    file = models.CharField(max_length=120)
    thumbnail = models.CharField(max_length=120, blank=True)
    taken_at = models.DateTimeField(_("拍摄时间"), null=True, blank=True)
    latitude = models.FloatField(_("纬度"), null=True, blank=True)
    longitude = models.FloatField(_("经度"), null=True, blank=True)
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    added_at = models.DateTimeField(_("录入时间"))
    withdrawn_at = models.DateTimeField(_("撤下时间"), null=True, blank=True)
    withdrawn_why = models.CharField(_("撤下原因"), max_length=80, blank=True)

    objects = DocumentQuerySet.as_manager()

    class Meta:
        verbose_name = _("材料")
        verbose_name_plural = _("材料")
        constraints = [
            models.CheckConstraint(
                name="document_kind_known", condition=Q(kind__in=DocumentKind.values)
            ),
            models.CheckConstraint(
                name="document_withdrawn_with_reason",
                condition=Q(withdrawn_at=None, withdrawn_why="")
                | (Q(withdrawn_at__isnull=False) & ~Q(withdrawn_why="")),
            ),
            models.UniqueConstraint(
                fields=["household", "digest"],
                condition=Q(withdrawn_at=None),
                name="document_once_per_household",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.on}"

    @property
    def is_photo(self) -> bool:
        return self.content_type.startswith("image/")


class FormerNumber(models.Model):
    """A 户编号 that a household had before it was merged into the one that stands: papers and
    offline entries that still carry the number or the uid find the household through it."""

    number = models.CharField(_("户编号"), max_length=12, unique=True)
    uid = models.UUIDField(unique=True)
    household = models.ForeignKey(
        "households.Household", models.CASCADE, related_name="former_numbers"
    )
    merged_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    merged_at = models.DateTimeField(_("合并时间"))
    why = models.CharField(_("原因"), max_length=80)

    class Meta:
        verbose_name = _("原户编号")
        verbose_name_plural = _("原户编号")

    def __str__(self) -> str:
        return self.number
