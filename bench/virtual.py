"""An asyncio loop whose clock jumps to the next timer, and sockets that lead to objects.

Hours of time-outs and quarantines pass in seconds, and always in the same order. `time.time` and
`time.monotonic` follow the loop's clock while it runs.
"""

from __future__ import annotations

import asyncio
import selectors
import socket
from collections.abc import Callable, Coroutine
from typing import Any, Protocol, TypeVar, cast
from unittest import mock

START = 1_768_000_000.0  # Unix seconds at which virtual time begins
T = TypeVar("T")


class FarEnd(Protocol):
    """Whatever a socket leads to: it hears bytes and answers through the socket's `feed`."""

    def connected(self, near: Socket) -> None: ...
    def heard(self, data: bytes) -> None: ...


class _JumpingSelector(selectors.DefaultSelector):
    """Waits no real time: what the loop would sleep is added to its clock."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise RuntimeError("nothing is left that could ever happen")
        events = super().select(0)
        if not events:
            self.now += max(timeout, 0.0)
        return cast(list[Any], events)


class VirtualLoop(asyncio.SelectorEventLoop):
    """`hosts` answer what connects to (host, port); who listens can be `called`."""

    def __init__(self) -> None:
        self.clock = _JumpingSelector()
        super().__init__(self.clock)
        self.hosts: dict[tuple[str, int], FarEnd] = {}
        self._listening: dict[int, Callable[[], asyncio.BaseProtocol]] = {}

    def time(self) -> float:
        return self.clock.now

    async def create_connection(  # type: ignore[override]
        self, factory: Callable[[], asyncio.Protocol], host: str, port: int, **_: Any
    ) -> tuple[asyncio.Transport, asyncio.Protocol]:
        protocol = factory()
        near = Socket(self, protocol, self.hosts[host, port])
        return near, protocol

    async def create_server(  # type: ignore[override]
        self, factory: Callable[[], asyncio.BaseProtocol], host: str, port: int, **_: Any
    ) -> Any:
        self._listening[port] = factory
        server = mock.Mock(spec=asyncio.Server)
        server.sockets = [mock.Mock(getsockname=lambda: (host, port))]
        return server

    def remove_reader(self, fd: Any) -> bool:
        """Nobody listens at the system's own sockets."""
        return False

    def call(self, port: int, far: FarEnd) -> Socket:
        """Dial in at a port where somebody listens."""
        return Socket(self, cast(asyncio.Protocol, self._listening[port]()), far)


class Socket(asyncio.Transport):
    """The near end of a connection: what is written goes to the far end at once."""

    def __init__(self, loop: VirtualLoop, protocol: asyncio.Protocol, far: FarEnd) -> None:
        peer = ("192.0.2.1", 50_000)
        system = mock.Mock(socket.socket)
        system.fileno.side_effect = OSError("no socket of the system")
        super().__init__({"peername": peer, "sockname": peer, "socket": system})
        self._loop, self._protocol, self._far = loop, protocol, far
        self._closed = False
        protocol.connection_made(self)
        far.connected(self)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if not self._closed:
            self._far.heard(bytes(data))

    def feed(self, data: bytes) -> None:
        """Bytes that arrive from the far end; nothing after the connection has ended."""
        if data and not self._closed:
            self._protocol.data_received(data)

    def get_write_buffer_size(self) -> int:
        return 0

    def is_closing(self) -> bool:
        return self._closed

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._loop.call_soon(self._protocol.connection_lost, None)

    abort = close


def run(main: Callable[[VirtualLoop], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine in virtual time."""
    loop = VirtualLoop()
    with (
        mock.patch("time.time", lambda: START + loop.time()),
        mock.patch("time.monotonic", loop.time),
    ):
        try:
            return loop.run_until_complete(main(loop))
        finally:
            for task in asyncio.all_tasks(loop):
                task.cancel()
            loop.run_until_complete(asyncio.sleep(0.01))
            loop.close()
