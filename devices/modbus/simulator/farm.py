"""A farm: all units of a farm file on their lines, until it is told to stop.

The file (JSON):

    {"listeners": {"auto": "127.0.0.1:4001", "prefix": "127.0.0.1:4002"},
     "faults": {"drop": 0.002, "late": 0.002, "garbled": 0.001},
     "record": path or null, "control": path of a unix socket or null, "state": path or null,
     "latency_ms": [60, 250], "turnround_ms": [20, 60], "heartbeat_s": 30, "stagger_s": 3,
     "static": false, "seed": 0,
     "lines": [
       {"transport": "dial", "id": "…", "dialect": "plain", "units": [U…]},
       {"transport": "pty", "link": path, "baud": 9600, "parity": "N", "units": [U…]},
       {"transport": "tcp" or "mbap", "host": "127.0.0.1", "port": 0, "units": [U…]}]}

    U = {"key": "…", "address": 5, "map": path, "user": "steady|night|sparse|none", "seed": 17,
         "heated_area": 86.0, "fault": null or a label, "silent": false}

A transmitter (dialects: transmitters.py) dials the listener named like its dialect, or else
`prefix` if its id stands before every packet, or else `auto`. Every setting but `lines`
may be left out; a line may have its own `latency_ms`, `turnround_ms`, `baud`, `listener`, `faults`
(false: none). Without `turnround_ms` and `latency_ms`, and with `baud` 0, replies leave at once.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from random import Random
from typing import Any

from devices.modbus.simulator.faults import Faults
from devices.modbus.simulator.history import load_states, make_unit, save_states
from devices.modbus.simulator.record import Record
from devices.modbus.simulator.terminal import char_time, serve_pty
from devices.modbus.simulator.transmitters import DIALECTS, Transmitter
from devices.modbus.simulator.unit import SimUnit
from devices.modbus.simulator.wire import Range, serve_tcp

SAVE_EVERY_S = 60.0
SAVE_AFTER_CHANGE_S = 1.0
DEFAULTS: dict[str, Any] = {
    "listeners": {}, "faults": {}, "record": None, "control": None, "state": None,
    "latency_ms": [60, 250], "turnround_ms": [20, 60], "heartbeat_s": 30, "stagger_s": 3,
    "static": False, "seed": 0,
}  # fmt: skip
TRANSPORTS = ("dial", "pty", "tcp", "mbap")


class FarmUnreadable(ValueError):
    """The farm file is wrong; says where and what."""


def read_listeners(text: str) -> dict[str, str]:
    """`auto@127.0.0.1:4001,prefix@127.0.0.1:4002` as {"auto": "127.0.0.1:4001", …}."""
    listeners = {}
    for part in filter(None, text.split(",")):
        name, _, place = part.strip().partition("?")[0].partition("@")
        if not place.rpartition(":")[2].isdecimal():
            raise FarmUnreadable(f"listener {part!r}: must be like auto@127.0.0.1:4001")
        listeners[name] = place
    return listeners


class Farm:
    """Units, lines and transmitters of a farm. An async context that serves while it is open."""

    def __init__(
        self, description: Mapping[str, Any], listeners: Mapping[str, str] | None = None
    ) -> None:
        unknown = set(description) - set(DEFAULTS) - {"lines"}
        if unknown:
            raise FarmUnreadable(f"unknown settings {sorted(unknown)}")
        self.settings = {**DEFAULTS, **description}
        self.listeners = listeners or self.settings["listeners"]
        self.faults = Faults(seed=self.settings["seed"], **self.settings["faults"])
        self.record = Record(self.settings["record"]) if self.settings["record"] else None
        self.units: dict[str, SimUnit] = {}
        self.transmitters: dict[str, Transmitter] = {}
        self.places: dict[str, str] = {}  # unit key: where it is served
        self._dirty = asyncio.Event()
        self._open = AsyncExitStack()
        self._keeper: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Farm:
        states = load_states(self.settings["state"]) if self.settings["state"] else {}
        try:
            for number, line in enumerate(self.settings["lines"]):
                await self._start_line(number, line, states)
        except BaseException:
            await self._open.aclose()
            raise
        self._keeper = asyncio.create_task(self._keep())
        return self

    async def __aexit__(self, *error: object) -> None:
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        await self._open.aclose()
        self.save()
        if self.record is not None:
            self.record.close()

    def save(self) -> None:
        """Keep the state of all units, if the farm file names a place for it."""
        if self.settings["state"]:
            states = {key: unit.state() for key, unit in self.units.items()}
            save_states(self.settings["state"], states)

    async def _keep(self) -> None:
        """Flush the record each second; save states each minute and soon after a change."""
        loop = asyncio.get_running_loop()
        saved = loop.time()
        while True:
            await asyncio.sleep(SAVE_AFTER_CHANGE_S)
            if self.record is not None:
                self.record.flush()
            if self._dirty.is_set() or loop.time() - saved >= SAVE_EVERY_S:
                self._dirty.clear()
                self.save()
                saved = loop.time()

    # -- lines -----------------------------------------------------------------------------

    async def _start_line(
        self, number: int, line: Mapping[str, Any], states: dict[str, list[dict[str, Any]]]
    ) -> None:
        transport = line.get("transport")
        if transport not in TRANSPORTS:
            raise FarmUnreadable(f"line {number}: transport {transport!r}, not of {TRANSPORTS}")
        try:
            units = [self._unit(spec, states) for spec in line["units"]]
            if transport == "dial":
                place = await self._dial(line, units)
            else:
                place = await self._serve(line, units)
        except (KeyError, ValueError) as error:
            raise FarmUnreadable(f"line {number} ({transport}): {error}") from error
        self.places.update({unit.key: place for unit in units})

    def _unit(self, spec: Mapping[str, Any], states: dict[str, list[dict[str, Any]]]) -> SimUnit:
        unit = make_unit({"static": self.settings["static"], **spec}, states)
        if unit.key in self.units:
            raise ValueError(f"two units have the key {unit.key!r}")
        unit.on_change = self._dirty.set
        self.units[unit.key] = unit
        return unit

    async def _dial(self, line: Mapping[str, Any], units: list[SimUnit]) -> str:
        identity, dialect = str(line["id"]), line.get("dialect", "plain")
        name = line.get("listener") or (dialect if dialect in self.listeners else None)
        name = name or (DIALECTS[dialect].listener if dialect in DIALECTS else "auto")
        if name not in self.listeners:
            raise ValueError(f"no listener {name!r} among {sorted(self.listeners)}")
        host, _, port = self.listeners[name].rpartition(":")
        seed = self.settings["seed"] + len(self.transmitters)
        transmitter = Transmitter(
            units,
            (host, int(port)),
            identity,
            dialect=dialect,
            heartbeat_s=self.settings["heartbeat_s"],
            first_dial_s=Random(seed).uniform(0, self.settings["stagger_s"]),
            latency=_seconds(line, self.settings, "latency_ms"),
            char_s=_char_s(line, units),
            seed=seed,
            **self._bus_options(line),
        )
        self.transmitters[identity] = transmitter
        await self._open.enter_async_context(transmitter)
        return f"dial://{identity}"

    async def _serve(self, line: Mapping[str, Any], units: list[SimUnit]) -> str:
        options = self._bus_options(line)
        if line["transport"] == "pty":
            baud, parity = int(line.get("baud", 9600)), line.get("parity", "N")
            path = await self._open.enter_async_context(
                serve_pty(units, baud=baud, parity=parity, link=line.get("link"), **options)
            )
            return f"serial://{path}?baud={baud}&parity={parity}"
        mbap, host = line["transport"] == "mbap", line.get("host", "127.0.0.1")
        options["char_s"] = _char_s(line, units)
        port = await self._open.enter_async_context(
            serve_tcp(units, framing="mbap" if mbap else "rtu", host=host,
                      port=int(line.get("port", 0)), **options)
        )  # fmt: skip
        return f"{'mbap' if mbap else 'tcp'}://{host}:{port}"

    def _bus_options(self, line: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "turnround": _seconds(line, self.settings, "turnround_ms"),
            "faults": self.faults if line.get("faults", True) else None,
            "record": self.record,
        }


def _seconds(line: Mapping[str, Any], settings: Mapping[str, Any], name: str) -> Range:
    low, high = line.get(name, settings[name])
    return low / 1000, high / 1000


def _char_s(line: Mapping[str, Any], units: list[SimUnit]) -> float:
    """Character time behind a transmitter or gateway: the line's baud rate, or the unit's own."""
    if not units:
        return 0.0
    own = units[0].map.settings
    baud = int(line.get("baud", own["baud"]))
    return char_time(baud, own["parity"], int(own["stop_bits"])) if baud else 0.0


def load_farm(path: str | Path) -> dict[str, Any]:
    """The farm file's description; maps and other paths in it are relative to its folder."""
    try:
        description = json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise FarmUnreadable(f"{path}: no JSON: {error}") from error
    if not isinstance(description, dict) or "lines" not in description:
        raise FarmUnreadable(f"{path}: has no lines")
    folder = Path(path).resolve().parent
    for line in description["lines"]:
        for unit in line.get("units", ()):
            unit["map"] = str(folder / unit.get("map", ""))
    return description
