"""Writing to a sample directly: what a test changed is put back, however it ended."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from devices.modbus.bench import Bench, run, step
from devices.modbus.bench.owed_file import OwedFile
from devices.modbus.bench.writes import DirectWrites
from devices.modbus.simulator.unit import Answer
from devices.modbus.simulator.wire import Bus
from tests.devices.modbus.bench.defects import NO_ANSWER, Sample, refuses, sample_of
from tests.devices.modbus.bench.samples import CN_W10, map_of, on_the_bench

Story = Callable[[Bench, DirectWrites, Sample], Awaitable[None]]


def told(story: Story, text: str = CN_W10) -> Sample:
    """The sample after a story at the bench."""

    async def tell() -> Sample:
        sample = sample_of(text)
        async with on_the_bench(map_of(text), Bus([sample])) as bench:
            assert isinstance(bench.writes, DirectWrites)
            await story(bench, bench.writes, sample)
        return sample

    return asyncio.run(tell())


def on_write(sample: Sample, address: int, act: Callable[[], object]) -> None:
    """Do this once the sample has obeyed and answered a write to this register; of the register
    of power, an off."""

    def after(sample: Sample, pdu: bytes, answer: Answer) -> Answer:
        asked = sample.asked_to_write(pdu)
        if asked and asked[1] == address and (address != 0 or not asked[2] & 1):
            asyncio.get_running_loop().call_later(0.01, act)
        return answer

    sample.after = after


def when_off(sample: Sample, act: Callable[[], object]) -> None:
    """Do this once the sample is off."""
    on_write(sample, 0, act)


def lose(bench: Bench) -> None:
    """The connection breaks, and nobody makes a new one yet."""
    transport: Any = bench.line.transport
    transport._socket.abort()


def comes_back(bench: Bench) -> None:
    """From now on the connection is made again."""
    transport: Any = bench.line.transport
    transport.keep()


def test_a_signal_lost_between_off_and_on_never_leaves_a_sample_off() -> None:
    async def story(bench: Bench, writes: DirectWrites, sample: Sample) -> None:
        when_off(sample, lambda: lose(bench))
        result, _ = await run(step("write_power"), bench)
        assert result.state == "broken_off"
        owed = {"indoor_temp_setpoint": 20.0, "power_state": True}
        assert sample.house.power is False and writes.owed == owed
        assert await writes.restore_all(0.0) == owed  # the line is still away
        comes_back(bench)
        assert await writes.restore_all(5.0) == {}
        assert sample.house.power is True

    told(story)


def test_what_a_killed_run_owed_is_put_back_by_the_next(tmp_path: Path) -> None:
    file = OwedFile(tmp_path / "owed" / "sample.json")

    async def story(bench: Bench, writes: DirectWrites, sample: Sample) -> None:
        killed = DirectWrites(bench.line, 5, bench.map, space_s=0, file=file)
        await killed.write("power_state", False)
        assert file.read() == {"power_state": True}
        following = DirectWrites(bench.line, 5, bench.map, space_s=0, file=file)
        assert await following.restore_all(5.0) == {}
        assert sample.house.power is True and not file.path.exists()

    told(story)


def test_a_file_that_was_not_written_whole_owes_nothing(tmp_path: Path) -> None:
    file = OwedFile(tmp_path / "sample.json")
    for text in ("", "{", "[1]"):
        file.path.write_text(text)
        assert file.read() == {}


def test_who_is_stopped_between_off_and_on_owes_it_still() -> None:
    async def story(bench: Bench, writes: DirectWrites, sample: Sample) -> None:
        task = asyncio.create_task(run(step("write_power"), bench))
        when_off(sample, task.cancel)
        with pytest.raises(asyncio.CancelledError):
            await task
        assert sample.house.power is False
        assert await writes.restore_all(5.0) == {}
        assert sample.house.power is True

    told(story)


def test_a_run_that_is_broken_off_is_put_back_before_it_is_run_again() -> None:
    async def story(bench: Bench, writes: DirectWrites, sample: Sample) -> None:
        former = sample.values()["indoor_temp_setpoint"]
        on_write(sample, 2, lambda: lose(bench))
        first, _ = await run(step("write_room"), bench)
        assert first.state == "broken_off" and "indoor_temp_setpoint" in writes.owed
        sample.steady()  # and stays now
        comes_back(bench)
        assert await writes.restore_all(5.0) == {}
        second, _ = await run(step("write_room"), bench)
        assert second.state == "passed"
        assert second.figures["former"] == former

    told(story)


def test_a_line_that_was_lost_and_is_back_at_once_is_no_fault_of_the_sample() -> None:
    async def story(bench: Bench, writes: DirectWrites, sample: Sample) -> None:
        def before(sample: Sample, pdu: bytes) -> bytes | Answer:
            if pdu[0] != 6 or "lost" in bench.seen:
                return pdu
            bench.seen["lost"] = bench.seen["mode"]
            lose(bench)
            return NO_ANSWER

        comes_back(bench)
        sample.before = before
        result, _ = await run(step("write_room"), bench)
        assert result.state == "broken_off", result.finding

    told(story)


def test_what_reads_as_it_was_is_not_written_again() -> None:
    async def story(bench: Bench, writes: DirectWrites, sample: Sample) -> None:
        await writes.write("indoor_temp_setpoint", 21)
        sample.set("indoor_temp_setpoint", 20.0)  # the panel was quicker
        sent = bench.line.counters.requests
        result = await writes.restore("indoor_temp_setpoint")
        assert (result.state, result.sent) == ("verified", None)
        assert bench.line.counters.requests == sent + 1
        assert writes.owed == {}

    told(story)


def test_off_is_never_owed_and_never_the_last_thing_written() -> None:
    async def story(bench: Bench, writes: DirectWrites, sample: Sample) -> None:
        sample.set("power_state", False)
        assert (await writes.write("power_state", False)).state == "held"
        assert (await writes.write("power_state", True)).state == "verified"
        assert writes.owed == {}

    assert told(story).house.power is True


def test_nothing_is_written_that_could_not_be_put_back() -> None:
    async def story(bench: Bench, writes: DirectWrites, sample: Sample) -> None:
        sample.pin("holding", 1, 9)  # a mode without a name
        result = await writes.write("mode", "auto")
        assert (result.state, result.sent) == ("held", None)
        assert "无法恢复" in result.detail and writes.owed == {}

    told(story)


def test_a_write_that_never_went_out_leaves_nothing_owed() -> None:
    async def story(bench: Bench, writes: DirectWrites, sample: Sample) -> None:
        assert (await writes.write("indoor_temp_setpoint", 99)).state == "refused"
        assert writes.owed == {}

    told(story)


def test_what_a_sample_refuses_to_take_back_stays_owed() -> None:
    async def story(bench: Bench, writes: DirectWrites, sample: Sample) -> None:
        refuses(3, lambda asked: asked[1:] == (2, 20))(sample)
        await writes.write("indoor_temp_setpoint", 21)
        assert (await writes.restore("indoor_temp_setpoint")).state == "refused"
        assert await writes.restore_all(0.1) == {"indoor_temp_setpoint": 20.0}
        sample.steady()

    assert told(story).values()["indoor_temp_setpoint"] == 20.0  # at last


def test_writes_are_as_far_apart_as_the_map_or_the_policy_asks() -> None:
    async def story(bench: Bench, writes: DirectWrites, sample: Sample) -> None:
        loop = asyncio.get_running_loop()
        settings = replace(bench.map.settings, min_write_interval_s=1)
        for map, space_s, least_s in (
            (bench.map, 0.3, 0.3),
            (replace(bench.map, settings=settings), 0.3, 1.0),
        ):
            slow = DirectWrites(bench.line, bench.address, map, space_s=space_s, read_again_s=())
            begun = loop.time()
            await slow.write("indoor_temp_setpoint", 21)
            await slow.restore("indoor_temp_setpoint")
            assert least_s <= loop.time() - begun

    told(story)


def test_a_run_writes_twenty_times_and_puts_back_as_often_as_it_must() -> None:
    async def story(bench: Bench, writes: DirectWrites, sample: Sample) -> None:
        few = DirectWrites(bench.line, bench.address, bench.map, space_s=0, most=1)
        assert (await few.write("indoor_temp_setpoint", 21)).state == "verified"
        assert (await few.write("supply_temp_setpoint", 46)).state == "held"
        assert (await few.restore("indoor_temp_setpoint")).state == "verified"

    told(story)
