"""Who and where: accounts, areas, households and the steps of their path."""

from .accounts import ApiToken, Role, User
from .areas import Area, NumberLine
from .documents import Document, DocumentKind, FormerNumber
from .households import REACHES, Household, Method, PositionSource, SiteKind, State
from .steps import Step, StepKind
from .transfers import WorkbookExport, WorkbookImport

__all__ = [
    "REACHES",
    "ApiToken",
    "Area",
    "Document",
    "DocumentKind",
    "FormerNumber",
    "Household",
    "Method",
    "NumberLine",
    "PositionSource",
    "Role",
    "SiteKind",
    "State",
    "Step",
    "StepKind",
    "User",
    "WorkbookExport",
    "WorkbookImport",
]
