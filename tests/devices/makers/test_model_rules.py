from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from devices.makers import model_rules
from devices.models import DeviceKind, DeviceModel
from tests import cast as make
from tests.cast import Cast


def columns(**values: Any) -> list[str]:
    """The columns of a model with these values that something is said about."""
    return [remark.column for remark in model_rules.remarks(DeviceModel(**values))]


@pytest.mark.parametrize("grade", [3, 4, 5])
def test_a_gas_boiler_of_grade_3_or_worse_is_refused_in_the_notices_words(grade: int) -> None:
    said = model_rules.refused_grade(DeviceKind.GAS_BOILER, grade)
    assert said is not None
    assert "燃气壁挂炉能效不得低于 2 级水平" in said


def test_a_gas_boiler_says_its_grade() -> None:
    assert model_rules.refused_grade(DeviceKind.GAS_BOILER, None)


@pytest.mark.parametrize(("kind", "grade"), [("gas_boiler", 2), ("ashp_water", 3)])
def test_others_may_be_of_any_grade(kind: str, grade: int) -> None:
    assert model_rules.refused_grade(kind, grade) is None


def test_three_phases_are_pointed_out() -> None:
    assert columns(voltage=380) == ["voltage"]
    assert columns(voltage=220) == []
    assert columns(voltage=110) == ["voltage"]


def test_another_frequency_than_the_mains_is_pointed_out() -> None:
    assert columns(frequency=60) == ["frequency"]
    assert columns(frequency=50) == []


def test_a_model_that_stops_above_the_design_temperature_is_pointed_out(settings: Any) -> None:
    settings.DESIGN_OUTDOOR_TEMP = -6.6
    assert columns(lowest_temp=Decimal("-6.5")) == ["lowest_temp"]
    assert columns(lowest_temp=Decimal("-6.6")) == []
    assert columns(design_temp=Decimal("-5")) == ["design_temp"]
    settings.DESIGN_OUTDOOR_TEMP = -4
    assert columns(lowest_temp=Decimal("-6.5"), design_temp=Decimal("-5")) == []


def test_a_remark_says_both_temperatures(settings: Any) -> None:
    settings.DESIGN_OUTDOOR_TEMP = -6.6
    words = model_rules.remarks(DeviceModel(lowest_temp=Decimal("-5.0")))[0].words
    assert "−5 °C" in words
    assert "−6.6 °C" in words


def test_a_model_with_units_or_in_docking_stands_for_good(cast: Cast) -> None:
    assert model_rules.is_fixed(cast.water.model)
    fresh = DeviceModel.objects.create(
        supplier=cast.water.model.supplier, name="热泵", code="CN-X", kind="other", medium="air"
    )
    assert not model_rules.is_fixed(fresh)
    make.register_map(fresh, "chennuan-cn-w10.csv")
    make.unit(cast.water.gateway, fresh, address=9)
    assert model_rules.is_fixed(fresh)
