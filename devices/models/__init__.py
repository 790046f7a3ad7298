"""With what: suppliers, their models and register maps, gateways, units and installations."""

from .assignments import Assignment
from .connections import HeatConnection
from .docking import (
    ENDED,
    EXPIRED,
    NOT_YET,
    Confirmation,
    ConfirmationAct,
    ConfirmationState,
    DockingAct,
    DockingApplication,
    DockingState,
)
from .gateways import Gateway
from .installations import Installation
from .maker_papers import DATED, GATING, MakerPaper, MakerPaperKind
from .map_uploads import MapUpload
from .products import DeviceKind, DeviceModel, KnownRegister, MapDraft, Medium, RegisterMap
from .suppliers import Supplier, SupplierMember
from .transmitters import Transmitter
from .units import Unit

__all__ = [
    "DATED",
    "ENDED",
    "EXPIRED",
    "GATING",
    "NOT_YET",
    "Assignment",
    "Confirmation",
    "ConfirmationAct",
    "ConfirmationState",
    "DeviceKind",
    "DeviceModel",
    "DockingAct",
    "DockingApplication",
    "DockingState",
    "Gateway",
    "HeatConnection",
    "Installation",
    "KnownRegister",
    "MakerPaper",
    "MakerPaperKind",
    "MapDraft",
    "MapUpload",
    "Medium",
    "RegisterMap",
    "Supplier",
    "SupplierMember",
    "Transmitter",
    "Unit",
]
