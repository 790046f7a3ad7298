"""4G transmitters that dial in to the platform and pass the bytes of their units through.

| dialect | says who it is | heartbeat when idle |
|---|---|---|
| plain | its id as text, once (USR-IOT) | text |
| login | `LOGIN:` and its id, once (USR-GPRS232) | text |
| mac | six bytes, once; the id is their hexadecimal digits (USR-IOT) | text |
| imei | its 15 digits, once (LuatOS) | text `ping` |
| late | its id only as its heartbeat | the id |
| prefix | its id before every packet, and once at first (`announce`) | id and text |
| prefix_only | its id before every packet, and nothing before it is polled | none |
| mac_prefix | six bytes before every packet | the six bytes |
| four_faith | 21 bytes; data stuffed both ways: FD is FD ED, FE is FD EE | one byte FE |
| inhand | 14 bytes: AA 01, 11 characters, 0D | none |
| caimore | 11 digits, once; packs what the line says with a gap of 200 ms | text |
| mbap | its id as text, once; speaks Modbus TCP, its units RTU | text |

`login` sets other bytes of registration.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass
from random import Random
from typing import Any

from devices.modbus.simulator.unit import SimUnit
from devices.modbus.simulator.wire import INSTANT, Bus, Mbap, Range

BACK_OFF_S: Range = (1.0, 60.0)


@dataclass(frozen=True)
class Dialect:
    """What a kind of transmitter does; `digits` is the length of an id that must be a number."""

    heartbeat: bytes | None = b"ping"
    announces: bool = True
    prefixed: bool = False
    stuffed: bool = False
    mbap: bool = False
    packing_s: float = 0.0
    digits: int = 0

    @property
    def listener(self) -> str:
        """The listening port that such transmitters dial."""
        return "prefix" if self.prefixed else "auto"


DIALECTS = {
    "plain": Dialect(b"heartbeat"),
    "login": Dialect(),
    "mac": Dialect(),
    "imei": Dialect(digits=15),
    "late": Dialect(announces=False),
    "prefix": Dialect(prefixed=True),
    "prefix_only": Dialect(None, prefixed=True, announces=False),
    "mac_prefix": Dialect(b"", prefixed=True),
    "four_faith": Dialect(b"\xfe", stuffed=True, digits=11),
    "inhand": Dialect(None),
    "caimore": Dialect(packing_s=0.2, digits=11),
    "mbap": Dialect(mbap=True),
}


def stuff(data: bytes) -> bytes:
    """Four-Faith's byte stuffing."""
    return data.replace(b"\xfd", b"\xfd\xed").replace(b"\xfe", b"\xfd\xee")


class Unstuffer:
    """Undoes the stuffing of a stream that may be cut anywhere."""

    def __init__(self) -> None:
        self.escaped = False

    def feed(self, data: bytes) -> bytes:
        plain = bytearray()
        for byte in data:
            if self.escaped:
                plain.append({0xED: 0xFD, 0xEE: 0xFE}.get(byte, byte))
                self.escaped = False
            elif byte == 0xFD:
                self.escaped = True
            elif byte != 0xFE:  # a bare FE is a heartbeat
                plain.append(byte)
        return bytes(plain)


def registration(identity: str, dialect: str) -> bytes:
    """What a transmitter of this dialect says first. Raises ValueError for an id that it cannot."""
    if dialect not in DIALECTS:
        raise ValueError(f"unknown dialect {dialect!r}: one of {', '.join(DIALECTS)}")
    digits = DIALECTS[dialect].digits
    if digits and not (identity.isdecimal() and len(identity) == digits):
        raise ValueError(f"{dialect}: id {identity!r} must be {digits} digits")
    if dialect == "four_faith":
        number = (int(identity) % 0x1_0000_0000).to_bytes(4, "big")
        return number + identity.encode() + b"\0" + bytes((10, 64, 0, 1)) + b"\0"
    if dialect == "inhand":
        if len(identity) > 11:
            raise ValueError(f"inhand: id {identity!r} must have at most 11 characters")
        return b"\xaa\x01" + identity.ljust(11).encode() + b"\x0d"
    if dialect in ("mac", "mac_prefix"):
        return bytes.fromhex(identity)
    return (f"LOGIN:{identity}" if dialect == "login" else identity).encode()


class Transmitter(asyncio.Protocol):
    """One transmitter with its units. An async context: it dials inside and hangs up after.

    `login` and `announce` change what its dialect says. `latency` is the 4G way of one exchange
    (seconds, from, to); `heartbeat_s=0` sends none; `first_dial_s` delays the first dialling
    (staggered after a power cut).
    """

    def __init__(
        self,
        units: Iterable[SimUnit],
        server: tuple[str, int],
        identity: str,
        *,
        dialect: str = "plain",
        login: bytes | None = None,
        announce: bool | None = None,
        heartbeat: bytes | None = None,
        heartbeat_s: float = 30.0,
        latency: Range = INSTANT,
        first_dial_s: float = 0.0,
        back_off_s: Range = BACK_OFF_S,
        seed: int = 0,
        **options: Any,
    ) -> None:
        self.server, self.identity = server, identity
        self.login = registration(identity, dialect) if login is None else login
        self.dialect = DIALECTS[dialect]
        self.announce = self.dialect.announces if announce is None else announce
        self.heartbeat = self.dialect.heartbeat if heartbeat is None else heartbeat
        if dialect == "late":
            self.heartbeat = self.login
        self.heartbeat_s = heartbeat_s
        self.first_dial_s, self.back_off_s = first_dial_s, back_off_s
        if self.dialect.mbap:
            options["framing"] = Mbap()
        self.bus = Bus(units, latency=latency, seed=seed, **options)
        self.dice = Random(seed)
        self.transport: asyncio.Transport | None = None
        self.buffer = bytearray()
        self.unstuffer = Unstuffer()
        self.dials = 0
        self.bytes_in = self.bytes_out = 0
        self.away_until = 0.0  # of the loop's clock: hung up on purpose until then
        self._last_sent = 0.0
        self._packed = bytearray()
        self._packing: asyncio.TimerHandle | None = None
        self._lost = asyncio.Event()
        self._wake = asyncio.Event()
        self._life: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Transmitter:
        self.start()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.stop()

    def start(self) -> None:
        self._life = asyncio.create_task(self._live())

    async def stop(self) -> None:
        if self._life is not None:
            self._life.cancel()
            await asyncio.gather(self._life, return_exceptions=True)
        self._hang_up()

    def drop(self, seconds: float = 0.0) -> None:
        """Lose the connection, and dial again only after so many seconds."""
        self.away_until = asyncio.get_running_loop().time() + seconds
        self._hang_up()

    def reconnect(self) -> None:
        """Dial now, whatever the back-off says."""
        self.away_until = 0.0
        self._wake.set()

    @property
    def connected(self) -> bool:
        return self.transport is not None and not self.transport.is_closing()

    # -- dialling --------------------------------------------------------------------------

    async def _live(self) -> None:
        await self._rest(self.first_dial_s)
        wait = self.back_off_s[0]
        loop = asyncio.get_running_loop()
        while True:
            self._lost.clear()
            try:
                await loop.create_connection(lambda: self, *self.server)
            except OSError:
                await self._rest(wait * self.dice.uniform(0.5, 1.0))
                wait = min(wait * 2, self.back_off_s[1])
                continue
            connected_at = loop.time()
            await self._beat_until_lost()
            # A line that held for a while earns a quick redial; a flapping one does not.
            held = loop.time() - connected_at > 30
            wait = self.back_off_s[0] if held else min(wait * 2, self.back_off_s[1])
            away = max(0.0, self.away_until - loop.time())
            await self._rest(away or self.dice.uniform(0.5, 1.0) * self.back_off_s[0])

    async def _rest(self, seconds: float) -> None:
        self._wake.clear()
        if seconds > 0:
            await _within(self._wake, seconds)

    async def _beat_until_lost(self) -> None:
        if not self.heartbeat_s or self.heartbeat is None:
            await self._lost.wait()
            return
        wait = self.heartbeat_s * self.dice.uniform(0.3, 1.0)
        while not await _within(self._lost, wait):
            idle = time.monotonic() - self._last_sent
            if idle >= self.heartbeat_s:
                self._write(self._prefixed(self.heartbeat))
                idle = 0.0
            wait = self.heartbeat_s - idle

    def _hang_up(self) -> None:
        if self.transport is not None:
            self.transport.abort()

    # -- the connection --------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]
        self.dials += 1
        self.buffer.clear()
        self._packed.clear()
        self.unstuffer = Unstuffer()
        if self.announce:
            self._write(self.login)

    def connection_lost(self, error: Exception | None) -> None:
        self.transport = None
        self._lost.set()

    def data_received(self, data: bytes) -> None:
        self.bytes_in += len(data)
        self.buffer += self.unstuffer.feed(data) if self.dialect.stuffed else data
        self.bus.hear(self.buffer, self.send)

    def send(self, frame: bytes) -> float | None:
        """Pass a reply on in this transmitter's dialect."""
        if self.dialect.packing_s:
            return self._pack(frame)
        data = stuff(frame) if self.dialect.stuffed else self._prefixed(frame)
        return time.time() if self._write(data) else None

    def _pack(self, data: bytes) -> float | None:
        """What the line says within the gap leaves together, and a long packet in two pieces."""
        if not self.connected:
            return None
        if self._packing:
            self._packing.cancel()
        self._packed += data
        loop = asyncio.get_running_loop()
        self._packing = loop.call_later(self.dialect.packing_s, self._unpack)
        return time.time() + self.dialect.packing_s

    def _unpack(self) -> None:
        self._packing = None
        data, self._packed = bytes(self._packed), bytearray()
        cut = self.dice.randrange(len(data)) if data else 0
        self._write(data[:cut])
        asyncio.get_running_loop().call_later(0.02, self._write, data[cut:])

    def _prefixed(self, data: bytes) -> bytes:
        return self.login + data if self.dialect.prefixed else data

    def _write(self, data: bytes) -> bool:
        if not data or not self.connected or self.transport is None:
            return False
        self.transport.write(data)
        self.bytes_out += len(data)
        self._last_sent = time.monotonic()
        return True


async def _within(event: asyncio.Event, seconds: float) -> bool:
    """Whether the event came within so many seconds."""
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return False
    return True
