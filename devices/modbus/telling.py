"""What bytes on a line mean, in words, for people who look on while master and units talk.

A line is told from its first chunk to its last by one `Teller`, because a reply names neither the
registers that it answers for nor, in pieces, where it began.
"""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from devices.modbus.cells import Area
from devices.modbus.decoding import evidence
from devices.modbus.frames import READ_FUNCTIONS, Order, crc16
from devices.modbus.troubles import EXCEPTIONS
from devices.modbus.words import N_, Sentence

Kind = Literal[
    "request", "reply", "exception", "late", "repeat", "echo", "foreign", "text", "part", "noise"
]

AREAS: dict[int, Area] = {function: area for area, function in READ_FUNCTIONS.items()}
READS = {
    1: N_("地址 %(address)d：读 线圈 %(start)d，%(count)d 个"),
    2: N_("地址 %(address)d：读 离散输入 %(start)d，%(count)d 个"),
    3: N_("地址 %(address)d：读 保持 %(start)d，%(count)d 个"),
    4: N_("地址 %(address)d：读 输入 %(start)d，%(count)d 个"),
}
WRITES = {
    5: N_("地址 %(address)d：写 线圈 %(start)d = %(values)s"),
    6: N_("地址 %(address)d：写 保持 %(start)d = %(values)s"),
    15: N_("地址 %(address)d：写 线圈 %(start)d 起 %(count)d 个 = %(values)s"),
    16: N_("地址 %(address)d：写 保持 %(start)d 起 %(count)d 个 = %(values)s"),
}
LATELY = 4  # requests whose late reply is still known for one
SHOWN_WORDS = 8


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as the wire said it; `start` and `count` of registers or bits, `data` written."""

    address: int
    function: int
    start: int
    count: int
    values: tuple[int, ...] = ()

    @property
    def area(self) -> Area:
        return AREAS.get(self.function, "coil" if self.function in (5, 15) else "holding")

    @property
    def reply_length(self) -> int:
        """Bytes of the reply's PDU."""
        if self.function not in AREAS:
            return 5
        return 2 + ((self.count + 7) // 8 if self.function < 3 else 2 * self.count)


@dataclass(frozen=True, slots=True)
class Told:
    """A piece of a chunk and what it means.

    `good` is False where the check (CRC) is wrong or the bytes are no frame. Of replies to reads
    `asked` and `values` (words, or bits) say what was read.
    """

    kind: Kind
    sentence: Sentence
    good: bool = True
    address: int | None = None
    asked: Asked | None = None
    values: tuple[int, ...] = ()


def asked_of(address: int, pdu: bytes) -> Asked | None:
    """A request's meaning; None for a function that we know nothing of, or a wrong length."""
    function = pdu[0] if pdu else 0
    if function in AREAS and len(pdu) == 5:
        return Asked(address, function, *struct.unpack(">HH", pdu[1:]))
    if function in (5, 6) and len(pdu) == 5:
        start, word = struct.unpack(">HH", pdu[1:])
        return Asked(address, function, start, 1, (word if function == 6 else int(word != 0),))
    if function in (15, 16) and len(pdu) > 6 and len(pdu) == 6 + pdu[5]:
        start, count = struct.unpack(">HH", pdu[1:5])
        return Asked(address, function, start, count, _unpacked(function, pdu[6:])[:count])
    return None


def _unpacked(function: int, data: bytes) -> tuple[int, ...]:
    """Words of functions 3, 4 and 16, bits of the others."""
    if function in (3, 4, 16):
        return struct.unpack(f">{len(data) // 2}H", data[: len(data) // 2 * 2])
    bits = int.from_bytes(data, "little")
    return tuple((bits >> place) & 1 for place in range(8 * len(data)))


def _written(values: Sequence[int], area: Area) -> str:
    """The first few words or bits; all of the bytes stand beside anyway."""
    text = evidence(values[:SHOWN_WORDS], area)
    return f"{text} …" if len(values) > SHOWN_WORDS else text


class Teller:
    """Tells the chunks of one line in their order.

    `width` and `order` of unit addresses, or Modbus TCP; `names` are ids and texts by which the
    line's transmitter is known.
    """

    def __init__(
        self,
        *,
        mbap: bool = False,
        width: int = 1,
        order: Order = "big",
        names: Collection[str] = (),
    ) -> None:
        self._mbap = mbap
        self._width = 7 if mbap else width
        self._tail = 0 if mbap else 2
        self._order = order
        self._names = [name.casefold() for name in names if name]
        self._asked: Asked | None = None
        self._sent = b""
        self._answered = False
        self._missed: deque[Asked] = deque(maxlen=LATELY)
        self._rest = b""

    def tell(self, direction: str, data: bytes) -> list[Told]:
        """What one chunk, sent ("out") or heard ("in"), means, piece by piece."""
        if direction == "out":
            return [self._said(data)]
        return list(self._heard(data))

    def _said(self, frame: bytes) -> Told:
        self._rest = b""
        address, pdu = self._address(frame), frame[self._width : len(frame) - self._tail]
        asked = asked_of(address, pdu)
        if self._asked and not self._answered:
            self._missed.append(self._asked)
        self._asked, self._answered, self._sent = asked, False, frame
        return _request(asked) if asked else _unknown_function(address, pdu)

    def _address(self, frame: bytes) -> int:
        if self._mbap:
            return frame[6] if len(frame) > 6 else 0
        return int.from_bytes(frame[: self._width], self._order)

    # What arrives: frames one after the other, and what stands between them.

    def _heard(self, data: bytes) -> Iterator[Told]:
        before = len(self._rest)
        buffer, self._rest = self._rest + data, b""
        stray, at = bytearray(), 0
        while at < len(buffer):
            size = self._frame_at(buffer, at)
            if size is None and self._is_begun(buffer[at:]):
                break
            if size is None:
                stray.append(buffer[at])
                at += 1
                continue
            yield from self._between(stray, before)
            yield self._frame(buffer[at : at + size])
            stray, before, at = bytearray(), 0, at + size
        yield from self._between(stray, before)
        if at < len(buffer):
            self._rest = buffer[at:]
            yield _part(self._rest)

    def _between(self, stray: bytearray, before: int) -> Iterator[Told]:
        if before:
            yield Told("part", Sentence(N_("接上一段 %(count)d 字节"), count=before))
        if len(stray) > before:
            yield self._stray(bytes(stray))

    def _frame_at(self, buffer: bytes, at: int) -> int | None:
        """The size of the whole frame that begins here, if one does."""
        if self._asked and buffer.startswith(self._sent, at):
            return len(self._sent)
        for size in self._sizes(buffer[at : at + self._width + 7]):
            frame = buffer[at : at + size]
            if len(frame) == size and (self._mbap or crc16(frame) == 0):
                return size
        return None

    def _sizes(self, head: bytes) -> Iterator[int]:
        """How long a frame with this head may be; a reply comes before a request."""
        pdu = head[self._width :]
        if self._mbap:
            if len(head) > 7 and head[2:4] == b"\0\0" and 3 <= (size := head[5] + 6) <= 260:
                yield size
            return
        if not pdu:
            return
        edges = self._width + self._tail
        if pdu[0] & 0x80:
            yield 2 + edges
        elif pdu[0] in AREAS and len(pdu) > 1:
            yield 2 + pdu[1] + edges
        if pdu[0] in (*AREAS, *WRITES):
            yield 5 + edges
        if pdu[0] in (15, 16) and len(pdu) > 5:
            yield 6 + pdu[5] + edges

    def _is_begun(self, rest: bytes) -> bool:
        """Whether the awaited reply may have begun here and goes on in the next chunk."""
        asked = self._asked
        if asked is None or self._answered:
            return False
        head = self._sent[:4] if self._mbap else self._head(asked)
        size = self._width + asked.reply_length + self._tail
        return len(rest) < size and head.startswith(rest[: len(head)])

    def _head(self, asked: Asked) -> bytes:
        return asked.address.to_bytes(self._width, self._order) + bytes((asked.function,))

    def _frame(self, frame: bytes) -> Told:
        address, pdu = self._address(frame), frame[self._width : len(frame) - self._tail]
        asked = self._asked
        if frame == self._sent and asked and asked.function not in (5, 6):
            return Told("echo", Sentence(N_("本地回显：发出的字节原样回来")), address=address)
        if asked is None or not self._is_for(frame) or not _answers(asked, address, pdu):
            return self._unasked(address, pdu)
        if self._answered:
            return Told("repeat", Sentence(N_("重复的应答")), address=address)
        self._answered = True
        return _reply(asked, pdu)

    def _is_for(self, frame: bytes) -> bool:
        """Modbus TCP numbers its requests; elsewhere nothing but the place tells."""
        return not self._mbap or frame[:2] == self._sent[:2]

    def _unasked(self, address: int, pdu: bytes) -> Told:
        known = {"address": address, "function": pdu[0] & 0x7F}
        late = next((one for one in self._missed if _answers(one, address, pdu)), None)
        if late:
            self._missed.remove(late)
            template = N_("地址 %(address)d 对先前请求（功能码 %(function)d）的迟到应答，不采用")
            return Told("late", Sentence(template, **known), address=address)
        asked = asked_of(address, pdu)
        if asked and (asked.function in AREAS or len(pdu) > 5):
            template = N_("不是平台发出的请求：地址 %(address)d，功能码 %(function)d")
        else:
            template = N_("没有请求过的报文：地址 %(address)d，功能码 %(function)d")
        return Told("foreign", Sentence(template, **known), address=address)

    def _stray(self, data: bytes) -> Told:
        asked = self._asked
        if asked is None or self._answered or self._mbap or self._head(asked) not in data:
            return _noise(data, self._names)
        sentence = Sentence(N_("地址 %(address)d 的应答，校验错误"), address=asked.address)
        return Told("noise", sentence, False, asked.address)


def _answers(asked: Asked, address: int, pdu: bytes) -> bool:
    if address != asked.address or pdu[0] & 0x7F != asked.function:
        return False
    if pdu[0] & 0x80:
        return len(pdu) == 2
    return len(pdu) == asked.reply_length


def _request(asked: Asked) -> Told:
    params = {"address": asked.address, "start": asked.start, "count": asked.count}
    if asked.function in READS:
        sentence = Sentence(READS[asked.function], **params)
    else:
        values = _written(asked.values, asked.area)
        sentence = Sentence(WRITES[asked.function], **params, values=values)
    return Told("request", sentence, address=asked.address, asked=asked)


def _unknown_function(address: int, pdu: bytes) -> Told:
    if not pdu:
        return Told("noise", Sentence(N_("不成报文")), False)
    template = N_("地址 %(address)d：功能码 %(function)d")
    return Told("request", Sentence(template, address=address, function=pdu[0]), address=address)


def _reply(asked: Asked, pdu: bytes) -> Told:
    address = asked.address
    if pdu[0] & 0x80:
        return _exception(address, pdu[1])
    if asked.function in AREAS:
        values = _unpacked(asked.function, pdu[2:])[: asked.count]
        written = _written(values, asked.area)
        sentence = Sentence(
            N_("地址 %(address)d 应答：%(values)s"), address=address, values=written
        )
        return Told("reply", sentence, address=address, asked=asked, values=values)
    if _confirms(asked, pdu):
        return Told("reply", Sentence(N_("地址 %(address)d 应答：与写入一致"), address=address))
    return Told("reply", Sentence(N_("地址 %(address)d 应答：与写入不符"), address=address), False)


def _confirms(asked: Asked, pdu: bytes) -> bool:
    start, second = struct.unpack(">HH", pdu[1:5])
    if asked.function == 5:
        second = int(second != 0)
    expected = asked.values[0] if asked.function in (5, 6) else asked.count
    return (start, second) == (asked.start, expected)


def _exception(address: int, code: int) -> Told:
    meaning = EXCEPTIONS.get(code)
    if meaning is None:
        template = N_("地址 %(address)d 返回异常码 %(code)d")
        return Told("exception", Sentence(template, address=address, code=code), address=address)
    template = N_("地址 %(address)d 返回异常码 %(code)d（%(meaning)s）")
    sentence = Sentence(template, address=address, code=code, meaning=meaning)
    return Told("exception", sentence, address=address)


def _part(rest: bytes) -> Told:
    return Told("part", Sentence(N_("应答的开头 %(count)d 字节，其余在后"), count=len(rest)))


def _noise(data: bytes, names: Sequence[str]) -> Told:
    """Bytes outside of frames: what they are likely to be."""
    count = len(data)
    text = data.strip(b"\r\n\t \0")
    if data == b"\xfe":
        return Told("text", Sentence(N_("心跳 FE")))
    if len(text) >= 2 and all(0x20 <= byte < 0x7F for byte in text):
        said = text.decode("ascii")
        if any(name in said.casefold() for name in names):
            return Told("text", Sentence(N_("注册包“%(text)s”"), text=said))
        return Told("text", Sentence(N_("文字“%(text)s”，多为心跳"), text=said))
    if set(data) <= {0x00, 0xFF}:
        template = N_("%(count)d 字节只有 00 或 FF：多为总线缺少偏置或终端电阻")
        return Told("noise", Sentence(template, count=count), False)
    return Told("noise", Sentence(N_("%(count)d 字节不成报文，已略过"), count=count), False)
