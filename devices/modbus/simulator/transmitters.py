"""4G transmitters that dial in to the platform and pass the bytes of their units through.

| dialect | says who it is | heartbeat when idle |
|---|---|---|
| plain | its id as text, once | text |
| imei | its 15 digits, once | text `ping` |
| prefix | its id before every packet, and once at first (`announce`) | id and text |
| four_faith | 21 bytes; data stuffed both ways: FD is FD ED, FE is FD EE | one byte FE |

`login` sets other bytes of registration (a MAC, `LOGIN:1001`, InHand's 14 bytes).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from random import Random
from typing import Any

from devices.modbus.simulator.unit import SimUnit
from devices.modbus.simulator.wire import INSTANT, Bus, Range

BACK_OFF_S: Range = (1.0, 60.0)
HEARTBEATS = {"plain": b"heartbeat", "imei": b"ping", "prefix": b"ping", "four_faith": b"\xfe"}
DIALECTS = tuple(HEARTBEATS)


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
    if dialect == "four_faith":
        if not (identity.isdecimal() and len(identity) == 11):
            raise ValueError(f"four_faith: id {identity!r} must be 11 digits")
        number = (int(identity) % 0x1_0000_0000).to_bytes(4, "big")
        return number + identity.encode() + b"\0" + bytes((10, 64, 0, 1)) + b"\0"
    if dialect == "imei" and not (identity.isdecimal() and len(identity) == 15):
        raise ValueError(f"imei: id {identity!r} must be 15 digits")
    if dialect not in DIALECTS:
        raise ValueError(f"unknown dialect {dialect!r}: one of {', '.join(DIALECTS)}")
    return identity.encode()


class Transmitter(asyncio.Protocol):
    """One transmitter with its units. An async context: it dials inside and hangs up after.

    `latency` is the 4G way of one exchange (seconds, from, to); `heartbeat_s=0` sends none;
    `first_dial_s` delays the first dialling (staggered after a power cut).
    """

    def __init__(
        self,
        units: Iterable[SimUnit],
        server: tuple[str, int],
        identity: str,
        *,
        dialect: str = "plain",
        login: bytes | None = None,
        announce: bool = True,
        heartbeat: bytes | None = None,
        heartbeat_s: float = 30.0,
        latency: Range = INSTANT,
        first_dial_s: float = 0.0,
        back_off_s: Range = BACK_OFF_S,
        seed: int = 0,
        **options: Any,
    ) -> None:
        self.server, self.identity, self.dialect = server, identity, dialect
        self.login = registration(identity, dialect) if login is None else login
        self.announce = announce
        self.heartbeat = HEARTBEATS[dialect] if heartbeat is None else heartbeat
        self.heartbeat_s = heartbeat_s
        self.first_dial_s, self.back_off_s = first_dial_s, back_off_s
        self.bus = Bus(units, latency=latency, seed=seed, **options)
        self.dice = Random(seed)
        self.transport: asyncio.Transport | None = None
        self.buffer = bytearray()
        self.unstuffer = Unstuffer()
        self.dials = 0
        self.bytes_in = self.bytes_out = 0
        self.away_until = 0.0  # of the loop's clock: hung up on purpose until then
        self._last_sent = 0.0
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
        if not self.heartbeat_s:
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
        self.unstuffer = Unstuffer()
        if self.dialect != "prefix" or self.announce:
            self._write(self.login)

    def connection_lost(self, error: Exception | None) -> None:
        self.transport = None
        self._lost.set()

    def data_received(self, data: bytes) -> None:
        self.bytes_in += len(data)
        self.buffer += self.unstuffer.feed(data) if self.dialect == "four_faith" else data
        self.bus.hear(self.buffer, self.send)

    def send(self, frame: bytes) -> float | None:
        """Pass a reply on in this transmitter's dialect."""
        data = stuff(frame) if self.dialect == "four_faith" else self._prefixed(frame)
        return time.time() if self._write(data) else None

    def _prefixed(self, data: bytes) -> bytes:
        return self.login + data if self.dialect == "prefix" else data

    def _write(self, data: bytes) -> bool:
        if not self.connected or self.transport is None:
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
