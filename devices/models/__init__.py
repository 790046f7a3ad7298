"""With what: suppliers, their models and register maps, gateways, units and installations."""

from .assignments import Assignment
from .connections import HeatConnection
from .gateways import Gateway
from .installations import Installation
from .products import DeviceKind, DeviceModel, Medium, RegisterMap
from .suppliers import Supplier, SupplierMember
from .transmitters import Transmitter
from .units import Unit

__all__ = [
    "Assignment",
    "DeviceKind",
    "DeviceModel",
    "Gateway",
    "HeatConnection",
    "Installation",
    "Medium",
    "RegisterMap",
    "Supplier",
    "SupplierMember",
    "Transmitter",
    "Unit",
]
