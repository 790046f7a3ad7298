from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from devices.modbus.simulator import history, load_states, make_unit, save_states
from devices.modbus.simulator.history import States
from devices.modbus.simulator.modules import SHANGHAI
from tests.devices.modbus.simulator.tiny_maps import AIRBOX, CN_W10

END = datetime(2026, 11, 23, 18, 0, tzinfo=SHANGHAI)
SPEC: dict[str, Any] = {"key": "u1", "address": 5, "map": str(CN_W10), "user": "night", "seed": 4}


def test_two_weeks_are_told_every_quarter_hour_and_the_last_day_every_minute() -> None:
    told = list(history(SPEC, END - timedelta(days=14), END))
    times = [at for at, _ in told]
    steps = [(b - a).total_seconds() for a, b in pairwise(times)]
    assert times[-1] == END and times[0] == END - timedelta(days=14) + timedelta(minutes=15)
    assert steps.count(60) == 1440 and steps.count(900) == 13 * 96 - 1
    assert set(told[0][1]) == {
        "supply_temp", "return_temp", "outdoor_temp", "indoor_temp", "indoor_temp_setpoint",
        "supply_temp_setpoint", "power_state", "mode", "compressor_running", "defrosting",
        "fault_bits", "fault_active", "electric_energy",
    }  # fmt: skip


@pytest.mark.parametrize("path", [CN_W10, AIRBOX])
def test_the_live_unit_goes_on_where_the_history_ended(path: Path, tmp_path: Path) -> None:
    states: States = {}
    spec = {**SPEC, "map": str(path)}
    told = list(history(spec, END - timedelta(days=2), END, states=states))
    save_states(tmp_path / "states.json", states)
    clock = [END.timestamp()]
    unit = make_unit(spec, load_states(tmp_path / "states.json"), clock=lambda: clock[0])
    last, live = told[-1][1], unit.values()
    common = set(last) & set(live) - {"fault_bits"}
    assert len(common) >= 7
    assert {name: live[name] for name in common} == {name: last[name] for name in common}
    clock[0] += 3600
    later = unit.values()
    if "electric_energy" in later:
        before, after = live["electric_energy"], later["electric_energy"]
        assert isinstance(before, float) and isinstance(after, float)
        assert before < after < before + 5


def test_energy_never_runs_backwards_and_the_story_repeats_by_its_seed() -> None:
    def story(seed: int) -> list[Any]:
        spec = {**SPEC, "seed": seed}
        return [values for _, values in history(spec, END - timedelta(days=3), END)]

    told = story(4)
    energies = [values["electric_energy"] for values in told]
    assert energies == sorted(energies) and energies[-1] > energies[0]
    assert told == story(4) != story(5)


def test_history_shows_what_the_registers_would_have_shown() -> None:
    states: States = {}
    told = list(history(SPEC, END - timedelta(days=1), END, states=states))
    unit = make_unit(SPEC, states, clock=END.timestamp)
    assert {**unit.values(), "fault_active": False} == told[-1][1]


def test_a_planted_fault_appears_six_hours_before_the_end_and_stays() -> None:
    states: States = {}
    for path, fault in ((CN_W10, "water_flow"), (AIRBOX, "fan_motor")):
        spec = {**SPEC, "map": str(path), "fault": fault}
        told = list(history(spec, END - timedelta(days=1), END, states=states))
        faulty = [at for at, values in told if values["fault_active"]]
        assert faulty[0] == END - timedelta(hours=6) and len(faulty) == 361
        assert told[-1][1]["fault_bits"] == [fault]
        assert make_unit(spec, states, clock=END.timestamp).house.faults == {fault: False}


def test_a_wrong_entry_of_a_farm_file_is_named() -> None:
    with pytest.raises(ValueError, match=r"'u1'.*colour"):
        make_unit({**SPEC, "colour": "red"})
    with pytest.raises(ValueError, match=r"missing \{'map'\}"):
        make_unit({"key": "u1", "address": 5})
