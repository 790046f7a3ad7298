"""Pages of applications: drafted by the maker, taken on by the service unit, read by offices."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from devices.docking import applications, confirmations
from devices.models import DockingApplication, DockingState
from households import clock
from households.models import User
from tests import cast as make
from tests.cast import Cast
from tests.devices.docking import scene

pytestmark = pytest.mark.django_db
S = DockingState


def as_(who: User | None) -> Client:
    client = Client()
    if who:
        client.force_login(who)
    return client


def page(who: User, path: str, status: int = 200) -> str:
    answer = as_(who).get(path)
    assert answer.status_code == status, answer.content.decode()[:2000]
    return re.sub(r"\s+", " ", answer.content.decode())


def path(one: DockingApplication, rest: str = "") -> str:
    return f"/docking/{one.number}/{rest}"


def sent(cast: Cast, **said: Any) -> dict[str, Any]:
    points = cast.water.model.register_maps.latest("version")
    fields = {"model": cast.water.model.pk, "register_map": points.pk, "note": "", "act": "save"}
    return fields | scene.SAID | said


def test_a_maker_keeps_a_draft_with_gaps_and_submits_it_when_it_is_whole(cast: Cast) -> None:
    maker = as_(cast.supplier_member)
    answer = maker.post("/docking/new/", sent(cast, firmware=""))
    one = DockingApplication.objects.get(state=S.DRAFT)
    assert answer.headers["Location"] == path(one)
    assert "提交前还缺：固件版本" in page(cast.supplier_member, path(one))
    answer = maker.post(path(one, "edit/"), sent(cast, act="submit"), follow=True)
    assert answer.redirect_chain
    one.refresh_from_db()
    assert (one.state, one.firmware) == (S.SUBMITTED, "2.0.7")


def test_submitting_with_a_gap_keeps_what_was_typed(cast: Cast) -> None:
    answer = as_(cast.supplier_member).post(
        "/docking/new/", sent(cast, firmware="", act="submit"), follow=True
    )
    assert "还缺固件版本" in answer.content.decode()
    one = DockingApplication.objects.get(state=S.DRAFT)
    assert one.board == "ZK-2"
    assert answer.redirect_chain[-1][0] == path(one, "edit/")  # where it can be filled in


def test_days_are_asked_by_the_browsers_calendar(cast: Cast) -> None:
    text = page(cast.tester, path(scene.brought(cast, S.SUBMITTED)))
    assert f'type="date" name="received-on" value="{clock.today():%Y-%m-%d}"' in text


def test_where_to_go_on_stands_beside_what_comes_next(cast: Cast) -> None:
    one = scene.brought(cast, S.TESTING)
    assert path(one, "sample/") in page(cast.tester, path(one))
    assert path(one, "sample/") not in page(cast.supplier_member, path(one))


def test_a_model_with_an_application_under_way_says_so_where_one_is_chosen(cast: Cast) -> None:
    one = scene.brought(cast, S.SUBMITTED)
    assert f"{one.number} 已提交" in page(cast.supplier_member, "/docking/new/")


def test_only_own_models_and_their_own_maps_are_chosen(cast: Cast) -> None:
    maker = as_(cast.supplier_member)
    listed = maker.get("/docking/new/").content.decode()
    assert "CN-W10" in listed and "AirBox" not in listed
    assert maker.get("/docking/new/", {"model": cast.air.model.pk}).status_code == 404
    assert maker.get("/docking/new/", {"model": "9" * 30}).status_code == 404
    foreign = cast.air.register_map.pk
    assert maker.post("/docking/new/", sent(cast, register_map=foreign)).status_code == 422
    assert not DockingApplication.objects.filter(state=S.DRAFT).exists()


def test_an_identity_number_is_not_taken(cast: Cast) -> None:
    answer = as_(cast.supplier_member).post("/docking/new/", sent(cast, note="110101199003070134"))
    assert answer.status_code == 422


def test_samples_are_received_as_they_came(cast: Cast) -> None:
    one = scene.brought(cast, S.SUBMITTED)
    said = {
        "state": "received",
        "received-board_number": "SN-7",
        "received-board_version": "V1.4",
        "received-firmware": "2.0.9",
        "received-transmitter_model": "DTU-100",
        "received-protocol": "485 通讯协议",
        "received-protocol_version": "1.1",
        "received-on": f"{clock.today():%Y-%m-%d}",
    }
    tester = as_(cast.tester)
    wrong = tester.post(path(one, "step/"), said | {"received-board_number": ""})
    assert wrong.status_code == 422
    assert tester.post(path(one, "step/"), said).status_code == 302
    one.refresh_from_db()
    assert (one.state, one.board_number, one.board_version, one.firmware) == (
        S.RECEIVED,
        "SN-7",
        "V1.4",
        "2.0.9",
    )
    act = one.acts.last()
    assert act and act.by == cast.tester
    assert act.reason == "主控板版本 V1.3 → V1.4；固件版本 2.0.7 → 2.0.9"


def test_returning_asks_for_a_reason_from_the_list_or_in_words(cast: Cast) -> None:
    one = scene.brought(cast, S.SUBMITTED)
    tester = as_(cast.tester)
    for why, text in (("", ""), ("other", ""), ("nonsense", "x")):
        said = {"state": "returned", "returned-why": why, "returned-text": text}
        assert tester.post(path(one, "step/"), said).status_code == 422
    said = {"state": "returned", "returned-why": "papers", "returned-text": "缺协议第 3 章"}
    assert tester.post(path(one, "step/"), said).status_code == 302
    act = one.acts.last()
    assert act and act.reason == "资料不全：缺协议第 3 章"
    assert "缺协议第 3 章" in page(cast.supplier_member, path(one))


def test_a_step_that_is_not_the_askers_changes_nothing(cast: Cast) -> None:
    one = scene.brought(cast, S.SUBMITTED)
    for who, state, status in (
        (cast.supplier_member, "received", 422),
        (cast.tester, "withdrawn", 422),
        (cast.tester, "passed", 422),  # the bench's
        (cast.tester, "issued", 422),
        (cast.tester, "", 422),
        (cast.district_officer, "received", 403),
        (cast.rival, "withdrawn", 404),
        (cast.town_officer, "received", 404),
    ):
        answer = as_(who).post(path(one, "step/"), {"state": state})
        assert answer.status_code == status, (who, state)
    one.refresh_from_db()
    assert one.state == S.SUBMITTED


def test_the_tester_is_told_that_a_colleague_signs(cast: Cast) -> None:
    one = scene.brought(cast, S.PASSED)
    assert "由另一位同事签发" in page(cast.tester, path(one))
    issue = path(one, "issue/")
    assert issue not in page(cast.tester, path(one))
    assert issue in page(cast.service_unit, path(one))
    assert issue not in page(cast.supplier_member, path(one))


def test_the_service_unit_is_told_beforehand_who_may_sign(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    hands: set[int] = set()
    monkeypatch.setattr(confirmations, "TESTERS", [lambda of: hands])
    one = scene.brought(cast, S.RECEIVED)
    shown = page(cast.tester, path(one))
    assert "参与测试的人不能签发" in shown and cast.service_unit.name in shown
    scene.take(cast, one, S.TESTING)
    hands.add(cast.tester.pk)
    for who in (cast.tester, cast.service_unit):
        assert f"请不要由 {cast.service_unit} 办理任何一步测试" in page(who, path(one))
    assert (
        "签发" not in page(cast.supplier_member, path(one)).split('id="next"')[1].split("</sec")[0]
    )
    hands.add(cast.service_unit.pk)
    scene.take(cast, one, S.PASSED)
    for who in (cast.tester, cast.service_unit):
        assert "没有人可以签发" in page(who, path(one))


def test_nobody_edits_what_is_being_tested(cast: Cast) -> None:
    one = scene.brought(cast, S.TESTING)
    assert as_(cast.supplier_member).get(path(one, "edit/")).status_code == 403
    assert as_(cast.rival).get(path(one, "edit/")).status_code == 404


def test_a_competitor_learns_of_nothing(cast: Cast) -> None:
    one = scene.brought(cast, S.SUBMITTED)
    theirs = as_(cast.rival).get("/docking/").content.decode()
    assert one.number not in theirs and "CN-W10" not in theirs and "晨暖" not in theirs
    for words in ("晨暖", "CN-W10", one.number):
        found = as_(cast.rival).get("/docking/", {"q": words})
        assert "没有符合这些条件的申请" in found.content.decode()
    exported = b"".join(as_(cast.rival).get("/docking/", {"export": "csv"}))
    assert one.number.encode() not in exported
    assert as_(cast.rival).get(path(one)).status_code == 404


def test_the_list_is_found_by_number_maker_and_model_and_counts_its_states(cast: Cast) -> None:
    one = scene.brought(cast, S.TESTING)
    for words in (one.number, one.number.lower(), "晨暖", "cn-w10", "热水机组"):
        found = as_(cast.service_unit).get("/docking/", {"q": words}).content.decode()
        assert one.number in found, words
    text = page(cast.service_unit, "/docking/?state=testing")
    assert re.search(r"测试中</span> <b>1</b>", text)
    exported = b"".join(as_(cast.service_unit).get("/docking/?export=csv"))
    assert one.number in exported.decode()


def test_installers_and_towns_have_no_docking(cast: Cast) -> None:
    installer = make.installer("anzhuang", cast.water.model.supplier)
    for who in (installer, cast.town_officer, cast.clerk):
        assert as_(who).get("/docking/").status_code == 403
    answer = as_(None).get("/docking/")
    assert answer.headers["Location"].startswith("/sign-in/")


def test_a_newer_map_and_what_differs_from_the_standing_confirmation_are_pointed_out(
    cast: Cast,
) -> None:
    one = scene.draft(cast)
    assert "与现行确认书相比变更了" in page(cast.supplier_member, path(one))
    same = {"board": "MB-1", "board_version": "A", "firmware": "1.0", "transmitter_model": "DTU-1"}
    applications.edit(one, by=cast.supplier_member, **same)
    text = page(cast.supplier_member, path(one))
    assert "与现行确认书相比变更了" not in text and "不包括它" not in text
    one.model.register_maps.create(version=7, content=one.register_map.content, digest="e" * 64)
    assert "点表已有第 7 版" in page(cast.supplier_member, path(one))


@pytest.mark.parametrize("state", ["draft", "submitted", "received", "testing", "passed", "failed"])
def test_every_state_can_be_looked_at_by_both_sides(cast: Cast, state: str) -> None:
    one = scene.brought(cast, state)
    readers = [cast.supplier_member]
    readers += [cast.service_unit, cast.reader] if state != "draft" else []
    for who in readers:
        assert one.get_state_display() in page(who, path(one))
