"""The way of an application: whose each step is, what it needs, and who hears of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils.translation import override

from devices.docking import applications
from devices.docking.applications import DockingRefused
from devices.models import DockingApplication, DockingState, RegisterMap
from households import clock
from households.models import Notification, Role, User
from tests import cast as make
from tests.cast import Cast
from tests.devices.docking import scene

pytestmark = pytest.mark.django_db
S = DockingState


def told(user: User) -> list[str]:
    return list(Notification.objects.filter(to=user).values_list("text", flat=True))


def test_a_draft_gets_the_next_number_of_the_year(cast: Cast) -> None:
    first, second = scene.draft(cast), scene.draft(cast, firmware="9.01")
    assert first.number == f"DJ-{clock.today().year}-{first.serial:03d}"
    assert second.serial == first.serial + 1


def test_the_year_of_a_number_is_that_of_shanghai(cast: Cast) -> None:
    with clock.at(datetime(2026, 12, 31, 15, 59, tzinfo=UTC)):
        assert scene.draft(cast).number.startswith("DJ-2026-")
    with clock.at(datetime(2026, 12, 31, 16, 1, tzinfo=UTC)):
        assert scene.draft(cast, firmware="9.01").number == "DJ-2027-001"


def test_a_draft_that_is_sent_twice_is_one(cast: Cast) -> None:
    once = scene.draft(cast)
    assert scene.draft(cast) == once
    applications.take(once, S.WITHDRAWN, by=cast.supplier_member, reason="重填")
    assert scene.draft(cast) != once


def test_only_the_makers_own_people_apply(cast: Cast) -> None:
    model = cast.water.model
    points = model.register_maps.get()
    installer = make.installer("anzhuang", model.supplier)
    for somebody in (cast.rival, installer, cast.service_unit, cast.district_officer):
        with pytest.raises(DockingRefused, match="本公司"):
            applications.draft(model, points, by=somebody)


def test_another_models_register_map_is_refused(cast: Cast) -> None:
    points = cast.air.register_map
    with pytest.raises(DockingRefused, match="点表"):
        applications.draft(cast.water.model, points, by=cast.supplier_member)
    one = scene.draft(cast)
    with pytest.raises(DockingRefused, match="点表"):
        applications.edit(one, by=cast.supplier_member, register_map=points)


def test_every_step_is_kept_with_its_day_and_person_and_told_to_the_other_side(cast: Cast) -> None:
    one = scene.brought(cast, S.PASSED)
    acts = [(act.state, act.by, act.on) for act in one.acts.all()]
    today = clock.today()
    assert acts == [
        ("submitted", cast.supplier_member, today),
        ("received", cast.tester, today),
        ("testing", cast.tester, today),
        ("passed", cast.tester, today),
    ]
    assert [text.split("：")[1] for text in told(cast.supplier_member)] == [
        "测试通过。",
        "测试中。",
        "已收样。",
    ]
    heard = told(cast.service_unit)
    assert any("已提交" in text for text in heard)
    assert any("测试通过" in text for text in heard)  # one of them is to sign
    assert not any("测试通过" in text for text in told(cast.tester))
    assert told(cast.rival) == []


@pytest.mark.parametrize("field", applications.ASKED)
def test_an_application_is_not_submitted_without(cast: Cast, field: str) -> None:
    one = scene.draft(cast, **{field: ""})
    name = str(DockingApplication._meta.get_field(field).verbose_name)  # type: ignore[union-attr]
    with pytest.raises(DockingRefused, match=name):
        applications.take(one, S.SUBMITTED, by=cast.supplier_member)
    one.refresh_from_db()
    assert one.state == S.DRAFT
    assert not one.acts.exists()


def test_samples_are_received_with_the_boards_number(cast: Cast) -> None:
    one = scene.brought(cast, S.SUBMITTED)
    with pytest.raises(DockingRefused, match="主控板编号"):
        applications.take(one, S.RECEIVED, by=cast.tester)


@pytest.mark.parametrize("state", [S.PASSED, S.FAILED])
def test_nothing_is_judged_without_its_report(cast: Cast, state: DockingState) -> None:
    one = scene.brought(cast, S.TESTING)
    with pytest.raises(DockingRefused, match="测试报告"):
        applications.take(one, state, by=cast.tester)


@pytest.mark.parametrize("state", [S.RETURNED, S.WITHDRAWN])
def test_returning_and_withdrawing_need_a_reason(cast: Cast, state: DockingState) -> None:
    one = scene.brought(cast, S.SUBMITTED)
    by = cast.tester if state == S.RETURNED else cast.supplier_member
    with pytest.raises(DockingRefused, match="原因"):
        applications.take(one, state, by=by)
    act = applications.take(one, state, by=by, reason="资料不全")
    assert act.reason == "资料不全"
    heard = told(cast.supplier_member if state == S.RETURNED else cast.service_unit)
    assert any("资料不全" in text for text in heard)


def test_whoever_tested_does_not_issue(cast: Cast) -> None:
    one = scene.brought(cast, S.PASSED)
    assert S.ISSUED not in applications.steps(cast.tester, one)
    assert S.ISSUED in applications.steps(cast.service_unit, one)


def test_no_state_can_be_reached_by_anybody_but_those_whose_step_it_is(cast: Cast) -> None:
    one = scene.brought(cast, S.SUBMITTED)
    installer = make.installer("anzhuang", cast.water.model.supplier)
    offices = (cast.district_officer, cast.reader, cast.town_officer, cast.clerk)
    for somebody in (cast.rival, installer, *offices):
        assert applications.steps(somebody, one) == set()
        with pytest.raises(DockingRefused, match="您的账号"):
            applications.take(one, S.RECEIVED, by=somebody)
    with pytest.raises(DockingRefused):
        applications.take(one, S.PASSED, by=cast.tester)  # nothing was tested


def test_two_who_take_a_step_at_once_take_it_once(cast: Cast) -> None:
    one = scene.brought(cast, S.SUBMITTED, board_number="1")
    stale = DockingApplication.objects.get(pk=one.pk)
    applications.take(one, S.RECEIVED, by=cast.tester)
    with pytest.raises(DockingRefused):
        applications.take(stale, S.RECEIVED, by=cast.service_unit)
    assert one.acts.filter(state=S.RECEIVED).count() == 1


def test_a_step_is_dated_neither_before_the_last_one_nor_ahead(cast: Cast) -> None:
    one = scene.draft(cast)
    today = clock.today()
    with pytest.raises(DockingRefused, match="还没有到"):
        applications.take(one, S.SUBMITTED, by=cast.supplier_member, on=today + timedelta(days=1))
    applications.take(one, S.SUBMITTED, by=cast.supplier_member, on=today - timedelta(days=2))
    with pytest.raises(DockingRefused, match="早于"):
        scene.take(cast, one, S.RECEIVED, on=today - timedelta(days=3))
    scene.take(cast, one, S.RECEIVED, on=today - timedelta(days=1))


def test_a_failed_sample_that_is_mended_is_submitted_and_tested_anew(cast: Cast) -> None:
    one = scene.brought(cast, S.FAILED)
    newer = RegisterMap.objects.create(
        model=one.model, version=9, content=one.register_map.content, digest="e" * 64
    )
    said = {"firmware": "2.0.8", "board": one.board, "register_map": newer}
    with override("en"):
        one = applications.edit(one, by=cast.supplier_member, **said)
    changed = f"固件版本 2.0.7 → 2.0.8；点表 第 {cast.water.register_map.version} 版 → 第 9 版"
    assert one.acts.latest("pk").reason == changed
    assert any(changed in text for text in told(cast.service_unit))
    assert S.TESTING not in applications.steps(cast.tester, one)  # it is another sample
    applications.take(one, S.SUBMITTED, by=cast.supplier_member, reason="固件已改")
    one.refresh_from_db()
    assert S.TESTING not in applications.steps(cast.tester, one)
    assert (one.state, one.firmware) == ("submitted", "2.0.8")
    assert (one.test_digest, one.tested_by) == ("", None)


def test_the_same_failed_sample_is_tested_again_though_the_maker_adds_a_note(cast: Cast) -> None:
    one = scene.brought(cast, S.FAILED)
    one = applications.edit(one, by=cast.supplier_member, note="已检查接线", firmware=one.firmware)
    assert (one.state, one.acts.count()) == (S.FAILED, 4)
    assert S.TESTING in applications.steps(cast.tester, one)


def test_what_is_changed_after_it_was_given_back_is_told_by_the_acts(cast: Cast) -> None:
    one = scene.brought(cast, S.SUBMITTED)
    applications.take(one, S.RETURNED, by=cast.tester, reason="协议版本不对")
    heard = len(told(cast.service_unit))
    one = applications.edit(one, by=cast.supplier_member, protocol_version="1.2")
    assert one.acts.latest("pk").reason == "协议版本 1.1 → 1.2"
    assert len(told(cast.service_unit)) == heard  # they hear once it is submitted


def test_what_is_being_tested_is_not_edited(cast: Cast) -> None:
    one = scene.brought(cast, S.TESTING)
    with pytest.raises(DockingRefused, match="测试中"):
        applications.edit(one, by=cast.supplier_member, firmware="9")
    returned = scene.brought(cast, S.SUBMITTED)
    applications.take(returned, S.RETURNED, by=cast.tester, reason="协议版本不对")
    with pytest.raises(DockingRefused):
        applications.edit(returned, by=cast.rival, firmware="9")


def test_offices_see_what_was_submitted_and_a_competitor_nothing(cast: Cast) -> None:
    kept, given_up, sent = (scene.draft(cast, firmware=f"9.0{n}") for n in range(3))
    applications.take(given_up, S.WITHDRAWN, by=cast.supplier_member, reason="不做了")
    applications.take(sent, S.SUBMITTED, by=cast.supplier_member)
    fresh = DockingApplication.objects.filter(pk__in=[kept.pk, given_up.pk, sent.pk])
    for somebody, sees in (
        (cast.supplier_member, {kept, given_up, sent}),
        (cast.service_unit, {sent}),
        (cast.district_officer, {sent}),
        (cast.rival, set()),
        (make.installer("anzhuang", cast.water.model.supplier), set()),
        (cast.town_officer, set()),
        (cast.clerk, set()),
    ):
        assert set(fresh.visible_to(somebody)) == sees, somebody
    assert told(cast.service_unit) == [applications.told(sent.acts.get())]


def test_numbers_in_addresses_are_read_as_papers_write_them() -> None:
    rows = DockingApplication.objects
    for number in ("DJ-2026-18", "DJ-2026-0018", "dj-2026-018", "DJ-２０２６-018", "x", ""):
        assert not rows.of_number(number).exists()
        assert rows.of_number(number).query.is_empty()
    assert not rows.of_number("DJ-2026-018").query.is_empty()


def test_people_are_the_makers_and_the_service_units_active_ones(cast: Cast) -> None:
    one = scene.draft(cast)
    make.installer("anzhuang", cast.water.model.supplier)
    gone = make.user("lizhi", Role.SERVICE_UNIT)
    gone.is_active = False
    gone.save()
    makers, unit = applications.people(one)
    assert set(makers) == {cast.supplier_member}
    assert set(unit) == {cast.service_unit, cast.tester}


def test_a_newer_register_map_may_be_chosen_while_nothing_is_tested(cast: Cast) -> None:
    one = scene.draft(cast)
    newer = RegisterMap.objects.create(
        model=one.model, version=9, content=one.register_map.content, digest="e" * 64
    )
    assert applications.edit(one, by=cast.supplier_member, register_map=newer).register_map == newer


def test_what_is_only_said_between_the_steps_is_no_step(cast: Cast) -> None:
    one = scene.brought(cast, S.TESTING)
    began = applications.day_of(one, S.TESTING)
    note = one.acts.latest("pk")
    note.pk, note.reason, note.on = None, "申请重测", note.on + timedelta(days=3)
    note.save()
    assert [is_step for _act, is_step in applications.acts_of(one)] == [True] * 3 + [False]
    assert applications.day_of(one, S.TESTING) == began
    assert applications.day_of(one, S.PASSED) is None


def test_a_word_between_the_steps_does_not_date_the_next_one(cast: Cast) -> None:
    one = scene.draft(cast)
    day = clock.today() - timedelta(days=5)
    scene.take(cast, one, DockingState.SUBMITTED, on=day)
    said = {"state": one.state, "reason": "请带线控器", "by": cast.tester, "at": clock.now()}
    one.acts.create(on=clock.today(), **said)
    scene.take(cast, one, DockingState.RECEIVED, on=day + timedelta(days=1))
    assert one.state == DockingState.RECEIVED
