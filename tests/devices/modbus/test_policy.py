"""Which value a test writes beside the one that stands there."""

from __future__ import annotations

from pathlib import Path

import pytest

from devices.modbus import encoding, pointmap, policy
from devices.modbus.points import Point
from tests.devices.modbus.written_maps import map_of

MAPS = Path(pointmap.__file__).parent / "maps"
CN_W10 = pointmap.load((MAPS / "chennuan-cn-w10.csv").read_bytes(), "cn-w10.csv")


def setpoint(**cells: object) -> Point:
    row = {"signal": "indoor_temp_setpoint", "area": "holding", "address": 2, "type": "int16"}
    return map_of(row | {"access": "rw"} | cells).writers("indoor_temp_setpoint")[0]


@pytest.mark.parametrize(
    ("signal", "current", "written"),
    [
        ("indoor_temp_setpoint", 20, 21),
        ("indoor_temp_setpoint", 26, 25),  # at the upper edge a step down
        ("indoor_temp_setpoint", 29, 26),  # set at the panel, beyond the policy
        ("indoor_temp_setpoint", 12, 16),
        ("supply_temp_setpoint", 55, 54),
    ],
)
def test_a_test_writes_a_step_beside_the_current_value(
    signal: str, current: float, written: float
) -> None:
    assert policy.trial_number(CN_W10.writers(signal)[0], current) == written


def test_heating_water_is_never_tested_lukewarm() -> None:
    water = CN_W10.writers("supply_temp_setpoint")[0]
    assert policy.trial_number(water, 26, warm=True) == 30
    assert policy.trial_number(water, 26) == 27


@pytest.mark.parametrize(
    ("cells", "current", "written"),
    [
        ({"min": 16, "max": 30, "step": 0.5, "scale": 0.5}, 20.5, 21),
        ({"min": 16, "max": 30, "step": 0.5, "scale": 0.1}, 20.3, 20.5),  # onto the steps
        ({"min": 16, "max": 30, "step": 2, "scale": 1}, 26, 24),
        ({"min": 5, "max": 35, "scale": 0.1}, 20.3, 21.3),
        ({"scale": 5}, 20, 25),  # as coarse as the register
        ({"type": "float32"}, 20.3, 21.3),
        ({"min": 17, "max": 29, "step": 4}, 21, 25),
        ({"min": 20, "max": 20}, 20, None),
    ],
)
def test_it_keeps_to_the_maps_steps_and_to_what_the_register_can_hold(
    cells: dict[str, object], current: float, written: float | None
) -> None:
    point = setpoint(**cells)
    assert policy.trial_number(point, current) == written
    if written is not None:
        assert encoding.encode(point, written)


def test_every_other_mode_that_heats_is_tested_and_off_never() -> None:
    row = {"signal": "mode", "address": 1, "type": "uint16", "access": "rw"}
    mode = map_of(row | {"enum": "0=off;1=heating;2=auto;3=cooling"}).writers("mode")[0]
    assert policy.trial_labels(mode, "heating", heats_only=True) == ("auto",)
    assert policy.trial_labels(mode, "auto", heats_only=False) == ("heating", "cooling")
