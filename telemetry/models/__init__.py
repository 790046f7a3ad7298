"""How it runs: readings, states, hours, commands, and the processes that fetch them."""

from .commands import Command, CommandState
from .hours import MissedPolls, UnitHour
from .lines import GatewayMonth, LineTrace, TracedFrame, UnknownTransmitter
from .readings import COLUMNS, Batch, Reading
from .states import GatewayState, UnitState, WorkerState

__all__ = [
    "COLUMNS",
    "Batch",
    "Command",
    "CommandState",
    "GatewayMonth",
    "GatewayState",
    "LineTrace",
    "MissedPolls",
    "Reading",
    "TracedFrame",
    "UnitHour",
    "UnitState",
    "UnknownTransmitter",
    "WorkerState",
]
