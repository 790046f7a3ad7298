"""A unix socket through which a running farm is told what to do: one JSON object per line.

| `do` | with | does |
|---|---|---|
| units | | lists the keys |
| state | key | values, faults, place, whether silent or local |
| registers | key, area, address, count | raw words (addresses on the wire) |
| set | key, signal, value | changes a value as at the unit's own panel |
| pin | key, area, address, word or null | holds a register at a raw word, or lets go |
| plant | key, fault, persists | lets a fault appear |
| clear | key, fault or null | takes a fault or all away |
| silence, wake | key | the unit stops answering, answers again |
| local | key, on | local mode, where writes are refused |
| transmitters | | connected, dials, bytes of each |
| drop | id, seconds | the transmitter hangs up and dials again after so long |
| reconnect | id | the transmitter dials now |
| faults | drop, late, garbled (all or none) | sets the rates; counts what became of the replies |
| strayed | | time, key and fate of every reply that went astray |
| flush | | writes the record out |

The answer is one line, `{"ok": true, …}` or `{"ok": false, "error": "…"}`.
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from devices.modbus.simulator.bank import Refused, Silence
from devices.modbus.simulator.farm import Farm
from devices.modbus.simulator.transmitters import Transmitter
from devices.modbus.simulator.unit import SimUnit

Told = dict[str, Any]


class Control:
    """Carries out what the socket's clients ask of a farm."""

    def __init__(self, farm: Farm) -> None:
        self.farm = farm
        self.doings: dict[str, Callable[[Told], Told | None]] = {
            "units": lambda told: {"units": sorted(farm.units)},
            "state": self._state,
            "registers": self._registers,
            "set": lambda told: self._unit(told).set(told["signal"], told["value"]),
            "pin": lambda told: self._unit(told).pin(told["area"], told["address"], told["word"]),
            "plant": lambda told: self._unit(told).plant(
                told["fault"], persists=bool(told.get("persists"))
            ),
            "clear": lambda told: self._unit(told).clear(told.get("fault")),
            "silence": lambda told: setattr(self._unit(told), "silent", True),
            "wake": lambda told: setattr(self._unit(told), "silent", False),
            "local": lambda told: self._unit(told).set_local(bool(told["on"])),
            "transmitters": self._transmitters,
            "drop": lambda told: self._transmitter(told).drop(float(told.get("seconds", 0))),
            "reconnect": lambda told: self._transmitter(told).reconnect(),
            "faults": self._faults,
            "strayed": lambda told: {"strayed": list(farm.faults.done)},
            "flush": self._flush,
        }

    def answer(self, line: bytes) -> Told:
        try:
            told = json.loads(line)
            return {"ok": True, **(self.doings[told["do"]](told) or {})}
        except (KeyError, ValueError, TypeError, Refused, Silence) as error:
            return {"ok": False, "error": f"{type(error).__name__}: {error}"}

    def _unit(self, told: Told) -> SimUnit:
        return self.farm.units[str(told["key"])]

    def _transmitter(self, told: Told) -> Transmitter:
        return self.farm.transmitters[str(told["id"])]

    def _state(self, told: Told) -> Told:
        unit = self._unit(told)
        return {
            "values": unit.values(),
            "faults": sorted(unit.house.faults),
            "place": self.farm.places[unit.key],
            "address": unit.address,
            "silent": unit.silent,
            "local": unit.registers.local,
        }

    def _registers(self, told: Told) -> Told:
        words = self._unit(told).words(told["area"], told["address"], told.get("count", 1))
        return {"words": words}

    def _transmitters(self, told: Told) -> Told:
        return {
            "transmitters": {
                identity: {
                    "connected": one.connected,
                    "dials": one.dials,
                    "bytes_in": one.bytes_in,
                    "bytes_out": one.bytes_out,
                }
                for identity, one in self.farm.transmitters.items()
            }
        }

    def _faults(self, told: Told) -> Told:
        if "drop" in told:
            self.farm.faults.rate(told["drop"], told["late"], told["garbled"])
        return {"counts": dict(self.farm.faults.counts)}

    def _flush(self, told: Told) -> None:
        if self.farm.record is not None:
            self.farm.record.flush()


@asynccontextmanager
async def serve_control(farm: Farm, path: str | Path) -> AsyncIterator[None]:
    """Listen on the unix socket while the context is open."""
    control = Control(farm)

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            writer.write(json.dumps(control.answer(line), ensure_ascii=False).encode() + b"\n")
            await writer.drain()
        writer.close()

    Path(path).unlink(missing_ok=True)
    server = await asyncio.start_unix_server(client, str(path))
    try:
        yield
    finally:
        server.close()
        Path(path).unlink(missing_ok=True)


def tell(path: str | Path, **told: Any) -> Told:
    """Ask one thing of a running farm (blocking). Raises OSError if none listens there."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(path))
        connection.sendall(json.dumps(told).encode() + b"\n")
        with connection.makefile("rb") as answers:
            answer: Told = json.loads(answers.readline())
    return answer
