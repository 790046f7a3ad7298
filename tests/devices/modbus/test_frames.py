"""Frames against vectors from papers, and replies found in streams of other things."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.modbus import frames
from devices.modbus.frames import Mbap, Rtu, crc16
from devices.modbus.troubles import AddressRefused, ExceptionReply, WrongEcho
from tests.devices.modbus.doubles import crc, rtu

# Published examples: request, the function that makes it, reply, what the reply says.
VECTORS = [
    (
        frames.read("coil", 0x0013, 0x25),
        "11 01 0013 0025 0E84",
        "11 01 05 CD6BB20E1B 45E6",
        tuple(int(bit) for bit in "1011001111010110010011010111000011011"),
    ),
    (
        frames.read("discrete", 0x00C4, 0x16),
        "11 02 00C4 0016 BAA9",
        "11 02 03 ACDB35 2018",
        tuple(int(bit) for bit in "0011010111011011101011"),
    ),
    (
        frames.read("holding", 0x006B, 3),
        "11 03 006B 0003 7687",
        "11 03 06 AE41 5652 4340 49AD",
        (0xAE41, 0x5652, 0x4340),
    ),
    (frames.read("input", 8, 1), "11 04 0008 0001 B298", "11 04 02 000A F8F4", (10,)),
    (frames.write_coil(0xAC, 1), "11 05 00AC FF00 4E8B", "11 05 00AC FF00 4E8B", ()),
    (frames.write_register(1, 3), "11 06 0001 0003 9A9B", "11 06 0001 0003 9A9B", ()),
    (
        frames.write_coils(0x13, [1, 0, 1, 1, 0, 0, 1, 1, 1, 0]),
        "11 0F 0013 000A 02 CD01 BF0B",
        "11 0F 0013 000A 2699",
        (),
    ),
    (
        frames.write_registers(1, [0x000A, 0x0102]),
        "11 10 0001 0002 04 000A 0102 C6F0",
        "11 10 0001 0002 1298",
        (),
    ),
]


@pytest.mark.parametrize(("request_", "out", "back", "says"), VECTORS)
def test_published_frames_are_made_and_understood(
    request_: frames.Request, out: str, back: str, says: tuple[int, ...]
) -> None:
    framing, buffer = Rtu(), bytearray.fromhex(back)
    assert framing.wrap(0x11, request_.pdu) == bytes.fromhex(out)
    pdu = framing.find(buffer, 0x11, request_)
    assert pdu is not None and request_.parse(pdu) == says
    assert buffer == b""


@given(st.binary(max_size=60))
def test_the_crc_is_that_of_the_standard(data: bytes) -> None:
    assert crc16(data).to_bytes(2, "little") == crc(data)
    assert crc16(data + crc(data)) == 0


READ = frames.read("holding", 0, 1)
REPLY = rtu("05 03 02 01AF")


@given(st.binary(max_size=40), st.binary(max_size=20))
def test_a_reply_is_found_among_noise_and_what_follows_stays(before: bytes, after: bytes) -> None:
    buffer = bytearray(before + REPLY + after)
    assert Rtu().find(buffer, 5, READ, last_chance=True) is not None
    assert len(buffer) >= 0 and bytes(buffer) in (before + REPLY + after)


@given(st.lists(st.integers(1, 6), max_size=6))
def test_a_reply_in_pieces_is_found_when_it_is_whole(cuts: list[int]) -> None:
    buffer, rest = bytearray(), REPLY
    for cut in cuts:
        buffer += rest[:cut]
        rest = rest[cut:]
        if rest:
            assert Rtu().find(buffer, 5, READ) is None
            assert buffer == REPLY[: len(REPLY) - len(rest)], "nothing may be thrown away"
    buffer += rest
    assert Rtu().find(buffer, 5, READ) == bytes.fromhex("03 02 01AF")


@pytest.mark.parametrize(
    "stray",
    [
        rtu("06 03 02 01AF"),  # another unit
        rtu("05 04 02 01AF"),  # another function
        rtu("05 03 04 01AF 01AF"),  # another length
        REPLY[:-1] + b"\0",  # a wrong CRC
        b"\xfe",  # a heartbeat
        b"ping",
    ],
)
def test_what_is_no_reply_to_this_request_does_not_count(stray: bytes) -> None:
    assert Rtu().find(bytearray(stray), 5, READ, last_chance=True) is None
    both = bytearray(stray + REPLY)
    assert Rtu().find(both, 5, READ, last_chance=True) == bytes.fromhex("03 02 01AF")


def test_an_exception_counts_as_an_answer() -> None:
    pdu = Rtu().find(bytearray(rtu("05 83 02")), 5, READ)
    assert pdu is not None
    with pytest.raises(ExceptionReply) as refusal:
        READ.parse(pdu)
    assert refusal.value.code == 2


@pytest.mark.parametrize(
    ("request_", "echo"),
    [
        (frames.write_register(1, 3), "06 0001 0004"),
        (frames.write_register(1, 3), "06 0002 0003"),
        (frames.write_coil(1, 1), "05 0001 0000"),
        (frames.write_registers(1, [1, 2]), "10 0001 0001"),
        (frames.write_coils(1, [1, 0]), "0F 0002 0002"),
    ],
)
def test_a_write_is_not_confirmed_by_another_echo(request_: frames.Request, echo: str) -> None:
    pdu = Rtu().find(bytearray(rtu(f"05 {echo}")), 5, request_)
    assert pdu is not None
    with pytest.raises(WrongEcho):
        request_.parse(pdu)


@pytest.mark.parametrize(("order", "head"), [("big", "1234"), ("little", "3412")])
def test_a_native_address_takes_two_bytes_in_the_maps_order(order: frames.Order, head: str) -> None:
    framing = Rtu(2, order)
    assert framing.wrap(0x1234, READ.pdu) == rtu(f"{head} 03 0000 0001")
    buffer = bytearray(rtu(f"{head} 03 02 01AF"))
    assert framing.find(buffer, 0x1234, READ) == bytes.fromhex("03 02 01AF")


@pytest.mark.parametrize("address", [0, 248, 255, 256, 65535])
def test_nothing_is_sent_to_an_address_that_one_byte_does_not_have(address: int) -> None:
    with pytest.raises(AddressRefused):
        Rtu().wrap(address, READ.pdu)


@pytest.mark.parametrize("address", [0x0006, 0x0105, 0x0106, 0x020F, 0x0310, 0x0416, 0x0517])
def test_a_native_address_that_a_one_byte_unit_takes_for_a_write_must_be_on_record(
    address: int,
) -> None:
    with pytest.raises(AddressRefused):
        Rtu(2).wrap(address, READ.pdu)
    assert Rtu(2, on_record={address}).wrap(address, READ.pdu)[:2] == address.to_bytes(2, "big")


def test_the_bytes_of_a_little_endian_address_are_looked_at_as_they_go_out() -> None:
    with pytest.raises(AddressRefused):
        Rtu(2, "little").wrap(0x0601, READ.pdu)
    assert Rtu(2, "little").wrap(0x0106, READ.pdu)[:2] == b"\x06\x01"


@pytest.mark.parametrize("framing", [Rtu(), Rtu(2), Rtu(2, on_record={0}), Mbap()])
def test_nobody_can_broadcast(framing: frames.Framing) -> None:
    with pytest.raises(AddressRefused):
        framing.wrap(0, frames.write_register(0, 0).pdu)


def test_modbus_tcp_counts_only_the_reply_to_the_last_frame() -> None:
    framing = Mbap()
    first = framing.wrap(5, READ.pdu)
    assert first[2:] == bytes.fromhex("0000 0006 05 03 0000 0001")
    second = framing.wrap(5, READ.pdu)
    assert first[:2] != second[:2]

    def reply(to: bytes, word: int) -> bytes:
        return to[:2] + struct.pack(">HHBBBH", 0, 5, 5, 3, 2, word)

    buffer = bytearray(reply(first, 1) + reply(second, 2))
    pdu = framing.find(buffer, 5, READ)
    assert pdu is not None and READ.parse(pdu) == (2,)
    other = bytearray(reply(second, 3))
    other[6] = 6
    assert framing.find(other, 5, READ) is None
