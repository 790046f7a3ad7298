"""What the notice and the district's winter say of a device model: refused, or to be looked at."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.conf import settings
from django.utils.translation import gettext as _

from devices.models import DeviceKind, DeviceModel, DockingState

HOUSEHOLD_VOLTAGE, THREE_PHASES, MAINS_FREQUENCY = 220, 380, 50
WORST_BOILER_GRADE = 2  # notice, 2.1: 燃气壁挂炉能效不得低于 2 级水平


@dataclass(frozen=True)
class Remark:
    """Something about one value that whoever installs must know; nothing is refused for it."""

    column: str
    words: str


def refused_grade(kind: str, grade: int | None) -> str | None:
    """Why a grade of energy efficiency is not taken."""
    if kind != DeviceKind.GAS_BOILER:
        return None
    if grade is None:
        return _("燃气壁挂炉必须填写能效等级")
    if grade > WORST_BOILER_GRADE:
        return _("燃气壁挂炉能效不得低于 2 级水平（通知第二部分），%(grade)d 级不能登记") % {
            "grade": grade
        }
    return None


def remarks(model: DeviceModel) -> list[Remark]:
    """What stands out among the values of a model, in the order of its card."""
    found = [*_of_cold(model), *_of_mains(model)]
    return [Remark(column, words) for column, words in found if words]


def _of_cold(model: DeviceModel) -> list[tuple[str, str]]:
    outdoor = Decimal(str(settings.DESIGN_OUTDOOR_TEMP))
    said = {"outdoor": _degrees(outdoor)}
    found = []
    if model.design_temp is not None and model.design_temp > outdoor:
        said["stated"] = _degrees(model.design_temp)
        words = _("制热量按 %(stated)s 标出，本地设计温度 %(outdoor)s 时会更小") % said
        found.append(("design_temp", words))
    if model.lowest_temp is not None and model.lowest_temp > outdoor:
        said["lowest"] = _degrees(model.lowest_temp)
        words = _("最低工作温度 %(lowest)s 高于本地设计温度 %(outdoor)s，最冷时可能停机") % said
        found.append(("lowest_temp", words))
    return found


def _of_mains(model: DeviceModel) -> list[tuple[str, str]]:
    found = []
    if model.voltage == THREE_PHASES:
        found.append(("voltage", _("380 V 三相电源：安装前须向供电公司落实三相表和接户线")))
    elif model.voltage not in (None, HOUSEHOLD_VOLTAGE):
        found.append(("voltage", _("民用电源为 220 V 或 380 V，请核对")))
    if model.frequency not in (None, MAINS_FREQUENCY):
        found.append(("frequency", _("本地电网为 50 Hz，请核对")))
    return found


def _degrees(value: Decimal) -> str:
    return f"{value.normalize():f} °C".replace("-", "−")


def is_fixed(model: DeviceModel) -> bool:
    """Whether code, name, kind and medium stand for good: units have them, letters name them, or
    an office was shown them in an application. Another thing is another model."""
    shown = model.applications.exclude(state__in=(DockingState.DRAFT, DockingState.WITHDRAWN))
    return model.units.exists() or shown.exists() or model.confirmations.exists()
