"""Coverage-guided fuzzing of everything that reads bytes from outside.

    .venv/bin/python bench/fuzz.py [--seed 1] [TARGET=INPUTS …]

Targets and how many inputs each gets if none are named: rtu1 (finding and parsing replies) 600,000,
rtu2 and mbap (the same) 200,000 each, registration (first packets, stuffing) 200,000, map (a
register-map file to decoded values) 3,000. Needs bench/requirements.txt. Beyond not crashing, each
input must keep what is asserted here; the first that does not ends the run and is printed.
"""

from __future__ import annotations

import argparse
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

BASE = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(BASE))
try:
    import atheris
except ImportError:
    raise SystemExit(
        "atheris is missing: python3 -m pip --python .venv/bin/python install"
        " -r bench/requirements.txt"
    ) from None

with atheris.instrument_imports(include=["devices.modbus"]):
    from devices.modbus import blocks, frames, pointmap, registration
    from devices.modbus.frames import Framing, Mbap, Request, Rtu
    from devices.modbus.troubles import ExceptionReply, WrongEcho

from bench.slaves import MAP, crc  # noqa: E402

LENGTHS = {"map": 4096}  # of an input, else 128 bytes
LONGEST = 400  # bytes of a stream that is made of an input, or little more
INPUTS = {"rtu1": 600_000, "rtu2": 200_000, "mbap": 200_000, "registration": 200_000, "map": 3_000}


# --- replies ----------------------------------------------------------------------------------


def request_of(code: int, register: int, count: int) -> Request:
    """One of the eight requests, by numbers of an input."""
    few = 1 + count % (125 if count & 0x100 else 10)
    makers: tuple[Callable[[], Request], ...] = (
        lambda: frames.read("coil", register, 1 + 8 * count % (2000 if count & 0x100 else 80)),
        lambda: frames.read("discrete", register, few),
        lambda: frames.read("holding", register, few),
        lambda: frames.read("input", register, few),
        lambda: frames.write_coil(register, count & 1),
        lambda: frames.write_register(register, count),
        lambda: frames.write_coils(register, [count >> n & 1 for n in range(1 + count % 20)]),
        lambda: frames.write_registers(register, list(range(1 + count % 20))),
    )
    return makers[code % 8]()


def stream_of(data: bytes, wrap: Callable[[bytes], bytes], request: Request) -> bytes:
    """The input as it arrives: bytes as they are, and where one of 0xF0 to 0xF7 stands, a frame
    made of those behind it: the reply, an exception, the request itself, or the start of one."""
    out, rest = bytearray(), data
    while rest and len(out) < LONGEST:
        token, rest = rest[0], rest[1:]
        if not 0xF0 <= token <= 0xF7:
            out.append(token)
            continue
        size = request.reply_length - len(request.head)
        filler = (rest[:size] + bytes(size))[:size]
        refusal = bytes((request.function | 0x80, *rest[:1].ljust(1, b"\2")))
        reply = wrap(request.head + filler)
        made = (reply, wrap(refusal), wrap(request.pdu), reply[: 1 + len(rest) % 9])
        out += made[token % 4]
        rest = rest[size % 7 :]
    return bytes(out)


def replies(
    framing: Framing, address: int, request: Request, pieces: tuple[bytes, ...]
) -> list[bytes]:
    """All PDUs that are found while the pieces come in, and at the last chance."""
    buffer, found = bytearray(), []
    for at, piece in enumerate((*pieces, b"")):
        buffer += piece
        last = at == len(pieces)
        while True:
            before = bytes(buffer)
            pdu = framing.find(buffer, address, request, last_chance=last)
            assert before.endswith(bytes(buffer)), "the buffer lost or got more than its front"
            if pdu is None:
                break
            assert len(buffer) < len(before), "what was found is still there"
            assert_is_frame(before[: len(before) - len(buffer)], framing, address, pdu)
            found.append(pdu)
    return found


def assert_is_frame(cut: bytes, framing: Framing, address: int, pdu: bytes) -> None:
    """A found PDU stood in the buffer, for this unit, with its check or its header right."""
    if isinstance(framing, Rtu):
        body = address.to_bytes(framing.width, framing.order) + pdu
        assert cut.endswith(body + crc(body)), "no such frame was in the buffer"
    else:
        head = cut[: -len(pdu)][-7:]
        assert head[2:] == struct.pack(">HHB", 0, len(pdu) + 1, address), "no such header"


def assert_parses(request: Request, pdu: bytes) -> None:
    """A found PDU has the head and length that were asked for, and says something."""
    if pdu[0] & 0x80:
        assert pdu[0] == request.function | 0x80 and len(pdu) == 2
    else:
        assert pdu.startswith(request.head) and len(pdu) == request.reply_length
    try:
        values = request.parse(pdu)
    except ExceptionReply as refusal:
        assert pdu[0] & 0x80 and refusal.code == pdu[1]
    except WrongEcho:
        assert request.function in (5, 6, 15, 16) and pdu != request.pdu[:5]
    else:
        assert all(0 <= value <= 0xFFFF for value in values)


def try_frames(framing: Callable[[], Framing], addresses: tuple[int, int]) -> Callable[..., None]:
    """A target for one framing; the addresses are the least and the most."""

    def one_input(data: bytes) -> None:
        head = data[:8].ljust(8, b"\1")
        code, register, count, unit, cut = struct.unpack(">BHHHB", head)
        low, high = addresses
        address, request = low + unit % (high - low + 1), request_of(code, register, count)
        whole, halves = framing(), framing()
        sent = [each.wrap(address, request.pdu) for each in (whole, halves)]

        def wrap(pdu: bytes) -> bytes:
            if isinstance(whole, Rtu):
                body = address.to_bytes(whole.width, whole.order) + pdu
                return bytes(body + crc(body))
            return sent[0][:4] + struct.pack(">HB", len(pdu) + 1, address) + pdu

        stream = stream_of(data[8:], wrap, request)
        at = cut * len(stream) // 255
        found = replies(whole, address, request, (stream,))
        for pdu in found:
            assert_parses(request, pdu)
        again = replies(halves, address, request, (stream[:at], stream[at:]))
        assert found == again, f"in one piece {found}, in two {again}"

    return one_input


# --- first packets ----------------------------------------------------------------------------


def try_registration(data: bytes) -> None:
    """First packets of every dialect, and the stuffing of one of them."""
    for dialect, read in registration.DIALECTS.items():
        who = read(data)
        if who is not None:
            assert who.names and all(name.strip() for name in who.names), dialect
            assert all(registration.key(name) for name in who.names), dialect
    assert registration.unstuff(registration.stuff(data)) == data
    cut = len(data) // 2
    pieces = registration.Unstuffer()
    whole = registration.Unstuffer().feed(data)
    assert pieces.feed(data[:cut]) + pieces.feed(data[cut:]) == whole, "a pair that was split"


# --- register maps ----------------------------------------------------------------------------


def try_map(data: bytes) -> None:
    """A file is a map or a list of mistakes; a map survives being written, and decodes anything."""
    report = pointmap.check(data, "fuzzed.csv")
    assert (report.map is None) == bool(report.mistakes)
    if report.map is None:
        return
    again = pointmap.load(report.map.to_csv().encode(), "again.csv")
    assert again.digest == report.map.digest, "written back it means something else"
    plan = blocks.plan(report.map)
    for word in (0, 1, 0x8000, 0xFFFF):
        plan.decode(
            [[word & 1 if block.area in ("coil", "discrete") else word] * block.count
             for block in plan.blocks]
        )  # fmt: skip


SEEDS = {
    "map": [MAP.encode(), *(path.read_bytes() for path in BASE.glob("devices/modbus/maps/*.csv"))],
    "registration": [
        b"LOGIN:1001",
        b"QN-000101",
        b"860000000000102",
        bytes.fromhex("AA01") + b"13800000001" + b"\r",
        b"\0\0\0\1" + b"13800000001" + b"\0\x0a\0\0\1\0",
        b"13800000001\xfd\xed\xfd\xee\xfe",
    ],
}
TARGETS: dict[str, Callable[[bytes], None]] = {
    "rtu1": try_frames(Rtu, (1, 247)),
    "rtu2": try_frames(lambda: Rtu(2, on_record=range(1, 0x10000)), (1, 0xFFFF)),
    "mbap": try_frames(Mbap, (1, 247)),
    "registration": try_registration,
    "map": try_map,
}


def fuzz(target: str, inputs: int, seed: int, corpus: Path) -> None:
    """Run one target in this process, which ends with it."""
    for number, data in enumerate(SEEDS.get(target, [bytes(range(64)), b"\xf0" * 24])):
        (corpus / str(number)).write_bytes(data)
    length = LENGTHS.get(target, 128)
    options = [f"-runs={inputs}", f"-seed={seed}", f"-max_len={length}"]
    atheris.Setup(
        [sys.argv[0], str(corpus), *options, f"-artifact_prefix={corpus}/"], TARGETS[target]
    )
    atheris.Fuzz()


def in_a_process(target: str, seed: int) -> None:
    """Run one target in a process of its own and say how it went; ends the run where it failed."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="fuzz-") as corpus:
        command = [sys.executable, __file__, "--corpus", corpus, "--seed", str(seed), target]
        run = subprocess.run(command, capture_output=True, text=True)
    words = run.stderr.splitlines()
    done = [line for line in words if line.startswith("Done ")]
    if run.returncode or not done:
        raise SystemExit(f"{target}:\n" + "\n".join(words[-40:]) + run.stdout)
    print(f"{target}: {done[0][5:]}, no crash ({time.monotonic() - began:.0f} s)", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--corpus", type=Path, help="run one target in this process, from here")
    parser.add_argument("target", nargs="*", help="target=inputs, such as rtu1=1000000")
    options = parser.parse_args()
    for target in options.target or [f"{name}={inputs}" for name, inputs in INPUTS.items()]:
        name, _, inputs = target.partition("=")
        if options.corpus:
            fuzz(name, int(inputs or INPUTS[name]), options.seed, options.corpus)
        in_a_process(target, options.seed)


if __name__ == "__main__":
    main()
