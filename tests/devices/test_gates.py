"""Installed is who has a complete installation record: Annex 2 item 5."""

from datetime import timedelta
from typing import Any

import pytest

from devices import gates
from devices.models import Installation
from households import clock, path
from households.models import Household, Method, State, StepKind
from tests import cast as make
from tests.cast import INSTALLED_ON, Cast


def lacks(home: Household) -> list[str]:
    return gates.installed(home, INSTALLED_ON)


def test_a_complete_record_lets_the_step_count(cast: Cast) -> None:
    make.reach(cast.water_household, StepKind.SIGNED, cast.town_officer)
    path.take(cast.water_household, StepKind.INSTALLED, on=INSTALLED_ON, by=cast.town_officer)
    cast.water_household.refresh_from_db()
    assert cast.water_household.state == State.TO_COMMISSION


def test_without_a_record_the_step_is_kept_and_does_not_count(cast: Cast) -> None:
    Installation.objects.filter(household=cast.water_household).delete()
    make.reach(cast.water_household, StepKind.SIGNED, cast.town_officer)
    step = path.take(
        cast.water_household, StepKind.INSTALLED, on=INSTALLED_ON, by=cast.town_officer
    )
    assert step.lacks == ["当日没有在用的安装记录：请安装人员登记安装信息"]
    cast.water_household.refresh_from_db()
    assert cast.water_household.state == State.PAPERS_INCOMPLETE


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"factory_number": ""}, "安装信息缺设备出厂地址编号：请安装人员补录"),
        ({"transmitter_number": ""}, "安装信息缺无线传输设备地址编号：请安装人员补录"),
        (
            {"latitude": None, "longitude": None, "factory_number": ""},
            "安装信息缺安装位置经纬度、设备出厂地址编号：请安装人员补录",
        ),
    ],
)
def test_a_value_that_is_missing_is_named_with_who_brings_it(
    cast: Cast, changes: dict[str, Any], said: str
) -> None:
    Installation.objects.filter(household=cast.water_household).update(**changes)
    assert lacks(cast.water_household) == [said]


def test_what_lacks_of_house_and_of_unit_is_asked_of_village_and_supplier(cast: Cast) -> None:
    Household.objects.filter(pk=cast.water_household.pk).update(phone="", door="")
    cast.water.model.name = ""
    cast.water.model.save()
    assert lacks(cast.water_household) == [
        "安装信息缺门牌号、联系电话：请村（社区）补录",
        "安装信息缺设备名称：请供应商补录",
    ]


def test_a_position_on_the_equator_is_a_position(cast: Cast) -> None:
    Installation.objects.update(latitude=0.0, longitude=0.0)
    assert lacks(cast.water_household) == []


def test_a_unit_on_a_serial_port_has_no_transmitter_to_record(cast: Cast) -> None:
    line = make.gateway("serial:///dev/ttyUSB0?baud=9600&parity=N")
    thing = make.unit(line, cast.water.model, address=7, factory_number="CN26100007")
    home = make.household(cast.area("洞头村"), number="26-12-0002")
    make.install(home, thing)
    assert lacks(home) == []


def test_only_a_record_that_stands_on_that_day_speaks(cast: Cast) -> None:
    before = INSTALLED_ON - timedelta(days=1)
    assert gates.installed(cast.water_household, before) != []
    Installation.objects.update(removed_on=INSTALLED_ON + timedelta(days=5))
    assert gates.installed(cast.water_household, INSTALLED_ON + timedelta(days=4)) == []
    assert gates.installed(cast.water_household, INSTALLED_ON + timedelta(days=5)) != []


@pytest.mark.parametrize("method", [m for m in Method if not m.has_unit])
def test_a_household_on_a_network_needs_no_record(cast: Cast, method: Method) -> None:
    home = make.household(cast.area("南大街社区"), number="26-13-0001", method=method)
    assert gates.installed(home, clock.today()) == []


def test_a_model_without_its_papers_does_not_let_the_step_count(cast: Cast) -> None:
    make.unconfirmed(cast.water.model)
    assert lacks(cast.water_household) == ["CN-W10 数据对接确认书已撤销：请供应商办理"]
