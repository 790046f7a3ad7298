"""One connection that came in: silent, then registered, then serving a transmitter or held."""

from __future__ import annotations

import asyncio
import fcntl
import termios
import time
from array import array
from typing import TYPE_CHECKING, cast

from devices.modbus.listeners import Listener
from devices.modbus.registration import Registration, Unstuffer, stuff
from devices.modbus.transports import watch_for_dead_peers

if TYPE_CHECKING:
    from devices.modbus.dialling import DialTransport
    from devices.modbus.switchboard import Switchboard

FIRST_PACKET_LIMIT = 128  # no dialect registers with more
GREET_AFTER_S = 2.0
GREET_EVERY_S = 5.0  # the reply to a greeting is taken for nothing else within this time
GREET_SELDOM_S = 60.0
HALF_OPEN_SENDS = 3
HALF_OPEN_S = 5.0  # longer than mobile networks keep an acknowledgement back


class Call(asyncio.Protocol):
    """A connection of a transmitter.

    `proof` tells how it proved to be who it says: by coming from the carrier's private network or
    by a private registration text, whose hash is `secret`. Bytes are counted here until it serves
    a transmitter, which counts the rest.
    """

    __slots__ = (
        "_first",
        "_greeted",
        "_greeted_at",
        "_greeting",
        "_prefix",
        "_settling",
        "_socket",
        "_switchboard",
        "_unheard",
        "_unheard_bytes",
        "_unheard_since",
        "_unstuffer",
        "bytes_in",
        "bytes_out",
        "came_at",
        "delivered",
        "is_private",
        "listener",
        "names",
        "peer",
        "secret",
        "serves",
        "since",
    )

    def __init__(self, switchboard: Switchboard, listener: Listener) -> None:
        self.listener = listener
        self.since = time.time()
        self.came_at = asyncio.get_running_loop().time()
        self.peer = ""
        self.bytes_in = self.bytes_out = 0
        self.names: tuple[str, ...] = ()
        self.secret = ""
        self.is_private = False
        self.serves: DialTransport | None = None
        self.delivered = False  # anything after its registration
        self._switchboard = switchboard
        self._socket: asyncio.Transport | None = None
        self._first = b""
        self._unstuffer: Unstuffer | None = None
        self._prefix = b""
        self._settling: asyncio.TimerHandle | None = None
        self._greeting: asyncio.TimerHandle | None = None
        # Sent since something was heard: how often, how many bytes, since when.
        self._unheard = self._unheard_bytes = 0
        self._unheard_since = 0.0
        self._greeted = 0
        self._greeted_at = 0.0

    @property
    def may_wait(self) -> bool:
        """Whether it may stay silent for ever: it may be one that speaks when it is spoken to."""
        return self.listener.dialect == "prefix"

    @property
    def proof(self) -> str:
        if self.secret and self.secret in self._switchboard.secrets:
            return "private_text"
        return "private_network" if self.is_private else ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._socket = cast(asyncio.Transport, transport)
        self.peer = str((transport.get_extra_info("peername") or ("",))[0])
        watch_for_dead_peers(transport)
        if self.may_wait:
            loop = asyncio.get_running_loop()
            self._greeting = loop.call_later(GREET_AFTER_S, self._greet)
        self._switchboard.came(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._socket = None
        self._stop_timers()
        self._switchboard.went(self)
        if self.serves:
            self.serves.gone()

    def data_received(self, data: bytes) -> None:
        size = len(data)
        self._unheard = 0
        if self.serves is None:
            self.bytes_in += size
            self._registering(data)
            return
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
        if self._is_half_open():
            self.hang_up()
            return 0
        self._note_sent(len(data))
        self._socket.write(data)
        return len(data)

    def _note_sent(self, size: int) -> None:
        if self._unheard == 0:
            self._unheard_bytes = 0
            self._unheard_since = asyncio.get_running_loop().time()
        self._unheard += 1
        self._unheard_bytes += size

    def _is_half_open(self) -> bool:
        """Whether nothing of the last requests was even acknowledged. The kernel finds that out
        too, but only after 20 s, which may be more than three polls."""
        if self._unheard < HALF_OPEN_SENDS or self._socket is None:
            return False
        silent = asyncio.get_running_loop().time() - self._unheard_since
        return silent >= HALF_OPEN_S and _unacknowledged(self._socket) >= self._unheard_bytes

    def hang_up(self) -> None:
        """Close at once, whatever is still unsent."""
        if self._socket:
            self._socket.abort()

    # Registration.

    def _registering(self, data: bytes) -> None:
        """A packet may come in pieces: it is complete when nothing follows for a while. One that
        is held under an id that nobody knows may still say a better one."""
        if not self._first:
            self._switchboard.spoke(self)
        self._first = (self._first + data)[:FIRST_PACKET_LIMIT]
        if self._settling:
            self._settling.cancel()
        loop = asyncio.get_running_loop()
        owed = self._greeted_at + GREET_EVERY_S - loop.time() if self._greeted else 0.0
        self._settling = loop.call_later(max(self._switchboard.settle_s, owed), self._settled)

    def _settled(self) -> None:
        self._settling = None
        packet, self._first = self._first, b""
        registration = self._switchboard.identify(self, packet)
        if registration is None or registration.names == self.names:
            return
        if self.names and not self._switchboard.knows(registration):
            return
        self._stop_timers()
        self._switchboard.registered(self, registration)

    def say_again(self) -> None:
        """Take what it is called for its registration once more."""
        self._switchboard.registered(self, Registration(self.names, False, self._prefix))

    def is_called(self, registration: Registration, secret: str) -> None:
        """From now on this is who it is, and how it wraps its bytes."""
        self.names = registration.names
        self.secret = secret
        self.is_private = self.listener.is_private(self.peer)
        self._prefix = registration.prefix
        self._unstuffer = Unstuffer() if registration.stuffed else None

    def _greet(self) -> None:
        """Ask for something that a waiting unit would answer: a transmitter that sends its id
        only before its packets says it then. Nothing but reads of units on record go out."""
        frames = self._switchboard.greetings()
        if frames and not self._settling:
            self.bytes_out += self.send(frames[self._greeted % len(frames)])
            self._greeted += 1
            self._greeted_at = asyncio.get_running_loop().time()
        pause = GREET_EVERY_S if self._greeted < 3 * len(frames) else GREET_SELDOM_S
        self._greeting = asyncio.get_running_loop().call_later(pause, self._greet)

    def _stop_timers(self) -> None:
        for timer in (self._settling, self._greeting):
            if timer:
                timer.cancel()
        self._settling = self._greeting = None

    def _without_prefix(self, data: bytes) -> bytes:
        """The id before every packet goes; a short one only at the start, lest it be data."""
        if len(self._prefix) >= 6:
            return data.replace(self._prefix, b"")
        return data.removeprefix(self._prefix)


def _unacknowledged(connection: asyncio.Transport) -> int:
    """Bytes on their way that the other side has not acknowledged; 0 where that is not known."""
    count = array("i", (0,))
    try:
        fcntl.ioctl(connection.get_extra_info("socket").fileno(), termios.TIOCOUTQ, count)
    except OSError:
        return 0
    return count[0] + connection.get_write_buffer_size()
