"""The supplier's desk: what waits for the company, what waits for others, what ends."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from devices.docking import applications
from devices.makers import desk_page
from devices.models import DockingApplication, DockingState, MapDraft, Supplier
from households import clock
from tests import cast as make
from tests.cast import Cast
from tests.devices.makers.scene import in_days


@pytest.fixture
def maker(cast: Cast, client: Client) -> Client:
    client.force_login(cast.supplier_member)
    return client


def desk(client: Client) -> str:
    return client.get("/makers/desk/").content.decode()


def part(text: str, name: str) -> str:
    return text.split(f'id="{name}"')[1].split("</section>")[0]


def drafted(cast: Cast) -> DockingApplication:
    maps = cast.water.model.register_maps.all()
    said = dict.fromkeys(applications.ASKED, "V1")
    return applications.draft(cast.water.model, maps[0], by=cast.supplier_member, **said)


def test_a_company_with_everything_has_nothing_to_do(cast: Cast, maker: Client) -> None:
    company = cast.water.model.supplier
    for name in ("licence_number", "office", "service_head", "service_phone"):
        setattr(company, name, "91350100M000100Y43" if name == "licence_number" else "有")
    company.save()
    text = desk(maker)
    assert "没有等您处理的事" in text
    assert "30 天内没有到期的材料和确认书" in text
    assert "没有在办的申请" in text


def test_a_draft_waits_for_the_maker_and_what_was_sent_for_the_service_unit(
    cast: Cast, maker: Client
) -> None:
    one = drafted(cast)
    assert one.number in part(desk(maker), "duties")
    applications.take(one, DockingState.SUBMITTED, by=cast.supplier_member)
    text = desk(maker)
    assert one.number not in part(text, "duties")
    assert one.number in part(text, "waiting")


def test_what_was_returned_stands_first_with_its_reason(cast: Cast, maker: Client) -> None:
    one, _other = drafted(cast), drafted(cast)
    applications.take(one, DockingState.SUBMITTED, by=cast.supplier_member)
    one.refresh_from_db()
    applications.take(one, DockingState.RETURNED, by=cast.service_unit, reason="协议缺一节")
    duties = desk_page.duties(cast.water.model.supplier)
    assert duties[0].what == one.number
    assert "协议缺一节" in duties[0].words


def test_a_model_that_may_not_be_installed_says_what_it_lacks(cast: Cast, maker: Client) -> None:
    cast.water.model.papers.filter(kind="insurance").delete()
    assert "还不能安装：没有产品保险单" in part(desk(maker), "duties")


def test_a_confirmation_that_is_asked_for_waits_for_nobody_but_its_application(
    cast: Cast, maker: Client
) -> None:
    cast.water.model.confirmations.all().delete()
    assert "没有数据对接确认书" in part(desk(maker), "duties")
    applications.take(drafted(cast), DockingState.SUBMITTED, by=cast.supplier_member)
    assert "没有数据对接确认书" not in part(desk(maker), "duties")


def test_a_confirmation_that_waits_for_its_signature_is_no_duty_of_the_makers(
    cast: Cast, maker: Client
) -> None:
    cast.water.model.confirmations.update(state="signing", paper="")
    assert "签发中" not in part(desk(maker), "duties")


def test_an_unsent_register_map_is_remembered(cast: Cast, maker: Client) -> None:
    MapDraft.objects.create(
        model=cast.water.model, content="", saved_by=cast.supplier_member, saved_at=clock.now()
    )
    assert "点表草稿还没有提交" in part(desk(maker), "duties")


def test_what_ends_soon_is_listed(cast: Cast, maker: Client) -> None:
    cast.water.model.papers.filter(kind="insurance").update(valid_until=in_days(5))
    cast.air.model.papers.filter(kind="insurance").update(valid_until=in_days(6))
    endings = part(desk(maker), "endings")
    assert "剩 5 天" in endings
    assert "AirBox" not in endings
    cast.water.model.papers.filter(kind="insurance").update(valid_until=in_days(-1))
    assert "已过期" in part(desk(maker), "endings")


def test_the_figures_count_the_company_alone(cast: Cast, maker: Client) -> None:
    company = cast.water.model.supplier
    home = make.household(cast.area("洞头村"), number="26-12-0007")
    make.assign(home, company, cast.town_officer)
    make.assign(cast.air_household, cast.air.model.supplier, cast.town_officer)
    assert desk_page.figures(company) == {
        "models": 1,
        "admitted": 1,
        "applications": 0,
        "confirmations": 1,
        "assigned": 1,
        "to_install": 1,
        "units": 1,
        "installed": 1,
    }


def test_the_desk_tells_no_name_and_no_phone(cast: Cast, maker: Client) -> None:
    make.assign(cast.water_household, cast.water.model.supplier, cast.town_officer)
    text = desk(maker)
    assert cast.water_household.householder not in text
    assert "13000000000" not in text


@pytest.mark.parametrize("who", ["service_unit", "district_officer", "clerk", "reader"])
def test_it_is_a_makers_page(cast: Cast, client: Client, who: str) -> None:
    client.force_login(getattr(cast, who))
    assert client.get("/makers/desk/").status_code == 403


def test_a_stranger_is_led_to_sign_in(client: Client) -> None:
    assert client.get("/makers/desk/")["Location"].startswith("/sign-in/")


def test_the_menu_is_a_suppliers(cast: Cast, maker: Client) -> None:
    menu = desk(maker).split("</nav>")[0]
    for entry in ("工作台", "公司与型号", "点表", "数据对接", "安装任务", "本公司机组"):
        assert f">{entry}" in menu, entry
    assert "改造台账" not in menu
    assert menu.count("<a href") <= 7


@pytest.mark.parametrize(("who", "sees"), [("service_unit", True), ("town_officer", False)])
def test_docking_stands_in_the_menu_of_those_whom_it_concerns(
    cast: Cast, client: Client, who: str, sees: bool
) -> None:
    client.force_login(getattr(cast, who))
    menu = client.get("/units/").content.decode().split("</nav>")[0]
    assert (">数据对接<" in menu) == sees
    assert menu.count("<a href") <= 7


def test_the_desk_costs_a_bounded_number_of_queries(
    cast: Cast, maker: Client, django_assert_max_num_queries: Any
) -> None:
    for _ in range(5):
        drafted(cast)
    desk(maker)
    with django_assert_max_num_queries(26):
        desk(maker)


def test_a_long_name_of_a_company_leaves_room_in_the_bar(cast: Cast, maker: Client) -> None:
    Supplier.objects.filter(pk=cast.water.model.supplier_id).update(name="长" * 60)
    assert desk(maker).split("<summary>")[1].split("<")[0] == "长" * 9 + "..."
