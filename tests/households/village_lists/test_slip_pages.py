"""Pages of change slips: drafted by form, reviewed, in effect; who sees and does what."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from households import clock, path
from households.models import ChangeSlip, Household, SlipState, StepKind
from tests import cast as make
from tests.cast import Cast
from tests.households import list_scene
from tests.households.list_scene import photo


@pytest.fixture
def homes(cast: Cast) -> Iterator[list[Household]]:
    """Three households in the plan; it is June 21."""
    with clock.at(list_scene.JUNE):
        homes = list_scene.waiting(cast.area("泽州东社区"), by=cast.town_officer)
        list_scene.filed(cast, cast.area("泽州东社区"))
    with clock.at(list_scene.JUNE + timedelta(days=20)):
        yield homes


@pytest.fixture
def town(cast: Cast, homes: list[Household], client: Client) -> Client:
    client.force_login(cast.town_officer)
    return client


BASIS = {"basis": "自愿放弃申请书", "basis_on": "2026-06-20", "reason": "given_up"}
OTHER = {"reason": "other", "note": "示例"}


def drafted(client: Client, home: Household, **fields: Any) -> ChangeSlip:
    sent = {"kind": "withdrawn", "leaves_number": home.number, "scan": photo(), **BASIS} | fields
    answer = client.post("/slips/new/", sent)
    assert answer.status_code == 302, answer.content.decode()
    return ChangeSlip.objects.latest("pk")


def act(client: Client, slip: ChangeSlip, name: str, **fields: Any) -> Any:
    return client.post(f"/slips/{slip.uid}/act/", {"act": name, **fields})


def text(answer: Any) -> str:
    return str(answer.content.decode())


def test_who_registers_after_filing_is_led_to_a_slip(
    cast: Cast, town: Client, homes: list[Household]
) -> None:
    late = make.household(cast.area("泽州东社区"), number="26-59-0001", householder="卫示寅")
    path.take(late, StepKind.SURVEYED, on=clock.today(), by=cast.town_officer)
    way = f"/slips/new/?kind=added&amp;household={late.number}"
    assert way in text(town.get(f"/households/{late.number}/"))
    town.force_login(cast.district_officer)  # who files slips, and drafts none
    assert way not in text(town.get(f"/households/{late.number}/"))


def test_a_slip_walks_from_its_form_into_effect(
    cast: Cast, town: Client, homes: list[Household]
) -> None:
    assert "退出改造" in text(town.get(f"/slips/new/?household={homes[0].number}"))
    form = text(town.get(f"/slips/new/?kind=withdrawn&household={homes[0].number}"))
    assert f'value="{homes[0].number}"' in form
    slip = drafted(town, homes[0])
    assert act(town, slip, "submit").status_code == 302
    assert act(town, slip, "review").status_code == 302
    town.force_login(cast.district_officer)
    assert "变更单待区备案 1" in text(town.get("/todo/"))
    assert act(town, slip, "approve").status_code == 302
    page = text(town.get(f"/slips/{slip.uid}/"))
    assert "2026-钟家庄街道-001" in page
    assert "<b>2026-06-21</b>" in page
    homes[0].refresh_from_db()
    assert homes[0].withdrawn_on
    assert slip.number in text(town.get(f"/households/{homes[0].number}/"))


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("method", {"changes_number": "{0} {1}", "method": "industrial_waste_heat"}),
        ("householder", {"changes_number": "{0}", "householder": "新户主"}),
        ("merged", {"stays_number": "{0}", "leaves_number": "{1}"}),
        (
            "split",
            {
                "stays_number": "{0}",
                "householder": "分出户",
                "door": "西屋",
                "heated_area": "30",
            },
        ),
        ("vacant", {"changes_number": "{0}，{1}"}),
        ("demolition", {"changes_number": "{0}", "demolition_on": "2027-05-01"}),
    ],
)
def test_every_kind_has_its_form_and_takes_effect(
    cast: Cast, town: Client, homes: list[Household], kind: str, fields: dict[str, str]
) -> None:
    assert town.get(f"/slips/new/?kind={kind}").status_code == 200
    numbers = [home.number for home in homes]
    told = {name: value.format(*numbers) for name, value in fields.items()}
    sent = {"kind": kind, "scan": photo(), **BASIS, **OTHER, **told}
    assert town.post("/slips/new/", sent).status_code == 302
    slip = ChangeSlip.objects.get()
    again = text(town.get(f"/slips/{slip.uid}/edit/"))
    assert f'value="{numbers[0]}' in again
    act(town, slip, "submit")
    act(town, slip, "review")
    town.force_login(cast.district_officer)
    assert act(town, slip, "approve").status_code == 302
    slip.refresh_from_db()
    assert slip.state == SlipState.EFFECTIVE


def test_who_reviews_reads_what_will_become_of_the_household(
    cast: Cast, town: Client, homes: list[Household]
) -> None:
    heir = {"kind": "householder", "changes_number": homes[0].number, "householder": "新户主"}
    sold = {"basis": "房屋买卖合同", "basis_on": "2026-06-20", "reason": "sold"}
    town.post("/slips/new/", {**heir, **sold, "scan": photo()})
    page = text(town.get(f"/slips/{ChangeSlip.objects.get().uid}/"))
    assert f"{homes[0].householder} → <b>新户主</b>" in page and "备案后生效" in page


def test_only_reasons_of_its_kind_are_offered(town: Client, homes: list[Household]) -> None:
    page = text(town.get("/slips/new/?kind=householder"))
    assert "房屋买卖、继承" in page and "其他" in page
    assert "列入拆迁计划" not in page


def test_a_mistake_is_said_in_the_form_and_nothing_is_drafted(
    cast: Cast, town: Client, homes: list[Household]
) -> None:
    def said(**fields: str) -> str:
        sent = {"kind": "withdrawn", "leaves_number": homes[0].number, **BASIS} | fields
        answer = town.post("/slips/new/", sent)
        assert answer.status_code == 422
        return text(answer)

    assert "没有户编号 26-99-9999" in said(leaves_number="26-99-9999")
    assert "还没有到" in said(basis_on="2026-07-01")
    assert "请写明原因" in said(reason="other")
    assert "必填，请补上" in said(basis="")
    assert "还没有备案" in said(leaves_number=cast.water_household.number)
    assert not ChangeSlip.objects.exists()


def test_a_household_of_another_town_is_unknown_here(
    cast: Cast, client: Client, homes: list[Household]
) -> None:
    client.force_login(cast.outsider)
    sent = {"kind": "withdrawn", "leaves_number": homes[0].number, **BASIS}
    assert "不在本单位辖区" in text(client.post("/slips/new/", sent))
    assert client.get(f"/slips/new/?household={homes[0].number}").status_code == 404


def test_everybody_sees_the_slips_of_his_own_reach(
    cast: Cast, town: Client, homes: list[Household]
) -> None:
    slip = drafted(town, homes[0])
    scan = f"/papers/{slip.papers.get().uid}/"
    for who, code in (
        (cast.town_officer, 200),
        (cast.district_officer, 200),
        (cast.reader, 200),
        (cast.clerk, 404),
        (cast.outsider, 404),
        (cast.rival, 404),
    ):
        town.force_login(who)
        assert town.get(f"/slips/{slip.uid}/").status_code == code, who
        assert town.get(scan).status_code == code, who
        assert (slip.number in text(town.get("/slips/"))) == (code == 200), who
    town.logout()
    for address in ("/slips/", "/slips/new/", f"/slips/{slip.uid}/", scan):
        assert town.get(address).status_code == 302


def test_who_only_reads_neither_drafts_nor_acts(
    cast: Cast, town: Client, homes: list[Household]
) -> None:
    slip = drafted(town, homes[0])
    town.force_login(cast.reader)
    refused = town.get("/slips/new/")
    assert refused.status_code == 403
    assert "变更单由村（社区）或镇（街道）起草" in text(refused)
    assert town.get(f"/slips/{slip.uid}/edit/").status_code == 403
    assert town.post(f"/slips/{slip.uid}/paper/").status_code == 403
    for name in ("submit", "review", "approve", "return", "refuse", "cancel", "draft", "x"):
        assert act(town, slip, name).status_code == 403
    slip.refresh_from_db()
    assert slip.state == SlipState.DRAFT


def test_an_act_out_of_its_turn_is_refused_in_words(
    cast: Cast, town: Client, homes: list[Household]
) -> None:
    slip = drafted(town, homes[0])
    town.force_login(cast.district_officer)
    answer = act(town, slip, "approve")
    assert answer.status_code == 422
    assert "变更单现在是“草稿”" in text(answer)


def test_a_refusal_wants_a_reason_and_keeps_what_was_typed(
    cast: Cast, town: Client, homes: list[Household]
) -> None:
    slip = drafted(town, homes[0])
    act(town, slip, "submit")
    answer = act(town, slip, "return", text="缺签字")
    assert answer.status_code == 422
    assert 'value="缺签字"' in text(answer)
    assert act(town, slip, "return", reasons=["basis"], text="缺签字").status_code == 302
    assert "依据不足；缺签字" in text(town.get(f"/slips/{slip.uid}/"))


def test_the_list_filters_and_hands_out_its_rows(
    cast: Cast, town: Client, homes: list[Household]
) -> None:
    first = drafted(town, homes[0])
    drafted(town, homes[1], basis="钟街办〔2026〕9 号")
    act(town, first, "submit")

    def found(query: str) -> int:
        return int(town.get(f"/slips/?{query}").context["page"].paginator.count)

    assert (found(""), found("state=submitted"), found("kind=method")) == (2, 1, 0)
    assert found(f"q={homes[0].number}") == 1
    assert found("q=〔2026〕9") == 1
    assert found(f"area={cast.area('钟家庄街道').pk}") == 2
    rows = b"".join(town.get("/slips/?export=csv")).decode("utf-8-sig")
    assert "2026-钟家庄街道-001,钟家庄街道,泽州东社区,退出改造" in rows


def test_the_form_warns_of_numbers_of_persons(town: Client, homes: list[Household]) -> None:
    sent = {"kind": "withdrawn", "leaves_number": homes[0].number, **BASIS}
    sent["note"] = "身份证 11010519491231002X"
    assert town.post("/slips/new/", sent).status_code == 422
    assert not ChangeSlip.objects.exists()
