"""What people do to a docking test: begin, run, stop, judge, write to the other side."""

from __future__ import annotations

import pytest
from django.test import Client

from devices.models import DockingApplication, DockingState
from households.models import Notification, User
from telemetry.models import DockingTest
from tests.cast import Cast
from tests.telemetry.docking.bench_scene import begun, connected, ended, failed
from tests.telemetry.docking_scene import application

pytestmark = pytest.mark.django_db


@pytest.fixture
def tester(cast: Cast, client: Client) -> Client:
    client.force_login(cast.tester)
    return client


def url(application: DockingApplication, tail: str) -> str:
    return f"/docking/{application.number}/test/{tail}"


def told(client: Client, where: str, **sent: object) -> str:
    """The page to which an act leads, as text."""
    return client.post(where, sent, follow=True).content.decode()


def test_a_run_is_begun_with_its_soak_and_its_share(cast: Cast, tester: Client) -> None:
    one = connected(cast)
    answer = tester.post(url(one, "start/"), {"soak_hours": "0.5", "share": "97.5"})
    assert answer.status_code == 302
    run = DockingTest.objects.get()
    assert (run.soak_s, run.soak_share, run.started_by) == (1800, 0.975, cast.tester)
    one.refresh_from_db()
    assert one.state == DockingState.TESTING


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"soak_hours": "0", "share": "98"}, "10 秒至 7 天"),
        ({"soak_hours": "200", "share": "98"}, "10 秒至 7 天"),
        ({"soak_hours": "24", "share": "3"}, "大于或等于50"),
        ({"soak_hours": "NaN", "share": "98"}, "输入一个数"),
    ],
)
def test_a_length_out_of_range_is_told_at_its_field(
    cast: Cast, tester: Client, sent: dict[str, str], words: str
) -> None:
    answer = tester.post(url(connected(cast), "start/"), sent)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not DockingTest.objects.exists()


def test_a_second_run_waits_until_the_first_is_judged(cast: Cast, tester: Client) -> None:
    run = begun(cast)
    said = told(tester, url(run.application, "start/"), soak_hours="24", share="98")
    assert "上一次测试还没有判定" in said
    assert DockingTest.objects.count() == 1


def test_all_automatic_steps_are_queued_and_none_by_hand(cast: Cast, tester: Client) -> None:
    run = begun(cast)
    tester.post(url(run.application, "run/"))
    queued = set(run.steps.filter(state="queued").values_list("key", flat=True))
    assert {"addresses", "write_mode", "soak"} <= queued
    assert queued.isdisjoint({"panel", "resistor", "transmitter"})


def test_one_step_is_run_again_and_stopped(cast: Cast, tester: Client) -> None:
    run = begun(cast)
    ended(run, "write_mode", failed())
    answer = tester.post(url(run.application, "steps/write_mode/run/"))
    assert answer["Location"].endswith("?step=write_mode")
    assert run.steps.get(key="write_mode").state == "queued"
    tester.post(url(run.application, "steps/write_mode/stop/"))
    assert run.steps.get(key="write_mode").state != "queued"
    assert "不在排队" in told(tester, url(run.application, "steps/write_mode/stop/"))


def test_a_step_by_hand_is_not_queued(cast: Cast, tester: Client) -> None:
    run = begun(cast)
    assert "由人在样机旁进行" in told(tester, url(run.application, "steps/panel/run/"))
    assert tester.post(url(run.application, "steps/nothing/run/")).status_code == 404


def test_a_run_is_judged_when_nothing_waits(cast: Cast, tester: Client) -> None:
    run = begun(cast)
    assert "还有步骤没有做完" in told(tester, url(run.application, "judge/"))
    ended(run, "write_mode", failed())
    tester.post(url(run.application, "judge/"))
    run.refresh_from_db()
    assert run.passed is False and run.digest
    assert run.application.tests.get().judged_at
    assert "测试未通过" in told(tester, url(run.application, "judge/"))


@pytest.mark.parametrize(
    "tail", ["start/", "run/", "judge/", "steps/labels/run/", "steps/labels/stop/"]
)
def test_who_does_not_test_changes_nothing(cast: Cast, client: Client, tail: str) -> None:
    run = begun(cast)
    expected = {cast.supplier_member: 403, cast.reader: 403, cast.rival: 404, cast.clerk: 404}
    for user, code in expected.items():
        client.force_login(user)
        assert client.post(url(run.application, tail)).status_code == code, user
    assert set(run.steps.values_list("state", flat=True)) == {"open"}


def notes_of(user: User) -> list[str]:
    return list(Notification.objects.filter(to=user).values_list("text", flat=True))


def test_the_maker_writes_to_the_testers_and_they_to_him(cast: Cast, client: Client) -> None:
    run = begun(cast)
    client.force_login(cast.supplier_member)
    said = told(client, url(run.application, "note/"), text="固件已改", retest="1")
    assert "已留言" in said
    assert any("申请重测：固件已改" in text for text in notes_of(cast.tester))
    act = run.application.acts.last()
    assert act and (act.reason, act.state) == ("申请重测：固件已改", DockingState.TESTING)
    client.force_login(cast.tester)
    told(client, url(run.application, "note/"), text="请寄新样机")
    assert any("请寄新样机" in text for text in notes_of(cast.supplier_member))
    client.force_login(cast.supplier_member)
    said = client.get(url(run.application, "")).content.decode()
    assert said.index("申请重测：固件已改") < said.index("请寄新样机")


def test_nobody_writes_about_what_is_not_submitted(cast: Cast, client: Client) -> None:
    one = application(cast, state=DockingState.DRAFT)
    client.force_login(cast.supplier_member)
    assert "提交申请以后才能留言" in told(client, url(one, "note/"), text="急")
    assert not one.acts.exists() and not notes_of(cast.tester)


@pytest.mark.parametrize("text", ["", "   ", "长" * 161, "身份证 11010519491231002X"])
def test_a_note_that_says_nothing_or_too_much_is_not_kept(
    cast: Cast, client: Client, text: str
) -> None:
    run = begun(cast)
    before = run.application.acts.count()
    client.force_login(cast.supplier_member)
    assert "已留言" not in told(client, url(run.application, "note/"), text=text)
    assert run.application.acts.count() == before


def test_a_looker_on_writes_no_notes(cast: Cast, client: Client) -> None:
    run = begun(cast)
    client.force_login(cast.reader)
    assert client.post(url(run.application, "note/"), {"text": "x"}).status_code == 403
    client.force_login(cast.rival)
    assert client.post(url(run.application, "note/"), {"text": "x"}).status_code == 404
