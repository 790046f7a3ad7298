"""Where transmitters (无线数据传输装置) dial in, say who they are, and are reached by their id.

A transmitter connects, sends a registration packet, then passes RTU bytes through, with heartbeats
in between. Heartbeats need no list: bytes outside the expected frame are stepped over by the line.
"""

from __future__ import annotations

import asyncio
import functools
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import cast

from devices.modbus.registration import DIALECTS, Registration, Unstuffer, key, stuff
from devices.modbus.transports import Transport, watch_for_dead_peers
from devices.modbus.troubles import Trouble, UrlRefused
from devices.modbus.words import N_

REGISTRATION_S = 90.0
SETTLE_S = 0.3
FIRST_PACKET_LIMIT = 128
MAX_IDLE = 4096
MAX_SILENT_PER_SOURCE = 512


@dataclass(frozen=True, slots=True)
class Listener:
    """Where transmitters of one dialect dial in."""

    dialect: str
    host: str
    port: int


def parse_listener(spec: str) -> Listener:
    """Read `dialect@host:port` (`auto` where no dialect is named); raises UrlRefused."""
    dialect, at, where = spec.strip().rpartition("@")
    host, _, port = where.rpartition(":")
    if not at:
        dialect = "auto"
    if dialect not in DIALECTS:
        raise UrlRefused(
            N_("监听地址“%(spec)s”里的拨入方式不认识，应为 %(known)s 之一"),
            spec=spec,
            known=", ".join(DIALECTS),
        )
    if not host or not (port.isascii() and port.isdigit() and int(port) < 65536):
        raise UrlRefused(N_("监听地址“%(spec)s”应写成 方式@主机:端口"), spec=spec)
    return Listener(dialect, host.strip("[]"), int(port))


class DialTransport(Transport):
    """A transmitter known by its id; the same object through all its connections.

    `peer` and `listener` tell where the newest connection came from and where it came in.
    """

    def __init__(self, switchboard: Switchboard, name: str) -> None:
        super().__init__()
        self.name = name
        self.peer = ""
        self.listener: Listener | None = None
        self._switchboard = switchboard
        self._call: _Call | None = None

    async def connect(self) -> None:
        """Wait until the transmitter has registered, as long as a registration may take."""
        wait = self._switchboard.registration_s
        try:
            async with asyncio.timeout(wait):
                while not self.connected:
                    self._change.clear()
                    await self._change.wait()
        except TimeoutError:
            raise self._failed(
                N_("传输装置 %(id)s 在 %(wait)g 秒内没有拨入"), id=self.name, wait=wait
            ) from None

    def keep(self) -> None:
        """Nothing to do: the transmitter dials again by itself."""

    def write(self, data: bytes) -> None:
        if self._call:
            self.bytes_out += self._call.send(data)

    async def close(self) -> None:
        """Poll it no more; its connection is held open and silent."""
        await super().close()
        call = self._release(N_("传输装置 %(id)s 已停用"))
        self._switchboard.forget(self.name, call)

    def take(self, call: _Call) -> None:
        """A new connection of this id wins: the one before is closed."""
        if old := self._release(N_("传输装置 %(id)s 重新拨入，原连接已关闭")):
            old.hang_up()
        self._call, self.peer, self.listener = call, call.peer, call.listener
        call.serves = self
        self._is_up()
        self._switchboard.on_registered(self)

    def gone(self) -> None:
        """The connection ended by itself."""
        self._release(N_("传输装置 %(id)s 的连接已断开"))

    def heard(self, data: bytes, size: int) -> None:
        """Bytes for the line, out of `size` bytes that came from the transmitter."""
        self.bytes_in += size - len(data)
        if data:
            self._deliver(data)

    def _release(self, why: str) -> _Call | None:
        call, self._call = self._call, None
        if call:
            call.serves = None
            self._is_lost(Trouble(why, id=self.name))
            self._switchboard.on_lost(self)
        return call


class _Call(asyncio.Protocol):
    """One connection that came in: silent, then registered, then serving a transport or held."""

    def __init__(self, switchboard: Switchboard, listener: Listener) -> None:
        self.listener = listener
        self.since = time.time()
        self.peer = ""
        self.bytes_in = 0
        self.names: tuple[str, ...] = ()
        self.serves: DialTransport | None = None
        self._switchboard = switchboard
        self._socket: asyncio.Transport | None = None
        self._first = bytearray()
        self._unstuffer: Unstuffer | None = None
        self._prefix = b""
        self._giving_up: asyncio.TimerHandle | None = None
        self._settling: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._socket = cast(asyncio.Transport, transport)
        self.peer = str((transport.get_extra_info("peername") or ("",))[0])
        watch_for_dead_peers(transport)
        # A transmitter that only prefixes its packets sends nothing before it is polled.
        if self.listener.dialect != "prefix":
            self._giving_up = asyncio.get_running_loop().call_later(
                self._switchboard.registration_s, self.hang_up
            )
        self._switchboard.came(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._socket = None
        self._stop_timers()
        self._switchboard.went(self)
        if self.serves:
            self.serves.gone()

    def data_received(self, data: bytes) -> None:
        size = len(data)
        self.bytes_in += size
        if not self.names:
            self._registering(data)
        elif self.serves:
            if self._unstuffer:
                data = self._unstuffer.feed(data)
            elif self._prefix:
                data = self._without_prefix(data)
            self.serves.heard(data, size)

    def send(self, data: bytes) -> int:
        """Send bytes of the line; returns how many went out to the transmitter."""
        if self._socket is None:
            return 0
        if self._unstuffer:
            data = stuff(data)
        self._socket.write(data)
        return len(data)

    def hang_up(self) -> None:
        """Close at once, whatever is still unsent."""
        if self._socket:
            self._socket.abort()

    def _registering(self, data: bytes) -> None:
        """The first packet may come in pieces: it is complete when nothing follows for a while."""
        self._first += data
        del self._first[FIRST_PACKET_LIMIT:]
        if self._settling:
            self._settling.cancel()
        self._settling = asyncio.get_running_loop().call_later(
            self._switchboard.settle_s, self._settled
        )

    def _settled(self) -> None:
        registration = self._switchboard.identify(self.listener.dialect, bytes(self._first))
        self._first.clear()
        if registration is None:
            return
        self._stop_timers()
        self.names = registration.names
        self._prefix = registration.prefix
        self._unstuffer = Unstuffer() if registration.stuffed else None
        self._switchboard.registered(self)

    def _stop_timers(self) -> None:
        for timer in (self._giving_up, self._settling):
            if timer:
                timer.cancel()

    def _without_prefix(self, data: bytes) -> bytes:
        """The id before every packet goes; a short one only at the start, lest it be data."""
        if len(self._prefix) >= 6:
            return data.replace(self._prefix, b"")
        return data.removeprefix(self._prefix)


@dataclass(frozen=True, slots=True)
class Unknown:
    """A transmitter that registered and that nobody asked for: held open, silent, listed."""

    names: tuple[str, ...]
    peer: str
    listener: Listener
    since: float
    bytes_in: int


def _ignore(_: object) -> None:
    pass


class Switchboard:
    """Listens for transmitters and hands them out by id.

    `listeners` are specs `dialect@host:port`, port 0 for any free one. The callbacks tell of known
    ids that registered or were lost, and of unknown ones that registered. Of connections that
    serve nobody at most max_idle stay: the oldest that never registered goes first.
    """

    def __init__(
        self,
        listeners: Iterable[str],
        *,
        on_registered: Callable[[DialTransport], None] = _ignore,
        on_lost: Callable[[DialTransport], None] = _ignore,
        on_unknown: Callable[[Unknown], None] = _ignore,
        registration_s: float = REGISTRATION_S,
        settle_s: float = SETTLE_S,
        max_idle: int = MAX_IDLE,
        max_silent_per_source: int = MAX_SILENT_PER_SOURCE,
    ) -> None:
        self.listeners = [parse_listener(spec) for spec in listeners]
        self.on_registered = on_registered
        self.on_lost = on_lost
        self.on_unknown = on_unknown
        self.registration_s = registration_s
        self.settle_s = settle_s
        self._max_idle = max_idle
        self._max_silent_per_source = max_silent_per_source
        self._servers: list[asyncio.Server] = []
        self._calls: set[_Call] = set()
        self._known: dict[str, DialTransport] = {}
        self._silent: dict[_Call, None] = {}
        self._held: dict[str, _Call] = {}

    async def start(self) -> None:
        """Listen; raises Trouble where a port is taken or no address of this machine."""
        loop = asyncio.get_running_loop()
        for listener in self.listeners:
            try:
                server = await loop.create_server(
                    functools.partial(_Call, self, listener), listener.host, listener.port
                )
            except OSError as error:
                await self.close()
                raise Trouble(
                    N_("无法在 %(host)s:%(port)d 监听：%(why)s"),
                    host=listener.host,
                    port=listener.port,
                    why=error.strerror or str(error),
                ) from None
            self._servers.append(server)

    async def close(self) -> None:
        """Stop listening and close every connection."""
        for server in self._servers:
            server.close()
        for call in list(self._calls):
            call.hang_up()
        self._servers.clear()
        await asyncio.sleep(0)

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """Host and port of each listener as it really listens, in the order of the specs."""
        return [server.sockets[0].getsockname()[:2] for server in self._servers]

    @property
    def unknown(self) -> list[Unknown]:
        """Transmitters that registered under ids that nobody asked for, oldest first; any thread
        may ask."""
        return [_unknown(call) for call in tuple(self._held.values())]

    def transport_for(self, name: str) -> DialTransport:
        """The transport of a transmitter, dialled in or not; the same one each time."""
        wanted = key(name)
        if wanted not in self._known:
            self._known[wanted] = DialTransport(self, name)
            for held, call in list(self._held.items()):
                if wanted in map(key, call.names):
                    del self._held[held]
                    self._known[wanted].take(call)
        return self._known[wanted]

    # What calls and transports tell the switchboard.

    def came(self, call: _Call) -> None:
        """A connection was made; room is kept by closing idle ones, never by refusing it."""
        self._calls.add(call)
        self._silent[call] = None
        same = [other for other in self._silent if other.peer == call.peer]
        if len(same) > self._max_silent_per_source:
            same[0].hang_up()
        elif len(self._silent) + len(self._held) > self._max_idle:
            next(iter((*self._silent, *self._held.values()))).hang_up()

    def went(self, call: _Call) -> None:
        """A connection ended."""
        self._calls.discard(call)
        self._silent.pop(call, None)
        if call.names and self._held.get(key(call.names[0])) is call:
            del self._held[key(call.names[0])]

    def identify(self, dialect: str, packet: bytes) -> Registration | None:
        """Read a first packet; a known id counts even with a heartbeat glued to it."""
        registration = DIALECTS[dialect](packet)
        if registration and not any(key(name) in self._known for name in registration.names):
            return self._known_at_start(dialect, packet) or registration
        return registration

    def _known_at_start(self, dialect: str, packet: bytes) -> Registration | None:
        if dialect not in ("auto", "plain", "prefix"):
            return None
        text = packet.decode("latin-1").casefold()
        names = [name for name in self._known if text.startswith((name, f"login:{name}"))]
        if not names:
            return None
        name = max(names, key=len)
        end = text.index(name) + len(name)
        return Registration((name,), prefix=packet[:end] if dialect == "prefix" else b"")

    def registered(self, call: _Call) -> None:
        """A connection said who it is: it serves its transport, or is held."""
        del self._silent[call]
        for name in call.names:
            if known := self._known.get(key(name)):
                known.take(call)
                return
        self._hold(call)
        self.on_unknown(_unknown(call))

    def forget(self, name: str, call: _Call | None) -> None:
        """Nobody asks for this id any more; its connection, if any, is held."""
        self._known.pop(key(name), None)
        if call:
            self._hold(call)

    def _hold(self, call: _Call) -> None:
        old = self._held.pop(key(call.names[0]), None)
        self._held[key(call.names[0])] = call
        if old:
            old.hang_up()


def _unknown(call: _Call) -> Unknown:
    return Unknown(call.names, call.peer, call.listener, call.since, call.bytes_in)
