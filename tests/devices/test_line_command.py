"""`line read | write | decode | scan` against a simulated unit, as an engineer types them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError

from devices.modbus import pointmap
from devices.modbus.simulator import SimUnit, serve_tcp

MAPS = Path(pointmap.__file__).parent / "maps"
WATER = MAPS / "chennuan-cn-w10.csv"
NATIVE = """\
@maker,某厂
@model,N-2
@kind,ashp_water
@medium,water
@address_width,2
@read_functions,3
@write_functions,6
@module_stride,100
@reply_timeout_ms,100
signal,area,address,type,scale,unit,access,min,max,step
supply_temp,holding,10,int16,0.1,°C,r,,,
indoor_temp_setpoint,holding,11,int16,1,°C,rw,10,30,1
"""


@pytest.fixture(scope="module")
def units() -> list[SimUnit]:
    return [SimUnit(WATER, address, seed=address, static=True) for address in (5, 6)]


@contextlib.contextmanager
def served(*units: SimUnit) -> Iterator[str]:
    """Units over TCP from a thread of its own, since the command runs a loop; gives the URL."""
    ready, ports, loop = threading.Event(), list[int](), asyncio.new_event_loop()
    stop = asyncio.Event()

    async def serve() -> None:
        async with serve_tcp(units) as port:
            ports.append(port)
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert ready.wait(5)
    try:
        yield f"tcp://127.0.0.1:{ports[0]}"
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(5)
        loop.close()


@pytest.fixture(scope="module")
def url(units: list[SimUnit]) -> Iterator[str]:
    with served(*units) as url:
        yield url


class Ran:
    """What a command printed, and how it ended."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def line(capsys: pytest.CaptureFixture[str]) -> Any:
    def run(*words: object) -> Ran:
        code = 0
        try:
            call_command("line", *map(str, words))
        except SystemExit as end:
            code = int(end.code or 0)
        return Ran(code, *capsys.readouterr())

    return run


def test_a_read_gives_every_point_with_value_unit_and_quality(
    line: Any, url: str, units: list[SimUnit]
) -> None:
    units[0].set("outdoor_temp", -6.7)
    ran = line("read", "--url", url, "--unit", 5, "--map", WATER, "--json")
    assert (ran.code, ran.err) == (0, "")
    assert ran.json["unit"] == 5 and ran.json["errors"] == [] and ran.json["requests"] == 2
    points = ran.json["points"]
    assert points["outdoor_temp"] == {"value": -6.7, "unit": "°C", "quality": "good"}
    assert points["power_state"]["value"] is True
    assert points["fault_bits"]["value"] == []
    assert points["mode"]["value"] == "heating"
    assert points["fault_active"] == {"value": False, "unit": "", "quality": "good"}


def test_a_read_without_json_is_a_table(line: Any, url: str, units: list[SimUnit]) -> None:
    units[0].set("outdoor_temp", -6.7)
    ran = line("read", "--url", url, "--unit", "0x05", "--map", WATER)
    assert "outdoor_temp          -6.7 °C" in ran.out.splitlines()


def test_a_silent_unit_is_said_in_one_sentence_and_exit_1(
    line: Any, url: str, tmp_path: Path
) -> None:
    quick = tmp_path / "quick.csv"
    quick.write_bytes(WATER.read_bytes().replace(b"@baud,", b"@reply_timeout_ms,50\n@baud,"))
    ran = line("read", "--url", url, "--unit", 9, "--map", quick, "--json")
    assert ran.code == 1
    assert ran.json["points"]["supply_temp"] == {
        "value": None,
        "unit": "°C",
        "quality": "not_answered",
    }
    assert ran.json["errors"] == [ran.err.strip()]
    assert "设备 9 没有应答" in ran.err


def test_a_setpoint_is_written_and_proven(line: Any, url: str, units: list[SimUnit]) -> None:
    wanted = 21.0 if units[1].house.room_set != 21 else 22.0
    write = ("write", "--url", url, "--unit", 6, "--map", WATER, "--json", "--signal")
    ran = line(*write, "indoor_temp_setpoint", "--value", wanted)
    assert ran.code == 0
    assert ran.json == {"state": "verified", "sent": wanted, "read_back": wanted}
    assert units[1].house.room_set == wanted
    again = line(*write, "indoor_temp_setpoint", "--value", wanted)
    assert (again.code, again.json["state"], again.json["sent"]) == (0, "verified", None)


@pytest.mark.parametrize(
    ("typed", "on"), [("off", False), ("开", True), ("关", False), ("1", True)]
)
def test_on_and_off_may_be_typed_in_many_ways(
    line: Any, url: str, units: list[SimUnit], typed: str, on: bool
) -> None:
    write = ("write", "--url", url, "--unit", 5, "--map", WATER, "--json")
    ran = line(*write, "--signal", "power_state", "--value", typed)
    assert (ran.code, ran.json["read_back"], units[0].house.power) == (0, on, on)


@pytest.mark.parametrize(
    ("point", "value", "why"),
    [
        ("indoor_temp_setpoint", "99", "99 超出点表限值"),
        ("indoor_temp_setpoint", "warm", "要写数字"),
        ("mode", "cooling", "可写：auto、heating"),
        ("supply_temp", "40", "点表里没有可写的信号 supply_temp"),
        ("nothing", "40", "点表里没有可写的信号 nothing"),
    ],
)
def test_what_may_not_be_written_is_refused_with_its_reason(
    line: Any, url: str, units: list[SimUnit], point: str, value: str, why: str
) -> None:
    before = units[0].words("holding", 0, 4)
    write = ("write", "--url", url, "--unit", 5, "--map", WATER, "--json")
    ran = line(*write, "--signal", point, "--value", value)
    assert (ran.code, ran.json["state"], ran.json["sent"]) == (1, "refused", None)
    assert why in ran.json["errors"][0] and why in ran.err
    assert units[0].words("holding", 0, 4) == before


@pytest.mark.parametrize("words", [["0xFFBD"], ["65469"], ["FFBDH"]])
def test_words_are_decoded_as_a_read_would(line: Any, words: list[str]) -> None:
    ran = line("decode", "--map", WATER, "--signal", "outdoor_temp", "--words", *words, "--json")
    assert (ran.code, ran.json) == (0, {"value": -6.7, "quality": "good"})


def test_a_large_counter_is_shown_to_its_last_digit(line: Any, tmp_path: Path) -> None:
    file = tmp_path / "n2.csv"
    file.write_text(NATIVE + "total,holding,20,uint64,1,,r,,,\ncost,holding,24,uint64,0.01,,r,,,\n")
    decode = ("decode", "--map", file, "--words", "0", "0x2", "0xDFDC", "0x1C35", "--signal")
    assert line(*decode, "total").out == "12345678901  good\n"
    assert line(*decode, "cost").out == "123456789.01  good\n"


def test_words_without_a_value_tell_their_quality(line: Any) -> None:
    decode = ("decode", "--map", WATER, "--json", "--signal")
    ran = line(*decode, "supply_temp", "--words", "0x7FFF")
    assert (ran.code, ran.json) == (0, {"value": None, "quality": "sensor_open"})
    ran = line(*decode, "fault_bits", "--words", "0x0001", "0x0002")
    assert ran.json == {"value": ["high_pressure", "phase"], "quality": "good"}
    ran = line(*decode, "supply_temp", "--words", 1, 2)
    assert ran.code == 1 and "要 1 个字" in ran.json["errors"][0]


def test_a_scan_tells_who_answers(line: Any, url: str) -> None:
    ran = line(
        "scan", "--url", url, "--from", 4, "--to", 7, "--timeout", 0.05, "--map", WATER, "--json"
    )
    assert ran.code == 0
    assert ran.json["units"] == [
        {"unit": 5, "answer": "answered"},
        {"unit": 6, "answer": "answered"},
    ]
    assert (ran.json["asked"], ran.json["errors"]) == (4, [])


@pytest.mark.parametrize(
    ("first", "last", "why"), [(0, 9, "1～247"), (240, 250, "1～247"), (9, 8, "起始不大于终止")]
)
def test_a_scan_keeps_within_the_declared_width(
    line: Any, url: str, first: int, last: int, why: str
) -> None:
    ran = line("scan", "--url", url, "--from", first, "--to", last, "--json")
    assert ran.code == 1 and why in ran.json["errors"][0] and ran.json["asked"] == 0


@pytest.fixture
def native(tmp_path: Path) -> Path:
    file = tmp_path / "native.csv"
    file.write_text(NATIVE, encoding="utf-8")
    return file


def test_a_native_address_that_reads_as_a_write_must_be_said_to_be_on_record(
    line: Any, native: Path
) -> None:
    unit = SimUnit(native, 0x0106, static=True)
    with served(unit) as url:
        read = ("read", "--url", url, "--unit", "0x0106", "--map", native, "--json")
        refused = line(*read)
        assert refused.code == 1 and "未登记前不能使用" in refused.json["errors"][0]
        assert line(*read, "--on-record").json["points"]["supply_temp"]["quality"] == "good"


def test_a_module_is_read_at_its_own_registers(line: Any, native: Path) -> None:
    unit = SimUnit(native, 0x0201, static=True, modules=2)
    unit.set("supply_temp", 31.5, module=1)
    with served(unit) as url:
        read = ("read", "--url", url, "--unit", 0x0201, "--map", native, "--json", "--module")
        assert line(*read, 2).json["points"]["supply_temp"]["value"] == 31.5
        assert line(*read, 1).json["points"]["supply_temp"]["value"] != 31.5
        wrong = line(*read, 0)
        assert wrong.code == 1 and "没有模块 0" in wrong.json["errors"][0]


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (["--url", "tcp:/127.0.0.1"], "写法不对"),
        (["--url", "http://127.0.0.1:80"], "应以 serial://"),
        (["--url", "tcp://127.0.0.1:1"], "拒绝连接"),
        (["--url", "serial:///dev/no-such-port"], "找不到串口"),
        (["--url", "serial:///dev/ttyUSB0?bauds=9600"], "bauds 不认识"),
        (["--url", "dial://1001"], "listen="),
        (["--url", "dial://1001?listen=127.0.0.1:0&wait=1"], "没有拨入"),
        (["--url", "dial://1001?listen=nowhere"], "监听地址"),
        (["--map", "no-such-file.csv"], "打不开点表文件"),
        (["--map", "manage.py"], "处错误"),
        (["--map", "."], "打不开点表文件"),
        (["--unit", "300"], "不在 1～247"),
        (["--unit", "0"], "不在 1～247"),
    ],
)
def test_bad_input_is_one_chinese_sentence_and_valid_json(
    line: Any, url: str, bad: list[str], why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(settings.BASE_DIR)
    given = {"--url": url, "--unit": "5", "--map": str(WATER)} | {bad[0]: bad[1]}
    words = [word for pair in given.items() for word in pair]
    ran = line("read", *words, "--json")
    assert ran.code == 1
    assert ran.json["errors"] == [ran.err.strip()] and why in ran.err
    assert ran.json["points"] == {}
    assert len(line("read", *words).err.strip().splitlines()) == 1


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["read"],
        ["read", "--url", "tcp://127.0.0.1:1", "--map", str(WATER), "--unit", "five"],
        ["decode", "--map", str(WATER), "--signal", "supply_temp", "--words", "0xZZ"],
        ["scan", "--url", "tcp://127.0.0.1:1", "--timeout", "0"],
    ],
)
def test_wrong_usage_is_told(line: Any, words: list[str]) -> None:
    with pytest.raises(CommandError):
        line(*words)


def test_it_runs_without_a_database_and_ctrl_c_stops_a_scan() -> None:
    nowhere = {**os.environ, "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}
    nowhere |= {"SECRET_KEY": "of-this-test", "PYTHONUNBUFFERED": "1"}
    unit = SimUnit(WATER, 1, static=True)
    with served(unit) as url:
        scan = ["scan", "--url", url, "--timeout", "0.3", "--json"]
        process = subprocess.Popen(
            [sys.executable, "manage.py", "line", *scan],
            cwd=settings.BASE_DIR,
            env=nowhere,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        deadline = time.monotonic() + 20
        while not unit.seen and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=5)
    assert process.returncode == 130 and err.strip() == "已中断，结果不全"
    assert json.loads(out)["errors"] == ["已中断，结果不全"]
    assert "Traceback" not in err
