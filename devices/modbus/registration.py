"""How a transmitter (无线数据传输装置) says who it is, and how it wraps its bytes.

The dialect belongs to the listening port, or follows from the first packet where that is
unambiguous; it is never guessed from data.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from devices.modbus.frames import crc16

ID_LIMIT = 40
_MAC = re.compile(r"[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}")
_NO_ID = {"ping", "register", "heartbeat"}
_HEARTBEATS = {b"ping", b"heartbeat"}  # text behind an id, which alone could be more of the id


def key(name: str) -> str:
    """One spelling for an id: no LOGIN:, no letter case, no separators in a MAC."""
    text = name.strip().casefold().removeprefix("login:").strip()
    return re.sub("[:-]", "", text) if _MAC.fullmatch(text) else text


def digest(text: str) -> str:
    """What is kept of a private registration text: long and random, so that a plain hash does."""
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Registration:
    """Who a first packet says it is: `names` by which it may be known, the first one shown.

    `stuffed`: its data is byte-stuffed as Four-Faith does. `prefix`: stands before every packet.
    """

    names: tuple[str, ...]
    stuffed: bool = False
    prefix: bytes = b""

    def named(self, name: str) -> Registration:
        """The same under another name."""
        return replace(self, names=(name,))


def four_faith(packet: bytes) -> Registration | None:
    """21 bytes: 4-byte id, 11 ASCII digits, 00, 4-byte IP, 00; known by id or by number."""
    for data in (packet, unstuff(packet)):
        number = data[4:15]
        if len(data) >= 21 and number.isdigit() and data[15] == 0 and data[20] == 0:
            return Registration((data[:4].hex().upper(), number.decode()), stuffed=True)
    return None


def inhand(packet: bytes) -> Registration | None:
    """14 bytes: AA 01, 11 ASCII, 0D."""
    text = packet[2:13]
    if len(packet) >= 14 and packet[:2] == b"\xaa\x01" and packet[13] == 0x0D and _printable(text):
        return _called(text.decode().strip())
    return None


def plain(packet: bytes) -> Registration | None:
    """Text: an id of the user's choice, LOGIN:1001, a MAC, an IMEI, eleven digits."""
    text = packet.strip(b"\r\n\t \0")
    if not 0 < len(text) <= ID_LIMIT or not _printable(text):
        return None
    if text.decode().casefold() in _NO_ID:
        return None
    name = text.decode()
    return _called(name[6:].strip() if name.casefold().startswith("login:") else name)


def raw(packet: bytes) -> Registration | None:
    """Bytes that are no text, such as a bare MAC: known by their hexadecimal digits."""
    if len(packet) < 4 or len(packet) > ID_LIMIT or crc16(packet) == 0 or _printable(packet):
        return None
    return Registration((packet.hex().upper(),))


def imei(packet: bytes) -> Registration | None:
    """15 digits; whatever follows is no part of it."""
    found = re.match(rb"\s*(\d{15})(?!\d)", packet)
    return Registration((found[1].decode(),)) if found else None


def caimore(packet: bytes) -> Registration | None:
    """11 digits."""
    found = re.match(rb"\s*(\d{11})(?!\d)", packet)
    return Registration((found[1].decode(),)) if found else None


def prefix(packet: bytes) -> Registration | None:
    """The id stands before every packet, before a heartbeat or a frame of a unit too."""
    own = _before_frame(packet)
    name = own.strip(b"\r\n\t \0")
    if not 0 < len(name) <= ID_LIMIT:
        return None
    return _called(name.decode() if _printable(name) else name.hex().upper(), own)


def _before_frame(packet: bytes) -> bytes:
    """A packet without the RTU frame at its end, if there is one."""
    for start in range(1, len(packet) - 4):
        if crc16(packet[start:]) == 0:
            return packet[:start]
    return packet


def auto(packet: bytes) -> Registration | None:
    """The first dialect that the packet fits; they cannot be mistaken for each other."""
    for read in (four_faith, inhand, plain, raw):
        if registration := read(packet):
            return registration
    return None


DIALECTS: dict[str, Callable[[bytes], Registration | None]] = {
    "auto": auto,
    "plain": plain,
    "imei": imei,
    "four_faith": four_faith,
    "inhand": inhand,
    "caimore": caimore,
    "prefix": prefix,
}


def known_at_start(
    dialect: str, packet: bytes, is_known: Callable[[str], bool]
) -> Registration | None:
    """The longest known id at the start of a packet, where what follows is no part of it: a frame,
    the id again, a heartbeat. GW10 never passes for GW1 with something behind it."""
    if dialect not in ("auto", "plain", "prefix"):
        return None
    for end in range(min(len(packet), ID_LIMIT + len("login:")), 0, -1):
        own, rest = packet[:end], packet[end:]
        name = _name(own)
        if is_known(name) and _is_apart(own, rest):
            return Registration((name,), prefix=own if dialect == "prefix" else b"")
    return None


def _called(name: str, prefix: bytes = b"") -> Registration | None:
    """Known by this name; one that has nothing to be told from others is none."""
    return Registration((name,), prefix=prefix) if key(name) else None


def _name(own: bytes) -> str:
    if not _printable(own):
        return own.hex().upper()
    text = own.decode().strip()
    return text[6:].strip() if text.casefold().startswith("login:") else text


def _is_apart(own: bytes, rest: bytes) -> bool:
    if not rest or rest.startswith(own) or rest.lower() in _HEARTBEATS:
        return True
    if len(rest) > 3 and crc16(rest) == 0:
        return True
    return _printable(own) and not 0x20 < rest[0] < 0x7F


def _printable(data: bytes) -> bool:
    return all(0x20 <= byte < 0x7F for byte in data)


def stuff(data: bytes) -> bytes:
    """Four-Faith: FD becomes FD ED, FE becomes FD EE."""
    return data.replace(b"\xfd", b"\xfd\xed").replace(b"\xfe", b"\xfd\xee")


def unstuff(data: bytes) -> bytes:
    """The reverse, for a whole packet; a bare FE is the heartbeat and goes."""
    return Unstuffer().feed(data)


class Unstuffer:
    """Undoes the stuffing of a stream whose escape pairs may be split between packets."""

    def __init__(self) -> None:
        self._escaped = False

    def feed(self, data: bytes) -> bytes:
        out = bytearray()
        for byte in data:
            if self._escaped:
                self._escaped = False
                out += {0xED: b"\xfd", 0xEE: b"\xfe"}.get(byte, bytes((0xFD, byte)))
            elif byte == 0xFD:
                self._escaped = True
            elif byte != 0xFE:
                out.append(byte)
        return bytes(out)
