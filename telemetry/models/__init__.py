"""How it runs: readings, states, hours, commands, and the processes that fetch them."""

from .alarms import Alarm, AlarmKind, Severity
from .cadence import IntervalInForce, SettingChanged, Watch
from .commands import Command, CommandState
from .docking import DockingStep, DockingStepState, DockingTest
from .groups import GroupCommand
from .hours import MissedPolls, UnitHour
from .lines import GatewayMonth, LineTrace, TracedFrame, UnknownTransmitter
from .readings import COLUMNS, Batch, Reading
from .states import GatewayState, UnitState, WorkerState
from .writing import Obligation, RemoteWriting, Wear

__all__ = [
    "COLUMNS",
    "Alarm",
    "AlarmKind",
    "Batch",
    "Command",
    "CommandState",
    "DockingStep",
    "DockingStepState",
    "DockingTest",
    "GatewayMonth",
    "GatewayState",
    "GroupCommand",
    "IntervalInForce",
    "LineTrace",
    "MissedPolls",
    "Obligation",
    "Reading",
    "RemoteWriting",
    "SettingChanged",
    "Severity",
    "TracedFrame",
    "UnitHour",
    "UnitState",
    "UnknownTransmitter",
    "Watch",
    "Wear",
    "WorkerState",
]
