"""The page of a docking test: steps, figures, readings, frames, and for whom."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from devices.modbus.bench import Result
from devices.modbus.words import Sentence
from households import clock
from households.models import User
from telemetry.docking import runs
from telemetry.models import DockingTest, GatewayState, Obligation, Watch, WorkerState
from tests.cast import Cast
from tests.telemetry.docking.bench_scene import FRAMES, begun, connected, ended, failed, passed

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(cast: Cast) -> DockingTest:
    return begun(cast)


@pytest.fixture
def tester(cast: Cast, client: Client) -> Client:
    client.force_login(cast.tester)
    return client


def url(test: DockingTest, tail: str = "") -> str:
    return f"/docking/{test.application.number}/test/{tail}"


def page(client: Client, where: str) -> str:
    answer = client.get(where)
    assert answer.status_code == 200, answer.status_code
    return answer.content.decode()


def test_every_step_of_the_plan_is_listed_with_what_is_to_come(
    tester: Client, run: DockingTest
) -> None:
    said = page(tester, url(run))
    for words in (
        "给厂家留言",
        "地址",
        "七项读数",
        "枚举标签",
        "面板对照（人工）",
        "10 kΩ B3435",
        "约 60 分",
        "约 2～3 分",
    ):
        assert words in said
    assert "自动 12　人工 6　长时 2" in said
    assert "测试中 0 / 20" in said


def test_a_failed_step_stands_on_top_with_what_the_maker_must_change(
    tester: Client, run: DockingTest
) -> None:
    ended(run, "write_mode", failed())
    said = page(tester, url(run))
    top = said[said.index('id="failed"') : said.index('id="step"')]
    for words in ("第 7 步未通过", "应答正确，回读未变", "写入", "厂家须改", "须真正切换模式"):
        assert words in top


def test_the_step_that_runs_is_shown_with_what_it_is_about(
    tester: Client, run: DockingTest
) -> None:
    run.steps.filter(key="alarm_reset").update(
        state="running", progress=["第 %(n)d 次，共 %(all)d 次", {"n": 2, "all": 3}], frames=FRAMES
    )
    said = page(tester, url(run))
    assert "第 8 步　报警复位" in said.replace("\n", "")
    assert said.count("第 2 次，共 3 次") == 2
    assert 'hx-trigger="every 2s"' in said
    User.objects.filter(role="service_unit").update(language="en")
    said = page(tester, url(run))
    assert "第 2 次" not in said and said.count("Reset 2 of 3") == 2


def test_a_step_that_waits_for_a_person_says_why(tester: Client, run: DockingTest) -> None:
    run.steps.filter(key="alarm_reset").update(progress=["通信链路没有接通", {}], tries=5)
    assert "通信链路没有接通" in page(tester, url(run))


def test_frames_have_time_direction_bytes_and_meaning(tester: Client, run: DockingTest) -> None:
    ended(run, "readings", passed("7 / 7 新鲜且合理"), frames=FRAMES)
    said = page(tester, url(run) + "?step=readings")
    for words in ("→ 发", "← 收", "09 03 00 64 00 04", "读 保持 100，4 个", "供水温度 43.1 °C"):
        assert words in said


def test_the_live_part_brings_what_changed_and_asks_again(tester: Client, run: DockingTest) -> None:
    ended(run, "addresses", passed())
    said = page(tester, url(run) + "?part=live&step=addresses")
    assert "<html" not in said
    assert "part=live&amp;step=addresses" in said
    assert "测试中 1 / 20" in said


def test_figures_are_summed_over_the_steps(tester: Client, run: DockingTest) -> None:
    ended(run, "reply_time", passed("", p50_ms=69, p99_ms=84, requests=200, timeouts=0))
    ended(run, "readings", passed("", requests=12, timeouts=1, wrong_frames=2))
    ended(run, "addresses", passed("", requests=9, timeouts=4))  # silence was wanted there
    said = page(tester, url(run))
    assert "69<small> / 84 ms" in said
    assert "3<small> / 212 次" in said


def test_readings_wait_for_the_panel_and_then_show_how_far_it_is(
    tester: Client, run: DockingTest
) -> None:
    read = {
        "supply_temp": {"value": 43.1, "raw": "0x01AF", "quality": "good"},
        "outdoor_temp": {"value": 14.2, "raw": "0x008E", "quality": "good"},
        "return_temp": {"value": None, "raw": "0x7FFF", "quality": "sensor_open"},
    }
    ended(run, "readings", passed("", readings=read))
    said = page(tester, url(run))
    assert "0x01AF" in said and "未填" in said
    assert "负温待“电阻箱负温”一步验证" in said
    assert "传感器断路" in said
    typed = {"platform": {"supply_temp": read["supply_temp"]}, "values": {"supply_temp": 46.0}}
    ended(run, "panel", failed(), entered=typed)
    said = page(tester, url(run))
    assert "−2.9 K" in said and "与面板不符" in said


def test_earlier_tries_of_a_step_are_told(tester: Client, run: DockingTest) -> None:
    step = ended(run, "write_mode", passed("保持"))
    step.result["earlier"] = [["failed", "2026-11-23T02:26:14+00:00", ["应答正确，回读未变", {}]]]
    step.save()
    said = page(tester, url(run) + "?step=write_mode")
    assert "以前测过 1 次" in said and "2026-11-23 10:26:14" in said


def test_sentences_within_sentences_speak_the_readers_language(
    tester: Client, run: DockingTest, cast: Cast
) -> None:
    finding = Sentence("%(what)s变了", what=Sentence("供水温度"))
    ended(run, "labels", Result("passed", finding))
    assert "供水温度变了" in page(tester, url(run))


def test_the_maker_sees_the_same_page_but_acts_not(
    client: Client, cast: Cast, run: DockingTest
) -> None:
    ended(run, "write_mode", failed())
    client.force_login(cast.supplier_member)
    said = page(client, url(run))
    assert "厂家须改" in said and "申请重测" in said and "给测试员留言" in said
    assert "运行自动步骤" not in said and "重测这一步" not in said
    assert "/run/" not in said
    assert 'id="note-retest">' in said
    assert 'id="note-retest" checked>' in page(client, url(run) + "?retest=1")


def test_a_competitor_learns_of_nothing(client: Client, cast: Cast, run: DockingTest) -> None:
    client.force_login(cast.rival)
    for tail in ("", "card/", "frames/", "report/", "steps/panel/", "steps/panel/photos/1/"):
        assert client.get(url(run, tail)).status_code == 404, tail


def test_a_district_officer_looks_on(client: Client, cast: Cast, run: DockingTest) -> None:
    client.force_login(cast.district_officer)
    assert "测试步骤" in page(client, url(run))
    assert client.get(url(run, "steps/panel/")).status_code == 403


def test_without_a_run_the_page_says_what_comes_first(
    client: Client, cast: Cast, tester: Client
) -> None:
    one = connected(cast)
    said = page(tester, f"/docking/{one.number}/test/")
    assert "还没有开始测试" in said and "开始测试" in said
    one.sample = None
    one.save()
    said = page(tester, f"/docking/{one.number}/test/")
    assert "登记样机接入" in said
    one.state = "submitted"
    one.save()
    said = page(tester, f"/docking/{one.number}/test/")
    assert "收到样品后才能接入样机" in said and "登记样机接入" not in said


def test_steps_that_wait_for_a_line_that_is_away_say_what_to_look_at(
    tester: Client, run: DockingTest
) -> None:
    line = run.sample.gateway
    assert 'id="away"' not in page(tester, url(run))  # nothing waits for it yet
    run.steps.filter(key="readings").update(state="queued")
    assert "步骤在等它" in page(tester, url(run))
    GatewayState.objects.create(gateway=line, connected=True, since=clock.now())
    assert 'id="away"' not in page(tester, url(run))


def test_what_a_sample_is_owed_is_said_while_no_step_is_at_it(
    tester: Client, run: DockingTest, cast: Cast
) -> None:
    step = run.steps.get(key="write_power")
    owed = Obligation.objects.create(
        unit=run.sample, signal="power_state", former=True, test_value=False, by=cast.tester,
        docking_step=step, restore_at=clock.now(),
    )  # fmt: skip
    run.steps.filter(pk=step.pk).update(state="running")
    assert 'id="owed"' in page(tester, url(run))  # its line worker has fallen
    name, now = run.sample.gateway.line_worker, clock.now()
    WorkerState.objects.create(name=name, start_id=uuid4(), started_at=now, seen_at=now)
    assert 'id="owed"' not in page(tester, url(run))  # its own step puts it back
    run.steps.filter(pk=step.pk).update(state="queued")
    said = page(tester, url(run))
    assert "还没有恢复到测试前的值：开关机状态 开机。" in said
    Obligation.objects.filter(pk=owed.pk).update(fulfilled_at=clock.now(), ending="restored")
    assert 'id="owed"' not in page(tester, url(run))


def test_while_it_runs_for_hours_the_other_steps_go_on(tester: Client, run: DockingTest) -> None:
    run.steps.exclude(key__in=runs.BY_HAND).update(state="passed")
    run.steps.filter(key="soak").update(state="running", progress=["已进行 0:04:16", {}])
    said = page(tester, url(run))
    assert "连续运行中，结束后判定" in said and "自动步骤进行中" not in said
    assert "不逐段保存报文" in said
    assert 'hx-trigger="every 5s"' in said


def test_a_number_of_no_run_is_no_page(tester: Client, run: DockingTest) -> None:
    assert tester.get(url(run) + f"?run={run.pk}").status_code == 200
    for wrong in ("0", "x", "9" * 30, "²"):
        assert tester.get(url(run) + f"?run={wrong}").status_code == 404


def test_the_frames_are_downloaded_as_text(tester: Client, run: DockingTest) -> None:
    ended(run, "readings", passed("7 / 7"), frames=FRAMES * 51, frames_left_out=7)
    ended(run, "labels", passed(), frames=FRAMES)
    answer = tester.get(url(run, "frames/"))
    assert "attachment" in answer["Content-Disposition"]
    said = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
    assert "09 03 00 64 00 04" in said and "供水温度 43.1 °C" in said
    assert "这里略去 7 段" in said
    only = b"".join(tester.get(url(run, "frames/?step=labels")).streaming_content)  # type: ignore[attr-defined]
    assert "七项读数" not in only.decode()
    assert tester.get(url(run, "frames/?step=no")).status_code == 404


def test_the_card_tells_how_far_it_is(client: Client, cast: Cast, run: DockingTest) -> None:
    ended(run, "write_mode", failed())
    client.force_login(cast.supplier_member)
    said = page(client, url(run, "card/"))
    assert "未通过 1 步" in said and "须真正切换模式" in said


def test_a_run_that_is_not_judged_has_no_report_yet(tester: Client, run: DockingTest) -> None:
    assert tester.get(url(run, "report/")).status_code == 404


def test_an_earlier_run_is_looked_at_but_not_changed(
    tester: Client, run: DockingTest, cast: Cast
) -> None:
    ended(run, "write_mode", failed(), frames=FRAMES)
    runs.judge(run, cast.tester)
    newer = runs.start(run.application, cast.tester)
    said = page(tester, url(run) + f"?run={run.pk}")
    assert "测试未通过" in said and "须真正切换模式" in said
    assert "hx-trigger" not in said  # nothing of it changes any more
    assert "重测这一步" not in said
    frames = tester.get(url(run, f"frames/?run={run.pk}"))
    assert "09 03 00 64" in b"".join(frames.streaming_content).decode()  # type: ignore[attr-defined]
    assert f"?run={run.pk}" in page(tester, url(newer))


def test_a_judged_run_has_its_report(client: Client, cast: Cast, run: DockingTest) -> None:
    ended(run, "write_mode", failed(), frames=FRAMES)
    runs.judge(run, cast.tester)
    client.force_login(cast.supplier_member)
    assert "测试报告" in page(client, url(run))
    answer = client.get(url(run, "report/"))
    assert answer["Content-Type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF")
    client.force_login(cast.rival)
    assert client.get(url(run, "report/")).status_code == 404


def test_looking_on_asks_the_sample_more_often_but_not_while_a_step_counts(
    tester: Client, run: DockingTest
) -> None:
    run.steps.filter(key="traffic").update(state="running")
    page(tester, url(run))
    assert not Watch.objects.filter(unit=run.sample).exists()
    run.steps.filter(key="traffic").update(state="open")
    page(tester, url(run))
    assert Watch.objects.filter(unit=run.sample).exists()


def test_the_live_part_costs_few_queries(
    tester: Client, run: DockingTest, django_assert_max_num_queries: Any
) -> None:
    for key in ("addresses", "readings", "labels"):
        ended(run, key, passed(), frames=FRAMES * 40)
    page(tester, url(run))
    with django_assert_max_num_queries(16):
        page(tester, url(run) + "?part=live")
