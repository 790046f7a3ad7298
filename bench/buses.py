"""Wires on which more is heard than replies: an adapter's own echo, a second master, a transmitter
that dials again, and Modbus TCP."""

from __future__ import annotations

import asyncio
import struct
from dataclasses import dataclass, field

from bench.mischief import CHAR_S, TIME_OUT_S, TURN_ROUND_S, Wire
from bench.slaves import crc
from bench.virtual import VirtualLoop
from devices.modbus.transports import Transport


class Port(Transport):
    """A serial port that leads to a wire."""

    def __init__(self, wire: Wire) -> None:
        super().__init__()
        self._wire = wire

    async def connect(self) -> None:
        if not self.connected:
            self._wire.opened(self._deliver)
            self._is_up()

    def write(self, data: bytes) -> None:
        self.bytes_out += len(data)
        self._wire.heard(data)


class LocalEcho(Wire):
    """An adapter that hears itself: every request comes back, in pieces, before the reply; also
    where no unit answers."""

    flavour = "serial"

    def heard(self, data: bytes) -> None:
        self.note(data)
        wire_s = len(data) * CHAR_S
        cut = self.random.randrange(len(data) + 1)
        self.overtake(data[:cut], wire_s * cut / len(data))
        self.overtake(data[cut:], wire_s + 0.002 * self.random.random())
        if self.random.random() >= self.rate:
            self.loop.call_later(wire_s, self.serve, data)
        else:
            self.loop.call_later(wire_s, self.mischief, data)

    def mischief(self, frame: bytes) -> None:
        how = self.random.randrange(4)
        reply = self.reply_to(frame) if how else None
        if reply and how == 1:
            self.overtake(reply, self.lateness())
        elif reply and how == 2:
            self.send(self.damaged(reply), self.turn_round())

    def send(self, data: bytes, delay: float) -> None:
        super().send(data, delay + len(data) * CHAR_S)


@dataclass
class _Talk:
    """Bytes on a bus while they last."""

    data: bytes
    speaker: object
    collided: bool = field(default=False)


class SecondMaster(Wire):
    """Somebody else asks the same units for the same blocks, and writes now and then: in bouts of a
    minute with quiet minutes between. Who talks while another does garbles both."""

    flavour = "serial"
    bout_s, quiet_s = (5.0, 60.0), (10.0, 600.0)

    def __init__(self, loop: VirtualLoop, *slaves_and_seed: object) -> None:
        super().__init__(loop, *slaves_and_seed)  # type: ignore[arg-type]
        self._talks: list[_Talk] = []
        self._silent_since = 0.0
        self._stranger = loop.create_task(self._ask_now_and_then())
        self.foreign = 0

    def heard(self, data: bytes) -> None:
        self.note(data)
        self._talk(data, self)

    def _talk(self, data: bytes, speaker: object) -> None:
        talk = _Talk(data, speaker, collided=bool(self._talks))
        for other in self._talks:
            other.collided = True
        self._talks.append(talk)
        self.loop.call_later(len(data) * CHAR_S, self._said, talk)

    def _said(self, talk: _Talk) -> None:
        self._talks.remove(talk)
        self._silent_since = self.loop.time()
        data = self.damaged(talk.data) if talk.collided else talk.data
        if talk.speaker is not self:
            self._near(data)
        if talk.speaker in (self, "stranger"):
            self.serve(data)

    def send(self, data: bytes, delay: float) -> None:
        self.loop.call_later(delay, self._talk, data, "slave")

    async def _ask_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(self.random.uniform(*self.quiet_s))
            until = self.loop.time() + self.random.uniform(*self.bout_s)
            while self.loop.time() < until:
                await asyncio.sleep(self.random.uniform(0.03, 0.4))
                if not self._talks and self.loop.time() - self._silent_since > 0.004:
                    self.foreign += 1
                    self._talk(self._foreign_request(), "stranger")

    def _foreign_request(self) -> bytes:
        address = self.random.choice(list(self.slaves))
        if self.chance(0.1):
            pdu = struct.pack(">BHH", 6, 2, self.random.randint(16, 26))
        else:
            block = self.random.choice(((3, 100, 8), (3, 200, 8), (3, 2, 3), (4, 0, 3), (3, 0, 1)))
            pdu = struct.pack(">BHH", *block)
        body = bytes((address,)) + pdu
        return body + crc(body)


class Redial(Wire):
    """A transmitter that dials again: after a clean end, over a connection that is half open still,
    with the reply in flight lost, sent to the old connection, or buffered and sent over the new."""

    flavour = "dial"
    rate = 0.05
    every_s = (30.0, 600.0)

    def __init__(self, loop: VirtualLoop, *slaves_and_seed: object) -> None:
        super().__init__(loop, *slaves_and_seed)  # type: ignore[arg-type]
        self._buffered: list[bytes] = []
        self._away = False
        self._redialling = loop.create_task(self._redial_now_and_then())

    def mischief(self, frame: bytes) -> None:
        reply = self.reply_to(frame)
        if reply and self.chance(0.5):
            self.overtake(reply, self.lateness())

    def send(self, data: bytes, delay: float) -> None:
        if self._away:
            self._buffered.append(data)
        else:
            super().send(data, delay)

    async def _redial_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(self.random.uniform(*self.every_s))
            old = self.near
            if self.chance(0.4):
                old.close()
            self._away = True
            await asyncio.sleep(self.random.choice((0.1, 1.0, 10.0, 90.0)) * self.random.random())
            self._away = False
            self.dial()
            await asyncio.sleep(self.random.random())
            for data in self._buffered:
                self.send(data, self.random.random())
            self._buffered.clear()
            old.feed(self.last_reply)
            await asyncio.sleep(5 * self.random.random())
            old.close()


class ModbusTcp(Wire):
    """Modbus TCP through a converter: late, doubled, lost and split replies, and some to requests
    of long ago."""

    flavour = "mbap"

    def heard(self, data: bytes) -> None:
        self.note(data[6:] + b"\0\0")
        reply = self._answered(data)
        if reply is None:
            return
        if self.random.random() >= self.rate:
            self.send(reply, self.turn_round())
            return
        how = self.random.randrange(5)
        if how == 0:
            self.loop.call_later(self.lateness(), self.send, reply, 0.0)  # never inside another
        elif how == 1:
            self.send(reply + reply, self.turn_round())
        elif how == 2:
            cut = self.random.randrange(len(reply))
            self.send(reply[:cut], TURN_ROUND_S[0])
            self.send(reply[cut:], TURN_ROUND_S[1] + TIME_OUT_S * self.random.random())
        elif how == 3:
            self.send(self.last_reply + reply, self.turn_round())
        self.last_reply = reply

    def _answered(self, frame: bytes) -> bytes | None:
        slave = self.slaves.get(frame[6])
        if slave is None:
            return None
        pdu = slave.answer(frame[7:])
        return frame[:4] + struct.pack(">HB", len(pdu) + 1, slave.address) + pdu
