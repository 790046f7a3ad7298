import asyncio
import json
import time
from datetime import datetime
from typing import Any

import pytest
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.framer import FramerType

from devices.modbus.simulator import Faults, Record, SimUnit, serve_tcp
from devices.modbus.simulator.wire import Bus
from tests.devices.modbus.simulator.masters import ask, connected
from tests.devices.modbus.simulator.tiny_maps import AIRBOX, CN_W10, map_of

READ = "0300640004"


def test_units_of_one_line_answer_for_themselves_and_nobody_for_an_absent_one() -> None:
    async def story() -> None:
        units = [SimUnit(CN_W10, 5, seed=1, static=True), SimUnit(CN_W10, 6, seed=2, static=True)]
        async with serve_tcp(units) as port, connected(port) as line:
            for unit in units:
                words = b"".join(w.to_bytes(2, "big") for w in unit.words("holding", 100, 4))
                assert await ask(line, unit.address, READ) == "0308" + words.hex()
            assert await ask(line, 7, READ, wait=0.1) == ""
            units[0].silent = True
            assert await ask(line, 5, READ, wait=0.1) == ""
            assert await ask(line, 6, READ) != ""

    asyncio.run(story())


def test_native_two_byte_addresses_are_spoken() -> None:
    async def story() -> None:
        row = {"signal": "indoor_temp_setpoint", "address": 0, "type": "int16", "access": "rw"}
        unit = SimUnit(map_of(row, address_width=2), 0x0102, seed=1)
        async with serve_tcp([unit]) as port, connected(port) as line:
            assert await ask(line, 0x0102, "0600000016", width=2) == "0600000016"
            assert await ask(line, 0x0102, "0300000001", width=2) == "03020016"
            assert await ask(line, 0x0002, "0300000001", width=2, wait=0.1) == ""
        assert unit.house.room_set == 22

    asyncio.run(story())


def test_units_that_differ_in_address_width_cannot_share_a_line() -> None:
    row = {"signal": "indoor_temp", "address": 0, "type": "int16"}
    with pytest.raises(ValueError, match="width"):
        Bus([SimUnit(CN_W10, 5), SimUnit(map_of(row, address_width=2), 0x0106)])


def test_a_broadcast_is_obeyed_by_all_and_answered_by_none() -> None:
    async def story() -> None:
        units = [SimUnit(CN_W10, 5, seed=1, static=True), SimUnit(CN_W10, 6, seed=2, static=True)]
        async with serve_tcp(units) as port, connected(port) as line:
            assert await ask(line, 0, "0600020019", wait=0.1) == ""
        assert [unit.house.room_set for unit in units] == [25, 25]

    asyncio.run(story())


@pytest.mark.parametrize(
    ("framing", "framer"), [("mbap", FramerType.SOCKET), ("rtu", FramerType.RTU)]
)
def test_pymodbus_reads_and_writes_a_unit(framing: str, framer: FramerType) -> None:
    async def story() -> None:
        water, air = (
            SimUnit(CN_W10, 5, seed=1, static=True),
            SimUnit(AIRBOX, 6, seed=2, static=True),
        )
        air.plant("high_pressure")
        async with serve_tcp([water, air], framing=framing) as port:
            client = AsyncModbusTcpClient("127.0.0.1", port=port, framer=framer, timeout=1)
            assert await client.connect()
            got: Any = await client.read_holding_registers(100, count=4, device_id=5)
            assert got.registers == water.words("holding", 100, 4)
            got = await client.read_input_registers(0, count=3, device_id=6)
            assert got.registers == air.words("input", 0, 3)
            got = await client.read_discrete_inputs(100, count=10, device_id=6)
            assert got.bits[:10] == [bit == 4 for bit in range(10)]
            assert not (await client.write_register(2, 23, device_id=5)).isError()
            assert not (await client.write_coil(0, False, device_id=6)).isError()
            assert (await client.write_coil(1, True, device_id=6)).isError() is False
            refused: Any = await client.write_register(2, 99, device_id=5)
            assert refused.isError() and refused.exception_code == 3
            refused = await client.write_registers(2, [20], device_id=5)
            assert refused.isError() and refused.exception_code == 1
            client.close()
        assert (water.house.room_set, air.house.power, air.house.faults) == (23, False, {})

    asyncio.run(story())


def test_pymodbus_writes_several_coils_and_registers() -> None:
    async def story() -> None:
        rows = [
            {"signal": "electric_energy", "address": 10, "type": "uint32"},
            {"signal": "limit", "address": 2, "type": "float32", "order": "CDAB", "access": "rw"},
            {"signal": "a", "area": "coil", "address": 0, "type": "bool", "access": "rw"},
            {"signal": "b", "area": "coil", "address": 1, "type": "bool", "access": "rw"},
        ]
        settings = {"read_functions": "1 3", "write_functions": "5 6 15 16"}
        unit = SimUnit(map_of(*rows, **settings), 9, seed=1)
        async with serve_tcp([unit], framing="mbap") as port:
            client = AsyncModbusTcpClient("127.0.0.1", port=port, timeout=1)
            assert await client.connect()
            words = client.convert_to_registers(43.25, client.DATATYPE.FLOAT32, word_order="little")
            assert not (await client.write_registers(2, words, device_id=9)).isError()
            assert not (await client.write_coils(0, [False, True], device_id=9)).isError()
            client.close()
        values = unit.values()
        assert (values["limit"], values["a"], values["b"]) == (43.25, False, True)

    asyncio.run(story())


def test_faults_drop_delay_and_garble_and_what_is_whole_is_recorded() -> None:
    async def story() -> None:
        faults, record = Faults(late_by=(0.05, 0.06), seed=1), Record()
        options: dict[str, Any] = {"faults": faults, "record": record}
        async with serve_tcp([SimUnit(CN_W10, 5)], **options) as port, connected(port) as line:
            faults.rate(1, 0, 0)
            assert await ask(line, 5, READ, wait=0.15) == ""
            faults.rate(0, 1, 0)
            begun = time.monotonic()
            assert await ask(line, 5, READ) != ""
            assert time.monotonic() - begun >= 0.05
            faults.rate(0, 0, 1)
            with pytest.raises(AssertionError):
                await ask(line, 5, READ)
            assert len(record.lines) == 1  # the late one, when it was asked for
            faults.rate(0, 0, 0)
            good = await ask(line, 5, READ)
        assert dict(faults.counts) == {"drop": 1, "late": 1, "garbled": 1, "ok": 1}
        late, line_of_record = [json.loads(one) for one in record.lines]
        assert late["key"] == "5"
        raw = bytes.fromhex(good)[2:]
        told = [int.from_bytes(raw[at : at + 2], "big", signed=True) / 10 for at in (0, 2, 4, 6)]
        assert list(line_of_record["signals"].values()) == told
        age = time.time() - datetime.fromisoformat(line_of_record["t"]).timestamp()
        assert line_of_record["key"] == "5" and 0 <= age < 2

    asyncio.run(story())


def test_wire_time_turnround_and_latency_add_up() -> None:
    async def story() -> None:
        options: dict[str, Any] = {
            "char_s": 0.001,
            "turnround": (0.03, 0.03),
            "latency": (0.1, 0.1),
        }
        async with serve_tcp([SimUnit(CN_W10, 5)], **options) as port, connected(port) as line:
            begun = time.monotonic()
            await ask(line, 5, READ)
            took = time.monotonic() - begun
        # 8 characters of request and 13 of reply, 30 ms and 100 ms
        assert 0.151 <= took < 0.35

    asyncio.run(story())


def test_a_reply_that_is_kept_follows_writes_silence_and_faults() -> None:
    async def story() -> None:
        unit, faults = SimUnit(CN_W10, 5, seed=1, static=True), Faults()
        setpoint = "0300020001"
        async with serve_tcp([unit], faults=faults) as port, connected(port) as line:
            before = [await ask(line, 5, setpoint) for _ in range(3)]
            assert await ask(line, 5, "0600020019") == "0600020019"
            after = [await ask(line, 5, setpoint) for _ in range(3)]
            unit.silent = True
            assert await ask(line, 5, setpoint, wait=0.1) == ""
            unit.silent = False
            faults.rate(1.0, 0.0, 0.0)
            assert await ask(line, 5, setpoint, wait=0.1) == ""
        assert len(set(before)) == 1
        assert after == ["03020019"] * 3

    asyncio.run(story())


def test_a_static_unit_is_no_bottleneck() -> None:
    async def story() -> float:
        async with serve_tcp([SimUnit(CN_W10, 5, static=True)]) as port, connected(port) as line:
            begun = time.process_time()
            for _ in range(1000):
                await ask(line, 5, READ)
            return time.process_time() - begun

    assert min(asyncio.run(story()) for _ in range(3)) < 1.0  # both ends, 1,000 exchanges
