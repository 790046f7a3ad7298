"""Runs of the test bench: begun, their steps queued, and in the end judged."""

from __future__ import annotations

from collections.abc import Collection

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from devices.docking import applications
from devices.modbus import bench
from devices.modbus.bench import Kind, Result
from devices.modbus.bench.soak import span
from devices.models import DockingApplication, DockingState, Unit
from households import clock
from households.models import User
from telemetry import points
from telemetry.docking import queue, report
from telemetry.docking.words import spoken
from telemetry.models import DockingStep, DockingStepState, DockingTest
from telemetry.models.docking import DAY_S, SOAK_SHARE

S = DockingStepState
UNDER_WAY = (S.QUEUED, S.RUNNING)
BY_HAND = frozenset(step.key for step in bench.STEPS if step.kind == Kind.HAND)


class RunRefused(Exception):
    """It is not done; `sentence` says why and what to do."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


@transaction.atomic
def start(
    application: DockingApplication,
    by: User,
    *,
    soak_s: int = DAY_S,
    soak_share: float = SOAK_SHARE,
) -> DockingTest:
    """Begin a run with all its steps, none of them queued yet. Raises RunRefused."""
    _refuse_others(by)
    application = DockingApplication.objects.select_for_update(of=("self",)).get(pk=application.pk)
    if application.state not in applications.AT_BENCH:
        raise RunRefused(
            _("申请现在是“%(state)s”：收到样品后才能测试")
            % {"state": application.get_state_display()}
        )
    if application.sample is None or application.sample.retired_at:
        raise RunRefused(_("样机还没有接入：请先填写传输装置编号和地址"))
    if Unit.objects.installed().filter(gateway=application.sample.gateway_id).exists():
        raise RunRefused(_("这条通信链路上已有住户的机组：样机请另接装置或线路再测试"))
    if application.tests.filter(judged_at=None).exists():
        raise RunRefused(_("上一次测试还没有判定"))
    _speak_by_its_map(application)
    if application.state != DockingState.TESTING:
        applications.take(application, DockingState.TESTING, by=by)
    test = DockingTest.objects.create(
        application=application,
        sample=application.sample,
        soak_s=soak_s,
        soak_share=soak_share,
        started_by=by,
        started_at=clock.now(),
    )
    DockingStep.objects.bulk_create(
        DockingStep(test=test, place=place, key=step.key)
        for place, step in enumerate(bench.STEPS, start=1)
    )
    return test


def _speak_by_its_map(application: DockingApplication) -> None:
    """The samples are asked by the map that is tested, whichever they were connected with."""
    application.register_map.mark_used()
    units = [one.pk for one in (application.sample, application.second_sample) if one]
    Unit.objects.filter(pk__in=units).update(
        model=application.model_id, register_map=application.register_map_id
    )


def _refuse_others(by: User) -> None:
    if not by.tests_docking:
        raise RunRefused(_("只有平台服务单位可以测试样机"))


def _refuse_judged(test: DockingTest) -> None:
    """Until the transaction ends nobody judges it either."""
    rows = DockingTest.objects.select_for_update(of=("self",))
    if rows.filter(pk=test.pk, judged_at=None).first() is None:
        raise RunRefused(_("这次测试已经判定：重测请重新开始一次测试"))


def queue_all(test: DockingTest, by: User) -> int:
    """Queue every step that the platform runs by itself and that has no verdict; gives how many.

    Raises RunRefused.
    """
    return _queue(test, by, test.steps.filter(state=S.OPEN))


def queue_step(step: DockingStep, by: User) -> None:
    """Queue one step, for the first time or again. Raises RunRefused."""
    if step.key in BY_HAND:
        raise RunRefused(_("这一步由人在样机旁进行"))
    if not _queue(step.test, by, DockingStep.objects.filter(pk=step.pk)):
        raise RunRefused(_("这一步已在排队或进行"))


@transaction.atomic
def _queue(test: DockingTest, by: User, steps: QuerySet[DockingStep]) -> int:
    _refuse_others(by)
    _refuse_judged(test)
    return queue.put(steps.exclude(key__in=BY_HAND).exclude(state__in=UNDER_WAY), by)


def stop(step: DockingStep, by: User) -> None:
    """Take a step out of the queue or off the line; what it changed is put back. Raises
    RunRefused."""
    _refuse_others(by)
    if not queue.stop(step.pk):
        raise RunRefused(_("这一步不在排队，也不在进行"))


@transaction.atomic
def finish_by_hand(
    step: DockingStep, by: User, result: Result, entered: dict[str, object], photos: list[str]
) -> None:
    """Keep the verdict of a step that a person made. Raises RunRefused."""
    _refuse_others(by)
    held = DockingStep.objects.select_for_update(of=("self",)).select_related("test")
    step = held.get(pk=step.pk)
    _refuse_judged(step.test)
    if step.key not in BY_HAND:
        raise RunRefused(_("这一步由平台自动进行"))
    queue.conclude(step, result)
    step.entered, step.photos, step.asked_by = entered, photos, by
    step.tries += 1
    step.save()


# The end ---------------------------------------------------------------------------------------


def open_steps(test: DockingTest) -> Collection[DockingStep]:
    """What keeps a run from being judged: steps under way, and, unless one failed, open ones."""
    steps = list(test.steps.all())
    has_failed = any(step.state == S.FAILED for step in steps)
    waits = UNDER_WAY if has_failed else (S.OPEN, *UNDER_WAY)
    return [step for step in steps if step.state in waits]


@transaction.atomic
def judge(test: DockingTest, by: User) -> DockingTest:
    """Say whether the sample passed, seal the report, and bring the application on.

    One failed step is enough to fail; then open ones need not be made. Raises RunRefused.
    """
    _refuse_others(by)
    test = DockingTest.objects.select_for_update(of=("self",)).get(pk=test.pk)
    _refuse_judged(test)
    if left := open_steps(test):
        titles = _("、").join(title(step) for step in left)
        raise RunRefused(_("还有步骤没有做完：%(titles)s") % {"titles": titles})
    test.judged_at = clock.now()
    test.passed = not test.steps.filter(state=S.FAILED).exists()
    report.seal(test, by)
    test.save(update_fields=["judged_at", "passed", "report", "digest"])
    application = test.application
    application.test_digest, application.tested_by = test.digest, by
    state = DockingState.PASSED if test.passed else DockingState.FAILED
    try:
        applications.take(application, state, by=by)
    except applications.DockingRefused as refusal:
        raise RunRefused(refusal.sentence) from None
    return test


def break_off(application: DockingApplication, by: User) -> None:
    """Close the open run of an application that is given back in the midst of its test: it has not
    passed, and the report says how far it came. Raises DockingRefused while a step is under way."""
    tests = DockingTest.objects.select_for_update(of=("self",))
    test = tests.filter(application=application, judged_at=None).first()
    if test is None:
        return
    if under_way := list(test.steps.filter(state__in=UNDER_WAY)):
        titles = _("、").join(title(step) for step in under_way)
        raise applications.DockingRefused(
            _("还有步骤在排队或进行：%(titles)s。请先停止") % {"titles": titles}
        )
    test.judged_at, test.passed = clock.now(), False
    report.seal(test, by)
    test.save(update_fields=["judged_at", "passed", "report", "digest"])


def testers_of(application: DockingApplication) -> set[int]:
    """The keys of all who had a hand in the newest run, judged or not: begun it, or made a step."""
    newest = application.tests.first()
    if newest is None:
        return set()
    made = newest.steps.exclude(asked_by=None).values_list("asked_by", flat=True)
    return {newest.started_by_id, *made}


def conditions(test: DockingTest) -> list[str]:
    """What the test left unproven, a sentence each: conditions of the confirmation."""
    steps = [
        _("“%(step)s”未验证：%(why)s")
        % {"step": title(step), "why": spoken(Result.from_json(step.result).finding)}
        for step in test.steps.filter(state=S.UNPROVEN)
    ]
    return [*steps, *_unproven_orders(test)]


def _unproven_orders(test: DockingTest) -> list[str]:
    """Counters of two registers that were never seen beyond one."""
    readings = test.steps.filter(key="readings").first()
    figures = readings.result.get("figures", {}) if readings else {}
    medium = test.sample.model.medium
    return [
        _("%(counter)s从未超过 65,535，字序未验证") % {"counter": points.label(signal, medium)}
        for signal in figures.get("order_unproven", [])
    ]


def conditions_of(application: DockingApplication) -> list[str]:
    """Those of the newest judged run, for the letter."""
    newest = _newest_judged(application)
    return conditions(newest) if newest else []


def figures_of(application: DockingApplication) -> list[tuple[str, str]]:
    """How long the newest judged run let the sample run, and the share that it asked for."""
    newest = _newest_judged(application)
    if newest is None:
        return []
    length = spoken(span(newest.soak_s))
    return [
        (_("连续运行时长"), length),
        (_("合格线"), f"{100 * newest.soak_share:g} %"),
    ]


def _newest_judged(application: DockingApplication) -> DockingTest | None:
    rows = DockingTest.objects.filter(application=application, judged_at__isnull=False)
    return rows.order_by("-judged_at").first()


def title(step: DockingStep) -> str:
    """The step's name in the reader's language."""
    return spoken(bench.step(step.key).title)
