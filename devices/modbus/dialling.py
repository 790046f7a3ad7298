"""A transmitter that dials in, as the line behind it sees it: one transport for all its calls."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from devices.modbus.transports import Transport
from devices.modbus.troubles import Trouble
from devices.modbus.words import N_, Sentence

if TYPE_CHECKING:
    from devices.modbus.calls import Call
    from devices.modbus.listeners import Listener
    from devices.modbus.switchboard import Switchboard

FLAPS = 3
FLAPPING_S = 600.0


class DialTransport(Transport):
    """A transmitter known by its id; the same object through all its connections.

    `peer`, `listener` and `registered_at` are of the newest connection. Heartbeats are
    known by their place alone: bytes that come while no reply may come. `greeting` is a frame that
    reads something of a unit behind it, for a transmitter that says nothing before it is asked.
    """

    __slots__ = (
        "_displaced",
        "_flapping_since",
        "_flaps",
        "_heard_at",
        "_switchboard",
        "call",
        "greeting",
        "heartbeats",
        "last_heartbeat_at",
        "listener",
        "name",
        "peer",
        "registered_at",
        "registrations",
    )

    def __init__(self, switchboard: Switchboard, name: str) -> None:
        super().__init__()
        self.name = name
        self.peer = ""
        self.listener: Listener | None = None
        self.greeting = b""
        self.registrations = self.heartbeats = 0
        self.registered_at: float | None = None
        self.last_heartbeat_at: float | None = None
        self.call: Call | None = None  # of now
        self._switchboard = switchboard
        self._displaced = False  # the call before was alive and had delivered bytes
        self._flaps: tuple[float, ...] = ()
        self._flapping_since: float | None = None
        self._heard_at = time.monotonic()

    # What the line and its page want to know.

    @property
    def proof(self) -> str:
        return self.call.proof if self.call else ""

    @property
    def trusted_listener(self) -> bool:
        """Whether the connection of now has proven whose it is."""
        return bool(self.proof)

    @property
    def flapping_since(self) -> float | None:
        """Since when (Unix seconds) two connections of this id that both deliver bytes have been
        displacing each other: three times in ten minutes, and until ten minutes without."""
        if self._flapping_since and time.time() - self._flaps[-1] > FLAPPING_S:
            self._flapping_since = None
        return self._flapping_since

    @property
    def holds_writes(self) -> Sentence | None:
        if self.flapping_since:
            return Sentence(
                N_("编号 %(id)s 有两个装置互相顶替，不知写给了谁，暂停写入"), id=self.name
            )
        if self.call and not self.call.proof:
            return Sentence(
                N_("传输装置 %(id)s 这次不是经专网拨入，也没有用专用注册码注册，只能读数"),
                id=self.name,
            )
        return None

    async def connect(self) -> None:
        """Wait until the transmitter has registered, as long as a registration may take."""
        wait = self._switchboard.registration_s
        try:
            async with asyncio.timeout(wait):
                while not self.connected:
                    await self._changes()
        except TimeoutError:
            raise self._failed(
                N_("传输装置 %(id)s 在 %(wait)g 秒内没有拨入"), id=self.name, wait=wait
            ) from None

    def keep(self) -> None:
        """Nothing to do: the transmitter dials again by itself."""

    def write(self, data: bytes) -> None:
        if self.call:
            self.bytes_out += self.call.send(data)

    async def close(self) -> None:
        """Poll it no more; its connection is held open and silent."""
        await super().close()
        call = self._release(N_("传输装置 %(id)s 已停用"))
        self._switchboard.forget(self, call)

    # What its calls and the switchboard tell.

    def yields_to(self, call: Call) -> bool:
        """The new connection wins, but none that proves nothing over one that does."""
        return self.call is None or bool(call.proof) or not self.call.proof

    def take(self, call: Call) -> None:
        """A new connection of this id wins: the one before is closed."""
        old = self._release(N_("传输装置 %(id)s 重新拨入，原连接已关闭"))
        self._displaced = old is not None and old.delivered
        if old:
            old.hang_up()
        self.call, self.peer, self.listener = call, call.peer, call.listener
        self.registrations += 1
        self.registered_at = time.time()
        self.bytes_in += call.bytes_in
        self.bytes_out += call.bytes_out
        call.bytes_in = call.bytes_out = 0
        if len(call.names) == 1:
            call.names = (self.name,)  # the same object, ten thousand times
        call.serves = self
        self._is_up()
        if old:  # lost without a word: away since it was last heard
            self.away_s = time.monotonic() - self._heard_at
        self._heard_at = time.monotonic()
        self._switchboard.on_registered(self)

    def gone(self) -> None:
        """The connection ended by itself; one that is held under the same id comes in its place."""
        self._release(N_("传输装置 %(id)s 的连接已断开"))
        self._switchboard.connect_held(self)

    def heard(self, data: bytes, size: int) -> None:
        """Bytes for the line, out of `size` bytes that came from the transmitter."""
        call = self.call
        self._heard_at = time.monotonic()
        if call and not call.delivered:
            call.delivered = True
            if self._displaced:
                self._flapped()
        self.bytes_in += size - len(data)
        if not data or self._receiver is None or not self._receiver.expects_reply:
            self.heartbeats += 1
            self.last_heartbeat_at = time.time()
        if data:
            self._deliver(data)

    def _flapped(self) -> None:
        """Two connections have delivered bytes and one displaced the other."""
        now = time.time()
        self._flaps = (*(flap for flap in self._flaps if now - flap < FLAPPING_S), now)[-FLAPS:]
        if len(self._flaps) == FLAPS and self._flapping_since is None:
            self._flapping_since = now

    def _release(self, why: str) -> Call | None:
        call, self.call = self.call, None
        if call:
            call.serves = None
            self._is_lost(Trouble(why, id=self.name))
            self._switchboard.on_lost(self)
        return call
