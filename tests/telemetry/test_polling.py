"""A line is polled: what is asked how often, what is believed, and what an outage leaves behind."""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from unittest import mock

import pytest

from devices.modbus.findings import Finding
from devices.modbus.line import Line
from devices.modbus.words import N_, Sentence
from telemetry.keeping import Order
from telemetry.roster import Before
from telemetry.rows import Missed, Polled
from tests.devices.modbus.written_maps import map_of
from tests.telemetry.poll_scene import MAP, Scene, tell

TEMPERATURES, POWER, SELDOM = 10, 40, 80


def qualities(rows: list[Polled | Missed]) -> list[str]:
    """The quality of the supply temperature in each answered poll."""
    return [row.values["supply_temp"].quality for row in rows if isinstance(row, Polled)]


def setpoint(target: float) -> Order:
    return Order(uuid.uuid4(), 1, 5, "indoor_temp_setpoint", target)


async def held(scene: Scene) -> bool:
    [outcome] = await scene.poller.carry_out(setpoint(21))
    return outcome.state == "held"


def test_what_changes_seldom_is_asked_every_third_poll() -> None:
    async def story(scene: Scene) -> None:
        rows = await scene.pass_(7 * 60)
        polls = [row for row in rows if isinstance(row, Polled)]
        assert [row.whole for row in polls[:7]] == [True, False, False, True, False, False, True]
        assert ["electric_energy" in row.values for row in polls[:3]] == [True, False, False]
        asked = Counter(first for _, first in scene.units.asked)
        assert asked[TEMPERATURES] == asked[POWER] == len(polls)
        assert asked[SELDOM] == sum(row.whole for row in polls)

    tell(story)


def test_after_a_write_everything_is_asked() -> None:
    async def story(scene: Scene) -> None:
        await scene.poll()
        await scene.poll()
        [outcome] = await scene.poller.carry_out(setpoint(22))
        assert outcome.state == "verified"
        assert (await scene.poll())["indoor_temp_setpoint"].value == 22

    tell(story)


def test_a_wrong_frame_is_read_again_at_once_and_is_not_believed() -> None:
    async def story(scene: Scene) -> None:
        await scene.poll()
        scene.units.wrong.append({10: 850})
        scene.units.asked.clear()
        values = await scene.poll()
        assert (values["supply_temp"].value, values["supply_temp"].quality) == (None, "unconfirmed")
        assert values["supply_temp"].raw == "0x0352"
        assert values["return_temp"].value == 38.0
        assert Counter(scene.units.asked) == {(5, TEMPERATURES): 2, (5, POWER): 1}
        assert (await scene.poll())["supply_temp"].value == 43.0

    tell(story)


def test_a_real_jump_is_believed_in_the_same_poll() -> None:
    async def story(scene: Scene) -> None:
        await scene.poll()
        scene.units.registers[5] |= {10: 620, 40: 0}
        values = await scene.poll()
        assert values["supply_temp"].value == 62.0
        assert values["power_state"].value is False
        scene.units.asked.clear()
        await scene.poll()
        assert Counter(scene.units.asked)[5, TEMPERATURES] == 1

    tell(story)


def test_a_second_look_that_is_not_answered_confirms_nothing() -> None:
    async def story(scene: Scene) -> None:
        for _ in range(3):
            await scene.poll()
        scene.units.registers[5][81] = 99  # the counter fell
        scene.units.deaf_to_second = SELDOM
        scene.units.asked.clear()
        values = await scene.poll()
        assert scene.units.asked.count((5, SELDOM)) == 2
        assert values["electric_energy"].quality == "unconfirmed"

    tell(story)


def test_after_an_outage_nothing_is_believed_for_two_minutes_nor_written_for_three() -> None:
    async def story(scene: Scene) -> None:
        await scene.pass_(50)
        scene.units.leave()
        await scene.pass_(90)
        scene.units.away = False
        scene.units.registers[5] |= {10: 0, 11: 0, 40: 0, 80: 25, 81: 0}
        rows = await scene.pass_(60)
        first = next(row for row in rows if isinstance(row, Polled))
        assert set(qualities(rows)) == {"starting"}
        assert first.values["supply_temp"].raw == "0x0000"
        assert all(value.value is None for value in first.values.values())
        scene.units.registers[5] |= {10: 430, 11: 380, 40: 1, 80: 20, 81: 100}
        assert await held(scene)
        assert scene.units.registers[5][80] == 20
        rows = await scene.pass_(140)
        assert qualities(rows)[0] == "starting"
        assert qualities(rows)[-1] == "good"
        await scene.pass_(60)
        assert not await held(scene)

    tell(story, interval_s=10.0)


def test_a_command_that_comes_before_the_first_poll_after_an_outage_is_held_too() -> None:
    async def story(scene: Scene) -> None:
        await scene.pass_(400)
        scene.units.leave()
        await scene.pass_(60)
        scene.units.away = False
        before = len(scene.rows)
        async with asyncio.timeout(100):
            while not scene.poller.condition().connected:
                await asyncio.sleep(0.5)
        assert await held(scene)
        assert len(scene.rows) == before
        assert scene.units.registers[5][80] == 20

    tell(story, interval_s=3600.0)


def test_a_plain_redial_within_seconds_changes_nothing() -> None:
    async def story(scene: Scene) -> None:
        await scene.pass_(50)
        scene.units.leave()
        scene.units.away = False
        rows = await scene.pass_(60)
        assert set(qualities(rows)) == {"good"}
        assert not await held(scene)

    tell(story, interval_s=10.0)


def test_first_polls_after_an_outage_are_spread_over_the_interval() -> None:
    async def story(scene: Scene) -> None:
        await scene.pass_(700)
        scene.units.leave()
        await scene.pass_(400)
        scene.units.away = False
        seen = len(scene.rows)
        back = scene.loop.time()
        await scene.pass_(301)
        answers = zip(scene.times[seen:], scene.rows[seen:], strict=True)
        first = sorted(at - back for at, row in answers if isinstance(row, Polled))
        assert len(first) >= 18  # the others were due before the line was there again
        assert all(after - before < 60 for before, after in pairwise(first))
        assert max(first) > 240

    tell(story, count=20, interval_s=300.0)


def test_a_line_that_is_reached_for_the_first_time_since_our_start_is_no_outage() -> None:
    async def story(scene: Scene) -> None:
        scene.units.away = True
        await scene.pass_(120)
        scene.units.away = False
        rows = await scene.pass_(90)
        assert set(qualities(rows)) == {"good"}

    tell(story, interval_s=10.0)


def test_a_unit_that_was_silent_is_starting_and_its_neighbour_is_not() -> None:
    async def story(scene: Scene) -> None:
        await scene.pass_(30)
        scene.units.silent = {5}
        await scene.pass_(120)
        scene.units.silent = set()
        rows = await scene.pass_(700)
        mine = qualities([row for row in rows if row.unit_id == 5])
        others = qualities([row for row in rows if row.unit_id == 6])
        assert mine[0] == "starting" and mine[-1] == "good"
        assert set(others) == {"good"}

    tell(story, count=2, interval_s=10.0)


def test_settings_that_an_outage_changed_are_told_when_they_are_believed_again() -> None:
    async def story(scene: Scene) -> None:
        await scene.pass_(50)
        scene.units.leave()
        await scene.pass_(60)
        scene.units.away = False
        scene.units.registers[5][80] = 25
        await scene.pass_(90)
        assert scene.told == []
        await scene.pass_(150)
        [changed] = scene.told
        assert changed.settings == {"indoor_temp_setpoint": (20.0, 25.0)}
        assert changed.unit_id == 5 and changed.away_since is not None
        assert scene.units.registers[5][80] == 25  # told, not rewritten

    tell(story, interval_s=10.0)


def test_settings_are_compared_with_those_of_before_our_start() -> None:
    at = datetime(2026, 11, 20, 4, tzinfo=UTC)
    before = {5: Before(at, was_silent=True, good={"indoor_temp_setpoint": 18.0})}

    async def story(scene: Scene) -> None:
        rows = await scene.pass_(60)
        assert set(qualities(rows)) == {"starting"}
        await scene.pass_(200)
        assert [changed.settings for changed in scene.told] == [
            {"indoor_temp_setpoint": (18.0, 20.0)}
        ]

    tell(story, interval_s=10.0, before=before)


def test_while_two_units_answer_one_address_nothing_of_it_is_believed() -> None:
    async def story(scene: Scene) -> None:
        await scene.poll()
        scene.poller._line.unit(5).disputed_at = scene.loop.time()
        rows = await scene.pass_(30)
        assert set(qualities([row for row in rows if row.unit_id == 5])) == {"identity_disputed"}
        assert set(qualities([row for row in rows if row.unit_id == 6])) == {"good"}
        rows = await scene.pass_(700)
        assert qualities([row for row in rows if row.unit_id == 5])[-1] == "good"

    tell(story, count=2, interval_s=10.0)


def test_while_somebody_else_talks_on_the_line_nothing_is_believed_and_the_line_says_so() -> None:
    why = Sentence(N_("另有主站"))
    finding = Finding("second_master", 1_768_000_000.0, None, why)

    async def story(scene: Scene) -> None:
        await scene.poll()
        with (
            mock.patch.object(Line, "suspect", property(lambda line: why)),
            mock.patch.object(Line, "findings", lambda line: [finding]),
        ):
            rows = await scene.pass_(30)
            assert set(qualities(rows)) == {"suspect"}
            [problem] = scene.poller.condition().problems
            assert problem == {
                "code": "second_master",
                "since": 1_768_000_000.0,
                "address": None,
                "words": "另有主站",
            }
        rows = await scene.pass_(30)
        assert set(qualities(rows)) == {"good"}
        assert scene.poller.condition().problems == ()

    tell(story, interval_s=10.0)


def test_a_watched_unit_is_asked_every_ten_seconds_and_then_again_in_its_own_rhythm() -> None:
    async def story(scene: Scene) -> None:
        await scene.pass_(301)
        scene.poller.pace({5: 10.0, 999: 10.0})
        rows = await scene.pass_(120)
        assert len(rows) == 12
        assert {row.interval_s for row in rows} == {300.0}
        scene.poller.pace({5: 300.0})
        assert len(await scene.pass_(600)) == 2

    tell(story, interval_s=300.0)


def test_news_of_another_interval_alone_make_no_new_unit() -> None:
    async def story(scene: Scene) -> None:
        await scene.poll()
        clock = scene.poller._clocks[5]
        unit = replace(scene.spec.units[0], interval_s=20.0)
        scene.poller.take_up(replace(scene.spec, units=(unit,)), {1: MAP}, {})
        assert scene.poller._clocks[5] is clock
        assert clock.interval_s == 20.0

    tell(story)


def test_units_that_are_dead_cost_a_line_little_and_all_their_polls_are_missed() -> None:
    async def story(scene: Scene) -> None:
        scene.units.silent = set(range(6, 26))
        await scene.pass_(600)
        scene.units.asked.clear()
        rows = await scene.pass_(3600)
        alive = [row for row in rows if row.unit_id == 5]
        assert len(alive) >= 359 and all(isinstance(row, Polled) for row in alive)
        missed = [row for row in rows if isinstance(row, Missed)]
        assert len(missed) >= 20 * 355
        assert {row.cause for row in missed} == {"not_answered"}
        probes = sum(address != 5 for address, _ in scene.units.asked)
        assert 20 <= probes <= 0.05 * 3600 / scene.poller._clocks[6].timeout

    tell(story, count=21, interval_s=10.0)


def test_over_a_slow_line_wider_gaps_are_read_over_and_over_a_quick_one_they_are_not() -> None:
    temperatures = [
        {"signal": "supply_temp", "address": 10, "type": "int16", "scale": "0.1"},
        {"signal": "return_temp", "address": 80, "type": "int16", "scale": "0.1"},
    ]
    wide = map_of(*temperatures, holes="zero", max_read=100)

    async def slow(scene: Scene) -> None:
        scene.units.delay = 0.7
        await scene.pass_(300)
        assert scene.units.asked[:2] == [(5, 10), (5, 80)]
        assert scene.units.asked[-2:] == [(5, 10), (5, 10)]
        assert set(qualities(scene.rows)) == {"good"}

    async def quick(scene: Scene) -> None:
        await scene.pass_(300)
        assert scene.units.asked[-2:] == [(5, 10), (5, 80)]

    tell(slow, map=wide, interval_s=10.0)
    tell(quick, map=wide, interval_s=10.0)


def test_a_silent_unit_is_asked_at_once_when_its_line_has_a_new_connection() -> None:
    async def story(scene: Scene) -> None:
        await scene.pass_(30)
        scene.units.silent = {5}
        await scene.pass_(1800)
        scene.units.leave()
        scene.units.away, scene.units.silent = False, set()
        rows = await scene.pass_(25)
        assert any(isinstance(row, Polled) for row in rows)

    tell(story, interval_s=10.0)


def test_figures_tell_how_exchanges_go_by_unit() -> None:
    async def story(scene: Scene) -> None:
        scene.units.silent = {6}
        await scene.pass_(100)
        figures = scene.poller.figures()
        assert figures["requests"] == len(scene.units.asked)
        assert figures["answers"] + figures["timeouts"] == figures["requests"]  # type: ignore[operator]
        assert figures["connected_since"] == pytest.approx(1_768_000_000.0, abs=1)
        units = figures["units"]
        assert isinstance(units, dict) and set(units) == {"5", "6"}
        assert figures["bytes_out"] == 8 * len(scene.units.asked)

    tell(story, count=2, interval_s=10.0)
