"""Request and reply PDUs as a slave sees them (Modbus Application Protocol V1.1b3, chapter 6)."""

from __future__ import annotations

from dataclasses import dataclass

from devices.modbus.simulator.bank import ILLEGAL_FUNCTION, ILLEGAL_VALUE, Refused

READ_AREA = {1: "coil", 2: "discrete", 3: "holding", 4: "input"}
WRITE_AREA = {5: "coil", 6: "holding", 15: "coil", 16: "holding"}
COIL_WORDS = {0xFF00: 1, 0x0000: 0}


@dataclass(frozen=True, slots=True)
class Read:
    function: int
    area: str
    address: int
    count: int


@dataclass(frozen=True, slots=True)
class Write:
    function: int
    area: str
    address: int
    words: list[int]
    echo: bytes


def parse(pdu: bytes) -> Read | Write:
    """The request in a PDU; raises Refused where a slave answers an exception."""
    function = pdu[0]
    if function not in READ_AREA and function not in WRITE_AREA:
        raise Refused(ILLEGAL_FUNCTION)
    if len(pdu) < 5:
        raise Refused(ILLEGAL_VALUE)
    address, second = int.from_bytes(pdu[1:3], "big"), int.from_bytes(pdu[3:5], "big")
    if function in READ_AREA:
        return Read(function, READ_AREA[function], address, second)
    words = _words(function, second, pdu[5:])
    return Write(function, WRITE_AREA[function], address, words, pdu[:5])


def _words(function: int, second: int, rest: bytes) -> list[int]:
    if function == 5:
        if second not in COIL_WORDS:
            raise Refused(ILLEGAL_VALUE)
        return [COIL_WORDS[second]]
    if function == 6:
        return [second]
    size = (second + 7) // 8 if function == 15 else 2 * second
    if not second or len(rest) != size + 1 or rest[0] != size:
        raise Refused(ILLEGAL_VALUE)
    data = rest[1:]
    if function == 15:
        return [data[at // 8] >> at % 8 & 1 for at in range(second)]
    return [int.from_bytes(data[at : at + 2], "big") for at in range(0, size, 2)]


def reply(request: Read, words: list[int]) -> bytes:
    """The reply PDU to a read."""
    if request.function <= 2:
        packed = sum(bit << at for at, bit in enumerate(words))
        data = packed.to_bytes((len(words) + 7) // 8, "little")
    else:
        data = b"".join(word.to_bytes(2, "big") for word in words)
    return bytes((request.function, len(data))) + data
