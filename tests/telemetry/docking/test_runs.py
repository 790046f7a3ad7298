"""Runs of the bench: begun, queued, judged, and what their report says."""

from __future__ import annotations

import json
import shutil
import subprocess
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from devices.docking import applications, confirmations
from devices.modbus.bench import Result
from devices.modbus.words import Sentence
from devices.models import DockingState, Unit
from households.models import User
from telemetry.docking import queue, report, runs
from telemetry.docking.runs import RunRefused
from telemetry.models import DockingStep, DockingTest
from tests.cast import Cast
from tests.telemetry.docking_scene import application, sample

pytestmark = pytest.mark.django_db


def begun(cast: Cast, **changes: Any) -> DockingTest:
    made = application(cast, sample=sample(cast), **changes)
    return runs.start(made, cast.tester)


def the_step(test: DockingTest, key: str) -> DockingStep:
    return test.steps.get(key=key)


def give(test: DockingTest, state: str, *keys: str, finding: str = "好") -> None:
    """These steps, or all that have none, end with this verdict."""
    rows = test.steps.filter(key__in=keys) if keys else test.steps.filter(state="open")
    for step in rows:
        step.frames = [["out", 1764000000.5, "0503000000018581"]]
        queue.conclude(step, Result(state, Sentence(finding)))  # type: ignore[arg-type]
        step.save()


def test_a_run_begins_with_the_whole_plan_and_tells_the_maker(cast: Cast) -> None:
    test = begun(cast)
    assert test.steps.count() == 20 and set(test.steps.values_list("state", flat=True)) == {"open"}
    test.application.refresh_from_db()
    assert test.application.state == DockingState.TESTING
    assert (test.soak_s, test.soak_share) == (86_400, 0.98)


def test_the_sample_is_asked_by_the_map_that_is_tested(cast: Cast) -> None:
    thing = sample(cast)
    Unit.objects.filter(pk=thing.pk).update(register_map=cast.air.register_map)
    made = application(cast, sample=thing)
    runs.start(made, cast.tester)
    thing.refresh_from_db()
    assert thing.register_map == made.register_map


def test_only_the_service_unit_starts_queues_stops_and_judges(cast: Cast) -> None:
    test = begun(cast)
    step = the_step(test, "readings")
    made = application(cast, sample=None)
    for who in (cast.supplier_member, cast.rival, cast.district_officer, cast.reader):
        for act in (
            lambda by: runs.start(made, by),
            lambda by: runs.queue_all(test, by),
            lambda by: runs.queue_step(step, by),
            lambda by: runs.stop(step, by),
            lambda by: runs.finish_by_hand(step, by, Result("passed", Sentence("好")), {}, []),
            lambda by: runs.judge(test, by),
        ):
            refused(act, who)


def refused(act: object, by: User) -> str:
    with pytest.raises(RunRefused) as caught:
        act(by)  # type: ignore[operator]
    return caught.value.sentence


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"state": DockingState.SUBMITTED}, "收到样品后才能测试"),
        ({"sample": None}, "样机还没有接入"),
    ],
)
def test_what_is_not_there_is_not_tested(cast: Cast, changes: dict[str, Any], said: str) -> None:
    made = application(cast, **{"sample": sample(cast)} | changes)
    assert said in refused(lambda by: runs.start(made, by), cast.tester)


def test_there_is_one_open_run_at_a_time(cast: Cast) -> None:
    test = begun(cast)
    said = refused(lambda by: runs.start(test.application, by), cast.tester)
    assert said == "上一次测试还没有判定"


def test_all_that_the_platform_does_by_itself_is_queued_at_once(cast: Cast) -> None:
    test = begun(cast)
    assert runs.queue_all(test, cast.tester) == 14
    by_hand = test.steps.filter(state="open").values_list("key", flat=True)
    assert set(by_hand) == runs.BY_HAND
    assert "由人在样机旁" in refused(
        lambda by: runs.queue_step(the_step(test, "panel"), by), cast.tester
    )
    assert "已在排队" in refused(
        lambda by: runs.queue_step(the_step(test, "readings"), by), cast.tester
    )


def test_a_step_may_be_made_again_and_keeps_what_it_found_before(cast: Cast) -> None:
    test = begun(cast)
    give(test, "failed", "readings", finding="少一项")
    step = the_step(test, "readings")
    runs.queue_step(step, cast.tester)
    step.refresh_from_db()
    assert (step.state, step.result["state"]) == ("queued", "failed")
    give(test, "passed", "readings")
    step.refresh_from_db()
    ((state, _when, finding),) = step.result["earlier"]
    assert (step.state, state, finding) == ("passed", "failed", ["少一项", {}])


def test_a_run_is_not_judged_while_steps_are_open(cast: Cast) -> None:
    test = begun(cast)
    give(test, "passed", "readings")
    said = refused(lambda by: runs.judge(test, by), cast.tester)
    assert "还有步骤没有做完" in said and "面板对照" in said and "七项读数" not in said


def test_one_failed_step_is_enough_to_fail_the_run(cast: Cast) -> None:
    test = begun(cast)
    give(test, "failed", "write_mode")
    judged = runs.judge(test, cast.tester)
    test.application.refresh_from_db()
    assert (judged.passed, test.application.state) == (False, DockingState.FAILED)


def test_a_run_under_way_is_not_judged_though_a_step_failed(cast: Cast) -> None:
    test = begun(cast)
    give(test, "failed", "write_mode")
    runs.queue_step(the_step(test, "soak"), cast.tester)
    assert "连续运行" in refused(lambda by: runs.judge(test, by), cast.tester)


def test_a_judged_run_seals_its_report_and_names_the_tester(cast: Cast) -> None:
    test = begun(cast)
    give(test, "unproven", "alarm_reset", finding="没有故障可复位")
    give(test, "passed")
    judged = runs.judge(test, cast.tester)
    made = judged.application
    made.refresh_from_db()
    assert (made.state, made.tested_by) == (DockingState.PASSED, cast.tester)
    assert made.test_digest == judged.digest == sha256(judged.report.encode()).hexdigest()
    assert runs.conditions(judged) == ["“报警复位”未验证：没有故障可复位"]
    assert runs.conditions_of(made) == runs.conditions(judged)
    assert runs.conditions_of in confirmations.CONDITIONS
    assert "已经判定" in refused(lambda by: runs.queue_all(judged, by), cast.tester)


def test_a_counter_that_was_never_seen_beyond_one_register_is_a_condition(cast: Cast) -> None:
    test = begun(cast)
    step = the_step(test, "readings")
    unproven = {"order_unproven": ["electric_energy"]}
    queue.conclude(step, Result("passed", Sentence("好"), figures=unproven))
    step.save()
    assert runs.conditions(test) == ["累计用电量从未超过 65,535，字序未验证"]


def test_the_report_stays_as_it_was_judged(cast: Cast) -> None:
    test = begun(cast)
    give(test, "passed")
    judged = runs.judge(test, cast.tester)
    said = report.facts(judged)
    type(judged.application).objects.update(firmware="9.99")
    judged = DockingTest.objects.get(pk=judged.pk)
    assert report.facts(judged) == said
    assert said["soak_s"] == 86_400 and said["firmware"] == "1.08"
    frames = json.dumps([["out", 1764000000.5, "0503000000018581"]]).encode()
    assert said["steps"][0]["frames_digest"] == sha256(frames).hexdigest()


@pytest.mark.skipif(not shutil.which("pdftotext"), reason="poppler is not installed")
def test_the_paper_prints_steps_advice_frames_and_the_length_of_the_soak(
    cast: Cast, tmp_path: Path
) -> None:
    test = begun(cast)
    give(test, "passed", "readings")
    step = the_step(test, "write_mode")
    step.frames = [["out", 1764000000.5, "050300000001"], ["in", 1764000000.6, "0503020001"]] * 30
    advice = Sentence("固件须执行功能码 06")
    queue.conclude(step, Result("failed", Sentence("应答正确，回读未变"), advice=advice))
    step.save()
    judged = runs.judge(test, cast.tester)
    path = tmp_path / "report.pdf"
    path.write_bytes(report.pdf(judged))
    text = subprocess.run(["pdftotext", "-layout", path, "-"], capture_output=True).stdout.decode()
    for said in (
        "数据对接测试报告",
        "未通过",
        "24 小时",
        "厂家须改：固件须执行功能码 06",
        judged.digest,
    ):
        assert said in text
    assert "05 03 00 00 00 01" in text and "另有 20 条未印" in text


# -- what happens beside it --------------------------------------------------------------------


def returned(cast: Cast, test: DockingTest) -> None:
    test.application.refresh_from_db()
    applications.take(test.application, DockingState.RETURNED, by=cast.tester, reason="资料不全")


def test_an_application_given_back_in_the_midst_of_its_test_can_be_tested_anew(cast: Cast) -> None:
    test = begun(cast)
    returned(cast, test)
    test.refresh_from_db()
    assert test.judged_at and test.passed is False and test.digest
    one = test.application
    applications.take(one, DockingState.SUBMITTED, by=cast.supplier_member)
    applications.take(one, DockingState.RECEIVED, by=cast.tester)
    assert runs.start(one, cast.tester).steps.filter(state="open").count() == 20


def test_it_is_not_given_back_while_a_step_writes_to_the_sample(cast: Cast) -> None:
    test = begun(cast)
    runs.queue_step(the_step(test, "readings"), cast.tester)
    with pytest.raises(applications.DockingRefused, match="请先停止"):
        returned(cast, test)
    test.application.refresh_from_db()
    assert test.application.state == DockingState.TESTING


def test_no_run_begins_on_a_line_on_which_a_household_hangs_by_now(cast: Cast) -> None:
    one = application(cast, sample=sample(cast), state=DockingState.FAILED,
                      test_digest="d" * 64, tested_by=cast.tester)  # fmt: skip
    assert one.sample is not None
    Unit.objects.filter(pk=cast.water.pk).update(gateway=one.sample.gateway)
    with pytest.raises(RunRefused, match="住户的机组"):
        runs.start(one, cast.tester)


def test_whoever_made_a_step_does_not_sign_though_a_colleague_judged(cast: Cast) -> None:
    test = begun(cast)
    assert confirmations.signers(test.application) == [cast.service_unit]  # as long as he keeps out
    give(test, "passed")
    runs.judge(test, cast.service_unit)
    test.application.refresh_from_db()
    for who in (cast.tester, cast.service_unit):
        with pytest.raises(applications.DockingRefused, match="不能签发"):
            confirmations.issue(test.application, by=who, valid_until=date(2099, 1, 1))


def test_what_the_maker_blanked_after_a_failure_is_not_tested(cast: Cast) -> None:
    one = application(cast, sample=sample(cast), state=DockingState.FAILED, firmware="",
                      test_digest="d" * 64, tested_by=cast.tester)  # fmt: skip
    with pytest.raises(applications.DockingRefused, match="固件版本"):
        runs.start(one, cast.tester)


def test_the_letter_says_how_long_the_sample_ran(cast: Cast) -> None:
    made = application(cast, sample=sample(cast))
    test = runs.start(made, cast.tester, soak_s=7200, soak_share=0.95)
    give(test, "passed")
    runs.judge(test, cast.tester)
    said = dict(runs.figures_of(test.application))
    assert said["合格线"] == "95 %" and said["连续运行时长"].startswith("2")
    assert runs.figures_of in confirmations.FIGURES
