"""Device models and their register maps."""

from __future__ import annotations

import hashlib
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from devices.modbus import pointmap
from households import clock
from households.models import User

from .suppliers import Supplier


class DeviceKind(models.TextChoices):
    ASHP_WATER = "ashp_water", _("空气源热泵热水机组")
    ASHP_AIR = "ashp_air", _("空气源热泵热风机")
    GAS_BOILER = "gas_boiler", _("燃气壁挂炉")
    STORAGE_HEATER = "storage_heater", _("蓄热式电暖器")
    HEAT_INTERFACE_UNIT = "heat_interface_unit", _("入户换热单元")
    OTHER = "other", _("其他")


class Medium(models.TextChoices):
    WATER = "water", _("水")
    AIR = "air", _("风")


class DeviceModelQuerySet(models.QuerySet["DeviceModel"]):
    def readable(self) -> DeviceModelQuerySet:
        """Models whose data the platform can read: they have a register map."""
        return self.filter(Exists(RegisterMap.objects.filter(model=OuterRef("pk"))))

    def admitted(self, on: date | None = None) -> DeviceModelQuerySet:
        """Models that may be awarded and installed on that day, today where none is told: with a
        register map, a confirmation and the gating papers in force. `devices.docking.admission`
        says what the others lack."""
        from .docking import Confirmation  # these tables stand upon this one
        from .maker_papers import GATING, MakerPaper

        of_model = {"model": OuterRef("pk")}
        rows = self.readable().filter(
            Exists(Confirmation.objects.valid_on(on or clock.today()).filter(**of_model))
        )
        for kind in GATING:
            papers = MakerPaper.objects.valid_on(on or clock.today())
            rows = rows.filter(Exists(papers.filter(kind=kind, **of_model)))
        return rows


class DeviceModel(models.Model):
    supplier = models.ForeignKey(Supplier, models.PROTECT, related_name="device_models")
    name = models.CharField(_("设备名称"), max_length=60)
    code = models.CharField(_("设备型号"), max_length=40)
    kind = models.CharField(_("种类"), max_length=20, choices=DeviceKind)
    medium = models.CharField(_("介质"), max_length=5, choices=Medium)
    capacity_kw = models.DecimalField(
        _("设计温度下制热量（kW）"), max_digits=6, decimal_places=2, null=True, blank=True
    )
    design_temp = models.DecimalField(
        _("设计温度（°C）"), max_digits=4, decimal_places=1, null=True, blank=True
    )
    lowest_temp = models.DecimalField(
        _("最低工作温度（°C）"), max_digits=4, decimal_places=1, null=True, blank=True
    )
    voltage = models.PositiveSmallIntegerField(_("电源电压（V）"), null=True, blank=True)
    frequency = models.PositiveSmallIntegerField(_("电源频率（Hz）"), null=True, blank=True)
    energy_grade = models.PositiveSmallIntegerField(_("能效等级"), null=True, blank=True)
    material = models.CharField(_("主管道及主换热器材质"), max_length=60, blank=True)
    standards = models.CharField(_("执行标准"), max_length=200, blank=True)

    objects = DeviceModelQuerySet.as_manager()

    class Meta:
        verbose_name = _("设备型号")
        verbose_name_plural = _("设备型号")
        ordering = ["supplier", "code"]
        constraints = [
            models.UniqueConstraint(
                fields=["supplier", "code"], name="model_code_once_per_supplier"
            ),
            models.CheckConstraint(
                name="model_kind_known", condition=Q(kind__in=DeviceKind.values)
            ),
            models.CheckConstraint(
                name="model_medium_known", condition=Q(medium__in=Medium.values)
            ),
            models.CheckConstraint(
                name="model_energy_grade_range",
                condition=Q(energy_grade=None) | Q(energy_grade__range=(1, 5)),
            ),
            # Notice, 2.1: a wall-hung gas boiler is of grade 2 or better.
            models.CheckConstraint(
                name="model_gas_boiler_of_grade_2",
                condition=~Q(kind="gas_boiler") | Q(energy_grade=None) | Q(energy_grade__lte=2),
            ),
        ]

    def __str__(self) -> str:
        return self.code

    def map_on(self, day: date) -> RegisterMap:
        """The register map of a unit that is put in on that day: the version that was tested here
        (the city's paper names none), and the newest where no paper in force tells of a test."""
        from .docking import Confirmation

        of_model = Confirmation.objects.filter(model=self, register_map__isnull=False)
        tested = of_model.in_force_on(day)
        confirmation = tested.select_related("register_map").first()
        if confirmation and confirmation.register_map:
            return confirmation.register_map
        return self.register_maps.order_by("-version")[0]


class KnownRegister(NamedTuple):
    """One register whose content the maker knows: area, address on the wire, word."""

    known_area: str
    known_address: int
    known_word: int


class RegisterMapQuerySet(models.QuerySet["RegisterMap"]):
    def visible_to(self, user: User) -> RegisterMapQuerySet:
        """Those of the makers that the user may see."""
        return self.filter(model__supplier__in=Supplier.objects.visible_to(user))

    def add(
        self,
        model: DeviceModel,
        data: bytes,
        filename: str,
        *,
        submitted_by: User | None = None,
        known: KnownRegister | None = None,
    ) -> RegisterMap:
        """Check a supplier's file and keep it as the model's next version.

        Raises pointmap.MapRefused with every mistake; nothing is stored then. A file that means
        the same as the newest version adds none, and `known` is not kept.
        """
        content = pointmap.load(data, filename).to_csv()
        digest = hashlib.sha256(content.encode()).hexdigest()
        newest = self.filter(model=model).order_by("-version").first()
        if newest and newest.digest == digest:
            return newest
        version = newest.version + 1 if newest else 1
        return self.create(
            model=model,
            version=version,
            content=content,
            digest=digest,
            submitted_by=submitted_by,
            **(known._asdict() if known else {}),
        )


class RegisterMap(models.Model):
    """One version of a model's register map (点表). Once a unit uses it, a trigger of the
    database lets nobody change or delete it: stored values keep their meaning."""

    model = models.ForeignKey(DeviceModel, models.PROTECT, related_name="register_maps")
    version = models.PositiveIntegerField(_("版本"))
    content = models.TextField(_("内容"))
    digest = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)
    used_since = models.DateTimeField(null=True, editable=False)
    # A KnownRegister: off by one is the commonest mistake of a map.
    known_area = models.CharField(max_length=8, blank=True)
    known_address = models.PositiveIntegerField(null=True, blank=True)  # as on the wire
    known_word = models.PositiveIntegerField(null=True, blank=True)
    submitted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )

    objects = RegisterMapQuerySet.as_manager()

    class Meta:
        verbose_name = _("点表")
        verbose_name_plural = _("点表")
        ordering = ["model", "-version"]
        constraints = [
            models.UniqueConstraint(fields=["model", "version"], name="map_version_once_per_model"),
            models.CheckConstraint(
                name="map_known_register_is_whole",
                condition=Q(known_area="", known_address=None, known_word=None)
                | (
                    ~Q(known_area="")
                    & Q(known_address__isnull=False, known_word__isnull=False)
                    & Q(known_address__range=(0, 0xFFFF), known_word__range=(0, 0xFFFF))
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.model} · {self.version}"

    def parsed(self) -> pointmap.PointMap:
        """The map ready to plan reads, decode and encode."""
        return _parsed(self.content)

    def mark_used(self) -> None:
        """From now on this version is fixed."""
        RegisterMap.objects.filter(pk=self.pk, used_since=None).update(used_since=clock.now())


class MapDraft(models.Model):
    """A model's register map while it is being written: any text, mistakes and all.

    `content` is CSV as the editor shows it; it becomes a RegisterMap once it has no mistake.
    `edits` counts savings, so that two people do not write over each other.
    """

    model = models.OneToOneField(DeviceModel, models.CASCADE, related_name="map_draft")
    content = models.TextField(_("内容"))
    based_on = models.ForeignKey(
        RegisterMap, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    edits = models.PositiveIntegerField(default=0)
    saved_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    saved_at = models.DateTimeField(_("暂存时间"))

    class Meta:
        verbose_name = _("点表草稿")
        verbose_name_plural = _("点表草稿")

    def __str__(self) -> str:
        return f"{self.model} · {_('草稿')}"


@lru_cache(maxsize=256)
def _parsed(content: str) -> pointmap.PointMap:
    """A stored map is parsed once a process: it never changes once it is used."""
    return pointmap.load(content.encode(), "map.csv")
