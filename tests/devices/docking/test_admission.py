"""Who may be awarded and put in, and what becomes of what stands there without papers."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.db.models import F
from django.test import override_settings

from devices.docking import admission
from devices.models import (
    Confirmation,
    ConfirmationState,
    DeviceModel,
    MakerPaper,
    MakerPaperKind,
    RegisterMap,
)
from devices.tasks import count_installations
from households import clock, path
from households.models import State, Step, StepKind
from tests import cast as make
from tests.cast import INSTALLED_ON, MAPS, Cast

LATER = INSTALLED_ON + timedelta(days=10)
LATELY = timedelta(days=2)


def said(model: DeviceModel, on: date = INSTALLED_ON) -> list[str]:
    return [str(lack) for lack in admission.lacks(model, on)]


def confirmations(cast: Cast) -> Any:
    return Confirmation.objects.filter(model=cast.water.model)


def papers(cast: Cast, kind: MakerPaperKind = MakerPaperKind.INSURANCE) -> Any:
    return MakerPaper.objects.filter(model=cast.water.model, kind=kind)


def bare_model(cast: Cast) -> DeviceModel:
    model = cast.water.model
    return DeviceModel.objects.create(
        supplier=model.supplier, code="CN-X9", name="新型号", kind=model.kind, medium=model.medium
    )


# -- what a model lacks --------------------------------------------------------------------


def test_a_model_with_all_its_papers_lacks_nothing(cast: Cast) -> None:
    assert said(cast.water.model) == []
    assert cast.water.model in DeviceModel.objects.admitted(INSTALLED_ON)


def test_a_new_model_lacks_everything_and_each_lack_says_who_brings_it(cast: Cast) -> None:
    assert said(bare_model(cast)) == [
        "没有点表：请供应商办理",
        "没有数据对接确认书：请供应商办理",
        "没有强制性认证证书：请供应商办理",
        "没有产品保险单：请供应商办理",
    ]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"state": "signing", "paper": ""}, "数据对接确认书签发中：请平台服务单位办理"),
        ({"state": "suspended"}, "数据对接确认书暂停使用：请平台服务单位办理"),
        ({"state": "revoked"}, "数据对接确认书已撤销：请供应商办理"),
        ({"valid_until": date(2026, 10, 1)}, "数据对接确认书已于 2026-10-01 到期：请供应商办理"),
        (
            {"valid_from": LATER},
            "数据对接确认书自 2026-10-30 起有效，此前没有：请供应商办理",
        ),
    ],
)
def test_a_confirmation_that_does_not_hold_says_why(
    cast: Cast, changes: dict[str, Any], words: str
) -> None:
    confirmations(cast).update(**changes)
    assert said(cast.water.model) == [words]
    assert cast.water.model not in DeviceModel.objects.admitted(INSTALLED_ON)


@pytest.mark.parametrize("kind", [MakerPaperKind.CERTIFICATE, MakerPaperKind.INSURANCE])
def test_certificate_and_insurance_must_be_in_force_on_that_very_day(
    cast: Cast, kind: MakerPaperKind
) -> None:
    papers(cast, kind).update(valid_until=INSTALLED_ON)
    assert said(cast.water.model, INSTALLED_ON) == []
    after = said(cast.water.model, INSTALLED_ON + timedelta(days=1))
    assert after == [f"{kind.label}已于 2026-10-20 到期：请供应商办理"]


def test_a_paper_covers_only_the_days_on_which_it_stood_here_once_it_is_withdrawn(
    cast: Cast,
) -> None:
    today, day = clock.today(), timedelta(days=1)
    papers(cast).update(
        valid_from=None,
        added_at=clock.end_of(today - 3 * day),
        withdrawn_at=clock.now(),
        withdrawn_why="传错了",
    )
    missing = ["没有产品保险单：请供应商办理"]
    found = [said(cast.water.model, today - n * day) for n in (3, 2, 1, 0)]
    assert found == [missing, [], [], missing]


def test_where_the_citys_platform_is_appointed_only_its_confirmation_counts(
    cast: Cast, settings: Any
) -> None:
    settings.APPOINTED_PLATFORM = False
    assert said(cast.water.model) == [
        "没有市平台数据对接确认书：请供应商（取得后交平台服务单位录入）办理"
    ]
    confirmations(cast).update(origin="city")
    assert said(cast.water.model) == []


def test_what_is_revoked_today_held_when_the_unit_was_put_in(cast: Cast) -> None:
    one = confirmations(cast).get()
    one.acts.create(state="revoked", reason="抽检不合格", by=cast.service_unit, at=clock.now())
    confirmations(cast).update(state=ConfirmationState.REVOKED)
    assert said(cast.water.model, INSTALLED_ON) == []
    assert said(cast.water.model, clock.today()) == ["数据对接确认书已撤销：请供应商办理"]


def test_a_model_that_lacks_nothing_is_asked_with_one_query(
    cast: Cast, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(1):
        admission.lacks(cast.water.model)


# -- which register map --------------------------------------------------------------------


def test_a_new_unit_speaks_by_the_map_that_was_tested_not_by_a_newer_one(cast: Cast) -> None:
    model = cast.water.model
    tested = model.register_maps.get()
    newer = (MAPS / "beiyue-airbox3.csv").read_bytes()
    RegisterMap.objects.add(model, newer, "newer.csv")
    assert model.map_on(INSTALLED_ON) == tested
    with override_settings(APPOINTED_PLATFORM=False):  # our test report says what was tested
        assert model.map_on(INSTALLED_ON) == tested
    confirmations(cast).update(state=ConfirmationState.SUSPENDED)
    assert model.map_on(INSTALLED_ON).version == 2


# -- installations without papers ----------------------------------------------------------


def unlawful(cast: Cast) -> Step:
    """A household whose unit was put in before its model was confirmed."""
    confirmations(cast).update(valid_from=LATER)
    make.reach(cast.water_household, StepKind.SIGNED, cast.town_officer)
    home = cast.water_household
    return path.take(home, StepKind.INSTALLED, on=INSTALLED_ON, by=cast.town_officer)


def test_a_unit_without_its_confirmation_is_kept_and_counts_for_nothing(cast: Cast) -> None:
    step = unlawful(cast)
    assert step.lacks == ["CN-W10 数据对接确认书自 2026-10-30 起有效，此前没有：请供应商办理"]
    cast.water_household.refresh_from_db()
    assert cast.water_household.state == State.PAPERS_INCOMPLETE
    assert cast.water_household.installed_on is None


def test_it_cannot_be_accepted(cast: Cast) -> None:
    unlawful(cast)
    with pytest.raises(path.StepRefused):
        path.take(cast.water_household, StepKind.ACCEPTED, on=LATER, by=cast.town_officer)


def test_when_the_paper_is_there_it_counts_from_that_day_on(cast: Cast) -> None:
    unlawful(cast)
    assert admission.papers_came(cast.water.model) == 1
    cast.water_household.refresh_from_db()
    assert cast.water_household.installed_on == LATER
    assert not cast.water_household.papers_incomplete
    first, again = cast.water_household.steps.filter(kind=StepKind.INSTALLED)
    assert (first.on, again.on, again.note) == (INSTALLED_ON, LATER, "材料补齐后自动计入")
    assert again.recorded_by == first.recorded_by


def test_a_paper_that_was_in_force_and_only_missing_here_lets_it_count_from_its_own_day(
    cast: Cast,
) -> None:
    row = papers(cast).get()
    papers(cast).update(withdrawn_at=F("added_at"), withdrawn_why="传错了")
    make.reach(cast.water_household, StepKind.SIGNED, cast.town_officer)
    home = cast.water_household
    path.take(home, StepKind.INSTALLED, on=INSTALLED_ON, by=cast.town_officer)
    MakerPaper.objects.filter(pk=row.pk).update(withdrawn_at=None, withdrawn_why="")
    admission.papers_came(cast.water.model)
    home.refresh_from_db()
    assert home.installed_on == INSTALLED_ON


def test_asked_again_or_too_early_nothing_changes(cast: Cast) -> None:
    unlawful(cast)
    papers(cast).update(valid_until=INSTALLED_ON)
    assert admission.papers_came(cast.water.model) == 0
    papers(cast).update(valid_until=date(2099, 1, 1))
    assert admission.papers_came(cast.water.model) == 1
    assert admission.papers_came(cast.water.model) == 0
    assert cast.water_household.steps.filter(kind=StepKind.INSTALLED).count() == 2


def test_what_was_put_in_while_it_was_suspended_counts_from_its_restoring(cast: Cast) -> None:
    one = confirmations(cast).get()
    restored = INSTALLED_ON + timedelta(days=3)
    one.acts.create(state="suspended", by=cast.tester, at=clock.end_of(INSTALLED_ON - LATELY))
    make.reach(cast.water_household, StepKind.SIGNED, cast.town_officer)
    confirmations(cast).update(state=ConfirmationState.SUSPENDED)
    home = cast.water_household
    path.take(home, StepKind.INSTALLED, on=INSTALLED_ON, by=cast.town_officer)
    one.acts.create(state="valid", by=cast.tester, at=clock.end_of(restored) - timedelta(hours=9))
    confirmations(cast).update(state=ConfirmationState.VALID)
    assert said(cast.water.model, INSTALLED_ON) == ["数据对接确认书当天暂停使用：请供应商办理"]
    assert admission.papers_came(cast.water.model) == 1
    home.refresh_from_db()
    assert home.installed_on == restored


def test_what_lacks_something_else_waits_for_that(cast: Cast) -> None:
    unlawful(cast)
    cast.water_household.installations.update(latitude=None, longitude=None)
    assert admission.papers_came(cast.water.model) == 0


def test_papers_that_begin_by_their_date_are_found_each_hour(cast: Cast) -> None:
    unlawful(cast)
    count_installations()
    cast.water_household.refresh_from_db()
    assert cast.water_household.installed_on == LATER


# -- revoking ------------------------------------------------------------------------------


def test_a_revocation_lists_what_stands_and_takes_nothing_away(cast: Cast) -> None:
    make.reach(cast.water_household, StepKind.INSTALLED, cast.town_officer)
    confirmations(cast).update(state=ConfirmationState.REVOKED)
    assert [row.household for row in admission.standing_of(cast.water.model)] == [
        cast.water_household
    ]
    cast.water_household.refresh_from_db()
    assert cast.water_household.installed_on == INSTALLED_ON


def test_between_two_turns_a_model_lacks_the_same_on_every_day(cast: Cast) -> None:
    model, first = cast.water.model, INSTALLED_ON - timedelta(days=9)
    confirmations(cast).update(valid_from=INSTALLED_ON, valid_until=INSTALLED_ON + timedelta(9))
    one = confirmations(cast).get()
    suspended, restored = INSTALLED_ON + timedelta(3), INSTALLED_ON + timedelta(5)
    for state, day in (("suspended", suspended), ("valid", restored)):
        one.acts.create(state=state, by=cast.tester, at=clock.end_of(day) - timedelta(hours=9))
    papers(cast, MakerPaperKind.INSURANCE).update(
        added_at=clock.end_of(first),
        withdrawn_at=clock.end_of(INSTALLED_ON + timedelta(6)),
        withdrawn_why="更换",
    )
    turns = admission.turns([model.pk])[model.pk]
    days = [first + timedelta(n) for n in range(25)]
    changed = [day for day in days[1:] if said(model, day) != said(model, day - timedelta(1))]
    assert {INSTALLED_ON, suspended, restored} <= set(changed) <= set(turns)
