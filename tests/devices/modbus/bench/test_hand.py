"""What a person typed at the sample, judged."""

from __future__ import annotations

from typing import Any

import pytest

from devices.modbus.bench.hand import judge
from devices.modbus.bench.outdoor_sensor import celsius_of
from devices.modbus.pointmap import PointMap
from tests.devices.modbus.bench.samples import AIRBOX, CN_W10, map_of

WATER, AIR = map_of(CN_W10), map_of(AIRBOX)
SHOWN = {
    "supply_temp": 43.1,
    "return_temp": 38.6,
    "outdoor_temp": -6.7,
    "indoor_temp_setpoint": 20.0,
    "power_state": True,
    "mode": "heating",
    "fault_active": False,
}


def good(value: object, raw: str | None = None) -> dict[str, Any]:
    return {"value": value, "quality": "good", "raw": raw}


def bad(quality: str, raw: str | None = None) -> dict[str, Any]:
    return {"value": None, "quality": quality, "raw": raw}


def panel(map: PointMap = WATER, read: dict[str, Any] | None = None, **typed: Any) -> Any:
    """The panel shows SHOWN but for `typed`; the platform reads SHOWN but for `read`."""
    platform = {signal: good(value) for signal, value in SHOWN.items()} | (read or {})
    return judge("panel", map, {"values": SHOWN | typed, "platform": platform})


def test_a_panel_within_one_kelvin_agrees() -> None:
    result = panel(supply_temp=42.1, return_temp=39)
    assert result.state == "passed"
    assert result.figures["differences"]["supply_temp"] == pytest.approx(1.0)


def test_a_panel_that_does_not_show_everything_leaves_that_unproven() -> None:
    result = panel(outdoor_temp=None)
    assert result.state == "unproven"
    assert "室外环境温度" in result.finding


@pytest.mark.parametrize(
    ("map", "read", "change"),
    [
        (WATER, {"supply_temp": good(4.31, "0x002B")}, "倍率"),
        (WATER, {"supply_temp": bad("out_of_range", "0x01AF0")}, "供水温度"),
        (WATER, {"outdoor_temp": bad("out_of_range", "0x8043")}, "sm16"),
        (AIR, {"supply_temp": good(93.1)}, "“偏移”由 -50 改为 -100"),
    ],
)
def test_a_reading_that_differs_names_the_change_of_its_row(
    map: PointMap, read: dict[str, Any], change: str
) -> None:
    result = panel(map, read)
    assert result.state == "failed"
    assert change in result.advice


def test_supply_and_return_exchanged_are_named_as_such() -> None:
    result = panel(read={"supply_temp": good(38.6), "return_temp": good(43.1)})
    assert result.state == "failed"
    assert "供水温度 与 回水温度 对调" in result.advice
    assert "保持寄存器 100" in result.advice and "保持寄存器 101" in result.advice


def test_a_mode_that_the_panel_calls_otherwise_names_the_label() -> None:
    result = panel(mode="auto")
    assert result.state == "failed"
    assert "1 应为 auto，不是 heating" in result.advice


def test_a_wrong_sign_of_power_is_no_matter_of_scale() -> None:
    result = panel(power_state=False)
    assert result.state == "failed"
    assert "开关机状态" in result.finding


# --- the outdoor sensor -------------------------------------------------------------------------


def test_forty_kilohms_are_seven_degrees_below_zero() -> None:
    assert celsius_of(40_000) == pytest.approx(-7.0, abs=0.1)
    assert celsius_of(10_000) == pytest.approx(25.0)


def box(entry: dict[str, Any], ohms: float = 40_000) -> Any:
    return judge("resistor", WATER, {"ohms": ohms, "platform": {"outdoor_temp": entry}})


def test_a_negative_temperature_that_reads_so_passes() -> None:
    assert box(good(-6.4)).state == "passed"


def test_a_temperature_without_its_sign_is_named() -> None:
    result = box(good(7.0, "0x0046"))
    assert result.state == "failed"
    result = box(bad("out_of_range", "0x8046"))
    assert "sm16" in result.advice


def test_a_box_that_is_not_below_zero_proves_nothing() -> None:
    assert box(good(25.0), ohms=10_000).state == "unproven"


def torn(open_: dict[str, Any], short: dict[str, Any]) -> Any:
    entered = {"open": {"outdoor_temp": open_}, "short": {"outdoor_temp": short}}
    return judge("sensor", WATER, entered)


def test_a_torn_sensor_is_told_by_the_reason_of_the_map_or_by_no_value() -> None:
    told = bad("sensor_open", "0x7FFF"), bad("out_of_range", "0x8000")
    assert torn(*told).state == "passed"


@pytest.mark.parametrize("plausible", [good(-30.0), good(0.0)])
def test_a_torn_sensor_never_reads_as_a_temperature(plausible: dict[str, Any]) -> None:
    result = torn(bad("sensor_open"), plausible)
    assert result.state == "failed"
    assert "短接" in result.finding and "无效值" in result.advice


def test_a_sample_that_falls_silent_with_its_sensor_fails() -> None:
    assert torn(bad("not_answered"), bad("sensor_short")).state == "failed"


# --- the rest -----------------------------------------------------------------------------------


def test_a_wired_controller_must_be_connected_and_usable() -> None:
    def said(connected: bool, usable: bool) -> str:
        return judge("controller", WATER, {"connected": connected, "usable": usable}).state

    assert (said(True, True), said(True, False), said(False, True)) == (
        "passed",
        "failed",
        "unproven",
    )


def cut(after: dict[str, Any], *, seconds: float = 40, running: bool = True) -> Any:
    before = {"power_state": good(running), "mode": good("heating")}
    entered = {
        "before": before,
        "after": before | after,
        "answered_after_s": seconds,
        "starting": "values",
    }
    return judge("power_cut", WATER, entered)


def test_a_sample_that_returns_to_its_state_passes() -> None:
    assert cut({}).state == "passed"


def test_a_sample_that_comes_back_off_fails() -> None:
    result = cut({"power_state": good(False)})
    assert result.state == "failed"
    assert "掉电保存 开关机状态" in result.advice


def test_a_sample_that_is_slow_to_come_back_fails_and_one_that_was_off_proves_nothing() -> None:
    assert cut({}, seconds=301).state == "failed"
    assert cut({}, running=False).state == "unproven"


def dialled(**typed: Any) -> Any:
    usual = {
        "back_after_reboot_s": 35,
        "back_after_sim_s": 62,
        "registration": "860000000000900",
        "heartbeat": "FE",
    }
    return judge("transmitter", WATER, usual | typed)


def test_a_transmitter_that_comes_back_by_itself_passes_with_its_bytes_on_record() -> None:
    result = dialled()
    assert result.state == "passed"
    assert result.figures["registration"] == "860000000000900"


def test_a_transmitter_that_stays_away_fails() -> None:
    assert dialled(back_after_sim_s=301).state == "failed"
    assert dialled(registration=" ").state == "unproven"
