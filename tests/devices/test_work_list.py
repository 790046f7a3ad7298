"""The list 安装与调试: who waits for whom; households given to suppliers and installers."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from devices.models import Assignment
from households.models import Household, StepKind, User
from tests import cast as make
from tests.cast import Cast

LIST = reverse("installations")


def client_of(user: User | None) -> Client:
    client = Client()
    if user:
        client.force_login(user)
    return client


def page(user: User, **query: Any) -> str:
    answer = client_of(user).get(LIST, query)
    assert answer.status_code == 200
    return str(answer.content.decode())


@pytest.fixture
def waiting(cast: Cast) -> Household:
    """A household of 洞头村 on the list, without unit and without work given."""
    row = make.household(cast.area("洞头村"), number="26-12-0002", door="测试路 2 号")
    return make.reach(row, StepKind.SIGNED, cast.town_officer)


def given(cast: Cast, home: Household) -> Assignment:
    return make.assign(home, cast.water.model.supplier, cast.town_officer)


def test_a_household_goes_from_stage_to_stage(cast: Cast, waiting: Household) -> None:
    def stage() -> set[str]:
        stages = ("assign", "install", "commission", "done", "lack")
        return {one for one in stages if waiting.number in page(cast.town_officer, stage=one)}

    assert stage() == {"assign"}
    given(cast, waiting)
    assert stage() == {"install"}
    make.reach(waiting, StepKind.INSTALLED, cast.town_officer)
    assert stage() == {"commission"}
    make.reach(waiting, StepKind.COMMISSIONED, cast.town_officer)
    assert stage() == {"done"}
    Household.objects.filter(pk=waiting.pk).update(papers_incomplete=True)
    assert stage() == {"lack"}


def test_a_network_household_is_assigned_to_nobody(cast: Cast, waiting: Household) -> None:
    Household.objects.filter(pk=waiting.pk).update(method="central_heating")
    assert waiting.number in page(cast.town_officer, stage="install", kind="network")


def test_the_chips_sum_up(cast: Cast, waiting: Household) -> None:
    given(cast, make.reach(cast.water_household, StepKind.COMMISSIONED, cast.town_officer))
    answer = client_of(cast.town_officer).get(LIST)
    counts = [chip.count for chip in answer.context["chips"]]
    assert counts[0] == sum(counts[1:]) == 2


def test_everybody_sees_his_own_reach(cast: Cast, waiting: Household) -> None:
    assert waiting.number in page(cast.clerk)
    assert waiting.number in page(cast.reader)
    assert waiting.number not in page(cast.outsider)
    assert waiting.number not in page(cast.supplier_member)
    given(cast, waiting)
    assert waiting.number in page(cast.supplier_member)
    assert waiting.number not in page(cast.rival)
    assert client_of(None).get(LIST).status_code == 302


def test_a_town_gives_what_is_ticked(cast: Cast, waiting: Household) -> None:
    body = {"household": [waiting.number], "supplier": cast.water.model.supplier.pk}
    answer = client_of(cast.town_officer).post(reverse("assign_installations"), body)
    assert answer.status_code == 302
    row = Assignment.objects.get(household=waiting)
    assert (row.supplier, row.assigned_by) == (cast.water.model.supplier, cast.town_officer)
    body = {"household": [waiting.number], "withdraw": "1"}
    client_of(cast.town_officer).post(reverse("assign_installations"), body)
    row.refresh_from_db()
    assert row.withdrawn_at is not None


def test_a_household_out_of_reach_is_not_given(cast: Cast, waiting: Household) -> None:
    body = {"household": [waiting.number], "supplier": cast.water.model.supplier.pk}
    client_of(cast.outsider).post(reverse("assign_installations"), body)
    assert not Assignment.objects.exists()


@pytest.mark.parametrize("who", ["clerk", "supplier_member", "reader"])
def test_only_offices_of_towns_and_district_assign(cast: Cast, who: str) -> None:
    answer = client_of(getattr(cast, who)).post(reverse("assign_installations"))
    assert answer.status_code == 403


def test_a_supplier_gives_his_work_to_his_installer(cast: Cast, waiting: Household) -> None:
    row = given(cast, waiting)
    person = make.installer("jia", cast.water.model.supplier)
    body = {"household": [waiting.number], "installer": person.pk, "back": LIST + "?stage=install"}
    answer = client_of(cast.supplier_member).post(reverse("give_installations"), body)
    assert answer["Location"] == LIST + "?stage=install"
    row.refresh_from_db()
    assert row.installer == person
    client_of(cast.rival).post(reverse("give_installations"), body | {"installer": cast.rival.pk})
    row.refresh_from_db()
    assert row.installer == person
    answer = client_of(cast.town_officer).post(reverse("give_installations"), body)
    assert answer.status_code == 403


def test_the_way_back_leads_nowhere_else(cast: Cast) -> None:
    body = {"back": "https://example.org/installations/"}
    answer = client_of(cast.supplier_member).post(reverse("give_installations"), body)
    assert answer["Location"] == LIST


def test_the_list_sorts_filters_and_exports(cast: Cast, waiting: Household) -> None:
    given(cast, waiting)
    for sort in ("number", "-supplier", "installer", "stage", "-installed_on", "householder"):
        assert waiting.number in page(cast.town_officer, sort=sort)
    maker = cast.water.model.supplier.pk
    assert waiting.number in page(cast.town_officer, supplier=maker)
    assert waiting.number not in page(cast.town_officer, supplier=cast.air.model.supplier.pk)
    answer = client_of(cast.town_officer).get(LIST, {"export": "csv"})
    text = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
    assert "晨暖（虚构）" in text
    assert "130****0000" in text


def test_a_heat_company_narrows_by_its_villages(cast: Cast, waiting: Household) -> None:
    Household.objects.filter(pk=waiting.pk).update(method="central_heating")
    person = make.user("reli", "heat_company")  # type: ignore[arg-type]
    text = page(person, area=cast.area("洞头村").pk)
    assert waiting.number in text
    assert "南村镇" not in text


def test_an_installer_begins_at_what_is_to_be_installed(cast: Cast) -> None:
    person = make.installer("jia", cast.water.model.supplier)
    assert client_of(person).get("/")["Location"] == LIST
    assert client_of(cast.supplier_member).get("/")["Location"] == reverse("desk")


def test_only_makers_with_an_admitted_model_are_offered(cast: Cast, waiting: Household) -> None:
    assert "晨暖（虚构）</option>" in page(cast.town_officer)
    make.unconfirmed(cast.water.model)
    text = page(cast.town_officer)
    assert "晨暖（虚构）</option>" not in text
    assert "北岳（虚构）</option>" in text
