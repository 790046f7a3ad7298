"""What the phone's queue asks of the server, and what it answers to whom."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from PIL import Image

from devices.models import Installation
from households.models import Household, StepKind, User
from households.uid import uuid7
from tests import cast as make
from tests.cast import Cast
from tests.devices.test_installing import said


@pytest.fixture
def installer(cast: Cast) -> User:
    """One of 晨暖's."""
    return make.installer("anzhuang", cast.water.model.supplier)


@pytest.fixture
def home(cast: Cast, installer: User) -> Household:
    """A household of 洞头村, given to 晨暖 and there to the installer."""
    row = make.household(cast.area("洞头村"), number="26-12-0002", door="测试路 2 号")
    make.reach(row, StepKind.SIGNED, cast.town_officer)
    make.assign(row, cast.water.model.supplier, cast.town_officer, installer)
    return row


def client_of(user: User | None) -> Client:
    client = Client()
    if user:
        client.force_login(user)
    return client


def send(user: User, home: Household, uid: Any = None, **changes: Any) -> Any:
    """One entry as the queue sends it."""
    values = said(**changes.pop("values", {}))
    body = {
        "owner": str(user.pk),
        "uid": str(uid or uuid7()),
        "number": home.number,
        "values": json.dumps(values),
    } | changes
    return client_of(user).post(reverse("install_entries"), body)


def test_the_page_says_nothing_of_whoever_asks(installer: User, home: Household) -> None:
    page = client_of(installer).get(reverse("install"))
    assert page.status_code == 200
    text = page.content.decode()
    for personal in (installer.username, str(installer), home.number, "csrfmiddlewaretoken"):
        assert personal not in text


def test_an_installer_gets_his_own_households_and_models(installer: User, home: Household) -> None:
    answer = client_of(installer).get(reverse("install_work"))
    work = answer.json()
    assert work["user"] == str(installer.pk)
    assert [one["number"] for one in work["households"]] == [home.number]
    assert work["households"][0]["phone"] == home.masked_phone
    assert [one["model"] for one in work["models"]] == ["CN-W10"]
    assert "no-store" in answer["Cache-Control"]


def test_models_without_papers_come_along_for_what_stands_already(
    cast: Cast, installer: User, home: Household
) -> None:
    make.unconfirmed(cast.water.model)
    work = client_of(installer).get(reverse("install_work")).json()
    assert [(one["model"], one["admitted"]) for one in work["models"]] == [("CN-W10", False)]
    assert send(installer, home).status_code == 422
    assert send(installer, home, values={"existing": "on"}).json()["state"] == "stored"


def test_a_record_comes_with_its_uid_to_be_corrected(
    cast: Cast, installer: User, home: Household
) -> None:
    row = make.install(home, make.unit(cast.water.gateway, cast.water.model, address=6))
    work = client_of(installer).get(reverse("install_work")).json()
    record = work["households"][0]["records"][0]
    assert (record["uid"], record["values"]["address"]) == (str(row.uid), "6")


def test_an_entry_is_stored_once_however_often_it_comes(installer: User, home: Household) -> None:
    uid = uuid7()
    for _ in range(2):
        answer = send(installer, home, uid)
        assert (answer.status_code, answer.json()) == (200, {"state": "stored", "reminders": []})
    assert Installation.objects.get(household=home).uid == uid


def test_an_entry_whose_answer_was_lost_comes_again_after_acceptance(
    cast: Cast, installer: User, home: Household
) -> None:
    uid = uuid7()
    send(installer, home, uid)
    Household.objects.filter(pk=home.pk).update(accepted_on=make.INSTALLED_ON)
    assert send(installer, home, uid).json()["state"] == "stored"
    answer = send(installer, home)
    assert "不在您的名单里" in answer.json()["messages"][""][0]


def test_an_accepted_household_is_no_longer_changed_by_whoever_installed_it(
    installer: User, home: Household
) -> None:
    uid = uuid7()
    send(installer, home, uid)
    Household.objects.filter(pk=home.pk).update(accepted_on=make.INSTALLED_ON)
    answer = send(installer, home, uid, values={"note": "改过"}, reason="抄错编号")
    assert "不在您的名单里" in answer.json()["messages"][""][0]
    send(installer, home, uid, photo=photo())
    assert Installation.objects.get(uid=uid).note == ""
    assert not home.documents.exists()


def test_a_refused_entry_says_why_at_its_field(installer: User, home: Household) -> None:
    answer = send(installer, home, values={"network_address": "1001"})
    assert answer.status_code == 422
    assert answer.json()["messages"] == {
        "network_address": ["网络地址 1001 已被占用：请核对标签，仍不符请联系平台服务单位"]
    }


@pytest.mark.parametrize(
    "body", [{"uid": "x"}, {"values": "{"}, {"values": "[]"}, {"values": '{"maker": [1]}'}]
)
def test_what_cannot_be_read_is_refused(
    installer: User, home: Household, body: dict[str, str]
) -> None:
    entry = {"owner": str(installer.pk), "uid": str(uuid7()), "number": home.number, "values": "{}"}
    answer = client_of(installer).post(reverse("install_entries"), entry | body)
    assert answer.status_code == 422
    assert "读不出来" in answer.json()["messages"][""][0]


def test_another_account_cannot_send_it(cast: Cast, installer: User, home: Household) -> None:
    answer = send(cast.town_officer, home, owner=str(installer.pk))
    assert (answer.status_code, answer.json()) == (409, {"state": "other_user"})
    assert not Installation.objects.filter(household=home).exists()


def test_photos_go_into_the_households_file(installer: User, home: Household) -> None:
    answer = send(installer, home, photo=[photo(), photo(200)])
    assert answer.json()["state"] == "stored"
    assert [row.kind for row in home.documents.all()] == ["installation", "installation"]


def test_a_photo_that_is_none_stores_nothing(installer: User, home: Household) -> None:
    answer = send(installer, home, photo=[SimpleUploadedFile("a.jpg", b"<html>")])
    assert answer.status_code == 422
    assert "photo" in answer.json()["messages"]
    assert not Installation.objects.filter(household=home).exists()


def photo(width: int = 100) -> SimpleUploadedFile:
    data = BytesIO()
    Image.new("RGB", (width, 80), "grey").save(data, "JPEG")
    return SimpleUploadedFile("photo.jpg", data.getvalue(), "image/jpeg")


def test_a_colleague_and_a_rival_have_another_list(cast: Cast, home: Household) -> None:
    colleague = make.installer("tongshi", cast.water.model.supplier)
    for person in (colleague, cast.rival):
        work = client_of(person).get(reverse("install_work")).json()
        assert work["households"] == []
        assert send(person, home).status_code == 422
    assert not Installation.objects.filter(household=home).exists()


def test_the_town_may_enter_and_the_neighbour_town_not(cast: Cast, home: Household) -> None:
    assert send(cast.outsider, home).status_code == 422
    assert send(cast.town_officer, home).json()["state"] == "stored"


@pytest.mark.parametrize("name", ["install_work", "install_entries"])
def test_a_script_is_told_to_sign_in_and_not_sent_to_a_page(db: None, name: str) -> None:
    method = "post" if name == "install_entries" else "get"
    answer = getattr(client_of(None), method)(reverse(name))
    assert (answer.status_code, answer.json()) == (401, {"state": "sign_in"})


@pytest.mark.parametrize("name", ["install_work", "install_entries", "install"])
def test_who_does_not_install_has_no_such_page(cast: Cast, name: str) -> None:
    method = "post" if name == "install_entries" else "get"
    assert getattr(client_of(cast.reader), method)(reverse(name)).status_code == 403


def test_the_page_itself_wants_a_sign_in(db: None) -> None:
    assert client_of(None).get(reverse("install")).status_code == 302


def test_an_entry_needs_its_token_against_forgery(installer: User, home: Household) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(installer)
    body = {"owner": str(installer.pk), "uid": str(uuid7()), "number": home.number}
    assert client.post(reverse("install_entries"), body).status_code == 403


def test_the_worker_keeps_the_page_and_its_files(db: None) -> None:
    answer = client_of(None).get(reverse("install_worker"))
    assert answer["Content-Type"].startswith("text/javascript")
    text = answer.content.decode()
    assert '"/install/"' in text
    assert "queue.js" in text
