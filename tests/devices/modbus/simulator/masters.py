"""Plain masters for the tests: they send a frame and read what comes, no more."""

import asyncio
import os
import tty
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from devices.modbus.simulator.rtu import crc, wrap

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[Streams]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()


async def ask(streams: Streams, address: int, pdu: str, *, width: int = 1, wait: float = 1) -> str:
    """The reply's PDU in hexadecimal, checked for address and CRC; "" for silence."""
    reader, writer = streams
    writer.write(wrap(address, bytes.fromhex(pdu), width))
    try:
        frame = await asyncio.wait_for(reader.read(300), wait)
    except TimeoutError:
        return ""
    assert frame[:width] == address.to_bytes(width, "big")
    assert crc(frame[:-2]) == frame[-2:]
    return frame[width:-2].hex()


class Port:
    """A raw serial port at the far end of a pseudo-terminal, with the time of each arrival."""

    def __init__(self, path: str) -> None:
        self.fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        tty.setraw(self.fd)
        self.loop = asyncio.get_running_loop()
        self.loop.add_reader(self.fd, self._read)
        self.got = b""
        self.arrivals: list[tuple[float, int]] = []  # loop time, bytes so far

    def _read(self) -> None:
        self.got += os.read(self.fd, 4096)
        self.arrivals.append((self.loop.time(), len(self.got)))

    async def ask(self, address: int, pdu: str, size: int, wait: float = 2) -> bytes:
        """Send a request and wait for `size` bytes, or for `wait` seconds."""
        self.got, self.arrivals = b"", []
        self.sent_at = self.loop.time()
        os.write(self.fd, wrap(address, bytes.fromhex(pdu)))
        end = self.sent_at + wait
        while len(self.got) < size and self.loop.time() < end:
            await asyncio.sleep(0.002)
        return self.got

    def close(self) -> None:
        self.loop.remove_reader(self.fd)
        os.close(self.fd)
