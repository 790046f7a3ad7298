from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from devices.models import MakerPaper, Supplier
from households import clock
from households.models import Notification, Role
from tests import cast as make
from tests.cast import Cast
from tests.devices.makers.scene import COMPANY, in_days, insurance


@pytest.fixture
def maker(cast: Cast, client: Client) -> Client:
    client.force_login(cast.supplier_member)
    return client


@pytest.fixture
def office(cast: Cast, client: Client) -> Client:
    client.force_login(cast.service_unit)
    return client


def page(client: Client, address: str) -> str:
    return client.get(address).content.decode()


def test_a_maker_is_led_to_his_own_company(cast: Cast, maker: Client) -> None:
    own = f"/makers/{cast.water.model.supplier_id}/"
    assert maker.get("/makers/")["Location"] == own
    text = page(maker, own)
    assert "CN-W10" in text
    assert "可以安装" in text


def test_he_learns_of_no_competitor(cast: Cast, maker: Client) -> None:
    rival = cast.air.model.supplier_id
    assert maker.get(f"/makers/{rival}/").status_code == 404
    assert maker.get(f"/makers/{rival}/edit/").status_code == 404
    assert maker.get(f"/makers/{rival}/name/").status_code == 403
    assert maker.get(f"/makers/{rival + 1000}/").status_code == 404


def test_no_search_of_his_finds_a_competitor(cast: Cast, maker: Client) -> None:
    for address in ("/makers/?q=北岳", "/makers/?q=AirBox", "/units/?q=AirBox"):
        text = maker.get(address, follow=True).content.decode()
        assert "北岳（虚构）" not in text, address
        assert "AirBox-3P" not in text, address


@pytest.mark.parametrize("who", ["district_officer", "service_unit", "reader"])
def test_the_offices_see_all_companies(cast: Cast, client: Client, who: str) -> None:
    client.force_login(getattr(cast, who))
    text = page(client, "/makers/")
    assert "晨暖（虚构）" in text
    assert "北岳（虚构）" in text
    found = page(client, "/makers/?q=AirBox")
    assert "北岳（虚构）" in found
    assert "晨暖（虚构）" not in found
    assert "没有名称或型号含" in page(client, "/makers/?q=没有的")


def test_the_service_unit_finds_what_makers_brought_lately(cast: Cast, maker: Client) -> None:
    MakerPaper.objects.update(added_at=clock.now() - timedelta(days=40))
    url = f"/makers/papers/new/?model={cast.water.model.pk}"
    assert maker.post(url, insurance(number="BX-新")).status_code == 302
    heard = Notification.objects.filter(text__contains="BX-新")
    assert {one.to for one in heard} == {cast.service_unit, cast.tester}
    assert heard[0].path == f"/makers/models/{cast.water.model.pk}/#papers"
    seen = {}
    for who in (cast.tester, cast.district_officer):
        client = Client()
        client.force_login(who)
        seen[who] = page(client, "/makers/")
    assert seen[cast.tester].count("BX-新") == 1 and "新交材料" in seen[cast.tester]
    assert "新交材料" not in seen[cast.district_officer]


@pytest.mark.parametrize("asked", ["'", "%25", "x" * 500, "&page=x"])
def test_whatever_is_searched_is_answered(cast: Cast, office: Client, asked: str) -> None:
    assert office.get(f"/makers/?q={asked}").status_code == 200


def test_the_list_counts_models_and_units_that_run(cast: Cast, office: Client) -> None:
    cast.water.model.papers.filter(kind="insurance").delete()
    cast.air.retired_at = make.SERVICE_BEGAN
    cast.air.save()
    text = page(office, "/makers/").replace("\n", "")
    water, air = (text.split("晨暖（虚构）")[1], text.split("北岳（虚构）")[1].split("晨暖")[0])
    assert "<b>0</b><i>/1</i>" in water
    assert "1 台" in water
    assert "<b>1</b><i>/1</i>" in air
    assert "0 台" in air


def test_the_list_counts_what_ends_soon(cast: Cast, office: Client) -> None:
    cast.water.model.papers.filter(kind="insurance").update(valid_until=in_days(9))
    cast.water.model.papers.filter(kind="certificate").update(valid_until=in_days(-9))
    text = page(office, "/makers/")
    assert "2 份" in text.split("晨暖（虚构）")[1]


@pytest.mark.parametrize("who", ["clerk", "town_officer", "outsider"])
def test_makers_are_no_business_of_the_towns(cast: Cast, client: Client, who: str) -> None:
    client.force_login(getattr(cast, who))
    assert client.get("/makers/").status_code == 403
    assert client.get(f"/makers/{cast.water.model.supplier_id}/").status_code == 403


def test_an_installer_reads_no_papers_of_his_company(cast: Cast, client: Client) -> None:
    client.force_login(make.installer("azhuang", cast.water.model.supplier))
    assert client.get(f"/makers/{cast.water.model.supplier_id}/").status_code == 403


def test_a_maker_without_a_company_is_told_so(cast: Cast, client: Client) -> None:
    client.force_login(make.user("gukong", Role.SUPPLIER))
    assert client.get("/makers/").status_code == 403
    assert client.get("/makers/desk/").status_code == 403


def send(client: Client, cast: Cast, **changes: Any) -> Any:
    return client.post(f"/makers/{cast.water.model.supplier_id}/edit/", COMPANY | changes)


def test_the_company_writes_what_it_tells_of_itself(cast: Cast, maker: Client) -> None:
    assert send(maker, cast).status_code == 302
    own = Supplier.objects.get(pk=cast.water.model.supplier_id)
    assert own.licence_number == "91350100M000100Y43"
    assert own.phone == "0356-2000001"
    assert own.service_people == 6


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"licence_number": "91350100M000100Y4"}, "现在是 17 位"),
        ({"licence_number": "91350100M000100Y44"}, "校验位不符"),
        ({"phone": "2000001"}, "座机请带区号"),
        ({"service_phone": "报修"}, "电话只写数字"),
        ({"service_people": "-1"}, "0"),
        ({"office": "身份证 11010519491231002X"}, "平台不保存身份证号"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_is_saved(
    cast: Cast, maker: Client, changes: dict[str, str], said: str
) -> None:
    response = send(maker, cast, **changes)
    assert response.status_code == 200
    assert said in response.content.decode()
    assert Supplier.objects.get(pk=cast.water.model.supplier_id).licence_number == ""


def test_a_company_cannot_take_another_name(cast: Cast, maker: Client) -> None:
    send(maker, cast, name="北岳（虚构）")
    assert Supplier.objects.get(pk=cast.water.model.supplier_id).name == "晨暖（虚构）"


def test_the_platform_enters_a_company_and_corrects_its_name(cast: Cast, office: Client) -> None:
    answer = office.post("/makers/new/", {"name": " 恒春  热能（虚构） "})
    made = Supplier.objects.get(name="恒春 热能（虚构）")
    assert answer["Location"] == f"/makers/{made.pk}/"
    office.post(f"/makers/{made.pk}/name/", {"name": "恒春（虚构）"})
    assert Supplier.objects.get(pk=made.pk).name == "恒春（虚构）"
    again = office.post("/makers/new/", {"name": "恒春（虚构）"})
    assert "已存在" in again.content.decode()


def test_the_district_reads_and_does_not_enter(cast: Cast, client: Client) -> None:
    client.force_login(cast.district_officer)
    assert client.post("/makers/new/", {"name": "恒春"}).status_code == 403
    assert "登记厂商" not in page(client, "/makers/")


def test_the_companys_page_costs_no_more_queries_with_more_models(
    cast: Cast, maker: Client, django_assert_max_num_queries: Any
) -> None:
    for n in range(12):
        cast.water.model.supplier.device_models.create(
            name="热泵", code=f"CN-{n}", kind="other", medium="air"
        )
    maker.get("/personal/")
    with django_assert_max_num_queries(14):
        maker.get(f"/makers/{cast.water.model.supplier_id}/")
