"""Where transmitters (无线数据传输装置) dial in, say who they are, and are reached by their id.

A transmitter connects, sends a registration packet, then passes RTU bytes through (or Modbus TCP,
where its gateway's URL says so), with heartbeats in between. Heartbeats need no list: bytes outside
the expected frame are stepped over by the line.
"""

from __future__ import annotations

import asyncio
import functools
import resource
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from devices.modbus.calls import Call
from devices.modbus.dialling import DialTransport
from devices.modbus.listeners import Listener, parse_listener
from devices.modbus.registration import DIALECTS, Registration, digest, key, known_at_start
from devices.modbus.troubles import Trouble
from devices.modbus.words import N_

__all__ = ["DialTransport", "Listener", "Switchboard", "Unknown", "parse_listener"]

REGISTRATION_S = 90.0
SETTLE_S = 0.3
BACKLOG = 4096  # a village's power returns, or somebody opens thousands of sockets at once
MAX_IDLE = 4096
MAX_SILENT_PER_SOURCE = 512
SPARE_FILES = 256  # for everything else that the process opens


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

    `listeners` are specs `dialect@host:port`, port 0 for any free one, `?source=…` for a private
    network. `secrets` names the transmitter of each hash of a private registration text. The
    callbacks tell of known ids that registered or were lost, and of unknown ones that registered.
    Of connections that serve nobody at most max_idle stay: the oldest that never registered goes
    first, and no new one is ever refused.
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
        self._secrets: Mapping[str, str] = {}
        self.on_registered = on_registered
        self.on_lost = on_lost
        self.on_unknown = on_unknown
        self.registration_s = registration_s
        self.settle_s = settle_s
        self._max_idle = max_idle
        self._max_silent_per_source = max_silent_per_source
        self._max_calls = MAX_IDLE
        self._servers: list[asyncio.Server] = []
        self._calls = 0
        self._known: dict[str, DialTransport] = {}
        # Not registered yet, oldest first: all, and by their source those that never said a byte.
        self._unregistered: dict[Call, None] = {}
        self._silent_of: dict[str, dict[Call, None]] = {}
        self._held: dict[str, Call] = {}
        self._sweeping: asyncio.TimerHandle | None = None

    async def start(self) -> None:
        """Listen; raises Trouble where a port is taken or no address of this machine."""
        loop = asyncio.get_running_loop()
        if self.listeners:
            self._max_calls = _files() - SPARE_FILES
        for listener in self.listeners:
            try:
                server = await loop.create_server(
                    functools.partial(Call, self, listener),
                    listener.host,
                    listener.port,
                    backlog=BACKLOG,
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
            await _accept_no_more(server)
        if self._sweeping:
            self._sweeping.cancel()
        served = (one.call for one in self._known.values())
        for call in (*self._unregistered, *self._held.values(), *filter(None, served)):
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

    @property
    def secrets(self) -> Mapping[str, str]:
        return self._secrets

    @secrets.setter
    def secrets(self, secrets: Mapping[str, str]) -> None:
        """Who is held under a text that is a private one since now is called by his id."""
        self._secrets = secrets
        for call in list(self._held.values()):
            if not call.secret and any(digest(name) in secrets for name in call.names):
                call.say_again()

    def transport_for(self, name: str) -> DialTransport:
        """The transport of a transmitter, dialled in or not; the same one each time."""
        wanted = key(name)
        if wanted not in self._known:
            self._known[wanted] = DialTransport(self, name)
            self.connect_held(self._known[wanted])
        return self._known[wanted]

    # What calls and transports tell and ask the switchboard.

    def came(self, call: Call) -> None:
        """A connection was made; room is kept by closing idle ones, never by refusing it."""
        self._calls += 1
        self._unregistered[call] = None
        same = self._silent_of.setdefault(call.peer, {})
        same[call] = None
        if self._sweeping is None and not call.may_wait:
            self._sweep_at(call.came_at + self.registration_s)
        if len(same) > self._max_silent_per_source:
            self._evict(next(iter(same)))
        elif self._is_full() and (oldest := next(self._idle(), None)):
            self._evict(oldest)

    def _sweep_at(self, when: float) -> None:
        self._sweeping = asyncio.get_running_loop().call_at(when, self._sweep)

    def _sweep(self) -> None:
        """Close who had the time that a registration may take; one timer for all of them."""
        self._sweeping = None
        late = asyncio.get_running_loop().time() - self.registration_s
        for call in [call for call in self._unregistered if not call.may_wait]:
            if call.came_at > late:
                self._sweep_at(call.came_at + self.registration_s)
                return
            self._evict(call)

    def _is_full(self) -> bool:
        idle = len(self._unregistered) + len(self._held)
        return idle > self._max_idle or self._calls > self._max_calls

    def _idle(self) -> Iterator[Call]:
        """Who serves nobody, the oldest that never registered first."""
        yield from self._unregistered
        yield from self._held.values()

    def _evict(self, call: Call) -> None:
        self._unregistered.pop(call, None)
        self.spoke(call)
        call.hang_up()

    def spoke(self, call: Call) -> None:
        """It is none of the silent ones of its source any more: many may share one address."""
        same = self._silent_of.get(call.peer)
        if same is not None:
            same.pop(call, None)
            if not same:
                del self._silent_of[call.peer]

    def went(self, call: Call) -> None:
        """A connection ended."""
        self._calls -= 1
        self._unregistered.pop(call, None)
        self.spoke(call)
        self._let_go(call)

    def identify(self, call: Call, packet: bytes) -> Registration | None:
        """Read a packet of who is not served; a known id counts even with a heartbeat glued to
        it."""
        dialect = call.listener.dialect
        registration = DIALECTS[dialect](packet)
        if registration and self.knows(registration):
            return registration
        return known_at_start(dialect, packet, self._is_known) or registration

    def knows(self, registration: Registration) -> bool:
        """Does somebody ask for one of these names, or is one a private text?"""
        return any(map(self._is_known, registration.names))

    def _is_known(self, name: str) -> bool:
        return key(name) in self._known or digest(name) in self.secrets

    def registered(self, call: Call, registration: Registration) -> None:
        """A connection said who it is: it serves its transport, or is held."""
        self._unregistered.pop(call, None)
        self.spoke(call)
        self._let_go(call)
        secret = next(
            (found for n in registration.names if (found := digest(n)) in self.secrets), ""
        )
        if secret:  # the text itself is kept nowhere and shown to nobody
            registration = registration.named(self.secrets[secret])
        call.is_called(registration, secret)
        for name in call.names:
            known = self._known.get(key(name))
            if known and known.yields_to(call):
                known.take(call)
                return
        self._hold(call)
        self.on_unknown(_unknown(call))

    def connect_held(self, transport: DialTransport) -> None:
        """A connection that is held under this transport's id comes to serve it."""
        wanted = key(transport.name)
        for call in list(self._held.values()):
            if wanted in map(key, call.names):
                self._let_go(call)
                transport.take(call)
                return

    def forget(self, transport: DialTransport, call: Call | None) -> None:
        """Nobody asks for this id any more; its connection, if any, is held."""
        if self._known.get(key(transport.name)) is transport:
            del self._known[key(transport.name)]
        if call:
            self._hold(call)

    def greetings(self) -> list[bytes]:
        """What the transmitters that are waited for would have a unit answer, each once."""
        waiting = (one.greeting for one in self._known.values() if not one.connected)
        return list(dict.fromkeys(filter(None, waiting)))

    def _hold(self, call: Call) -> None:
        old = self._held.pop(key(call.names[0]), None)
        self._held[key(call.names[0])] = call
        if old:
            old.hang_up()

    def _let_go(self, call: Call) -> None:
        if call.names and self._held.get(key(call.names[0])) is call:
            del self._held[key(call.names[0])]


def _unknown(call: Call) -> Unknown:
    return Unknown(call.names, call.peer, call.listener, call.since, call.bytes_in)


async def _accept_no_more(server: asyncio.Server) -> None:
    """Close a server. Whom it accepted a moment ago is a call afterwards: asyncio makes it two
    turns later, and would drop it unclosed."""
    loop = asyncio.get_running_loop()
    for listening in server.sockets:
        loop.remove_reader(listening.fileno())
    for _turn in range(2):
        await asyncio.sleep(0)
    server.close()


def _files() -> int:
    """How many files this process may have open, raised as far as the system lets it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard if hard > 0 else 1_000_000
