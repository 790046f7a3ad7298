"""The steps that write: what they do to a sample, and what they leave unproven."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import Any

import pytest

from devices.modbus.bench import Options, Result, run, step, switch_steps
from devices.modbus.simulator.wire import Bus
from tests.devices.modbus.bench.defects import (
    NO_ANSWER,
    Sample,
    echoes,
    edited,
    gentle_fault,
    ignores_writes_to,
    on_write_to,
    refuses,
    reverts_after,
    sample_of,
    set_to,
    without,
)
from tests.devices.modbus.bench.other_maps import MIXED, NATIVE
from tests.devices.modbus.bench.samples import AIRBOX, BRIEF, CN_W10, map_of, on_the_bench

IMPATIENT = replace(map_of(CN_W10).settings, reply_timeout_ms=80)


def tried(
    key: str, sample: Sample, text: str = CN_W10, *, options: Options = BRIEF, **changes: Any
) -> tuple[Result, list[int], list[str]]:
    """A step's result, the words that it wrote to registers in their order, what it said."""
    said: list[str] = []
    words: list[int] = []
    before = sample.before

    def heard(sample: Sample, pdu: bytes) -> Any:
        asked = sample.asked_to_write(pdu)
        if asked:
            words.append(asked[2])
        return before(sample, pdu)

    sample.before = heard

    async def story() -> Result:
        map = replace(map_of(text), **changes)
        async with on_the_bench(map, Bus([sample]), options=options, said=said) as bench:
            return (await run(step(key), bench))[0]

    return asyncio.run(story()), words, said


def test_a_setpoint_goes_a_step_up_and_back() -> None:
    sample = sample_of(CN_W10)
    sample.set("indoor_temp_setpoint", 20.0)
    result, words, _ = tried("write_room", sample)
    assert words == [21, 20]
    assert result.finding.startswith("20 → 21 → 20 °C")
    assert (result.figures["former"], result.figures["written"]) == (20, 21)
    assert [str(label) for label, _ in result.details] == ["写入", "回读", "保持", "恢复"]


def test_at_the_upper_edge_it_goes_a_step_down() -> None:
    sample = sample_of(CN_W10)
    sample.set("indoor_temp_setpoint", 26.0)
    assert tried("write_room", sample)[1] == [25, 26]


def test_both_sides_of_the_water_are_written_where_both_can_be() -> None:
    text = CN_W10 + "return_temp_setpoint,,holding,4,int16,,1,0,°C,rw,20,50,1,,,,,,,,,value,,,,\n"
    result, words, _ = tried("write_flow", sample_of(text), text)
    assert result.state == "passed" and len(words) == 4
    assert result.figures.keys() >= {"supply_temp_setpoint", "return_temp_setpoint"}


def test_water_is_never_tested_lukewarm() -> None:
    sample = sample_of(CN_W10)
    sample.set("supply_temp_setpoint", 25.0)
    assert tried("write_flow", sample)[1] == [30, 25]


def test_a_row_is_written_by_the_limits_of_the_mode_that_holds() -> None:
    sample = sample_of(MIXED)
    sample.set("mode", "auto")
    result, _, _ = tried("write_flow", sample, MIXED)
    assert result.state == "passed"
    assert "保持寄存器 4" in result.details[0][1]


def test_a_setpoint_that_holds_in_no_mode_of_now_is_unproven() -> None:
    sample = sample_of(MIXED)
    sample.set("mode", "cooling")
    result, words, _ = tried("write_flow", sample, MIXED)
    assert (result.state, words) == ("unproven", [])


def test_a_map_that_cannot_write_what_annex_2_asks_for_fails() -> None:
    text = without(CN_W10, "alarm_reset")
    result, words, _ = tried("alarm_reset", sample_of(text), text)
    assert (result.state, words) == ("failed", [])
    assert "alarm_reset" in str(result.advice)


@pytest.mark.parametrize("key", ["write_room", "write_mode", "write_power"])
def test_what_is_not_read_well_is_not_written(key: str) -> None:
    sample = sample_of(AIRBOX)
    for area, address in (("holding", 0), ("holding", 2)):
        sample.pin(area, address, 0xFFFF)
    result, words, _ = tried(key, sample, AIRBOX)
    if key == "write_power":
        assert result.state == "passed"  # the others are no matter of its
    else:
        assert (result.state, words) == ("unproven", [])


def test_what_stands_beyond_the_makers_limits_is_left_alone() -> None:
    sample = sample_of(CN_W10)
    sample.pin("holding", 2, 9)
    result, words, _ = tried("write_room", sample)
    assert (result.state, words) == ("unproven", [])
    assert "写不回去" in result.finding


def test_what_can_only_be_written_is_unproven_for_it_could_not_be_put_back() -> None:
    text = edited(CN_W10, "supply_temp_setpoint", access="w")
    result, words, _ = tried("write_flow", sample_of(text), text)
    assert (result.state, words) == ("unproven", [])


def test_a_sample_that_tells_nothing_after_a_write_fails() -> None:
    sample = sample_of(CN_W10)
    on_write_to(2, lambda sample, word: sample.pin("holding", 2, 0x7777))(sample)
    text = edited(CN_W10, "indoor_temp_setpoint", invalid="0x7777=busy")
    result, _, _ = tried("write_room", sample, text)
    assert result.state == "failed" and "照常应答" in str(result.advice)


def test_power_goes_off_and_on_and_is_watched() -> None:
    sample = sample_of(CN_W10)
    result, words, _ = tried("write_power", sample)
    assert words == [21, 0, 1, 20]
    assert result.figures["off_s"] < 60


def test_of_a_slow_sample_only_the_switch_is_looked_at_while_it_is_off() -> None:
    sample, asked = sample_of(CN_W10), list[bytes]()
    sample.before = lambda sample, pdu: asked.append(pdu) or pdu  # type: ignore[func-returns-value]
    tried("write_power", sample)
    off, on = (asked.index(b"\x06\x00\x00\x00" + word) for word in (b"\x00", b"\x01"))
    meanwhile = asked[off + 1 : on]
    assert len(meanwhile) >= 3
    assert set(meanwhile) == {b"\x03\x00\x00\x00\x01"}


def test_a_sample_too_slow_to_be_on_again_within_a_minute_is_only_switched_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(switch_steps, "LONGEST_OFF_S", 0.0)  # which any answer takes longer than
    result, words, _ = tried("write_power", sample_of(CN_W10))
    assert (result.state, words) == ("unproven", [1])
    assert "关机会超过 60 秒" in result.finding


def test_a_setpoint_that_switching_brings_back_to_its_default_is_told_of() -> None:
    sample = sample_of(CN_W10)  # at its default of 20
    on_write_to(
        0, lambda sample, word: sample.set("indoor_temp_setpoint", 20.0) if word & 1 else None
    )(sample)
    result, _, _ = tried("write_power", sample)
    assert result.state == "failed" and "设定室温 也变了" in result.finding
    assert "默认值" in str(result.advice)
    assert sample.house.power is True and sample.values()["indoor_temp_setpoint"] == 20


def test_what_cannot_be_written_to_the_setpoint_is_no_matter_of_the_switch() -> None:
    sample = sample_of(CN_W10)
    refuses(3, lambda asked: asked[1] == 2)(sample)
    assert tried("write_power", sample)[0].state == "passed"


def test_a_sample_that_was_off_is_switched_on_first_and_stays_on() -> None:
    sample = found_off()
    result, words, said = tried("write_power", sample)
    assert result.state == "passed" and words == [1, 21, 0, 1, 20]
    assert said[0] == "样机处于关机，先开机"
    assert sample.house.power is True


def found_off() -> Sample:
    """Off for long."""
    sample = sample_of(CN_W10)
    for signal in ("supply_temp", "return_temp"):
        sample.set(signal, 19.0)
    sample.set("power_state", False)
    return sample


def test_a_sample_that_cannot_be_switched_on_fails_and_is_owed_nothing() -> None:
    sample = found_off()
    ignores_writes_to(0)(sample)
    result, words, _ = tried("write_power", sample)
    assert (result.state, words) == ("failed", [1, 1])
    assert "接反" in str(result.advice)


def test_a_sample_that_heats_though_it_says_it_is_off_is_not_switched() -> None:
    sample = sample_of(CN_W10)
    sample.set("power_state", False)
    result, words, _ = tried("write_power", sample)
    assert (result.state, words) == ("unproven", [])
    assert "接反" in result.finding


def test_a_mode_must_hold_as_a_setpoint_must() -> None:
    sample = sample_of(CN_W10)
    reverts_after("mode", 1)(sample)
    result, _, _ = tried("write_mode", sample)
    assert result.state == "failed" and "没有保持" in result.finding


def test_a_slow_sample_is_asked_once_more_when_the_time_of_the_watch_is_over() -> None:
    sample = sample_of(CN_W10)
    reverts_after("indoor_temp_setpoint", 4)(sample)  # read back, all read, and looked at once
    reverts = sample.before

    def before(sample: Sample, pdu: bytes) -> Any:
        time.sleep(BRIEF.hold_s + 0.02)  # the first look alone outlasts the watch
        return reverts(sample, pdu)

    sample.before = before
    result, _, _ = tried("write_room", sample)
    assert result.state == "failed" and "没有保持" in result.finding


def test_a_write_that_is_obeyed_only_when_it_is_sent_twice_is_told_as_such() -> None:
    sample, heard = sample_of(CN_W10), []

    def before(sample: Sample, pdu: bytes) -> Any:
        if asked := sample.asked_to_write(pdu):
            heard.append(asked)
        return (pdu, ()) if asked and len(heard) % 2 else pdu

    sample.before = before
    result, words, _ = tried("write_room", sample)
    assert "第二次才生效" in result.finding and words[:2] == [21, 21]


def test_a_write_that_is_neither_answered_nor_obeyed_is_told_as_such() -> None:
    sample = sample_of(CN_W10)
    sample.before = lambda sample, pdu: NO_ANSWER if pdu[0] == 6 else pdu
    result, words, _ = tried("write_room", sample, settings=IMPATIENT)
    assert (result.finding, words) == ("写入没有应答，也没有生效", [21])


def test_a_write_that_is_answered_by_another_function_shows_what_came() -> None:
    sample = sample_of(CN_W10)
    echoes(lambda reply: b"\x03" + reply[1:], 2)(sample)
    result, _, _ = tried("write_room", sample, settings=IMPATIENT)
    assert "与请求不符" in result.finding and "05、06" in str(result.advice)
    assert any(str(told).startswith("05 03 00 02 00 15") for _, told in result.details)
    assert sample.values()["indoor_temp_setpoint"] == 20


def test_a_fault_that_comes_back_after_the_reset_was_not_reset() -> None:
    sample = sample_of(CN_W10)
    label = gentle_fault(sample)
    sample.plant(label)

    read_without = []

    def before(sample: Sample, pdu: bytes) -> bytes:
        if pdu[:3] == b"\x03\x00\x64" and not sample.values()["fault_bits"]:
            read_without.append(pdu)
            if len(read_without) == 5:  # seen to have gone, and looked at once more
                sample.plant(label)
        return pdu

    sample.before = before
    result, _, _ = tried("alarm_reset", sample)
    assert result.state == "failed" and "消失又出现" in result.finding


def test_a_value_read_back_beyond_all_sense_is_shown_and_not_taken_for_silence() -> None:
    sample = sample_of(edited(CN_W10, "indoor_temp_setpoint", write_scale=10, min=0, max=300))
    result, _, _ = tried("write_room", sample)
    assert result.state == "failed" and "写倍率" in str(result.advice)


def test_a_setpoint_whose_row_the_sample_leaves_is_put_back_once_its_mode_is() -> None:
    sample = sample_of(MIXED)
    former = sample.values()["supply_temp_setpoint"]
    seen = sample.after

    def after(sample: Sample, pdu: bytes, answer: Any) -> Any:
        asked = sample.asked_to_write(pdu)
        if asked and asked[1] == 3 and sample.values()["mode"] == "heating":
            sample.set("mode", "auto")
        return seen(sample, pdu, answer)

    sample.after = after
    result, _, _ = tried("write_flow", sample, MIXED)
    assert result.state == "failed" and "运行模式 也变了" in result.finding
    assert sample.values()["mode"] == "heating"
    assert sample.values()["supply_temp_setpoint"] == former


def test_where_writes_must_be_far_apart_power_is_only_written_on() -> None:
    sample = sample_of(CN_W10)
    settings = replace(map_of(CN_W10).settings, min_write_interval_s=61)
    result, words, _ = tried("write_power", sample, settings=settings)
    assert (result.state, words) == ("unproven", [1])


def test_every_mode_that_heats_is_written_and_the_others_are_named() -> None:
    text = edited(CN_W10, "mode", enum="0=cooling;1=heating;2=auto;3=off;4=heating_hot_water",
                  write_allowed="")  # fmt: skip
    result, words, _ = tried("write_mode", sample_of(text), text)
    assert words == [2, 1, 4, 1]
    assert result.figures["labels"] == ["heating", "auto", "heating_hot_water"]
    assert ("未试", "制冷、关机") in [(str(label), str(told)) for label, told in result.details]


def test_a_mode_that_has_no_other_is_written_as_it_is() -> None:
    text = edited(CN_W10, "mode", write_allowed="heating")
    result, words, _ = tried("write_mode", sample_of(text), text)
    assert (result.state, words) == ("passed", [1])


def test_a_remote_switch_that_the_map_requires_is_named_where_it_stands_wrong() -> None:
    text = set_to(NATIVE, "address_width", 1)
    sample = sample_of(text)
    sample.set_local(True)
    result, words, _ = tried("write_room", sample, text)
    assert (result.state, words) == ("failed", [])
    assert "@require" in str(result.advice) and "切到远程" in str(result.advice)


# The reset.


def test_a_fault_that_the_tester_makes_in_time_is_reset() -> None:
    sample = sample_of(CN_W10)
    label = gentle_fault(sample)
    seen = sample.before

    def before(sample: Sample, pdu: bytes) -> Any:
        if sample.now == 8:
            sample.plant(label)
        return seen(sample, pdu)

    sample.before = before
    result, words, said = tried("alarm_reset", sample, options=replace(BRIEF, fault_wait_s=2.0))
    assert result.state == "passed" and result.figures["faults"] == [label]
    assert words == [5, 1, 5, 1, 5, 1]
    assert "请造一个故障（2 秒内）" in said[0] and "第 3 次，共 3 次" in said


def test_without_any_fault_the_reset_is_seen_to_do_no_harm_and_no_more() -> None:
    result, words, _ = tried("alarm_reset", sample_of(CN_W10))
    assert result.state == "unproven" and words == [5, 1, 5, 1, 5, 1]
    assert "没有故障可复位" in result.finding


def test_of_several_faults_the_one_whose_cause_persists_may_stay() -> None:
    sample = sample_of(CN_W10)
    sample.house.plant("supply_sensor", stops=False)
    sample.plant("comm_wired_controller", persists=True)
    result, _, _ = tried("alarm_reset", sample)
    assert result.state == "passed" and result.figures["persist"] == ["comm_wired_controller"]
    assert any("原因没有消除" in told for _, told in result.details)


def test_a_reset_that_switches_off_is_told_and_the_sample_is_switched_on_again() -> None:
    sample = sample_of(CN_W10)
    on_write_to(0, lambda sample, word: sample.set("power_state", False), mask=4)(sample)
    result, words, _ = tried("alarm_reset", sample)
    assert result.state == "failed" and words[-1] == 1
    assert sample.house.power is True
    assert ("恢复", "开关机状态：开") in [(str(label), str(told)) for label, told in result.details]
