"""Who and where: accounts, areas, households and the steps of their path."""

from .accounts import ApiToken, Role, User
from .areas import Area
from .households import Household, Method, SiteKind, State
from .steps import Step, StepKind

__all__ = [
    "ApiToken",
    "Area",
    "Household",
    "Method",
    "Role",
    "SiteKind",
    "State",
    "Step",
    "StepKind",
    "User",
]
