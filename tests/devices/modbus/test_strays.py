"""Frames of others are found among stray bytes, and noise is none."""

from __future__ import annotations

import random

import pytest

from devices.modbus import frames
from devices.modbus.frames import Rtu
from devices.modbus.strays import frames_in, is_hurt_at_its_start, only_idle_levels
from tests.devices.modbus.doubles import rtu

ASKED = frames.read("holding", 0, 1)
REPLY = rtu("05 03 02 01AF")


@pytest.mark.parametrize(
    ("frame", "asks"),
    [
        ("05 03 0000 000A", True),
        ("05 01 0000 07D0", True),
        ("05 03 04 01020304", False),
        ("05 83 02", False),
        ("05 06 0001 0001", False),
        ("05 10 0001 0002", False),
        ("05 10 0001 0001 02 0005", True),
        ("00 0F 0001 0008 01 FF", True),
    ],
)
def test_every_kind_of_frame_is_found_behind_noise(frame: str, asks: bool) -> None:
    data = b"\x00\xffping" + rtu(frame) + b"\x13"
    (stray,) = frames_in(data, Rtu())
    body = bytes.fromhex(frame)
    assert (stray.address, stray.pdu, stray.asks) == (body[0], body[1:], asks)
    assert stray.end == len(data) - 1


def test_several_frames_are_found_one_behind_the_other() -> None:
    data = rtu("05 03 0000 0001") + REPLY + rtu("06 03 0000 0001")
    assert [stray.address for stray in frames_in(data, Rtu())] == [5, 5, 6]


def test_frames_with_two_byte_addresses_are_found() -> None:
    (stray,) = frames_in(b"\x00" + rtu("1234 03 0000 0001"), Rtu(width=2))
    assert (stray.address, stray.pdu) == (0x1234, bytes.fromhex("03 0000 0001"))


def test_a_request_for_more_than_a_unit_may_be_asked_is_none() -> None:
    assert list(frames_in(rtu("05 03 0000 00FF"), Rtu())) == []


def test_noise_holds_next_to_no_frames() -> None:
    dice = random.Random(3)
    found = sum(len(list(frames_in(dice.randbytes(64), Rtu()))) for _ in range(2000))
    assert found <= 3


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"\x00\xff", True),
        (b"\x00", True),
        (b"", False),
        (b"\x00\x05\xff", False),
        (b"\xfe", False),
    ],
)
def test_idle_levels_are_00_and_ff_alone(data: bytes, told: bool) -> None:
    assert only_idle_levels(data) is told


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"\x00" + REPLY[1:], True),
        (REPLY[1:], True),
        (REPLY[:-1] + b"\x00", False),
        (REPLY[2:], False),
        (b"\x00" + REPLY, False),
    ],
)
def test_a_reply_whose_first_byte_alone_is_hurt_is_known(data: bytes, told: bool) -> None:
    assert is_hurt_at_its_start(data, Rtu(), 5, ASKED) is told
