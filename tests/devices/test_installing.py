"""One door puts a unit into a household: once, at addresses that are nobody else's."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from devices import installing
from devices.installing import InstallationRefused
from devices.models import DockingState, Gateway, Installation, Unit
from households.models import Household, Method, State, StepKind, User
from households.uid import uuid7
from tests import cast as make
from tests.cast import INSTALLED_ON, Cast
from tests.telemetry import docking_scene


@pytest.fixture
def home(cast: Cast) -> Household:
    """A household of 洞头村 that has signed and waits for its unit."""
    row = make.household(cast.area("洞头村"), number="26-12-0002", door="测试路 2 号")
    return make.reach(row, StepKind.SIGNED, cast.town_officer)


def said(**changes: Any) -> dict[str, object]:
    """What an installer writes of a CN-W10 behind a transmitter of its own."""
    return {
        "installed_on": str(INSTALLED_ON),
        "maker": "晨暖（虚构）",
        "device": "空气源热泵热水机组",
        "model": "CN-W10",
        "factory_number": "CN26100002",
        "transmitter_number": "QN-000202",
        "heated_area": "90.5",
        "latitude": "35.5",
        "longitude": "112.85",
        "position_source": "browser",
        "accuracy_m": "12.5",
    } | changes


def put_in(
    cast: Cast, home: Household, uid: UUID | None = None, *, reason: str = "", **changes: Any
) -> Installation:
    values = said(**changes)
    return installing.record(home, values, cast.town_officer, uid or uuid7(), reason=reason)


def refusal(cast: Cast, home: Household, by: User | None = None, **changes: Any) -> Any:
    with pytest.raises(InstallationRefused) as told:
        installing.record(home, said(**changes), by or cast.town_officer, uuid7())
    return told.value.messages


def test_a_record_makes_line_and_unit_and_takes_the_step(cast: Cast, home: Household) -> None:
    row = put_in(cast, home)
    unit = row.unit
    assert unit.gateway.url == "dial://QN-000202"
    assert not unit.gateway.trusted
    assert (unit.address, unit.model, unit.factory_number) == (1, cast.water.model, "CN26100002")
    assert unit.register_map == cast.water.model.register_maps.get()
    assert (row.latitude, row.position_source, row.entered_by) == (
        35.5,
        "browser",
        cast.town_officer,
    )
    home.refresh_from_db()
    assert (home.installed_on, home.state) == (INSTALLED_ON, State.TO_COMMISSION)


def test_what_lacks_is_kept_and_does_not_count(cast: Cast, home: Household) -> None:
    put_in(cast, home, latitude="", longitude="", factory_number="")
    home.refresh_from_db()
    assert (home.installed_on, home.state) == (None, State.PAPERS_INCOMPLETE)


def test_a_line_is_found_however_its_number_is_written(cast: Cast, home: Household) -> None:
    row = put_in(cast, home, transmitter_number=" ｑｎ－000101 ", address="6")
    assert row.unit.gateway == cast.water.gateway
    assert Gateway.objects.count() == 2


def test_the_same_entry_sent_twice_is_one_record(cast: Cast, home: Household) -> None:
    uid = uuid7()
    assert put_in(cast, home, uid) == put_in(cast, home, uid, heated_area=90.5)
    assert Installation.objects.filter(household=home).count() == 1
    assert home.steps.filter(kind=StepKind.INSTALLED).count() == 1


def test_the_same_entry_with_other_content_is_said_clearly(cast: Cast, home: Household) -> None:
    row = put_in(cast, home)
    with pytest.raises(InstallationRefused, match="要改请写明更正原因"):
        put_in(cast, home, row.uid, heated_area="91")
    row.refresh_from_db()
    assert row.heated_area == 90.5


def test_one_household_cannot_take_anothers_entry(cast: Cast, home: Household) -> None:
    mine = cast.water_household.installations.get()
    with pytest.raises(InstallationRefused, match="已用于另一户"):
        put_in(cast, home, mine.uid)


def test_a_correction_says_why_and_moves_the_unit(cast: Cast, home: Household) -> None:
    row = put_in(cast, home)
    put_in(cast, home, row.uid, reason="抄错编号", transmitter_number="QN-000203", address="3")
    row.refresh_from_db()
    assert (row.transmitter_number, row.unit.gateway.transmitter) == ("QN-000203", "QN-000203")
    assert (row.unit.address, Unit.objects.filter(retired_at=None).count()) == (3, 3)


def test_an_entry_that_was_corrected_since_may_come_again(cast: Cast, home: Household) -> None:
    row = put_in(cast, home)
    put_in(cast, home, row.uid, reason="重新量过", heated_area="88")
    again = put_in(cast, home, row.uid)
    assert again.heated_area == 88


def test_a_corrected_model_is_another_unit(cast: Cast, home: Household) -> None:
    row = put_in(cast, home)
    wrong = row.unit
    changes: dict[str, Any] = {
        "maker": "北岳（虚构）",
        "device": "空气源热泵热风机",
        "model": "AirBox-3P",
    }
    row = put_in(cast, home, row.uid, reason="型号选错", **changes)
    wrong.refresh_from_db()
    assert row.unit.model == cast.air.model
    assert wrong.retired_at is not None


def test_a_corrected_day_is_the_steps_day(cast: Cast, home: Household) -> None:
    row = put_in(cast, home)
    put_in(cast, home, row.uid, reason="日期写错", installed_on="2026-10-25")
    home.refresh_from_db()
    assert str(home.installed_on) == "2026-10-25"


def test_an_address_in_use_names_the_other_unit_and_its_house(cast: Cast, home: Household) -> None:
    told = refusal(cast, home, transmitter_number="QN-000101", address="5")
    assert told["address"] == [
        "线上地址 5 已由 CN-W10 CN26100001（洞头村 26-12-0001 测试路 1 号） 使用："
        "请核对标签，或先更正那一台"
    ]


def test_of_a_competitors_unit_only_that_the_address_is_taken(cast: Cast, home: Household) -> None:
    told = refusal(cast, home, cast.supplier_member, network_address="1001")
    assert told["network_address"] == [
        "网络地址 1001 已被占用：请核对标签，仍不符请联系平台服务单位"
    ]


def test_a_maker_is_told_no_door_of_what_was_never_his_work(cast: Cast, home: Household) -> None:
    told = refusal(cast, home, cast.supplier_member, factory_number="CN26100001")
    assert "26-12-0001" in told["factory_number"][0]
    assert "测试路" not in told["factory_number"][0]


def test_units_of_one_transmitter_speak_alike(cast: Cast, home: Household) -> None:
    told = refusal(
        cast, home, transmitter_number="QN-000101", maker="北岳（虚构）", device="", model=""
    )
    assert "不能共用一个装置" in told["address"][0]


def test_an_address_beyond_one_byte_is_refused(cast: Cast, home: Household) -> None:
    assert refusal(cast, home, address="248")["address"] == ["线上地址应为 1～247 的整数"]


def test_a_spare_that_waits_at_the_address_is_taken(cast: Cast, home: Household) -> None:
    line = make.gateway("dial://QN-000202")
    spare = make.unit(line, cast.water.model, address=1, network_address=1300)
    row = put_in(cast, home)
    assert row.unit == spare
    spare.refresh_from_db()
    assert (spare.factory_number, spare.network_address) == ("CN26100002", 1300)


def test_a_unit_on_a_serial_port_is_found_by_its_plate(cast: Cast, home: Household) -> None:
    line = make.gateway("serial:///dev/ttyS1?baud=9600&parity=N")
    spare = make.unit(line, cast.water.model, address=9, factory_number="CN26100002")
    assert put_in(cast, home, transmitter_number="").unit == spare
    other = make.household(cast.area("洞头村"), number="26-12-0003")
    assert "已由" in refusal(cast, other, transmitter_number="")["factory_number"][0]
    told = refusal(cast, other, transmitter_number="", factory_number="CN1")
    assert "先由平台服务单位登记" in told["transmitter_number"][0]


def test_a_second_unit_is_asked_whether_it_replaces(cast: Cast, home: Household) -> None:
    put_in(cast, home)
    other: dict[str, Any] = {"factory_number": "CN26100003", "transmitter_number": "QN-000303"}
    assert "请选更换还是加装" in refusal(cast, home, **other)["many"][0]
    put_in(cast, home, many="add", **other)
    assert home.installations.standing().count() == 2


def test_a_replaced_unit_leaves_its_addresses_and_its_house(cast: Cast, home: Household) -> None:
    old = put_in(cast, home, network_address="1300")
    new = put_in(cast, home, many="replace", network_address="1300", factory_number="CN26100003")
    old.refresh_from_db()
    assert old.removed_on == INSTALLED_ON
    assert old.unit.retired_at is not None
    assert list(home.installations.standing()) == [new]
    home.refresh_from_db()
    assert home.installed_on == INSTALLED_ON


def test_a_network_household_is_sent_to_its_connection(cast: Cast, home: Household) -> None:
    Household.objects.filter(pk=home.pk).update(method=Method.CENTRAL_HEATING)
    assert refusal(cast, home)[""] == ["集中供热不在户内安装机组：请登记入网记录"]


def test_a_role_that_does_not_install_is_told_so(cast: Cast, home: Household) -> None:
    assert refusal(cast, home, cast.reader)[""] == ["您的账号不登记安装信息"]


def test_a_household_that_left_the_plan_gets_none(cast: Cast, home: Household) -> None:
    Household.objects.filter(pk=home.pk).update(withdrawn_on=INSTALLED_ON)
    assert "退出改造" in refusal(cast, home)[""][0]
    assert not Unit.objects.filter(factory_number="CN26100002").exists()


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"model": "CN-W99"}, "model", "没有“CN-W99”，可以选：CN-W10"),
        ({"maker": "无名"}, "maker", "没有“无名”，可以选：北岳（虚构）、晨暖（虚构）"),
        ({"installed_on": "2999-01-01"}, "installed_on", "还没有到"),
        ({"latitude": ""}, "latitude", "要一起填"),
        ({"latitude": "112.85", "longitude": "35.5"}, "latitude", "填反了"),
        ({"latitude": "北"}, "latitude", "不是经纬度"),
        ({"heated_area": "0"}, "heated_area", ""),
        ({"network_address": "65536"}, "network_address", ""),
        ({"factory_number": "", "transmitter_number": ""}, "transmitter_number", "至少要有一个"),
    ],
)
def test_a_wrong_value_is_told_at_its_field(
    cast: Cast, home: Household, changes: dict[str, Any], field: str, words: str
) -> None:
    assert words in refusal(cast, home, **changes)[field][0]


def test_a_suppliers_people_know_only_their_own_models(cast: Cast, home: Household) -> None:
    told = refusal(cast, home, cast.supplier_member, maker="北岳（虚构）", model="AirBox-3P")
    assert told["maker"] == ["没有“北岳（虚构）”，可以选：晨暖（虚构）"]


def test_a_shifted_position_is_kept_as_wgs84_and_shifted_once(cast: Cast, home: Household) -> None:
    amap: dict[str, Any] = {"position_source": "amap", "latitude": "35.5", "longitude": "112.85"}
    row = put_in(cast, home, **amap)
    assert (row.latitude, row.longitude) != (35.5, 112.85)
    kept: dict[str, Any] = {"latitude": str(row.latitude), "longitude": str(row.longitude)}
    again = put_in(cast, home, row.uid, reason="面积", heated_area="80", **amap | kept)
    assert (again.latitude, again.longitude) == (row.latitude, row.longitude)


def test_reminders_name_what_looks_wrong(cast: Cast, home: Household) -> None:
    row = put_in(cast, home, transmitter_number="860000000000103", heated_area="40")
    first, second = installing.reminders(row)
    assert "校验位不对" in first
    assert "相差超过两成" in second


# -- models without papers -----------------------------------------------------------------

LACKING = "CN-W10 数据对接确认书已撤销：请供应商办理"


def test_a_model_without_its_papers_is_not_newly_chosen(cast: Cast, home: Household) -> None:
    make.unconfirmed(cast.water.model)
    assert refusal(cast, home) == {
        "model": [f"{LACKING}。设备确已安装的，请勾选“设备已安装，如实登记”"]
    }
    assert not home.installations.exists()


def test_where_its_unit_stands_already_it_is_recorded_and_counts_for_nothing(
    cast: Cast, home: Household
) -> None:
    make.unconfirmed(cast.water.model)
    put_in(cast, home, existing="on")
    home.refresh_from_db()
    assert (home.installed_on, home.state) == (None, State.PAPERS_INCOMPLETE)
    assert home.steps.get(kind=StepKind.INSTALLED).lacks == [LACKING]


def test_a_record_is_corrected_whatever_became_of_its_models_papers(
    cast: Cast, home: Household
) -> None:
    row = put_in(cast, home)
    make.unconfirmed(cast.water.model)
    put_in(cast, home, row.uid, heated_area="70", reason="面积不准")
    row.refresh_from_db()
    assert row.heated_area == 70


def test_papers_of_the_day_of_the_installation_are_asked_not_those_of_today(
    cast: Cast, home: Household
) -> None:
    cast.water.model.papers.update(valid_until=INSTALLED_ON)
    put_in(cast, home)
    home.refresh_from_db()
    assert home.installed_on == INSTALLED_ON


def test_of_two_models_the_admitted_one_is_meant_where_none_is_named(
    cast: Cast, home: Household
) -> None:
    other = make.air_model(cast.water.model.supplier)
    assert put_in(cast, home, device="", model="").unit.model != other


def test_nothing_is_put_in_where_a_sample_is_being_tested(cast: Cast, home: Household) -> None:
    line = make.gateway("dial://QN-000202", trusted=True, proven_by="private_network")
    sample = make.unit(line, cast.water.model, address=9, factory_number="")
    docking_scene.application(cast, sample=sample, state=DockingState.TESTING)
    for address in ("9", "1"):
        assert "transmitter_number" in refusal(cast, home, address=address)
    sample.refresh_from_db()
    assert not sample.installations.exists()
