"""How it runs: readings, states, hours, commands, and the processes that fetch them."""

from .alarms import Alarm, AlarmKind, Severity
from .cadence import IntervalInForce, SettingChanged, Watch
from .commands import Command, CommandState
from .hours import MissedPolls, UnitHour
from .lines import GatewayMonth, LineTrace, TracedFrame, UnknownTransmitter
from .readings import COLUMNS, Batch, Reading
from .states import GatewayState, UnitState, WorkerState

__all__ = [
    "COLUMNS",
    "Alarm",
    "AlarmKind",
    "Batch",
    "Command",
    "CommandState",
    "GatewayMonth",
    "GatewayState",
    "IntervalInForce",
    "LineTrace",
    "MissedPolls",
    "Reading",
    "SettingChanged",
    "Severity",
    "TracedFrame",
    "UnitHour",
    "UnitState",
    "UnknownTransmitter",
    "Watch",
    "WorkerState",
]
