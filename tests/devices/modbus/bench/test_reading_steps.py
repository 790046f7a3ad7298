"""The steps that only read, at samples whose faults one sees in the readings alone."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from devices.modbus import frames
from devices.modbus.bench import Bench, Options, Result, pace, run, step
from devices.modbus.bench.addresses import foreign
from devices.modbus.bench.movement import Movement
from devices.modbus.bench.pace import judge_times, percentile
from devices.modbus.bench.soak import judge_movement, judge_soak, judge_traffic, span
from devices.modbus.simulator import SimUnit
from devices.modbus.simulator.rtu import wrap
from devices.modbus.simulator.unit import Answer
from devices.modbus.simulator.wire import Bus, Send
from tests.devices.modbus.bench.defects import NO_ANSWER, Sample, sample_of
from tests.devices.modbus.bench.samples import (
    ADDRESS,
    BRIEF,
    CN_W10,
    SECOND,
    map_of,
    on_the_bench,
)

QUICK = replace(BRIEF, look_s=0.01)
NATIVE = CN_W10.replace("@address_width,1", "@address_width,2")


def result_of(
    key: str,
    sample: SimUnit | None = None,
    text: str = CN_W10,
    alone: bool = False,
    **changed: Any,
) -> Result:
    """What a step says of a sample, beside a second unit that is sound."""

    async def story() -> Result:
        own = sample or sample_of(text)
        second = sample_of(text, changed.get("second_address") or SECOND)
        options = replace(QUICK, **changed)
        bus = Bus([own] if alone else [own, second])
        address = own.address
        async with on_the_bench(map_of(text), bus, options=options, address=address) as bench:
            return (await run(step(key), bench))[0]

    return asyncio.run(story())


def with_(signal: str, value: object) -> SimUnit:
    """A sample one of whose readings is held."""
    unit = sample_of(CN_W10)
    unit.set(signal, value)  # type: ignore[arg-type]
    return unit


# --- addresses ----------------------------------------------------------------------------------


def test_without_a_second_unit_two_on_a_line_stay_unproven() -> None:
    result = result_of("addresses", alone=True, second_address=None)
    assert result.state == "unproven"
    assert "没有第二台" in result.finding


def test_another_unit_that_nobody_told_of_is_not_taken_for_a_defect() -> None:
    result = result_of("addresses", second_address=None)
    assert result.state == "unproven"
    assert f"地址 {SECOND} 也有应答" in result.finding


def test_two_byte_addresses_are_compared_byte_by_byte() -> None:
    result = result_of("addresses", sample_of(NATIVE, 0x0103), NATIVE, second_address=0x0203)
    assert result.state == "passed", result.finding
    assert 0x0003 not in result.figures["foreign"]
    assert any(address & 0xFF == 0x03 for address in result.figures["foreign"])


def test_an_address_that_must_not_be_tried_is_the_testers_matter() -> None:
    result = result_of("addresses", sample_of(NATIVE, 0x0103), NATIVE, second_address=0x0205)
    assert result.state == "unproven"


class SaysFailedForOthers(Bus):
    """A converter, or a server, that answers exception 4 for units that it does not have."""

    def hear(self, buffer: bytearray, send: Send) -> None:
        asked = bytes(buffer)
        super().hear(buffer, send)
        if asked and asked[0] not in self.units and asked == wrap(asked[0], asked[1:-2]):
            send(wrap(asked[0], bytes((asked[1] | 0x80, 4))))


def test_who_says_failed_for_units_that_are_not_there_is_no_defect_of_the_sample() -> None:
    async def story() -> Result:
        bus = SaysFailedForOthers([sample_of(CN_W10), sample_of(CN_W10, SECOND)])
        async with on_the_bench(map_of(CN_W10), bus, options=QUICK) as bench:
            return (await run(step("addresses"), bench))[0]

    result = asyncio.run(story())
    assert result.state == "unproven", result.finding
    assert "异常码 4" in result.finding


def test_units_that_are_known_on_the_line_are_not_foreign() -> None:
    async def story() -> None:
        options = replace(QUICK, others=(4, 69))
        async with on_the_bench(map_of(CN_W10), Bus([sample_of(CN_W10)]), options=options) as bench:
            tried = list(foreign(bench))
            assert {ADDRESS, SECOND, 4, 69}.isdisjoint(tried)
            assert len(tried) >= 3

    asyncio.run(story())


# --- readings and labels ------------------------------------------------------------------------


def test_the_word_that_the_maker_knows_is_found_where_he_said() -> None:
    result = result_of("readings", known=("holding", 2, 20))
    assert result.state == "passed"
    assert result.details[-1][0] == "已知寄存器"


def test_the_word_that_the_maker_knows_may_be_one_further_on() -> None:
    result = result_of("readings", known=("holding", 1, 20))
    assert result.state == "failed"
    assert "错一位" in result.finding
    assert result.figures["shift"] == 1


def test_a_known_word_that_is_nowhere_near_fails() -> None:
    assert result_of("readings", known=("holding", 2, 999)).state == "failed"


class BeatsWhereNobodyAnswers(Bus):
    """A transmitter whose heartbeats come while an answer is waited for."""

    def hear(self, buffer: bytearray, send: Send) -> None:
        asked = bytes(buffer)
        super().hear(buffer, send)
        if asked and asked[0] not in self.units:
            send(b"pingping")


def test_heartbeats_of_a_transmitter_are_no_wrong_answer_of_a_silent_sample() -> None:
    async def story() -> Result:
        bus = BeatsWhereNobodyAnswers([sample_of(CN_W10, SECOND)])
        map = map_of(CN_W10)
        brief = replace(map, settings=replace(map.settings, reply_timeout_ms=20))
        async with on_the_bench(brief, bus, options=QUICK) as bench:
            return (await run(step("addresses"), bench))[0]

    result = asyncio.run(story())
    assert (result.state, result.finding) == ("failed", "地址 5 没有应答")


def test_a_silent_hole_is_no_matter_of_the_address() -> None:
    sample = sample_of(CN_W10)
    sample.before = lambda sample, pdu: pdu if pdu[4] == 1 else NO_ANSWER
    assert result_of("addresses", sample).state == "passed"


def test_a_map_that_is_off_by_one_shows_without_any_known_word() -> None:
    async def story() -> Result:
        bus = Bus([sample_of(CN_W10)])
        told = map_of(CN_W10)
        points = tuple(replace(point, address=point.address + 1) for point in told.points)
        shifted = replace(told, points=points)
        async with on_the_bench(shifted, bus, options=QUICK) as bench:
            return (await run(step("readings"), bench))[0]

    result = asyncio.run(story())
    assert result.state == "failed"
    assert "错一位" in result.finding and "@address_base" in str(result.advice)


def test_a_counter_that_never_passed_65535_leaves_its_word_order_unproven() -> None:
    young = sample_of(CN_W10)
    young.pin("holding", 130, 0)
    assert result_of("readings", young).figures["order_unproven"] == ["electric_energy"]
    old = sample_of(CN_W10)
    old.pin("holding", 130, 3)
    old.pin("holding", 131, 77)
    assert result_of("readings", old).figures["order_unproven"] == []


def test_a_reply_that_the_line_asks_for_in_two_requests_is_timed_as_one() -> None:
    pause_s, line = 0.03, SimpleNamespace(trace=None)

    async def in_two(*_: object, **__: object) -> None:
        for way in ("out", "in", "out", "in"):
            await asyncio.sleep(pause_s if way == "in" else 0)
            line.trace(way, 0.0, b"\x05\x03")

    async def story() -> tuple[float, float]:
        line.exchange = in_two
        bench = cast(Bench, SimpleNamespace(line=line, address=5, timeout=1.0))
        begun = asyncio.get_running_loop().time()
        took_ms, _ = await pace._time(bench, frames.read("holding", 0, 1))
        assert took_ms is not None
        return took_ms / 1000, asyncio.get_running_loop().time() - begun

    took_s, whole_s = asyncio.run(story())
    assert 0 < took_s <= whole_s - pause_s / 2


def test_who_is_busy_now_and_then_is_asked_again() -> None:
    def often_busy(sample: Sample, pdu: bytes) -> bytes | Answer:
        return (bytes((pdu[0] | 0x80, 6)), ()) if sample.now % 4 == 0 else pdu

    for key in ("readings", "max_read", "exceptions", "silence"):
        sample = sample_of(CN_W10)
        sample.before = often_busy
        result = result_of(key, sample)
        assert result.state == "passed", (key, result.finding)


def test_a_unit_that_heats_delivers_no_cold_water() -> None:
    result = result_of("readings", with_("supply_temp", 4.5))
    assert result.state == "failed"
    assert "倍率" in str(result.advice)


def test_every_reading_is_kept_with_the_words_it_came_from() -> None:
    kept = result_of("readings").figures["readings"]
    assert len(kept) == 7
    assert kept["supply_temp"]["raw"].startswith("0x")
    assert kept["fault_active"]["raw"] == "0x0000 0x0000"


def test_a_bit_without_a_name_fails_the_labels() -> None:
    unit = sample_of(CN_W10)
    unit.pin("holding", 121, 0x4000)
    result = result_of("labels", unit)
    assert result.state == "failed"
    assert "位定义" in str(result.advice)


# --- times --------------------------------------------------------------------------------------


def timed(times: list[float], missed: int = 0, allowed: float = 100.0, hurt: int = 0) -> Result:
    async def story() -> Result:
        async with on_the_bench(map_of(CN_W10), Bus([sample_of(CN_W10)])) as bench:
            return judge_times(times, missed, allowed, bench, hurt)

    return asyncio.run(story())


def test_percentiles_are_values_that_were_measured() -> None:
    ordered = [float(n) for n in range(1, 201)]
    assert (percentile(ordered, 0.5), percentile(ordered, 0.99)) == (100.0, 198.0)
    assert percentile([7.0], 0.99) == 7.0


def test_one_late_reply_of_two_hundred_is_within_p99_three_are_not() -> None:
    assert timed([50.0] * 199 + [500.0]).state == "passed"
    result = timed([50.0] * 197 + [500.0] * 3)
    assert result.state == "failed"
    assert "@reply_timeout_ms 改为 800" in str(result.advice)


def test_a_line_may_lose_a_frame_a_sample_may_not_lose_many() -> None:
    assert timed([50.0] * 199, missed=1).state == "passed"
    assert timed([50.0] * 190, missed=10).state == "failed"
    assert timed([], missed=200).state == "failed"


def test_replies_that_came_hurt_are_told_from_those_that_did_not_come() -> None:
    result = timed([50.0] * 190, missed=10, hurt=6)
    assert "6 次应答的校验不符" in result.finding and "CRC-16" in str(result.advice)
    assert "CRC" not in str(timed([50.0] * 190, missed=10, hurt=2).advice)


def test_a_reply_whose_check_is_turned_round_is_seen_to_be_hurt() -> None:
    class Turned(Bus):
        count = 0

        def hear(self, buffer: bytearray, send: Send) -> None:
            def turned(frame: bytes) -> None:
                self.count += 1
                ends = frame[-1:] + frame[-2:-1] if self.count > 3 else frame[-2:]
                send(frame[:-2] + ends)

            super().hear(buffer, turned)

    async def story() -> Result:
        options = replace(QUICK, replies=3)
        async with on_the_bench(map_of(CN_W10), Turned([sample_of(CN_W10)]), options=options) as b:
            await b.read()
            return (await run(step("reply_time"), b))[0]

    result = asyncio.run(story())
    assert result.figures["missed"] == result.figures["hurt"] == 2


def test_a_setting_that_falls_back_during_a_silence_is_named_and_put_back() -> None:
    sample = sample_of(CN_W10)
    former = sample.values()["indoor_temp_setpoint"]

    async def story() -> Result:
        options = replace(QUICK, silence_s=0.2)
        async with on_the_bench(map_of(CN_W10), Bus([sample]), options=options) as bench:
            bench.say = lambda said: sample.set("indoor_temp_setpoint", 16)
            return (await run(step("silence"), bench))[0]

    result = asyncio.run(story())
    assert result.state == "failed"
    assert "设定室温" in result.finding
    assert sample.values()["indoor_temp_setpoint"] == former


# --- soak and traffic ---------------------------------------------------------------------------


def soaked(**changed: Any) -> Result:
    usual = {"seconds": 86_400, "polls": 8640, "answered": 8600, "share": 0.98, "held": True}
    return judge_soak(**{**usual, "setpoint": (21.0, 21.0), **changed})


def test_a_soak_passes_at_its_share_and_prints_its_length() -> None:
    result = soaked()
    assert result.state == "passed"
    assert "24 小时" in result.finding and "8600 / 8640" in result.finding
    assert soaked(answered=8400).state == "failed"
    assert soaked(polls=0, answered=0).state == "failed"


def test_a_setpoint_that_does_not_stand_after_the_soak_fails() -> None:
    result = soaked(held=False, setpoint=(21.0, 20.0))
    assert result.state == "failed"
    assert "写入 21 °C，现为 20 °C" in result.finding


def test_a_soak_writes_holds_and_puts_back() -> None:
    sample = sample_of(CN_W10)
    before = sample.values()["indoor_temp_setpoint"]
    result = result_of("soak", sample)
    assert (result.state, result.figures["held"]) == ("passed", True)
    assert sample.values()["indoor_temp_setpoint"] == before


def test_a_sample_that_never_moves_for_an_hour_leaves_unproven_that_it_reads_anew() -> None:
    still = Movement({}, {"supply_temp": 45.0}, {"supply_temp": 45.0})
    assert judge_movement(soaked(), still, 600).state == "passed"
    result = judge_movement(soaked(), still, 3600)
    assert result.state == "unproven" and "1 小时 没有变化" in result.finding


def test_readings_that_are_brought_up_to_date_now_and_then_fail_the_soak() -> None:
    leaping = Movement({"supply_temp": 0.1})
    for at in range(0, 6000, 60):
        leaping.add(at, {"supply_temp": 40 + at // 600 * 0.7})
    result = judge_movement(soaked(), leaping, 6000)
    assert result.state == "failed" and "每 10 分 才更新" in result.finding
    assert judge_movement(soaked(answered=0), leaping, 6000).finding == soaked(answered=0).finding


def test_traffic_is_told_by_day_and_month_with_the_headers_of_its_packets() -> None:
    result = judge_traffic(bytes_in=1000, bytes_out=500, seconds=43_200, packets=10)
    assert result.figures["day_bytes"] == 2 * (1500 + 800)
    assert result.figures["month_bytes"] == 60 * (1500 + 800)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(86_400, "24 小时"), (29_460, "8 小时 11 分"), (45, "45 秒"), (600, "10 分")],
)
def test_spans_are_said_as_people_say_them(seconds: float, said: str) -> None:
    assert span(seconds) == said


# --- the whole ----------------------------------------------------------------------------------


def test_a_line_that_goes_away_judges_nothing() -> None:
    async def story() -> Result:
        async with on_the_bench(map_of(CN_W10), Bus([sample_of(CN_W10)]), options=QUICK) as bench:
            await bench.line.transport.close()  # type: ignore[attr-defined]
            return (await run(step("readings"), bench))[0]

    assert asyncio.run(story()).state == "broken_off"


def test_a_step_counts_what_the_line_did() -> None:
    figures = result_of("readings").figures
    assert figures["requests"] > 0
    assert figures["timeouts"] == figures["wrong_frames"] == 0


def test_a_step_by_hand_is_not_run() -> None:
    async def story(bench: Bench) -> None:
        with pytest.raises(ValueError, match="panel"):
            await run(step("panel"), bench)

    async def on_it() -> None:
        async with on_the_bench(
            map_of(CN_W10), Bus([sample_of(CN_W10)]), options=Options()
        ) as bench:
            await story(bench)

    asyncio.run(on_it())
