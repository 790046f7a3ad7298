from hypothesis import example, given, settings
from hypothesis import strategies as st

from devices.modbus.simulator import rtu

READ = bytes.fromhex("01030000000ac5cd")  # the textbook frame with its textbook CRC


def test_the_crc_is_the_published_one() -> None:
    assert rtu.crc(READ[:-2]) == READ[-2:]
    assert rtu.crc(b"123456789") == (0x4B37).to_bytes(2, "little")


def test_a_two_byte_address_goes_in_its_order_and_under_the_crc() -> None:
    pdu = bytes.fromhex("030000000a")
    big = rtu.wrap(0x0102, pdu, 2, "big")
    assert big[:3] == b"\x01\x02\x03" and rtu.crc(big[:-2]) == big[-2:]
    assert rtu.wrap(0x0102, pdu, 2, "little")[:2] == b"\x02\x01"
    assert rtu.take(bytearray(big), 2, "big") == [(0x0102, pdu)]


def test_a_request_in_pieces_waits_for_its_rest() -> None:
    buffer = bytearray()
    found = []
    for byte in READ:
        buffer.append(byte)
        found += rtu.take(buffer)
    assert found == [(1, READ[1:-2])] and not buffer


@settings(deadline=None)
@example(b"\t\xd2 \xb7} w", [b"\0\0"])  # its check is the initial value: the whole looks right
@given(st.binary(max_size=12), st.lists(st.binary(min_size=2, max_size=20), min_size=1, max_size=3))
def test_requests_are_found_glued_together_and_behind_noise(
    noise: bytes, data: list[bytes]
) -> None:
    pdus = [bytes.fromhex("1000020001") + bytes((len(one),)) + one for one in data]
    stream = bytearray(noise + b"".join(rtu.wrap(7, pdu) for pdu in pdus))
    found = rtu.take(stream)
    assert [one for one in found if one[0] == 7 and one[1] in pdus] == [(7, pdu) for pdu in pdus]


def test_a_damaged_request_is_not_heard() -> None:
    assert rtu.take(bytearray(READ[:-1] + b"\x00")) == []


def test_an_unknown_function_is_heard_so_that_it_can_be_refused() -> None:
    assert rtu.take(bytearray(rtu.wrap(3, b"\x2b\x0e\x01\x00"))) == [(3, b"\x2b\x0e\x01\x00")]
