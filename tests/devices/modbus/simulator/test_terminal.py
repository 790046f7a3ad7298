import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from devices.modbus.simulator import Record, SimUnit, serve_pty
from devices.modbus.simulator.rtu import crc
from devices.modbus.simulator.terminal import char_time
from tests.devices.modbus.simulator.masters import Port
from tests.devices.modbus.simulator.tiny_maps import CN_W10

READ = "0300640004"  # 13 bytes of reply


def test_a_character_has_ten_or_eleven_bits() -> None:
    assert char_time(9600) == pytest.approx(10 / 9600)
    assert char_time(4800, "E") == pytest.approx(11 / 4800)
    assert char_time(9600, "N", 2) == pytest.approx(11 / 9600)


@pytest.mark.parametrize(("baud", "parity"), [(9600, "N"), (1200, "E")])
def test_bytes_come_at_the_pace_of_the_baud_rate(baud: int, parity: str) -> None:
    char, took = char_time(baud, parity), []

    async def reply_of(path: str) -> None:
        port = Port(path)
        reply = await port.ask(5, READ, 13)
        port.close()
        assert crc(reply[:-2]) == reply[-2:] and len(reply) == 13
        assert port.arrivals[0][0] - port.sent_at >= 8 * char + 0.03  # the request, the turn-round
        for at, count in port.arrivals:  # never ahead of the line
            assert count <= (at - port.sent_at - 8 * char - 0.03 + 0.002) / char
        took.append(port.arrivals[-1][0] - port.sent_at)

    async def story() -> None:
        units = [SimUnit(CN_W10, 5)]
        async with serve_pty(units, baud=baud, parity=parity, turnround=(0.03, 0.03)) as path:
            while not took or (took[-1] >= 21 * char + 0.18 and len(took) < 20):
                await reply_of(path)  # again where the machine, not the line, was slow

    asyncio.run(story())
    assert 21 * char + 0.03 - 0.002 <= took[-1] < 21 * char + 0.03 + 0.15


def test_what_is_sent_into_a_reply_collides_and_is_lost() -> None:
    async def story() -> None:
        units = [SimUnit(CN_W10, 5), SimUnit(CN_W10, 6)]
        async with serve_pty(units, baud=1200, turnround=(0.0, 0.0)) as path:
            port = Port(path)
            await port.ask(5, READ, 3)
            got = await port.ask(6, READ, 99, wait=0.25)
            assert 6 not in got[:1] and len(got) <= 10  # the rest of the first reply only
            assert (await port.ask(6, READ, 13))[0] == 6
            port.close()

    asyncio.run(story())


def test_the_link_leads_to_the_line_and_goes_with_it(tmp_path: Path) -> None:
    async def story() -> None:
        link = tmp_path / "rs485"
        link.symlink_to("/dev/null")  # left over from a crash
        record = Record()
        units = [SimUnit(CN_W10, address) for address in range(1, 13)]
        options: dict[str, Any] = {
            "link": link,
            "baud": 0,
            "turnround": (0.0, 0.0),
            "record": record,
        }
        async with serve_pty(units, **options) as path:
            assert path == str(link) and os.readlink(link).startswith("/dev/pts/")
            port = Port(path)
            for unit in units:
                assert (await port.ask(unit.address, READ, 13))[0] == unit.address
            port.close()
            again = Port(path)  # a line outlives its masters
            assert len(await again.ask(3, READ, 13)) == 13
            again.close()
        assert not link.is_symlink()
        assert len(record.lines) == 13

    asyncio.run(story())
