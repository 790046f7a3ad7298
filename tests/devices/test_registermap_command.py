"""`registermap check FILE` from the shell."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils import translation

from devices.modbus import mapcolumns, pointmap

MAPS = Path(pointmap.__file__).parent / "maps"
BROKEN = """\
@maker,某厂
@model,M-1
@kind,other
@medium,water
@baud,fast
@read_functions,3 65

信号,区域,地址,类型,倍率
supply_temp,holding,1,int16,abc
supply_temp,holding,2,int17,0.1
outdoor_temp,holding,3,uint16,0.1
"""


def checked(file: Path, *options: str) -> tuple[int, str]:
    """The exit code and what was printed."""
    out = io.StringIO()
    try:
        call_command("registermap", "check", str(file), *options, stdout=out)
    except SystemExit as end:
        assert isinstance(end.code, int)
        return end.code, out.getvalue()
    return 0, out.getvalue()


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    file = tmp_path / "broken.csv"
    file.write_text(BROKEN, encoding="utf-8")
    return file


@pytest.mark.parametrize("file", sorted(MAPS.glob("*.csv")), ids=lambda file: file.stem)
def test_a_right_file_ends_well(file: Path) -> None:
    code, text = checked(file)
    assert code == 0
    assert f"{file.name} 正确" in text


def test_every_mistake_stands_with_its_row_and_column(broken: Path) -> None:
    code, text = checked(broken)
    assert code == 1
    assert "第 5 行 @baud “fast”" in text
    assert "第 6 行 @read_functions “3 65”" in text and "not supported: 65" in text
    assert "第 9 行 倍率 “abc”" in text
    assert "第 10 行 类型 “int17”" in text


def test_reminders_are_told_apart_and_what_annex_2_lacks_is_named(broken: Path) -> None:
    _, text = checked(broken)
    mistakes, reminders = text.split("提醒（1）")
    assert "第 11 行" not in mistakes and "第 11 行 类型" in reminders
    assert "return_temp" in reminders and "alarm_reset" in reminders


def test_as_json_the_same_is_told(broken: Path) -> None:
    code, text = checked(broken, "--json")
    report = json.loads(text)
    assert code == 1 and report["ok"] is False and report["points"] == []
    places = [(mistake["row"], mistake["column"]) for mistake in report["mistakes"]]
    assert places == [(5, "@baud"), (6, "@read_functions"), (9, "倍率"), (10, "类型")]
    assert [reminder["row"] for reminder in report["reminders"]] == [11]
    assert "power_state" in report["missing"]["writings"]


def test_beside_each_row_stands_the_address_as_on_the_wire() -> None:
    code, text = checked(MAPS / "beiyue-airbox3.csv", "--json")
    wire = {point["signal"]: point["wire_address"] for point in json.loads(text)["points"]}
    assert code == 0
    assert (wire["supply_temp"], wire["power_state"], wire["fault.return_sensor"]) == (0, 0, 100)


def test_reasons_can_be_read_in_english(broken: Path) -> None:
    with translation.override("en"):
        _, text = checked(broken, "--json")
    assert all(mistake["reason"].isascii() for mistake in json.loads(text)["mistakes"][2:3])


@pytest.mark.parametrize("content", [b"", b"\x00\x01\x02" * 100, b"PK\x03\x04nonsense"])
def test_a_file_that_is_no_map_gets_one_mistake(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "点表.xlsx"
    file.write_bytes(content)
    code, text = checked(file, "--json")
    assert code == 1 and len(json.loads(text)["mistakes"]) == 1


def test_a_file_that_does_not_open_is_said_in_one_sentence(tmp_path: Path) -> None:
    for nothing in (tmp_path / "absent.csv", tmp_path):
        with pytest.raises(CommandError, match="打不开点表文件"):
            checked(nothing)


def test_the_template_is_printed_for_filling_in() -> None:
    out = io.StringIO()
    call_command("registermap", "template", stdout=out)
    assert out.getvalue() == mapcolumns.template()
