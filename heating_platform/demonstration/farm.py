"""Suppliers, models, gateways and units of the demonstration, and the file of their simulator.

Everything follows from a unit's index 0..184 in the order of the households: the database rows and
the simulator's farm file are two views of the same list.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from pathlib import Path
from typing import Any
from urllib.parse import quote

from django.conf import settings

from devices.modbus.simulator.farm import read_listeners
from devices.models import (
    DeviceKind,
    DeviceModel,
    Gateway,
    Installation,
    Medium,
    RegisterMap,
    Supplier,
    Unit,
)
from heating_platform.demonstration import people
from heating_platform.demonstration.district import Home
from households import clock
from households.models import StepKind

MAPS = Path(settings.BASE_DIR) / "devices" / "modbus" / "maps"
WATER_FILE, AIR_FILE = "chennuan-cn-w10.csv", "beiyue-airbox3.csv"
LINE_WORKER = "main"
COUNT, ON_RS485 = 185, 12  # the last twelve, all in 洞头村, share one RS-485 line
RS485_NAME = "洞头村 RS-485 示范线"
USERS = ("steady", "night", "steady", "sparse", "night", "steady", "steady", "night", "none")
UNKNOWN = "SF-X0001"  # a transmitter that dials in and is on no record
# Every kind of transmitter of the simulator, in turn; those that say little stand before units that
# answer.
DIALECTS = (
    "plain", "imei", "plain", "four_faith", "login", "imei", "prefix", "plain",
    "caimore", "late", "mbap", "mac", "plain", "prefix_only", "inhand", "mac_prefix",
)  # fmt: skip
UNTRUSTED = {20, 61, 97, 131, 160}
SILENT_SINCE = {33: 5 * 24.0, 88: 26.0, 142: 3.0, 179: 50.0}  # hours ago
FAULTS = {7: "water_flow", 52: "outdoor_sensor", 76: "coil_sensor", 118: "discharge_overtemp"}
RATES = {"drop": 0.002, "late": 0.002, "garbled": 0.001}


@dataclass(frozen=True)
class Planned:
    """One unit of the demonstration."""

    index: int

    @property
    def on_rs485(self) -> bool:
        return self.index >= COUNT - ON_RS485

    @property
    def is_water(self) -> bool:
        """Units of one serial line speak alike: those on RS-485 are all of one model."""
        return self.on_rs485 or self.index % 5 in (0, 2, 3) or FAULTS.get(self.index) in WATER_ONLY

    @property
    def installer(self) -> str:
        """User name of who put it in."""
        return "anzhuang" if self.is_water else "beiyue"

    @property
    def map_file(self) -> str:
        return WATER_FILE if self.is_water else AIR_FILE

    @property
    def address(self) -> int:
        return self.index - (COUNT - ON_RS485) + 1 if self.on_rs485 else 1

    @property
    def network_address(self) -> int:
        return self.index + 1

    @property
    def key(self) -> str:
        return str(self.network_address)

    @property
    def factory_number(self) -> str:
        return f"{'CN' if self.is_water else 'AB'}-SF-{self.network_address:04d}"

    @property
    def dialect(self) -> str:
        return DIALECTS[self.index % len(DIALECTS)]

    @property
    def transmitter(self) -> str:
        """Its id: a text, an IMEI of the range for tests (00…), a number nobody can have, or an
        address of its own giving."""
        number = self.network_address
        if self.dialect == "imei":
            return _with_check_digit(f"00000026{number:06d}")
        if self.dialect in ("four_faith", "caimore"):
            return people.phone(9000 + number)
        if self.dialect.startswith("mac"):
            return f"02000000{number:04X}"  # locally administered
        return f"SF-{'P' if self.dialect.startswith('prefix') else 'D'}{number:04d}"

    @property
    def url(self) -> str:
        framing = "?framing=mbap" if self.dialect == "mbap" else ""
        return f"dial://{self.transmitter}{framing}"

    def spec(self, area: float) -> dict[str, Any]:
        """The unit in the farm file."""
        return {
            "key": self.key,
            "address": self.address,
            "map": str(MAPS / self.map_file),
            "user": USERS[self.index % len(USERS)],
            "seed": self.network_address,
            "heated_area": area,
            "fault": FAULTS.get(self.index),
            "silent": self.index in SILENT_SINCE,
        }


WATER_ONLY = {"water_flow", "discharge_overtemp"}


@dataclass(frozen=True)
class Sample:
    """A unit at the test bench, with nobody's house around it."""

    address: int
    transmitter: str = "SF-YJ01"

    @property
    def url(self) -> str:
        return f"dial://{self.transmitter}"

    @property
    def key(self) -> str:
        return f"{self.transmitter}-{self.address}"

    def spec(self) -> dict[str, Any]:
        """The unit in the farm file."""
        return {
            "key": self.key,
            "address": self.address,
            "map": str(MAPS / WATER_FILE),
            "user": "steady",
            "seed": 9000 + self.address,
            "heated_area": 120.0,
        }


SAMPLES = (Sample(5), Sample(6))


def planned() -> list[Planned]:
    return [Planned(index) for index in range(COUNT)]


def _with_check_digit(digits: str) -> str:
    """An IMEI's fourteen digits with the fifteenth (Luhn)."""
    doubled = [int(d) * (1 + n % 2) for n, d in enumerate(digits)]
    total = sum(d // 10 + d % 10 for d in doubled)
    return digits + str(-total % 10)


# -- the database --------------------------------------------------------------------------


def make_suppliers() -> dict[str, Supplier]:
    """Both makers by name, each with its model and register map."""
    found = {}
    for n, (maker, code, name, kind, medium, file) in enumerate(MODELS):
        supplier = Supplier.objects.create(
            name=maker, contact=people.name(n), phone=people.phone(n + 1)
        )
        model = DeviceModel.objects.create(
            supplier=supplier, name=name, code=code, kind=kind, medium=medium
        )
        RegisterMap.objects.add(model, (MAPS / file).read_bytes(), file).mark_used()
        found[maker] = supplier
    return found


WATER_NAME, AIR_NAME = "空气源热泵热水机组", "空气源热泵热风机"
MODELS = (
    (people.WATER_MAKER, "CN-W10", WATER_NAME, DeviceKind.ASHP_WATER, Medium.WATER, WATER_FILE),
    (people.AIR_MAKER, "AirBox-3P", AIR_NAME, DeviceKind.ASHP_AIR, Medium.AIR, AIR_FILE),
)


def make_units(homes: Sequence[Home], latest: datetime) -> list[Unit]:
    """A gateway, a unit and an installation for each household that gets a unit.

    A unit is in service from the day of its installation on; `latest` is when the last of them
    was.
    """
    gateways = _make_gateways()
    maps = {row.model.code: row for row in RegisterMap.objects.select_related("model")}
    units = []
    for plan, home in zip(planned(), homes, strict=True):
        points = maps["CN-W10" if plan.is_water else "AirBox-3P"]
        installed = datetime.combine(home.on(StepKind.INSTALLED), time(15), clock.SHANGHAI)
        home.installer = plan.installer
        units.append(
            Unit(
                gateway=gateways[RS485_NAME if plan.on_rs485 else plan.transmitter],
                address=plan.address,
                network_address=plan.network_address,
                model=points.model,
                register_map=points,
                factory_number=plan.factory_number,
                in_service_since=min(installed, latest),
            )
        )
    Unit.objects.bulk_create(units)
    _install(units, homes)
    return units


def _make_gateways() -> dict[str, Gateway]:
    serial = Gateway(
        url=rs485_url(),
        kind=Gateway.Kind.SERIAL,
        name=RS485_NAME,
        line_worker=LINE_WORKER,
        trusted=True,
    )
    dialled = [
        Gateway(
            url=plan.url,
            kind=Gateway.Kind.DIAL,
            line_worker=LINE_WORKER,
            trusted=plan.index not in UNTRUSTED,
            proven_by=Gateway.Proof.PRIVATE_NETWORK,
        )
        for plan in planned()
        if not plan.on_rs485
    ]
    rows = Gateway.objects.bulk_create([serial, *dialled])
    return {row.transmitter or row.name: row for row in rows}


def _install(units: Sequence[Unit], homes: Sequence[Home]) -> None:
    Installation.objects.bulk_create(
        Installation(
            household=home.household,
            unit=unit,
            installed_on=home.on(StepKind.INSTALLED),
            heated_area=home.household.heated_area or 0,
            latitude=home.household.latitude,
            longitude=home.household.longitude,
            factory_number=unit.factory_number,
            transmitter_number=unit.gateway.transmitter,
        )
        for unit, home in zip(units, homes, strict=True)
    )


def is_here() -> bool:
    """Whether the database holds the demonstration's units."""
    return Gateway.objects.filter(name=RS485_NAME).exists()


def rs485_link() -> Path:
    """The symlink that the simulator makes to its pseudo-terminal."""
    return settings.RUN_DIR / "rs485"


def rs485_url() -> str:
    return f"serial://{quote(str(rs485_link()))}?baud=9600&parity=N&stop_bits=1"


def repoint() -> None:
    """Name the serial line anew where the directory of sockets has moved."""
    Gateway.objects.filter(name=RS485_NAME).exclude(url=rs485_url()).update(url=rs485_url())


# -- the farm file -------------------------------------------------------------------------


def specs() -> list[dict[str, Any]]:
    """The units as the simulator makes them, each with the heated area of its house."""
    standing = Installation.objects.filter(removed_on=None)
    areas = dict(standing.values_list("unit__network_address", "heated_area"))
    return [plan.spec(float(areas[plan.network_address])) for plan in planned()]


def description(state: Path) -> dict[str, Any]:
    """The farm file's content; `state` is where the simulator keeps its houses."""
    return {
        "listeners": read_listeners(settings.LINE_LISTENERS),
        "faults": RATES,
        "state": str(state),
        "control": str(settings.RUN_DIR / "simulator.sock"),
        "lines": list(_lines()),
    }


def _lines() -> Iterator[dict[str, Any]]:
    both = list(zip(planned(), specs(), strict=True))
    for plan, spec in both:
        if not plan.on_rs485:
            yield {
                "transport": "dial",
                "id": plan.transmitter,
                "dialect": plan.dialect,
                "units": [spec],
            }
    yield {"transport": "dial", "id": UNKNOWN, "dialect": "plain", "units": []}
    yield {
        "transport": "dial",
        "id": SAMPLES[0].transmitter,
        "dialect": "plain",
        "units": [sample.spec() for sample in SAMPLES],
    }
    yield {
        "transport": "pty",
        "link": str(rs485_link()),
        "baud": 9600,
        "parity": "N",
        "units": [spec for plan, spec in both if plan.on_rs485],
    }
