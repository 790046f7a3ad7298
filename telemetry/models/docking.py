"""Docking tests: one run of the test bench on a sample, and its steps."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from devices.models import DockingApplication, Unit
from households.models import User

DAY_S = 86_400
SHORTEST_SOAK_S, LONGEST_SOAK_S = 10, 7 * DAY_S
SOAK_SHARE = 0.98


class DockingTestQuerySet(models.QuerySet["DockingTest"]):
    def visible_to(self, user: User) -> DockingTestQuerySet:
        return self.filter(application__in=DockingApplication.objects.visible_to(user))


class DockingTest(models.Model):
    """One run of the bench on an application's sample; a retest of the whole is another run.

    `soak_s` is the length of the soak, `soak_share` the share of polls that must succeed; both are
    printed on the paper. Once the run is judged `report` is what it found, as canonical JSON, and
    `digest` its SHA-256.
    """

    application = models.ForeignKey(DockingApplication, models.PROTECT, related_name="tests")
    sample = models.ForeignKey(Unit, models.PROTECT, related_name="docking_tests")
    soak_s = models.PositiveIntegerField(
        _("连续运行时长（秒）"),
        default=DAY_S,
        validators=[MinValueValidator(SHORTEST_SOAK_S), MaxValueValidator(LONGEST_SOAK_S)],
    )
    soak_share = models.FloatField(_("合格线"), default=SOAK_SHARE)
    started_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    started_at = models.DateTimeField(_("开始时间"))
    judged_at = models.DateTimeField(_("判定时间"), null=True, blank=True)
    passed = models.BooleanField(_("通过"), null=True)
    report = models.TextField(blank=True)
    digest = models.CharField(max_length=64, blank=True)

    objects = DockingTestQuerySet.as_manager()

    class Meta:
        verbose_name = _("数据对接测试")
        verbose_name_plural = _("数据对接测试")
        ordering = ["-started_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["application"],
                condition=Q(judged_at=None),
                name="docking_test_one_open_per_application",
            ),
            models.CheckConstraint(
                name="docking_test_soak_range",
                condition=Q(soak_s__range=(SHORTEST_SOAK_S, LONGEST_SOAK_S)),
            ),
            models.CheckConstraint(
                name="docking_test_share_range", condition=Q(soak_share__range=(0.5, 1.0))
            ),
            models.CheckConstraint(
                name="docking_test_judged_whole",
                condition=Q(judged_at=None, passed=None, digest="", report="")
                | (
                    Q(judged_at__isnull=False, passed__isnull=False) & ~Q(digest="") & ~Q(report="")
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.application} · {self.started_at:%Y-%m-%d}"


class DockingStepState(models.TextChoices):
    OPEN = "open", _("未开始")
    QUEUED = "queued", _("排队中")
    RUNNING = "running", _("进行中")
    PASSED = "passed", _("通过")
    FAILED = "failed", _("未通过")
    UNPROVEN = "unproven", _("未验证")  # could not be shown, and why; a condition of the paper
    NOT_APPLICABLE = "not_applicable", _("不适用")


class DockingStep(models.Model):
    """One step of a run: the row is the queue, and the evidence.

    `key` is that of devices.modbus.bench. A line worker that runs it wrote its `start_id`; one that
    died leaves it running, and the next one runs it anew. `progress` says how it goes, or why it
    waits for a person: a sentence as devices.modbus.bench.results packs it, or empty. `result` is
    the step's verdict, figures and sentences (see telemetry.docking), `frames` what went over the
    line: [[direction, Unix seconds, hex], ...], `frames_left_out` how many more there were.
    `entered` is what the tester typed at a step by hand, `photos` names of the vault.
    """

    test = models.ForeignKey(DockingTest, models.CASCADE, related_name="steps")
    place = models.PositiveSmallIntegerField()
    key = models.CharField(max_length=24)
    state = models.CharField(
        _("状态"), max_length=14, choices=DockingStepState, default=DockingStepState.OPEN
    )
    start_id = models.UUIDField(null=True, editable=False)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    started_at = models.DateTimeField(_("开始时间"), null=True, blank=True)
    finished_at = models.DateTimeField(_("结束时间"), null=True, blank=True)
    progress = models.JSONField(default=list)
    result = models.JSONField(default=dict)
    frames = models.JSONField(default=list)
    frames_left_out = models.PositiveIntegerField(default=0)
    entered = models.JSONField(default=dict)
    photos = models.JSONField(default=list)
    tries = models.PositiveSmallIntegerField(default=0)

    class Meta:
        verbose_name = _("测试步骤")
        verbose_name_plural = _("测试步骤")
        ordering = ["test", "place"]
        constraints = [
            models.UniqueConstraint(fields=["test", "key"], name="docking_step_once_per_test"),
            models.UniqueConstraint(fields=["test", "place"], name="docking_step_place_once"),
            models.CheckConstraint(
                name="docking_step_state_known", condition=Q(state__in=DockingStepState.values)
            ),
        ]

    def __str__(self) -> str:
        return self.key
