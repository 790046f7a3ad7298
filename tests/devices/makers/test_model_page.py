from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from devices.models import Confirmation, DeviceModel
from tests.cast import Cast
from tests.devices.makers.scene import BOILER, in_days


@pytest.fixture
def maker(cast: Cast, client: Client) -> Client:
    client.force_login(cast.supplier_member)
    return client


def page(client: Client, model: DeviceModel) -> str:
    return client.get(f"/makers/models/{model.pk}/").content.decode()


def test_an_admitted_model_lacks_nothing(cast: Cast, maker: Client) -> None:
    text = page(maker, cast.water.model)
    assert "齐全：可以中标、选用和安装" in text
    assert "测对接〔2016〕" in text
    assert "主控板 MB-1 A，固件 1.0，装置 DTU-1，点表第 1 版" in text


def test_what_is_missing_is_named_with_who_brings_it(cast: Cast, maker: Client) -> None:
    model = cast.water.model
    model.papers.filter(kind="certificate").delete()
    model.papers.filter(kind="insurance").update(valid_until=in_days(-1))
    Confirmation.objects.filter(model=model).update(valid_until=in_days(-1))
    text = page(maker, model)
    missing = text.split('id="next"')[1].split("</section>")[0]
    assert "没有强制性认证证书" in missing
    assert "产品保险单已于" in missing
    assert "数据对接确认书已于" in missing
    assert "供应商" in missing
    assert "不能安装" in text
    assert f"/makers/papers/new/?model={model.pk}&amp;kind=certificate" in missing
    assert f"/docking/new/?model={model.pk}" in missing


def test_a_competitors_model_is_not_there(cast: Cast, maker: Client) -> None:
    for address in ("", "edit/"):
        assert maker.get(f"/makers/models/{cast.air.model.pk}/{address}").status_code == 404
    paper = f"/makers/papers/new/?model={cast.air.model.pk}"
    assert maker.get(paper).status_code == 404


def test_offices_read_and_write_nothing(cast: Cast, client: Client) -> None:
    client.force_login(cast.service_unit)
    text = page(client, cast.water.model)
    assert "CN-W10" in text
    assert "修改型号资料" not in text
    assert client.get(f"/makers/models/{cast.water.model.pk}/edit/").status_code == 403
    assert client.get("/makers/models/new/").status_code == 403


def test_a_maker_enters_a_model(cast: Cast, maker: Client) -> None:
    answer = maker.post("/makers/models/new/", BOILER)
    made = DeviceModel.objects.get(code="CN-G20")
    assert answer["Location"] == f"/makers/models/{made.pk}/"
    assert made.supplier == cast.water.model.supplier
    assert made.energy_grade == 2


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"energy_grade": "3"}, "燃气壁挂炉能效不得低于 2 级水平"),
        ({"energy_grade": ""}, "必须填写能效等级"),
        ({"energy_grade": "6"}, "小于"),
        ({"code": "cn-w10"}, "本公司已有型号 cn-w10"),
        ({"voltage": "22000"}, "小于"),
        ({"lowest_temp": "-99"}, "大于"),
        ({"kind": "stove"}, "选择"),
        ({"standards": "联系人 11010519491231002X"}, "平台不保存身份证号"),
    ],
)
def test_what_is_wrong_is_said_and_no_model_is_made(
    cast: Cast, maker: Client, changes: dict[str, str], said: str
) -> None:
    response = maker.post("/makers/models/new/", BOILER | changes)
    assert response.status_code == 200
    assert said in response.content.decode()
    assert DeviceModel.objects.filter(supplier=cast.water.model.supplier).count() == 1


def test_a_code_that_a_competitor_has_is_free(cast: Cast, maker: Client) -> None:
    maker.post("/makers/models/new/", BOILER | {"code": "AirBox-3P"})
    assert DeviceModel.objects.filter(code="AirBox-3P").count() == 2


def test_what_an_office_was_shown_cannot_become_another_model(cast: Cast, maker: Client) -> None:
    model = cast.water.model
    address = f"/makers/models/{model.pk}/edit/"
    assert "不能再改" in maker.get(address).content.decode()
    changed: dict[str, Any] = {"name": "热泵热水机组", "voltage": "380"}
    maker.post(address, BOILER | changed)
    model.refresh_from_db()
    assert (model.code, model.kind, model.medium) == ("CN-W10", "ashp_water", "water")
    assert model.name != "热泵热水机组"
    assert model.voltage == 380
    assert "380 V 三相电源" in page(maker, model)
