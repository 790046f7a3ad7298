"""Confirmations: who issues them, what supersedes them, what revoking does and does not do."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import date, timedelta
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from PIL import Image
from pytest_django.fixtures import Settings

from devices.docking import confirmations, superseding
from devices.docking.applications import DockingRefused
from devices.makers import access
from devices.models import (
    NOT_YET,
    Confirmation,
    ConfirmationState,
    DockingState,
    Installation,
    RegisterMap,
)
from devices.tasks import supersede_confirmations
from households import clock, vault
from households.models import Notification, User
from tests import cast as make
from tests.cast import Cast
from tests.devices.docking import scene

pytestmark = pytest.mark.django_db
S = ConfirmationState


def signed(one: Confirmation) -> Confirmation:
    """Signed by something quicker than Typst."""
    assert confirmations.sign(one.pk, lambda which: b"%PDF-1.7")
    one.refresh_from_db()
    return one


def standing(cast: Cast) -> Confirmation:
    """The one that 晨暖's model has from the beginning."""
    return Confirmation.objects.filter(model=cast.water.model).earliest("pk")


def scan() -> io.BytesIO:
    file = io.BytesIO()
    Image.new("RGB", (60, 40), "white").save(file, "PNG")
    file.seek(0)
    file.name = "scan.png"
    return file


def as_(who: User) -> Client:
    client = Client()
    client.force_login(who)
    return client


# -- issuing -------------------------------------------------------------------------------


def test_a_second_person_issues_what_a_first_one_tested(cast: Cast) -> None:
    one = scene.brought(cast, DockingState.PASSED)
    until = clock.today() + timedelta(days=30)
    with pytest.raises(DockingRefused, match="另一位"):
        confirmations.issue(one, by=cast.tester, valid_until=until)
    made = confirmations.issue(one, by=cast.service_unit, valid_until=until, conditions=["甲"])
    assert (made.tester, made.signer) == (cast.tester, cast.service_unit)
    assert (made.valid_from, made.valid_until) == (clock.today(), until)
    assert (made.firmware, made.register_map) == ("2.0.7", one.register_map)
    assert (made.test_digest, made.conditions) == (scene.DIGEST, ["甲"])
    assert (made.state, made.standing) == (S.SIGNING, S.SIGNING)
    one.refresh_from_db()
    assert one.state == DockingState.ISSUED


def test_nobody_else_issues(cast: Cast) -> None:
    one = scene.brought(cast, DockingState.PASSED)
    for who in (cast.supplier_member, cast.rival, cast.district_officer, cast.reader):
        with pytest.raises(DockingRefused):
            confirmations.issue(one, by=who, valid_until=clock.today())
    assert not Confirmation.objects.filter(application=one).exists()


@pytest.mark.parametrize("state", [DockingState.FAILED, DockingState.TESTING])
def test_only_what_passed_is_confirmed(cast: Cast, state: DockingState) -> None:
    one = scene.brought(cast, state)
    with pytest.raises(DockingRefused, match="测试通过后"):
        confirmations.issue(one, by=cast.service_unit, valid_until=clock.today())


def test_what_was_tested_with_another_map_is_not_confirmed(cast: Cast) -> None:
    one = scene.brought(cast, DockingState.PASSED)
    one.sample = make.unit(cast.water.gateway, cast.water.model, address=77)
    other = RegisterMap.objects.create(
        model=one.model, version=8, content=one.register_map.content, digest="e" * 64
    )
    one.sample.register_map = other
    one.sample.save()
    one.save()
    with pytest.raises(DockingRefused, match="重新测试"):
        confirmations.issue(one, by=cast.service_unit, valid_until=clock.today())


def test_without_a_name_of_the_service_unit_none_is_issued(cast: Cast, settings: Settings) -> None:
    settings.SERVICE_UNIT = ""
    one = scene.brought(cast, DockingState.PASSED)
    with pytest.raises(DockingRefused, match="SERVICE_UNIT"):
        confirmations.issue(one, by=cast.service_unit, valid_until=clock.today())


def test_without_an_address_for_its_qr_none_is_issued(cast: Cast, settings: Settings) -> None:
    settings.PUBLIC_URL = ""
    one = scene.brought(cast, DockingState.PASSED)
    with pytest.raises(DockingRefused, match="PUBLIC_URL"):
        confirmations.issue(one, by=cast.service_unit, valid_until=clock.today())


def test_numbers_count_through_the_year_and_none_is_given_twice(
    cast: Cast, settings: Settings
) -> None:
    settings.CONFIRMATION_NUMBER = "测〔{year}〕{serial}号"
    year = clock.today().year
    numbers = [scene.issued(cast).number for _ in range(2)]
    assert numbers == [f"测〔{year}〕1号", f"测〔{year}〕2号"]
    Confirmation.objects.filter(number=numbers[0]).update(issued_on=date(2016, 1, 2))
    assert scene.issued(cast).number == f"测〔{year}〕3号"


# -- superseding ---------------------------------------------------------------------------


def test_a_newer_one_supersedes_once_it_is_signed(cast: Cast) -> None:
    old, new = standing(cast), scene.issued(cast)
    old.refresh_from_db()
    assert old.state == S.VALID  # the new one is worth nothing yet
    signed(new)
    old.refresh_from_db()
    assert (old.state, new.state) == (S.SUPERSEDED, S.VALID)
    act = old.acts.get()
    assert new.number in act.reason
    others = Confirmation.objects.get(model=cast.air.model)
    assert others.state == S.VALID


def test_a_revoked_one_stays_revoked(cast: Cast) -> None:
    old = standing(cast)
    confirmations.change(old, S.REVOKED, by=cast.tester, reason="抽检不符")
    signed(scene.issued(cast))
    old.refresh_from_db()
    assert old.state == S.REVOKED


@pytest.mark.parametrize("field", ["board", "board_version", "firmware", "transmitter_model"])
def test_what_differs_from_the_standing_confirmation_is_named(cast: Cast, field: str) -> None:
    same = {"board": "MB-1", "board_version": "A", "firmware": "1.0", "transmitter_model": "DTU-1"}
    assert superseding.scope_changes(scene.draft(cast, **same)) == []
    changed = superseding.scope_changes(scene.draft(cast, **same | {field: "X"}))
    assert changed == [str(Confirmation._meta.get_field(field).verbose_name)]  # type: ignore[union-attr]


# -- suspending, restoring, revoking -------------------------------------------------------


def test_suspended_restored_and_revoked_each_with_its_reason_and_a_message(cast: Cast) -> None:
    one = standing(cast)
    today = clock.today()
    valid = Confirmation.objects.valid_on(today).filter(pk=one.pk)
    confirmations.change(one, S.SUSPENDED, by=cast.service_unit, reason="抽检不符")
    assert not valid.exists()
    confirmations.change(one, S.VALID, by=cast.service_unit, reason="已整改")
    assert valid.exists()
    confirmations.change(one, S.REVOKED, by=cast.service_unit, reason="供货不符")
    assert not valid.exists()
    assert [act.reason for act in one.acts.all()] == ["抽检不符", "已整改", "供货不符"]
    heard = Notification.objects.filter(to=cast.supplier_member, text__contains=one.number)
    assert heard.count() == 3
    assert not Notification.objects.filter(to=cast.rival).exists()
    for state in (S.VALID, S.SUSPENDED):
        with pytest.raises(DockingRefused, match="已撤销"):
            confirmations.change(one, state, by=cast.service_unit, reason="x")


def test_it_needs_a_reason_and_the_service_unit(cast: Cast) -> None:
    one = standing(cast)
    with pytest.raises(DockingRefused, match="原因"):
        confirmations.change(one, S.REVOKED, by=cast.service_unit, reason="")
    for who in (cast.supplier_member, cast.district_officer, cast.rival):
        with pytest.raises(DockingRefused):
            confirmations.change(one, S.REVOKED, by=who, reason="x")
    one.refresh_from_db()
    assert one.state == S.VALID


def test_revoking_takes_nothing_away_from_what_was_lawful(cast: Cast) -> None:
    one = standing(cast)
    before = list(Installation.objects.values())
    confirmations.change(one, S.REVOKED, by=cast.service_unit, reason="抽检不符")
    assert list(Installation.objects.values()) == before
    rows, today = Confirmation.objects.filter(pk=one.pk), clock.today()
    assert not rows.valid_on(today).exists()
    assert not rows.valid_on(today + timedelta(days=1)).exists()
    assert rows.valid_on(today - timedelta(days=1)).exists()
    assert not rows.valid_on(one.valid_from - timedelta(days=1)).exists()


def test_the_day_of_a_change_is_that_of_shanghai(cast: Cast) -> None:
    one = standing(cast)
    late = clock.now().replace(hour=16, minute=30) - timedelta(days=3)  # 00:30 of the next day
    day = late.astimezone(clock.SHANGHAI).date()
    with clock.at(late):
        confirmations.change(one, S.SUSPENDED, by=cast.tester, reason="x")
    rows = Confirmation.objects.filter(pk=one.pk)
    assert rows.valid_on(day - timedelta(days=1)).exists()
    assert not rows.valid_on(day).exists()


# -- the city's ----------------------------------------------------------------------------


def the_citys(**changes: Any) -> dict[str, Any]:
    today = clock.today()
    return {
        "number": "晋对接〔2026〕5 号",
        "issuer": "市平台",
        "issued_on": today,
        "valid_from": today,
        "valid_until": today + timedelta(days=300),
    } | changes


def test_the_citys_confirmation_counts_where_the_citys_platform_is_appointed(
    cast: Cast, settings: Settings
) -> None:
    settings.APPOINTED_PLATFORM = False
    today = clock.today()
    assert not Confirmation.objects.valid_on(today).exists()
    one = confirmations.enter_city(cast.water.model, scan(), by=cast.tester, **the_citys())
    assert list(Confirmation.objects.valid_on(today)) == [one]
    assert vault.size(one.paper) > 0
    newer = confirmations.enter_city(
        cast.water.model, scan(), by=cast.tester, **the_citys(number="晋对接〔2026〕6 号")
    )
    one.refresh_from_db()
    assert (one.state, standing(cast).state) == (S.SUPERSEDED, S.VALID)
    assert list(Confirmation.objects.valid_on(today)) == [newer]


def test_the_citys_paper_is_entered_on_its_page(cast: Cast) -> None:
    def send(who: User, **changes: Any) -> int:
        days = {name: str(value) for name, value in the_citys(**changes).items()}
        said = {"model": cast.water.model.pk, "scan": scan()} | days
        return as_(who).post("/confirmations/city/", said).status_code

    assert send(cast.supplier_member) == send(cast.district_officer) == 403
    assert send(cast.tester, valid_until=date(2020, 1, 1)) == 422
    assert send(cast.tester, number="") == 422
    assert send(cast.tester) == 302
    assert send(cast.tester) == 422  # the number is known
    one = Confirmation.objects.get(origin="city")
    assert (one.signer, one.tester, one.paper_type) == (cast.tester, None, "image/jpeg")


def test_a_scan_that_is_none_is_refused_and_nothing_is_kept(cast: Cast) -> None:
    said = {"model": cast.water.model.pk, "scan": io.BytesIO(b"MZ program")} | the_citys()
    answer = as_(cast.tester).post("/confirmations/city/", said)
    assert answer.status_code == 422
    assert not Confirmation.objects.filter(origin="city").exists()


# -- pages and papers ----------------------------------------------------------------------


def test_the_page_issues_and_the_maker_downloads_what_was_signed(
    cast: Cast, tmp_path: Path
) -> None:
    one = scene.brought(cast, DockingState.PASSED)
    until = clock.today() + timedelta(days=30)
    said = {"valid_until": f"{until}", "conditions": "甲\n\n乙"}
    url = f"/docking/{one.number}/issue/"
    assert as_(cast.tester).post(url, said).status_code == 422
    assert as_(cast.supplier_member).post(url, said).status_code == 403
    wrong = said | {"valid_until": "2020-01-01"}
    assert as_(cast.service_unit).post(url, wrong).status_code == 422
    answer = as_(cast.service_unit).post(url, said)
    made = Confirmation.objects.get(application=one)
    assert answer.headers["Location"] == f"/confirmations/{made.uid}/"
    assert made.conditions == ["甲", "乙"]
    paper = f"/confirmations/{made.uid}/paper/"
    assert as_(cast.supplier_member).get(paper).status_code == 404  # nothing is signed yet
    signed(made)
    answer = as_(cast.supplier_member).get(paper)
    assert b"".join(answer) == b"%PDF-1.7"
    assert answer.headers["Content-Type"] == "application/pdf"
    assert as_(cast.rival).get(paper).status_code == 404
    assert as_(cast.rival).get(f"/confirmations/{made.uid}/").status_code == 404


def test_two_who_sign_at_once_sign_once(cast: Cast) -> None:
    one = scene.brought(cast, DockingState.PASSED)
    confirmations.issue(one, by=cast.service_unit, valid_until=clock.today())
    stale = type(one).objects.get(pk=one.pk)
    stale.state = DockingState.PASSED
    with pytest.raises(DockingRefused):
        confirmations.issue(stale, by=cast.service_unit, valid_until=clock.today())
    assert Confirmation.objects.filter(application=one).count() == 1


def test_the_stamped_scan_is_brought_and_replaced(cast: Cast) -> None:
    one = signed(scene.issued(cast))
    url = f"/confirmations/{one.uid}/"
    assert as_(cast.supplier_member).get(f"{url}stamped/").status_code == 404
    assert as_(cast.supplier_member).post(f"{url}stamp/", {"scan": scan()}).status_code == 403
    names = set()
    for _ in range(2):
        as_(cast.service_unit).post(f"{url}stamp/", {"scan": scan()})
        one.refresh_from_db()
        names.add(one.stamped)
    assert len(names - {""}) == 2
    answer = as_(cast.supplier_member).get(f"{url}stamped/")
    assert answer.status_code == 200 and answer.headers["Content-Type"] == "image/jpeg"
    before = one.stamped
    as_(cast.service_unit).post(f"{url}stamp/", {"scan": io.BytesIO(b"no picture")})
    as_(cast.service_unit).post(f"{url}stamp/", {})
    one.refresh_from_db()
    assert one.stamped == before


def test_a_scan_that_is_not_kept_in_the_end_leaves_the_one_before(cast: Cast) -> None:
    one = signed(scene.issued(cast))
    confirmations.stamp(one, scan(), by=cast.service_unit)
    before = one.stamped
    with suppress(ZeroDivisionError), transaction.atomic():
        confirmations.stamp(one, scan(), by=cast.service_unit)
        raise ZeroDivisionError
    one.refresh_from_db()
    assert one.stamped == before and vault.size(before) > 0


def test_the_page_changes_the_state_with_a_reason_from_the_list(cast: Cast) -> None:
    one = standing(cast)
    url = f"/confirmations/{one.uid}/act/"
    said = {"state": "suspended", "suspended-why": "sampling", "suspended-text": "第 3 批"}
    assert as_(cast.supplier_member).post(url, said).status_code == 403
    assert as_(cast.rival).post(url, said).status_code == 404
    signer = as_(cast.service_unit)
    assert signer.post(url, said | {"suspended-why": ""}).status_code == 422
    assert signer.post(url, {"state": "superseded"}).status_code == 422
    assert signer.post(url, said).status_code == 302
    one.refresh_from_db()
    assert (one.state, one.acts.get().reason) == (S.SUSPENDED, "抽检不符：第 3 批")
    shown = signer.get(f"/confirmations/{one.uid}/").content.decode()
    assert "恢复使用" in shown and "这个型号在用 1 台" in shown
    assert cast.water_household.number in shown
    listed = b"".join(signer.get(f"/confirmations/{one.uid}/?export=csv")).decode()
    assert cast.water_household.number in listed and "CN26100001" in listed
    assert cast.water_household.householder not in listed
    theirs = as_(cast.supplier_member).get(f"/confirmations/{one.uid}/?export=csv").content.decode()
    assert "恢复使用" not in theirs and cast.water_household.number not in theirs


def test_the_page_offers_for_each_change_its_own_reasons(cast: Cast) -> None:
    one = standing(cast)
    confirmations.change(one, S.SUSPENDED, by=cast.service_unit, reason="抽检不符")
    signer = as_(cast.service_unit)
    shown = signer.get(f"/confirmations/{one.uid}/").content.decode()
    assert 'value="mended"' in shown
    said = {"state": "valid", "valid-why": "mended"}
    assert signer.post(f"/confirmations/{one.uid}/act/", said).status_code == 302
    one.refresh_from_db()
    assert one.state == S.VALID


def test_a_refused_change_comes_back_with_what_is_wrong_in_it(cast: Cast) -> None:
    one = standing(cast)
    said = {"state": "revoked", "revoked-why": "other", "revoked-text": ""}
    answer = as_(cast.service_unit).post(f"/confirmations/{one.uid}/act/", said)
    assert answer.status_code == 422
    assert "选了“其他”，请写明原因" in answer.content.decode()


def test_the_maker_hears_of_every_step_with_the_page_that_it_is_about(cast: Cast) -> None:
    one = signed(scene.issued(cast))
    last = Notification.objects.filter(to=cast.supplier_member, text__contains=one.number).first()
    assert last and last.path == f"/confirmations/{one.uid}/"
    assert access.people(one.model.supplier).get() == cast.supplier_member


@pytest.mark.django_db(transaction=True)
def test_of_two_that_are_signed_at_once_one_stands(cast: Cast) -> None:
    first, second = scene.issued(cast), scene.issued(cast)
    both = Barrier(2)

    def sign(one: Confirmation) -> bool:
        def letter(_which: Confirmation) -> bytes:
            both.wait(timeout=30)
            return b"%PDF-1.7"

        try:
            return confirmations.sign(one.pk, letter)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as workers:
        assert list(workers.map(sign, (first, second))) == [True, True]
    of_the_model = Confirmation.objects.filter(model=first.model)
    assert of_the_model.filter(state=S.VALID).count() == 1
    assert of_the_model.filter(state=S.SUPERSEDED).count() == 2


# -- which one stands ----------------------------------------------------------------------


def city(cast: Cast, number: str, issued: date, begins: date, ends: date) -> Confirmation:
    said = {"issuer": "市平台", "issued_on": issued, "valid_from": begins, "valid_until": ends}
    made = confirmations.enter_city(
        cast.water.model, scan(), by=cast.service_unit, number=number, **said
    )
    made.refresh_from_db()
    return made


def test_an_older_paper_of_the_city_entered_later_does_not_supersede(cast: Cast) -> None:
    today, year = clock.today(), timedelta(days=365)
    newer = city(cast, "2 号", today, today, today + year)
    older = city(cast, "1 号", today - year, today - year, today + year)
    newer.refresh_from_db()
    assert (newer.state, older.state) == (S.VALID, S.SUPERSEDED)


def test_one_that_is_not_in_force_yet_leaves_the_older_one_standing(cast: Cast) -> None:
    today, year = clock.today(), timedelta(days=365)
    older = city(cast, "1 号", today - year, today - year, today + year)
    city(cast, "2 号", today, today + timedelta(days=30), today + year)
    older.refresh_from_db()
    assert older.state == S.VALID


def test_it_supersedes_on_the_day_on_which_it_begins(cast: Cast) -> None:
    today, year = clock.today(), timedelta(days=365)
    begins = today + timedelta(days=30)
    older = city(cast, "1 号", today - year, today - year, today + year)
    newer = city(cast, "2 号", today, begins, today + year)
    assert (older.standing, newer.standing) == (S.VALID, NOT_YET)
    assert superseding.successor(older) == newer
    assert superseding.due() == 0
    with clock.at(clock.end_of(begins - timedelta(days=1))):
        supersede_confirmations()
        older.refresh_from_db()
        assert (older.state, newer.standing) == (S.SUPERSEDED, S.VALID)
        assert "2 号" in older.acts.get(state=S.SUPERSEDED).reason
        assert superseding.due() == 0


def test_one_that_was_suspended_and_restored_held_until_it_was_revoked(cast: Cast) -> None:
    one, now = standing(cast), clock.now()
    changes = ((S.SUSPENDED, 30), (S.VALID, 20), (S.REVOKED, 10))
    for state, days in changes:
        confirmations.change(one, state, by=cast.service_unit, reason="抽检")
        at = now - timedelta(days=days)
        one.acts.filter(pk=one.acts.latest("pk").pk).update(at=at)
    held = [
        Confirmation.objects.valid_on(clock.today() - timedelta(days=days)).filter(pk=one.pk)
        for days in (40, 25, 15, 5)
    ]
    assert [rows.exists() for rows in held] == [True, False, True, False]
