"""Bytes in words: every kind of frame that the paper names, whole, in pieces and wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.modbus.frames import crc16
from devices.modbus.telling import Teller, Told


def frame(text: str) -> bytes:
    """The bytes of some hexadecimal digits with their check added."""
    body = bytes.fromhex(text)
    return body + crc16(body).to_bytes(2, "little")


READ = frame("05 03 0000 0002")
REPLY = frame("05 03 04 01AF 0182")


def told(teller: Teller, *chunks: tuple[str, bytes]) -> list[list[Told]]:
    return [teller.tell(direction, data) for direction, data in chunks]


def words(pieces: list[Told]) -> list[str]:
    return [str(piece.sentence) for piece in pieces]


def asked(frame_: bytes = READ, **form: object) -> Teller:
    """A teller that has just heard this request go out."""
    teller = Teller(**form)  # type: ignore[arg-type]
    teller.tell("out", frame_)
    return teller


@pytest.mark.parametrize(
    ("sent", "meaning"),
    [
        ("05 01 0010 0008", "地址 5：读 线圈 16，8 个"),
        ("05 02 0010 0008", "地址 5：读 离散输入 16，8 个"),
        ("05 03 0000 0001", "地址 5：读 保持 0，1 个"),
        ("F7 04 0064 000A", "地址 247：读 输入 100，10 个"),
        ("05 05 0003 FF00", "地址 5：写 线圈 3 = 1"),
        ("05 06 0000 0005", "地址 5：写 保持 0 = 0x0005"),
        ("05 0F 0003 0003 01 05", "地址 5：写 线圈 3 起 3 个 = 1 0 1"),
        ("05 10 0002 0002 04 0001 86A0", "地址 5：写 保持 2 起 2 个 = 0x0001 0x86A0"),
        ("05 2B 0E 01", "地址 5：功能码 43"),
    ],
)
def test_a_request_names_unit_function_registers_and_values(sent: str, meaning: str) -> None:
    assert words(Teller().tell("out", frame(sent))) == [meaning]


def test_a_reply_gives_what_was_asked_for_and_its_words() -> None:
    (piece,) = asked().tell("in", REPLY)
    assert (piece.kind, piece.good, piece.values) == ("reply", True, (0x01AF, 0x0182))
    assert str(piece.sentence) == "地址 5 应答：0x01AF 0x0182"
    assert piece.asked is not None
    assert (piece.asked.area, piece.asked.start, piece.asked.count) == ("holding", 0, 2)


def test_bits_are_given_as_many_as_were_asked_for() -> None:
    (piece,) = asked(frame("05 01 0000 000A")).tell("in", frame("05 01 02 0503"))
    assert piece.values == (1, 0, 1, 0, 0, 0, 0, 0, 1, 1)


def test_a_long_reply_shows_its_first_words_only() -> None:
    (piece,) = asked(frame("05 03 0000 000A")).tell("in", frame("05 03 14" + "0001" * 10))
    assert str(piece.sentence).endswith("0x0001 …")
    assert len(piece.values) == 10


@pytest.mark.parametrize("write", ["05 06 0000 0005", "05 05 0003 FF00"])
def test_a_write_that_comes_back_as_sent_is_confirmed(write: str) -> None:
    (piece,) = asked(frame(write)).tell("in", frame(write))
    assert (piece.kind, str(piece.sentence)) == ("reply", "地址 5 应答：与写入一致")


def test_a_write_of_many_is_confirmed_by_place_and_count() -> None:
    teller = asked(frame("05 10 0002 0002 04 0001 86A0"))
    assert words(teller.tell("in", frame("05 10 0002 0002"))) == ["地址 5 应答：与写入一致"]


def test_a_write_answered_with_another_value_is_not_confirmed() -> None:
    (piece,) = asked(frame("05 06 0000 0005")).tell("in", frame("05 06 0000 0004"))
    assert (piece.good, str(piece.sentence)) == (False, "地址 5 应答：与写入不符")


def test_an_exception_says_its_code_and_meaning() -> None:
    (piece,) = asked().tell("in", frame("05 83 02"))
    assert piece.kind == "exception"
    assert str(piece.sentence) == "地址 5 返回异常码 2（数据地址不存在）"
    assert words(asked().tell("in", frame("05 83 63"))) == ["地址 5 返回异常码 99"]


def test_a_wrong_check_is_told() -> None:
    (piece,) = asked().tell("in", REPLY[:-1] + b"\x00")
    assert (piece.kind, piece.good) == ("noise", False)
    assert str(piece.sentence) == "地址 5 的应答，校验错误"


def test_a_reply_in_two_chunks_is_told_when_it_is_whole() -> None:
    teller = asked()
    first, second = told(teller, ("in", REPLY[:4]), ("in", REPLY[4:]))
    assert words(first) == ["应答的开头 4 字节，其余在后"]
    assert words(second) == ["接上一段 4 字节", "地址 5 应答：0x01AF 0x0182"]


def test_a_heartbeat_glued_before_a_reply_is_told_apart() -> None:
    assert words(asked().tell("in", b"\xfe" + REPLY)) == ["心跳 FE", "地址 5 应答：0x01AF 0x0182"]
    assert words(asked().tell("in", b"ping" + REPLY))[0] == "文字“ping”，多为心跳"


def test_fe_inside_a_reply_is_data() -> None:
    (piece,) = asked().tell("in", frame("05 03 04 FEFE FEFE"))
    assert piece.values == (0xFEFE, 0xFEFE)


def test_a_registration_is_known_by_the_transmitters_id() -> None:
    teller = Teller(names=["1001"])
    assert words(teller.tell("in", b"LOGIN:1001\r\n")) == ["注册包“LOGIN:1001”"]


def test_the_request_coming_back_is_a_local_echo_and_the_reply_after_it_counts() -> None:
    echo, reply = asked().tell("in", READ + REPLY)
    assert (echo.kind, reply.kind) == ("echo", "reply")


def test_a_late_reply_is_not_taken_for_the_next_ones() -> None:
    teller = asked()
    teller.tell("out", frame("06 03 0000 0002"))
    late, mine = told(teller, ("in", REPLY), ("in", frame("06 03 04 0001 0002")))
    assert (late[0].kind, mine[0].kind) == ("late", "reply")
    assert "迟到" in str(late[0].sentence)


def test_a_second_reply_is_a_repeat() -> None:
    teller = asked()
    teller.tell("in", REPLY)
    assert words(teller.tell("in", REPLY)) == ["重复的应答"]


def test_a_request_that_is_not_ours_names_a_second_master() -> None:
    assert words(Teller().tell("in", frame("09 03 0000 0002"))) == [
        "不是平台发出的请求：地址 9，功能码 3"
    ]
    assert words(asked().tell("in", frame("09 83 02"))) == ["没有请求过的报文：地址 9，功能码 3"]


def test_lone_zeros_and_ones_hint_at_missing_bias() -> None:
    (piece,) = asked().tell("in", bytes((0, 0xFF, 0)))
    assert "偏置" in str(piece.sentence)
    assert not piece.good


def test_a_native_address_of_two_bytes_is_read_in_its_order() -> None:
    sent, back = frame("0104 03 0000 0001"), frame("0104 03 02 0005")
    assert words(asked(sent, width=2).tell("in", back)) == ["地址 260 应答：0x0005"]
    little = Teller(width=2, order="little")
    assert words(little.tell("out", sent)) == ["地址 1025：读 保持 0，1 个"]


def test_modbus_tcp_goes_by_its_transaction() -> None:
    sent = bytes.fromhex("0001 0000 0006 05 03 0000 0001")
    back = bytes.fromhex("0001 0000 0005 05 03 02 0005")
    teller = asked(sent, mbap=True)
    assert words(teller.tell("in", b"\x00\x07" + back[2:]))[0].startswith("没有请求过的报文")
    assert words(teller.tell("in", back)) == ["地址 5 应答：0x0005"]


def test_modbus_tcp_in_pieces() -> None:
    teller = asked(bytes.fromhex("0001 0000 0006 05 03 0000 0001"), mbap=True)
    back = bytes.fromhex("0001 0000 0005 05 03 02 0005")
    teller.tell("in", back[:8])
    assert words(teller.tell("in", back[8:]))[-1] == "地址 5 应答：0x0005"


@given(
    st.lists(st.tuples(st.sampled_from(["in", "out"]), st.binary(min_size=1, max_size=60))),
    st.booleans(),
    st.sampled_from([1, 2]),
)
def test_whatever_bytes_come_they_are_told(
    chunks: list[tuple[str, bytes]], mbap: bool, width: int
) -> None:
    teller = Teller(mbap=mbap, width=width)
    for direction, data in [("out", READ), *chunks]:
        assert teller.tell(direction, data)


@given(st.lists(st.integers(1, 12)))
def test_a_reply_cut_anywhere_ends_as_the_same_reply(cuts: list[int]) -> None:
    teller, rest, last = asked(), REPLY, []
    for cut in cuts:
        if rest[:cut]:
            last = teller.tell("in", rest[:cut])
        rest = rest[cut:]
    if rest:
        last = teller.tell("in", rest)
    assert last[-1].values == (0x01AF, 0x0182)
