"""Everything that goes wrong between a master and its units, one class per kind.

A `Wire` hears the master's frames, lets its slaves answer and sends the replies back, in order as a
stream does. A share `rate` of the exchanges meets the mischief of the kind; lateness beyond the
time-out is at most LATEST_S. Damaged frames are damaged until their check is wrong: what passes a
CRC by chance (one in 65,536) is told from truth by no master, but by judging (rule 10).
"""

from __future__ import annotations

import random
import struct
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Sequence

from bench.slaves import AREAS, Slave, crc
from bench.virtual import Socket, VirtualLoop

TURN_ROUND_S = (0.02, 0.06)
TIME_OUT_S = 0.5
LATEST_S = 6.0
CHAR_S = 10 / 9600
WRITES = (5, 6, 15, 16)


class Wire:
    """A line without any mischief, over RTU frames; the far end of a socket."""

    flavour = "tcp"
    rate = 0.15

    def __init__(self, loop: VirtualLoop, slaves: Sequence[Slave], seed: int) -> None:
        self.loop = loop
        self.slaves = {slave.address: slave for slave in slaves}
        self.random = random.Random(seed)
        self.asked: dict[tuple[int, str, int], deque[tuple[float, int]]] = defaultdict(
            lambda: deque(maxlen=20)
        )
        self.frames = 0
        self.written: Counter[int] = Counter()
        self.last_reply = b""
        self.near: Socket
        self.dial: Callable[[], None]  # dial-in: make a new connection
        self._near: Callable[[bytes], None] = lambda data: None
        self._busy_until = 0.0

    # The far end of a connection.

    def connected(self, near: Socket) -> None:
        self.near = near
        self.opened(near.feed)

    def opened(self, feed: Callable[[bytes], None]) -> None:
        """From now on the master hears what is fed here."""
        self._near = feed

    def heard(self, data: bytes) -> None:
        """A frame of the master; it goes out in one write."""
        self.note(data)
        if self.random.random() < self.rate:
            self.mischief(data)
        else:
            self.serve(data)

    def note(self, frame: bytes) -> None:
        """Remember when the master asked for each register (of late), in which frame, and how
        often it wrote."""
        address, function, first, count = struct.unpack(">BBHH", frame[:6])
        self.frames += 1
        self.written[address] += function in WRITES
        if function in AREAS:
            for register in range(first, first + count):
                when = self.loop.time(), self.frames
                self.asked[address, AREAS[function], register].append(when)

    # What happens to a frame.

    def mischief(self, frame: bytes) -> None:
        self.serve(frame)

    def serve(self, frame: bytes) -> None:
        """The slave hears the frame and answers after its turn-round."""
        reply = self.reply_to(frame)
        if reply:
            self.send(reply, self.turn_round())

    def reply_to(self, frame: bytes) -> bytes | None:
        slave = self.slaves.get(frame[0])
        if slave is None or len(frame) < 8 or crc(frame[:-2]) != frame[-2:]:
            return None
        body = bytes((slave.address,)) + slave.answer(frame[1:-2])
        self.last_reply = body + crc(body)
        return self.last_reply

    def send(self, data: bytes, delay: float) -> None:
        """Towards the master, behind whatever is on its way."""
        self._busy_until = max(self._busy_until + 1e-6, self.loop.time() + delay)
        self.loop.call_at(self._busy_until, self._near, data)

    def overtake(self, data: bytes, delay: float) -> None:
        """Towards the master, whatever else is on its way."""
        self.loop.call_later(delay, self._near, data)

    # Chance.

    def turn_round(self) -> float:
        return self.random.uniform(*TURN_ROUND_S)

    def lateness(self) -> float:
        return TIME_OUT_S + self.random.uniform(0.0, LATEST_S)

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def junk(self, most: int = 12) -> bytes:
        """Noise: often what RS-485 without bias shows, sometimes the start of a frame."""
        size = self.random.randint(1, most)
        if self.chance(0.4):
            return bytes(self.random.choice((0x00, 0xFF)) for _ in range(size))
        if self.chance(0.3):
            return self.last_reply[:size]
        return self.random.randbytes(size)

    def damaged(self, frame: bytes) -> bytes:
        """The frame with some bits flipped, bytes missing or more of them; its check is wrong."""
        while True:
            hurt = bytearray(frame)
            at = self.random.randrange(len(hurt))
            how = self.random.randrange(3)
            if how == 0:
                hurt[at] ^= self.random.randint(1, 255)
            elif how == 1:
                del hurt[at : at + self.random.randint(1, 3)]
            else:
                hurt[at:at] = self.random.randbytes(self.random.randint(1, 3))
            if frame not in bytes(hurt) and crc(bytes(hurt[:-2])) != hurt[-2:]:
                return bytes(hurt)


class Late(Wire):
    """Replies after the time-out: a slow unit, a stalled link that holds everything behind it, or
    a request that was held and is heard late."""

    def mischief(self, frame: bytes) -> None:
        how = self.random.randrange(3)
        if how == 2:
            self.loop.call_later(self.lateness(), self.serve, frame)
        elif reply := self.reply_to(frame):
            (self.send if how else self.overtake)(reply, self.lateness())


class Duplicate(Wire):
    """Replies that come twice or three times."""

    def mischief(self, frame: bytes) -> None:
        reply = self.reply_to(frame)
        if reply is None:
            return
        self.send(reply, self.turn_round())
        for _ in range(self.random.randint(1, 2)):
            delay = self.random.choice((0.0, 0.004, 0.05, 0.3, 2.0)) * self.random.random()
            self.send(reply, TURN_ROUND_S[1] + delay)


class Lost(Wire):
    """Requests that never arrive, and replies that never do."""

    def mischief(self, frame: bytes) -> None:
        if self.chance(0.5):
            self.reply_to(frame)


class Noisy(Wire):
    """Noise before, behind and between, and damaged frames both ways."""

    def mischief(self, frame: bytes) -> None:
        how = self.random.randrange(4)
        if how == 0:
            frame = self.damaged(frame)
        reply = self.reply_to(frame) or b""
        if how == 1 and reply:
            reply = self.damaged(reply)
        elif how == 2:
            reply = self.junk() + reply
        elif how == 3:
            reply += self.junk()
        self.send(reply, self.turn_round())
        if self.chance(0.3):
            self.overtake(self.junk(3), self.random.random())


class Split(Wire):
    """Replies in pieces, with pauses like those of a packing gateway."""

    rate = 0.5

    def mischief(self, frame: bytes) -> None:
        reply = self.reply_to(frame) or b""
        delay = self.turn_round()
        longest = self.random.choice((0.002, 0.05, 0.25))
        while reply:
            size = self.random.choice((1, 2, 5, len(reply)))
            self.send(reply[:size], delay)
            reply = reply[size:]
            delay += self.random.random() * longest


class Glued(Wire):
    """Replies glued to what was held back: another reply, a duplicate, a part of a frame."""

    _held = b""

    def mischief(self, frame: bytes) -> None:
        reply = self.reply_to(frame) or b""
        how = self.random.randrange(4)
        if how == 0:
            self._held, reply = reply, b""  # comes with the next one
        elif how == 1:
            reply += reply[: self.random.choice((2, 7, len(reply)))]
        elif how == 2:
            self._held = reply[self.random.choice((0, 3)) :]
        self.send(reply, self.turn_round())

    def send(self, data: bytes, delay: float) -> None:
        if data and self._held and self.chance(0.7):
            data, self._held = self._held + data, b""
        super().send(data, delay)


class StaleEcho(Wire):
    """Writes answered with the echo of an earlier write; some of them are not even done.

    Where a write is not done the echo is another one's: the very echo of a lost write, for a pulse
    that leaves no trace, is proof by the paper's own rule.
    """

    _echoes: tuple[bytes, ...] = ()

    def heard(self, data: bytes) -> None:
        self.note(data)
        if data[1] in WRITES and self.chance(0.5):
            self._stale(data)
        elif self._echoes and self.chance(self.rate / 3):
            self.send(self.random.choice(self._echoes), 0.005)
            self.serve(data)
        else:
            self.serve(data)
        if data[1] in WRITES:
            body = data[:6]
            self._echoes = (*self._echoes[-5:], body + crc(body))

    def _stale(self, frame: bytes) -> None:
        like = [echo for echo in self._echoes if echo[:2] == frame[:2]]
        reply = self.reply_to(frame) if self.chance(0.6) else None
        if reply is None:
            like = [echo for echo in like if echo[:6] != frame[:6]]
        if like:
            self.send(self.random.choice(like), self.turn_round())
        if reply and self.chance(0.5):
            self.send(reply, TURN_ROUND_S[1] + self.random.choice((0.0, 0.05, TIME_OUT_S)))


class Heartbeats(Wire):
    """A transmitter's heartbeats between frames, glued to them and, rarely, inside them."""

    flavour = "dial"
    rate = 0.4
    beats = (b"\xfe", b"ping", b"\x00\x00", b"\xff", b"QN-1-heartbeat", b"860000000000001")

    def mischief(self, frame: bytes) -> None:
        beat = self.random.choice(self.beats)
        reply = self.reply_to(frame) or b""
        how = self.random.randrange(5)
        if how == 0:
            reply = beat + reply
        elif how == 1:
            reply += beat
        elif how == 2 and self.chance(0.2):
            reply = reply[:4] + beat + reply[4:]
        else:
            self.send(beat, 0.01)
        self.send(reply, self.turn_round())
        self.overtake(beat, 3 * self.random.random())


def stuffed(data: bytes) -> bytes:
    """As Four-Faith does: FD becomes FD ED, FE becomes FD EE."""
    return data.replace(b"\xfd", b"\xfd\xed").replace(b"\xfe", b"\xfd\xee")


def unstuffed(data: bytes) -> bytes:
    """The reverse, of a whole frame."""
    return data.replace(b"\xfd\xee", b"\xfe").replace(b"\xfd\xed", b"\xfd")


class Stuffing(Wire):
    """Four-Faith: stuffed both ways, split between the two bytes of a pair, heartbeats of one FE
    anywhere, late and lost replies."""

    flavour = "dial"
    rate = 0.4

    def registration(self, name: str) -> bytes:
        return b"\x00\x00\x00\x01" + name.encode() + b"\0" + b"\x0a\0\0\1" + b"\0"

    def heard(self, data: bytes) -> None:
        super().heard(unstuffed(data))

    def send(self, data: bytes, delay: float) -> None:
        super().send(stuffed(data), delay)

    def overtake(self, data: bytes, delay: float) -> None:
        super().overtake(stuffed(data), delay)

    def mischief(self, frame: bytes) -> None:
        reply = stuffed(self.reply_to(frame) or b"")
        how = self.random.randrange(5)
        if how == 0 and self.chance(0.5):
            super().send(reply, self.lateness())
        elif how == 1 and self.chance(0.5):
            return
        elif how < 4:
            self._in_pieces(reply)
        else:
            Wire.send(self, b"\xfe" + reply + b"\xfe", self.turn_round())
        Wire.overtake(self, b"\xfe", 2 * self.random.random())

    def _in_pieces(self, reply: bytes) -> None:
        delay = self.turn_round()
        cut = reply.find(b"\xfd") + 1 or self.random.randrange(len(reply) + 1)
        for piece in (reply[:cut], b"\xfe" if self.chance(0.3) else b"", reply[cut:]):
            Wire.send(self, piece, delay)
            delay += self.random.random() * 0.1
