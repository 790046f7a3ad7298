"""Who and where: accounts, areas, households and the steps of their path."""

from .accounts import ApiToken, Role, User
from .areas import Area, NumberLine
from .documents import Document, DocumentKind, FormerNumber
from .files import FilePurpose, StoredFile
from .guesses import Guesses
from .history import Change, ChangeKind, HistorySeal
from .households import REACHES, Household, Method, PositionSource, SiteKind, State
from .imports import LedgerImport
from .notifications import Notification
from .papers import Paper
from .sign_ins import BackupCode, RoleRule, SecondFactor, SignIn
from .slips import ChangeSlip, Part, SlipAct, SlipActKind, SlipKind, SlipLine, SlipState
from .steps import Step, StepKind
from .transfers import WorkbookExport, WorkbookImport
from .village_lists import ListAct, ListActKind, ListEntry, ListState, Objection, VillageList
from .watching import CardCode, PhoneReveal, RevealHow

__all__ = [
    "REACHES",
    "ApiToken",
    "Area",
    "BackupCode",
    "CardCode",
    "Change",
    "ChangeKind",
    "ChangeSlip",
    "Document",
    "DocumentKind",
    "FilePurpose",
    "FormerNumber",
    "Guesses",
    "HistorySeal",
    "Household",
    "LedgerImport",
    "ListAct",
    "ListActKind",
    "ListEntry",
    "ListState",
    "Method",
    "Notification",
    "NumberLine",
    "Objection",
    "Paper",
    "Part",
    "PhoneReveal",
    "PositionSource",
    "RevealHow",
    "Role",
    "RoleRule",
    "SecondFactor",
    "SignIn",
    "SiteKind",
    "SlipAct",
    "SlipActKind",
    "SlipKind",
    "SlipLine",
    "SlipState",
    "State",
    "Step",
    "StepKind",
    "StoredFile",
    "User",
    "VillageList",
    "WorkbookExport",
    "WorkbookImport",
]
