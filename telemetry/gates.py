"""What `telemetry` asks before a household counts as commissioned or proven.

Notice, Annex 2 items 1 and 6: a unit is accepted only once its data are seen to arrive. Households
without a unit of their own have nothing to tell and pass.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from django.db.models import F
from django.utils.translation import gettext as _

from devices.modbus import signals
from devices.models import Installation
from households import clock
from households.models import Household, Method, StepKind
from households.path import GATES
from telemetry import points
from telemetry.models import UnitHour, UnitState

PROOF = timedelta(days=7)
PROOF_HOURS = 24
STORED_SHARE = 0.98


def register() -> None:
    """Put the gates of this app in; done once, when the app is ready."""
    GATES[StepKind.COMMISSIONED].append(commissioned)
    GATES[StepKind.PROVEN].append(proven)


def commissioned(household: Household, on: date) -> list[str]:
    """Every required reading arrived with a good value since the unit was put in."""
    if not Method(household.method).has_unit:
        return []
    record = _installation(household, on)
    if record is None:
        return [_no_unit()]
    state = UnitState.objects.filter(unit=record.unit_id).first()
    since = _midnight(record.installed_on)
    silent = [name for name in signals.SEVEN if not _arrived(state, name, since)]
    if not silent:
        return []
    names = "、".join(str(points.label(name, record.unit.model.medium)) for name in silent)
    return [_("平台还没有收到有效的%(names)s：请安装人员检查设备通信") % {"names": names}]


def proven(household: Household, on: date) -> list[str]:
    """It heated for 24 hours of the last 7 days, seen nearly without a gap."""
    if not Method(household.method).has_unit:
        return []
    record = _installation(household, on)
    if record is None:
        return [_no_unit()]
    end = _midnight(on) + timedelta(days=1)
    hours = UnitHour.objects.filter(unit=record.unit_id, hour__gte=end - PROOF, hour__lt=end)
    seen = hours.filter(due__gt=0, stored__gte=STORED_SHARE * F("due"))
    heated = seen.filter(on_seconds__gt=0, supply_avg__gt=F("return_avg")).count()
    if heated >= PROOF_HOURS:
        return []
    told = {"heated": heated, "wanted": PROOF_HOURS, "share": f"{STORED_SHARE:.0%}"}
    return [
        _(
            "近 7 天数据完整（不低于 %(share)s）且供高于回的运行小时只有 %(heated)s，"
            "应不少于 %(wanted)s：请安装人员检查设备与通信，住户正常开机"
        )
        % told
    ]


def _installation(household: Household, on: date) -> Installation | None:
    standing = Installation.objects.open_on(on).filter(household=household)
    return standing.select_related("unit__model").first()


def _no_unit() -> str:
    return _("当日没有在用的安装记录：请安装人员登记安装信息")


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), clock.SHANGHAI)


def _arrived(state: UnitState | None, signal: str, since: datetime) -> bool:
    good_at = state.entry(signal).get("good_at") if state else None
    return good_at is not None and datetime.fromisoformat(good_at) >= since
