"""Whatever shape a request takes, its parts bring what it would, and none can be mistaken."""

from __future__ import annotations

import struct

from hypothesis import given
from hypothesis import strategies as st

from devices.modbus.frames import Request, read, write_register
from devices.modbus.varying import Known, Owed, Part, Vary, add

NOW = 100.0
spans = st.tuples(st.sampled_from(["holding", "input"]), st.integers(0, 40), st.integers(1, 20))


def known_of(requests: list[Request], at: float = 0.0) -> dict[bytes, Known]:
    return {request.head: Known(request, b"", at) for request in requests}


def brought(parts: list[Part]) -> list[tuple[int, int]]:
    """Function and address of each word that the parts bring, in their order."""
    words = []
    for request, start, stop in parts:
        function, address, count = struct.unpack(">BHH", request.pdu)
        words += [(function, address + n) for n in range(count)][start:stop]
    return words


@given(spans, st.lists(spans, max_size=6), st.lists(spans, max_size=6))
def test_parts_bring_the_same_words_and_look_like_nothing_that_is_owed(
    span: tuple[str, int, int],
    owed: list[tuple[str, int, int]],
    known: list[tuple[str, int, int]],
) -> None:
    request = read(*span)
    heads = list(dict.fromkeys([read(*one).head for one in owed]))
    answered = known_of([read(*one) for one in known])
    parts = Vary(heads, answered, NOW, lambda area, at, count: range(1, count)).parts(request)
    if parts is None:
        return
    assert brought(parts) == brought([(request, 0, span[2])])
    is_fenced = parts[0][1:] == (0, 0)
    for part, _, _ in parts[: 1 if is_fenced else 2]:
        assert part.head != request.head


@given(spans)
def test_a_request_that_nothing_looks_like_goes_out_as_it_is(span: tuple[str, int, int]) -> None:
    request = read(*span)
    assert Vary([], known_of([request], NOW + 1), NOW, None).parts(request) is None


def test_without_a_place_to_cut_nothing_is_torn() -> None:
    request = read("holding", 0, 8)
    assert Vary([request.head], {}, NOW, lambda *span: ()).parts(request) is None
    assert Vary([request.head], {}, NOW, None).parts(request) is None


def test_bits_are_cut_between_bytes_of_their_replies() -> None:
    request = read("coil", 0, 24)
    parts = Vary([request.head], {}, NOW, lambda area, at, count: range(1, count)).parts(request)
    assert parts is not None
    assert parts[0][0].head != parts[1][0].head != request.head
    assert brought(parts) == [(1, n) for n in range(24)]


def test_a_write_is_never_cut_but_stands_behind_a_read() -> None:
    write, known = write_register(2, 22), read("holding", 0, 4)
    assert Vary([write.head], known_of([known]), NOW, None).parts(write) == [
        (known, 0, 0),
        (write, 0, 40),
    ]
    assert Vary([write.head], {}, NOW, None).parts(write) is None


def test_of_replies_that_look_alike_all_are_remembered_and_of_others_the_newest_eight() -> None:
    owed: dict[bytes, Owed] = {}
    for count in (*range(1, 11), 10):
        add(owed, Owed(read("holding", 0, count), 0, 0.0, 0.0, 0.0, 0.0))
    assert [entry.request.reply_length for entry in owed.values()] == [
        2 + 2 * count for count in range(3, 11)
    ]
    assert owed[read("holding", 0, 10).head].count == 2
