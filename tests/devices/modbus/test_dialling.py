"""Who a transmitter proves to be, who displaces whom, flapping, and heartbeats."""

from __future__ import annotations

import asyncio

import pytest

from devices.modbus import dialling, frames
from devices.modbus.frames import Rtu
from devices.modbus.line import Line
from devices.modbus.registration import digest
from devices.modbus.switchboard import DialTransport
from devices.modbus.troubles import WritesHeld
from tests.devices.modbus.test_switchboard import (
    ASKED,
    REPLY,
    Exchange,
    ask,
    exchange,
    tell,
    until,
)

# Proof, and who may displace whom.


@pytest.mark.parametrize(
    ("source", "proof"), [("127.0.0.0/8", "private_network"), ("10.0.0.0/8", ""), ("::1/128", "")]
)
def test_writing_is_held_unless_the_call_comes_from_the_private_network(
    source: str, proof: str
) -> None:
    async def story() -> None:
        async with exchange(source=source) as board:
            transport = board.switchboard.transport_for("GW0001")
            await board.call(b"GW0001")
            await until(lambda: transport.connected)
            assert (transport.proof, transport.trusted_listener) == (proof, bool(proof))
            line = Line(transport, Rtu(), frame_gap_ms=0)
            if proof:
                assert line.writes_held is None
            else:
                with pytest.raises(WritesHeld, match="专网"):
                    await line.exchange(5, frames.write_register(2, 23), timeout=0.2)

    tell(story)


SECRET = "4f9d0c3b5a6e7788990011aa"


def test_a_private_text_proves_the_transmitter_and_is_shown_nowhere() -> None:
    async def story() -> None:
        async with exchange(source="10.0.0.0/8") as board:
            board.switchboard.secrets = {digest(SECRET): "GW0001"}
            early = await board.call(SECRET.encode())
            await until(lambda: board.switchboard.unknown)
            assert board.switchboard.unknown[0].names == ("GW0001",)
            transport = board.switchboard.transport_for("GW0001")
            assert transport.proof == "private_text"
            board.switchboard.secrets = {}  # taken back: the connection proves nothing any more
            assert transport.proof == "" and transport.holds_writes
            assert not await early.is_hung_up()

    tell(story)


def test_who_registered_with_a_text_before_it_was_known_as_private_is_shown_by_his_id() -> None:
    async def story() -> None:
        async with exchange(source="10.0.0.0/8") as board:
            transport = board.switchboard.transport_for("GW0001")
            await board.call(SECRET.encode())
            await until(lambda: board.switchboard.unknown)
            board.switchboard.secrets = {digest(SECRET): "GW0001"}
            assert board.switchboard.unknown == [] and transport.proof == "private_text"

    tell(story)


def test_a_text_that_is_not_the_secret_by_one_letter_proves_nothing() -> None:
    async def story() -> None:
        async with exchange(source="10.0.0.0/8") as board:
            board.switchboard.secrets = {digest(SECRET): "GW0001"}
            transport = board.switchboard.transport_for("GW0001")
            await board.call(SECRET.upper().encode())
            await until(lambda: board.switchboard.unknown)
            assert not transport.connected

    tell(story)


def test_who_only_knows_the_id_does_not_displace_who_has_proven_it() -> None:
    async def story() -> None:
        async with exchange(source="10.0.0.0/8") as board:
            board.switchboard.secrets = {digest(SECRET): "GW0001"}
            transport = board.switchboard.transport_for("GW0001")
            proven = await board.call(SECRET.encode())
            await until(lambda: transport.connected)
            impostor = await board.call(b"GW0001")
            await until(lambda: board.switchboard.unknown)
            assert transport.proof == "private_text" and not await proven.is_hung_up()
            proven.writer.close()  # with nobody better there it may be read, not written
            await until(lambda: transport.connected and not transport.proof)
            assert not await impostor.is_hung_up() and transport.holds_writes

    tell(story)


# Flapping.


async def displaced(board: Exchange, transport: DialTransport, times: int, *, speaks: bool) -> None:
    """So many calls of one id, one after the other, each displacing the one before."""
    for n in range(times + 1):
        caller = await board.call(b"GW0001")
        await until(lambda n=n: transport.registrations == n + 1)  # type: ignore[misc]
        if speaks:
            heard = transport.heartbeats
            caller.say(b"\xfe")
            await until(lambda heard=heard: transport.heartbeats > heard)  # type: ignore[misc]


def test_three_displacements_of_calls_that_both_speak_are_flapping_and_hold_writes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def story() -> None:
        async with exchange() as board:
            transport = board.switchboard.transport_for("GW0001")
            await displaced(board, transport, 2, speaks=True)
            assert transport.flapping_since is None and transport.holds_writes is None
            last = await board.call(b"GW0001")
            await until(lambda: transport.registrations == 4)
            assert transport.flapping_since is None  # the newest has not said anything yet
            last.say(b"\xfe")
            await until(lambda: transport.flapping_since)
            assert "互相顶替" in str(transport.holds_writes)
            monkeypatch.setattr(dialling, "FLAPPING_S", 0.05)
            await asyncio.sleep(0.1)
            assert transport.flapping_since is None and transport.holds_writes is None

    tell(story)


def test_calls_that_say_nothing_but_their_id_do_not_flap() -> None:
    async def story() -> None:
        async with exchange() as board:
            transport = board.switchboard.transport_for("GW0001")
            await displaced(board, transport, 5, speaks=False)
            assert transport.flapping_since is None

    tell(story)


def test_redialling_after_a_hang_up_is_no_flapping() -> None:
    async def story() -> None:
        async with exchange() as board:
            transport = board.switchboard.transport_for("GW0001")
            for n in range(5):
                caller = await board.call(b"GW0001")
                await until(lambda n=n: transport.registrations == n + 1)  # type: ignore[misc]
                caller.say(b"\xfe")
                await until(lambda n=n: transport.heartbeats == n + 1)  # type: ignore[misc]
                caller.writer.close()
                await until(lambda: not transport.connected)
            assert transport.flapping_since is None

    tell(story)


def test_only_what_comes_while_no_reply_may_come_counts_as_a_heartbeat() -> None:
    async def story() -> None:
        async with exchange() as board:
            transport = board.switchboard.transport_for("GW0001")
            caller = await board.call(b"GW0001")
            await until(lambda: transport.connected)
            line = Line(transport, Rtu(), frame_gap_ms=0)
            caller.say(b"\xfe")
            await until(lambda: transport.heartbeats)
            asked = asyncio.ensure_future(ask(line))
            await caller.hear(len(ASKED))
            caller.say(b"\xfe" + REPLY)
            await asked
            assert transport.heartbeats == 1 and transport.last_heartbeat_at

    tell(story)
