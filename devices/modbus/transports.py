"""How bytes reach a line: a serial port, a TCP connection, or a transmitter that dialled in.

A transport knows whether it is connected and since when, and connects again by itself with
growing pauses. It hands every chunk of bytes to its receiver, the line, and understands none.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import socket
import time
from typing import TYPE_CHECKING, Protocol

import serial

from devices.modbus.serial_port import open_port
from devices.modbus.troubles import LineDown, Trouble, UrlRefused
from devices.modbus.urls import LineUrl, parse_url
from devices.modbus.words import N_, Sentence

if TYPE_CHECKING:
    from devices.modbus.switchboard import Switchboard

CONNECT_TIMEOUT_S = 10.0
_PAUSES_S = (1.0, 2.0, 5.0, 10.0, 20.0, 30.0)


def open(url: str | LineUrl, switchboard: Switchboard | None = None) -> Transport:
    """The transport of a URL, not yet connected; raises UrlRefused.

    `dial://` needs the switchboard at which the transmitter registers.
    """
    parsed = parse_url(url) if isinstance(url, str) else url
    if parsed.scheme == "serial":
        return SerialTransport(parsed)
    if parsed.scheme != "dial":
        return TcpTransport(parsed.host, parsed.port)
    if switchboard is None:
        raise UrlRefused(
            N_("传输装置 %(id)s 由平台等待拨入；在命令行里请写 dial://%(id)s?listen=主机:端口"),
            id=parsed.transmitter,
        )
    return switchboard.transport_for(parsed.transmitter)


class Receiver(Protocol):
    """Whoever a transport serves: the line."""

    @property
    def expects_reply(self) -> bool: ...

    def arrived(self, data: bytes) -> None: ...
    def up(self) -> None: ...
    def lost(self, why: Trouble) -> None: ...


class Transport:
    """A way for bytes, and its state.

    connected; `since` when it is so or not (Unix seconds); `trouble` why it is not; bytes counted
    both ways, as the carrier counts them, never set back.
    """

    __slots__ = (
        "_change",
        "_keeping",
        "_lost_at",
        "_receiver",
        "away_s",
        "bytes_in",
        "bytes_out",
        "connected",
        "since",
        "trouble",
    )

    def __init__(self) -> None:
        self.connected = False
        self.since = time.time()
        self.trouble: Sentence | None = None
        self.bytes_in = 0
        self.bytes_out = 0
        self.away_s = 0.0
        self._lost_at: float | None = None
        self._receiver: Receiver | None = None
        self._change: asyncio.Event | None = None  # made by who waits for it
        self._keeping: asyncio.Task[None] | None = None

    @property
    def proof(self) -> str | None:
        """How the connection of now proved whose it is, "" if not at all; None where no proof is
        asked for."""
        return None

    @property
    def holds_writes(self) -> Sentence | None:
        """Why nothing may be written over this connection now; None where it may."""
        return None

    def attach(self, receiver: Receiver) -> None:
        """From now on this one hears the bytes, and of connections made and lost."""
        self._receiver = receiver

    async def connect(self) -> None:
        """Connect once; raises LineDown with the reason. Nothing to do if connected."""
        raise NotImplementedError

    def write(self, data: bytes) -> None:
        """Send bytes; silently dropped where not connected, which the receiver is told anyway."""
        raise NotImplementedError

    def keep(self) -> None:
        """Connect, and connect again after every loss, until closed."""
        if self._keeping is None:
            self._keeping = asyncio.get_running_loop().create_task(self._keep())

    async def close(self) -> None:
        """Give the connection back and stay away."""
        if self._keeping:
            self._keeping.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeping
            self._keeping = None

    async def _keep(self) -> None:
        failures = 0
        while True:
            try:
                await self.connect()
            except LineDown:
                pause = _PAUSES_S[min(failures, len(_PAUSES_S) - 1)]
                failures += 1
                await asyncio.sleep(pause * random.uniform(0.8, 1.2))
            else:
                failures = 0
                while self.connected:
                    await self._changes()
                await asyncio.sleep(_PAUSES_S[0] * random.uniform(0.2, 1.0))

    async def _changes(self) -> None:
        """Wait until it is connected, or is not any more."""
        if self._change is None:
            self._change = asyncio.Event()
        self._change.clear()
        await self._change.wait()

    def _changed(self) -> None:
        if self._change:
            self._change.set()

    def _is_up(self) -> None:
        self.connected, self.since, self.trouble = True, time.time(), None
        self.away_s = 0.0 if self._lost_at is None else time.monotonic() - self._lost_at
        self._changed()
        if self._receiver:
            self._receiver.up()

    def _is_lost(self, why: Trouble) -> None:
        if not self.connected:
            return
        self.connected, self.since, self.trouble = False, time.time(), why.sentence
        self._lost_at = time.monotonic()
        self._changed()
        if self._receiver:
            self._receiver.lost(why)

    def _deliver(self, data: bytes) -> None:
        self.bytes_in += len(data)
        if self._receiver:
            self._receiver.arrived(data)

    def _failed(self, template: str, **params: object) -> LineDown:
        down = LineDown(template, **params)
        self.trouble = down.sentence
        return down


class _Connection(asyncio.Protocol):
    """One TCP connection of a TcpTransport; a later one has an object of its own."""

    def __init__(self, owner: TcpTransport) -> None:
        self._owner = owner
        self.data_received = owner._deliver  # type: ignore[method-assign]  # one call less

    def connection_lost(self, exc: Exception | None) -> None:
        self._owner._connection_lost(self)


class TcpTransport(Transport):
    """An outgoing TCP connection, for RTU frames as well as for Modbus TCP."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__()
        self.host = host
        self.port = port
        self._socket: asyncio.Transport | None = None
        self._connection: _Connection | None = None

    async def connect(self) -> None:
        if self.connected:
            return
        where = {"host": self.host, "port": self.port}
        loop = asyncio.get_running_loop()
        connection = _Connection(self)
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                self._socket, _ = await loop.create_connection(
                    lambda: connection, self.host, self.port
                )
        except TimeoutError:
            raise self._failed(N_("%(host)s:%(port)d 连接超时"), **where) from None
        except ConnectionRefusedError:
            raise self._failed(
                N_("%(host)s:%(port)d 拒绝连接：端口没有开放，请检查地址和网关"), **where
            ) from None
        except socket.gaierror:
            raise self._failed(N_("找不到主机 %(host)s"), **where) from None
        except OSError as error:
            raise self._failed(
                N_("%(host)s:%(port)d 连接失败：%(why)s"), why=_reason(error), **where
            ) from None
        if self._socket.is_closing():
            raise self._failed(N_("%(host)s:%(port)d 的连接已断开"), **where)
        self._connection = connection
        watch_for_dead_peers(self._socket)
        self._is_up()

    def write(self, data: bytes) -> None:
        if self._socket is not None:
            self.bytes_out += len(data)
            self._socket.write(data)

    async def close(self) -> None:
        await super().close()
        if self._socket is not None:
            self._socket.close()
            self._closed()

    def _connection_lost(self, connection: _Connection) -> None:
        if connection is self._connection:
            self._closed()

    def _closed(self) -> None:
        self._socket = self._connection = None
        self._is_lost(Trouble(N_("%(host)s:%(port)d 的连接已断开"), host=self.host, port=self.port))


def watch_for_dead_peers(transport: asyncio.BaseTransport) -> None:
    """Find half-open connections within three missed polls, be they ten seconds apart: what is
    sent must be acknowledged within 20 s. Keepalive is for who is hardly polled: less than the
    heartbeats of transmitters, for cards pay for it."""
    sock = transport.get_extra_info("socket")
    for level, option, value in (
        (socket.SOL_SOCKET, "SO_KEEPALIVE", 1),
        (socket.IPPROTO_TCP, "TCP_NODELAY", 1),
        (socket.IPPROTO_TCP, "TCP_KEEPIDLE", 330),
        (socket.IPPROTO_TCP, "TCP_KEEPINTVL", 20),
        (socket.IPPROTO_TCP, "TCP_KEEPCNT", 3),
        (socket.IPPROTO_TCP, "TCP_USER_TIMEOUT", 20_000),
    ):
        if hasattr(socket, option):  # not every system has each
            with contextlib.suppress(OSError):
                sock.setsockopt(level, getattr(socket, option), value)


class SerialTransport(Transport):
    """A serial port, opened exclusively and watched by the event loop itself."""

    def __init__(self, url: LineUrl) -> None:
        super().__init__()
        self.device = url.device
        self._url = url
        self._port: serial.Serial | None = None
        self._unsent = b""
        self._loop = asyncio.get_running_loop()

    async def connect(self) -> None:
        if self.connected:
            return
        try:
            port = open_port(self._url)
        except LineDown as down:
            self.trouble = down.sentence
            raise
        self._port = port
        self._unsent = b""
        self._loop.add_reader(port.fileno(), self._readable)
        self._is_up()

    def write(self, data: bytes) -> None:
        if self._port is None:
            return
        self.bytes_out += len(data)
        self._unsent += data
        self._flush()

    async def close(self) -> None:
        await super().close()
        self._closed()

    def _readable(self) -> None:
        if self._port is None:
            return
        try:
            data = os.read(self._port.fileno(), 4096)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self._deliver(data)
        else:
            self._closed()

    def _flush(self) -> None:
        if self._port is None:
            return
        fd = self._port.fileno()
        try:
            sent = os.write(fd, self._unsent)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._closed()
            return
        self._unsent = self._unsent[sent:]
        if self._unsent:
            self._loop.add_writer(fd, self._flush)
        else:
            self._loop.remove_writer(fd)

    def _closed(self) -> None:
        if self._port is None:
            return
        self._loop.remove_reader(self._port.fileno())
        self._loop.remove_writer(self._port.fileno())
        with contextlib.suppress(OSError):
            self._port.close()
        self._port = None
        self._is_lost(Trouble(N_("串口 %(device)s 已断开"), device=self.device))


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
