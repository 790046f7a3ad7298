"""`manage.py unit`: a first real unit is connected from the shell, or told why it cannot be."""

from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from devices.models import DeviceModel, Gateway, Installation, RegisterMap, Supplier, Unit
from households import clock
from tests import cast as make
from tests.cast import MAPS, Cast

pytestmark = pytest.mark.django_db
WATER, AIR = MAPS / "chennuan-cn-w10.csv", MAPS / "beiyue-airbox3.csv"
SERIAL = "serial:///dev/ttyUSB0?baud=9600&parity=N"


def add(url: str = SERIAL, address: int = 5, file: Path = WATER, *more: str) -> None:
    words = ["--url", url, "--address", str(address), "--map", str(file), *more]
    call_command("unit", "add", *words)


def refusal(*arguments: Any) -> str:
    counts = [model.objects.count() for model in STORED]
    with pytest.raises(CommandError) as refused:
        add(*arguments)
    assert [model.objects.count() for model in STORED] == counts, "a refusal stores nothing"
    return str(refused.value)


STORED: tuple[Any, ...] = (Unit, Gateway, RegisterMap, DeviceModel, Supplier)


def test_the_first_unit_brings_line_supplier_model_and_map_with_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    add(SERIAL, 5, WATER, "--factory-number", "W10-7", "--network-address", "1205", "--trusted")
    unit = Unit.objects.get()
    assert (unit.address, unit.network_address, unit.factory_number) == (5, 1205, "W10-7")
    assert (unit.gateway.url, unit.gateway.kind) == (SERIAL, "serial")
    assert unit.gateway.trusted and unit.gateway.line_worker == "main"
    assert (unit.model.code, unit.model.kind, unit.model.medium) == (
        "CN-W10",
        "ashp_water",
        "water",
    )
    assert unit.model.name == "空气源热泵热水机组"
    assert unit.register_map.used_since is not None
    assert list(Unit.objects.in_service()) == [unit]
    assert "采集进程 main 几秒内开始采集" in capsys.readouterr().out


def test_a_line_that_is_not_trusted_is_said_to_be_read_only(
    capsys: pytest.CaptureFixture[str],
) -> None:
    add()
    assert not Gateway.objects.get().trusted
    assert "设备只读" in capsys.readouterr().out


def test_the_second_unit_shares_line_model_and_map_however_the_line_is_written() -> None:
    add()
    add("serial:///dev/ttyUSB0", 6)
    assert [model.objects.count() for model in STORED] == [2, 1, 1, 1, 1]


def test_what_is_given_goes_before_what_the_map_says() -> None:
    add(SERIAL, 5, WATER, "--supplier", "某厂", "--model", "X1", "--kind", "other")
    model = DeviceModel.objects.get()
    assert (model.supplier.name, model.code, model.kind) == ("某厂", "X1", "other")


def test_a_transmitter_is_kept_by_its_number_alone() -> None:
    add("dial://1001?wait=60", 1)
    assert Gateway.objects.get().transmitter == "1001"


def test_an_address_that_is_taken_is_refused_until_its_unit_is_retired() -> None:
    add()
    assert "线上地址 5 已由设备" in refusal()
    call_command("unit", "retire", str(Unit.objects.get().pk))
    add()
    assert Unit.objects.filter(retired_at=None).count() == 1


def test_a_network_address_that_is_taken_or_too_large_is_refused(cast: Cast) -> None:
    assert "网络地址 1205 已由设备" in refusal(SERIAL, 9, WATER, "--network-address", "1205")
    assert "1～65535" in refusal(SERIAL, 9, WATER, "--network-address", "65536")


@pytest.mark.parametrize("address", [0, 248, -1])
def test_an_address_that_no_frame_carries_is_refused(address: int) -> None:
    assert "线上地址应为 1～247 的整数" in refusal(SERIAL, address)


def test_a_url_that_speaks_otherwise_than_the_map_is_refused() -> None:
    said = refusal("serial:///dev/ttyUSB0?baud=19200", 5)
    assert "baud=19200" in said and "@baud=9600" in said


def test_a_unit_that_speaks_otherwise_than_its_neighbours_is_refused() -> None:
    add("serial:///dev/ttyUSB0", 5)
    said = refusal("serial:///dev/ttyUSB0", 6, AIR)
    assert "4800 E1" in said and "9600 N1" in said


def test_a_url_that_is_none_is_refused_with_an_example() -> None:
    assert "tcp://192.168.1.10:502" in refusal("/dev/ttyUSB0", 5)


def test_every_mistake_of_the_map_is_listed_with_its_row(tmp_path: Path) -> None:
    broken = tmp_path / "坏.csv"
    text = WATER.read_text(encoding="utf-8")
    broken.write_text(text.replace("@baud,9600", "@baud,9601").replace("@medium,water", "@medium,"))
    said = refusal(SERIAL, 5, broken)
    assert "2 处" in said
    assert "@baud “9601”" in said and "@medium" in said and "第 " in said


def test_a_map_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert "没有.csv" in refusal(SERIAL, 5, tmp_path / "没有.csv")


def test_a_line_has_one_line_worker() -> None:
    add()
    assert "由采集进程 main 负责" in refusal(SERIAL, 6, WATER, "--line-worker", "other")


def test_a_model_does_not_change_its_kind() -> None:
    add()
    assert "已登记为 ashp_water" in refusal(SERIAL, 6, WATER, "--kind", "other")


def test_a_module_needs_a_map_with_modules() -> None:
    assert "@module_stride" in refusal(SERIAL, 5, WATER, "--module", "2")


def test_the_list_shows_units_in_use_and_what_to_do_first(
    cast: Cast, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("unit", "list")
    assert "dial://QN-000101  5  晨暖（虚构） CN-W10  CN26100001" in capsys.readouterr().out
    for unit in (cast.water, cast.air):
        call_command("unit", "retire", str(unit.pk))
    capsys.readouterr()
    call_command("unit", "list")
    assert "用 unit add 登记第一台" in capsys.readouterr().out


def test_retiring_a_unit_ends_its_installation(cast: Cast) -> None:
    call_command("unit", "retire", str(cast.water.pk))
    record = Installation.objects.get(unit=cast.water)
    assert record.removed_on == max(clock.today(), make.INSTALLED_ON)
    with pytest.raises(CommandError, match="没有在用的设备"):
        call_command("unit", "retire", str(cast.water.pk))
