"""RTU frames as a slave hears and sends them, with one- or two-byte addresses."""

from __future__ import annotations

LENGTH = {1: 6, 2: 6, 3: 6, 4: 6, 5: 6, 6: 6}  # function and data and CRC, without the address


def _table() -> tuple[int, ...]:
    entries = []
    for index in range(256):
        for _ in range(8):
            index = index >> 1 ^ 0xA001 if index & 1 else index >> 1
        entries.append(index)
    return tuple(entries)


TABLE = _table()


def crc(data: bytes | bytearray) -> bytes:
    """The frame's check, low byte first."""
    value = 0xFFFF
    for byte in data:
        value = value >> 8 ^ TABLE[(value ^ byte) & 0xFF]
    return value.to_bytes(2, "little")


def wrap(address: int, pdu: bytes, width: int = 1, order: str = "big") -> bytes:
    body = address.to_bytes(width, "big" if order == "big" else "little") + pdu
    return body + crc(body)


def take(buffer: bytearray, width: int = 1, order: str = "big") -> list[tuple[int, bytes]]:
    """Take every whole request (address, PDU) out of the buffer; noise before one is dropped."""
    found = []
    while len(buffer) >= width + 3:
        size = _size(buffer, width)
        if size is not None and size > len(buffer):
            if _has_request_later(buffer, width):
                del buffer[0]
                continue
            break
        if size is None or not _is_whole(buffer, size) or _is_noise(buffer, width):
            del buffer[0]
            continue
        address = int.from_bytes(buffer[:width], "big" if order == "big" else "little")
        found.append((address, bytes(buffer[width : size - 2])))
        del buffer[:size]
    return found


def _size(buffer: bytearray, width: int) -> int | None:
    """Bytes of the request that starts here, or None if none can start here."""
    function = buffer[width]
    if function in LENGTH:
        return width + 1 + LENGTH[function]
    if function in (15, 16):
        # Until the byte count is there, ask for as much as shows it.
        return width + 8 + buffer[width + 5] if len(buffer) > width + 5 else width + 8
    # A function that no unit knows has no known length: the chunk is taken as one frame.
    return len(buffer) if _is_whole(buffer, len(buffer)) else None


def _is_whole(buffer: bytearray, size: int) -> bool:
    return crc(buffer[: size - 2]) == buffer[size - 2 : size]


def _is_noise(buffer: bytearray, width: int) -> bool:
    """Whether a chunk with an unknown function ends in a request of its own: noise whose check
    comes out as the initial value leaves the check of all that follows right."""
    function = buffer[width]
    return function not in LENGTH and function not in (15, 16) and _has_request_later(buffer, width)


def _has_request_later(buffer: bytearray, width: int) -> bool:
    """Whether a whole request stands further on, so that what comes first must be noise."""
    for start in range(1, len(buffer) - width - 2):
        rest = buffer[start:]
        size = _size(rest, width)
        if (
            size is not None
            and size <= len(rest)
            and crc(rest[: size - 2]) == rest[size - 2 : size]
        ):
            return True
    return False
