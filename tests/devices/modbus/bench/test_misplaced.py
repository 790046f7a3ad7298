"""What a map in the wrong place, or a register that is not there, is told of and spared."""

from __future__ import annotations

import asyncio

from devices.modbus.bench import Result
from devices.modbus.simulator.unit import Answer
from devices.modbus.simulator.wire import Bus
from tests.devices.modbus.bench.defects import (
    WRITES,
    Sample,
    edited,
    moved,
    sample_of,
    set_to,
    without,
)
from tests.devices.modbus.bench.samples import AIRBOX, CN_W10, map_of, on_the_bench, results_of


def results_on(sample: Sample, text: str, *keys: str) -> dict[str, Result]:
    async def story() -> dict[str, Result]:
        async with on_the_bench(map_of(text), Bus([sample])) as bench:
            return await results_of(bench, keys)

    return asyncio.run(story())


def test_nothing_is_written_to_a_sample_whose_registers_are_off_by_one() -> None:
    sample, written = sample_of(moved(AIRBOX, 1)), []

    def before(sample: Sample, pdu: bytes) -> bytes | Answer:
        written.extend([pdu] if pdu[0] in (5, 6, 15, 16) else [])
        return pdu

    sample.before = before
    results = results_on(sample, AIRBOX, "readings", *WRITES)
    assert "错一位" in str(results["readings"].finding)
    assert {results[key].state for key in WRITES} == {"unproven"}
    assert written == []


def test_a_map_mended_and_read_again_is_written_by_again() -> None:
    async def story() -> None:
        async with on_the_bench(map_of(CN_W10), Bus([sample_of(CN_W10)])) as bench:
            bench.misplaced = True
            results = await results_of(bench, ["write_room", "readings", "write_flow"])
            states = [result.state for result in results.values()]
            assert states == ["unproven", "passed", "passed"]

    asyncio.run(story())


def test_an_area_of_which_nothing_answers_is_not_advised_to_read_none_at_once() -> None:
    text = edited(set_to(CN_W10, "read_functions", "1 3"), "power_state", area="coil", address=9,
                  type="bool", mask="", write_method="coil")  # fmt: skip
    text = set_to(text, "write_functions", "5 6")
    result = results_on(sample_of(without(text, "power_state")), text, "max_read")["max_read"]
    assert result.state == "passed", result.finding
    assert "没有读到" in str(result.details)


def test_a_register_that_reads_zero_is_said_to_be_missing_not_to_lack_an_offset() -> None:
    sample = sample_of(without(CN_W10, "return_temp"))
    result = results_on(sample, CN_W10, "readings")["readings"]
    assert result.state == "failed"
    assert "没有这个寄存器" in str(result.advice) and "偏移" not in str(result.advice)


def test_a_setpoint_that_reads_zero_is_missing_too() -> None:
    sample = sample_of(without(CN_W10, "indoor_temp_setpoint"))
    result = results_on(sample, CN_W10, "readings")["readings"]
    assert "没有这个寄存器" in str(result.advice) and "偏移" not in str(result.advice)


def test_a_plausible_zero_where_nothing_reads_as_zero_is_unproven() -> None:
    sample = sample_of(without(CN_W10, "outdoor_temp"))
    result = results_on(sample, CN_W10, "readings")["readings"]
    assert result.state == "unproven" and "保持寄存器 102 可能没有" in result.finding
    refusing = sample_of(AIRBOX)
    refusing.pin("input", 2, 500)  # 0.0 °C by its offset
    assert results_on(refusing, AIRBOX, "readings")["readings"].state == "passed"


def test_a_label_that_is_missing_at_zero_may_be_a_register_that_is() -> None:
    text = edited(CN_W10, "mode", enum="1=heating;2=auto")
    result = results_on(sample_of(without(text, "mode")), text, "labels")["labels"]
    assert "没有这个寄存器" in str(result.advice) and "补上 0=" in str(result.advice)


def test_two_bytes_of_one_register_are_exchanged_by_their_types() -> None:
    high = edited(CN_W10, "supply_temp", type="uint8_hi", scale=1, invalid="")
    text = edited(high, "return_temp", type="uint8_lo", scale=1, invalid="", address=100)
    device = edited(edited(text, "supply_temp", type="uint8_lo"), "return_temp", type="uint8_hi")
    result = results_on(sample_of(device), text, "readings")["readings"]
    assert "高低字节" in str(result.advice), result.finding


def test_a_float_next_to_nothing_explains_no_reading() -> None:
    wide = edited(CN_W10, "supply_temp", address=200, type="float32", order="DCBA", scale=1,
                  invalid="")  # fmt: skip
    result = results_on(sample_of(wide), edited(wide, "supply_temp", scale=10), "readings")
    assert str(result["readings"].advice).startswith("点表第") and "字节序" not in str(
        result["readings"].advice
    )


def test_a_sample_that_is_not_heating_leaves_supply_and_return_unproven() -> None:
    sample = sample_of(CN_W10)
    assert "接反未验证" not in str(results_on(sample, CN_W10, "readings")["readings"].details)
    sample.set("mode", "cooling")
    assert "接反未验证" in str(results_on(sample, CN_W10, "readings")["readings"].details)
