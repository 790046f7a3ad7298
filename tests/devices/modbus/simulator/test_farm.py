import asyncio
import json
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from devices.modbus.simulator.control import tell
from devices.modbus.simulator.farm import Farm, FarmUnreadable, load_farm, read_listeners
from tests.devices.modbus.simulator.masters import Port, ask, connected
from tests.devices.modbus.simulator.test_transmitters import listening, until
from tests.devices.modbus.simulator.tiny_maps import AIRBOX, CN_W10

READ = "0300640004"


def unit(key: str, address: int, **more: Any) -> dict[str, Any]:
    return {"key": key, "address": address, "map": str(CN_W10), "seed": address, **more}


def test_listeners_are_read_from_the_command_line() -> None:
    read = read_listeners("auto@127.0.0.1:4001,prefix@127.0.0.1:4002")
    assert read == {"auto": "127.0.0.1:4001", "prefix": "127.0.0.1:4002"}
    with pytest.raises(FarmUnreadable, match="auto@127"):
        read_listeners("auto")


def test_every_transport_of_a_farm_is_served(tmp_path: Path) -> None:
    async def story() -> None:
        async with listening() as (auto, calls), listening() as (prefix, prefixed):
            farm = Farm(
                {
                    "record": str(tmp_path / "record.jsonl"),
                    "latency_ms": [0, 0],
                    "turnround_ms": [0, 0],
                    "stagger_s": 0,
                    "lines": [
                        {"transport": "dial", "id": "GW1", "units": [unit("a", 1)]},
                        {"transport": "dial", "id": "PX1", "dialect": "prefix",
                         "units": [unit("b", 2)]},
                        {"transport": "pty", "link": str(tmp_path / "line"), "baud": 9600,
                         "units": [unit("c", 3), unit("d", 4, silent=True)]},
                        {"transport": "tcp", "baud": 0, "units": [unit("e", 5)]},
                        {"transport": "mbap", "baud": 0,
                         "units": [unit("f", 6, map=str(AIRBOX), fault="fan_motor")]},
                    ],
                },
                {"auto": f"127.0.0.1:{auto[1]}", "prefix": f"127.0.0.1:{prefix[1]}"},
            )  # fmt: skip
            async with farm:
                await until(lambda: calls and calls[0].got == b"GW1")
                await until(lambda: prefixed and prefixed[0].got == b"PX1")
                port = Port(str(tmp_path / "line"))
                assert len(await port.ask(3, READ, 13)) == 13
                assert await port.ask(4, READ, 1, wait=0.15) == b""
                port.close()
                async with connected(int(farm.places["e"].rpartition(":")[2])) as line:
                    assert await ask(line, 5, READ) != ""
                assert farm.places["f"].startswith("mbap://127.0.0.1:")
                assert farm.units["f"].values()["fault.fan_motor"] is True
            lines = (tmp_path / "record.jsonl").read_text(encoding="utf-8").splitlines()
            assert [json.loads(one)["key"] for one in lines] == ["c", "e"]

    asyncio.run(story())


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ({"transport": "smoke", "units": []}, "smoke"),
        ({"transport": "tcp", "units": [{"key": "a", "address": 1}]}, "missing {'map'}"),
        ({"transport": "dial", "id": "GW1", "units": []}, "no listener 'auto'"),
        ({"transport": "tcp", "units": [unit("a", 1), unit("a", 2)]}, "two units have the key 'a'"),
        ({"transport": "tcp", "units": [unit("a", 1, fault="ague")]}, "no fault 'ague'"),
    ],
)
def test_a_wrong_line_of_a_farm_is_named(line: dict[str, Any], reason: str) -> None:
    async def story() -> None:
        with pytest.raises(FarmUnreadable, match=f"line 0.*{reason}"):
            async with Farm({"lines": [line]}):
                pass

    asyncio.run(story())


def test_maps_of_a_farm_file_are_found_from_its_folder(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_bytes(CN_W10.read_bytes())
    file = tmp_path / "farm.json"
    lines = [{"transport": "tcp", "units": [{"key": "a", "address": 1, "map": "m.csv"}]}]
    file.write_text(json.dumps({"lines": lines}), encoding="utf-8")
    assert load_farm(file)["lines"][0]["units"][0]["map"] == str(tmp_path / "m.csv")
    file.write_text("{", encoding="utf-8")
    with pytest.raises(FarmUnreadable, match="no JSON"):
        load_farm(file)


async def run_farm(file: Path) -> asyncio.subprocess.Process:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "devices.modbus.simulator", "--farm", str(file),
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    assert b"simulator: 2 units on 1 lines" in await process.stdout.readline()
    return process


def test_a_running_farm_does_what_its_control_socket_is_told(tmp_path: Path) -> None:
    control, state = tmp_path / "control", tmp_path / "state.json"
    file = tmp_path / "farm.json"
    lines = [{"transport": "tcp", "units": [unit("a", 1), unit("b", 2)]}]
    description = {"control": str(control), "state": str(state), "lines": lines}
    file.write_text(json.dumps(description), encoding="utf-8")

    async def told(**what: Any) -> dict[str, Any]:
        return await asyncio.to_thread(tell, control, **what)

    async def story() -> None:
        process = await run_farm(file)
        try:
            assert await told(do="units") == {"ok": True, "units": ["a", "b"]}
            assert (await told(do="plant", key="a", fault="water_flow", persists=True))["ok"]
            assert (await told(do="set", key="a", signal="indoor_temp_setpoint", value=24.0))["ok"]
            assert (await told(do="pin", key="a", area="holding", address=102, word=0x7FFF))["ok"]
            shown = await told(do="state", key="a")
            assert shown["faults"] == ["water_flow"]
            assert shown["values"]["outdoor_temp"] is None
            assert shown["values"]["indoor_temp_setpoint"] == 24.0
            words = await told(do="registers", key="a", area="holding", address=102, count=1)
            assert words["words"] == [0x7FFF]
            port = int(shown["place"].rpartition(":")[2])
            async with connected(port) as line:
                await told(do="silence", key="b")
                assert await ask(line, 2, READ, wait=0.3) == ""
                await told(do="wake", key="b")
                assert await ask(line, 2, READ) != ""
                await told(do="local", key="b", on=True)
                assert await ask(line, 2, "0600020014") == "8604"
                faults = await told(do="faults", drop=1, late=0, garbled=0)
                assert faults["counts"]["ok"] == 2
                assert await ask(line, 1, READ, wait=0.2) == ""
            assert (await told(do="faults"))["counts"]["drop"] == 1
            strayed = (await told(do="strayed"))["strayed"]
            assert [(key, fate) for _, key, fate in strayed] == [("a", "drop")]
            wrong = await told(do="plant", key="a", fault="ague")
            assert not wrong["ok"] and "ague" in wrong["error"]
            assert not (await told(do="dance"))["ok"]
        finally:
            process.send_signal(signal.SIGTERM)
            assert await process.wait() == 0
        assert not control.exists()
        kept = json.loads(state.read_text(encoding="utf-8"))
        assert kept["a"][0]["house"]["room_set"] == 24.0

    asyncio.run(story())


def test_settings_survive_a_kill_of_the_simulator(tmp_path: Path) -> None:
    state, file = tmp_path / "state.json", tmp_path / "farm.json"
    control = tmp_path / "control"
    lines = [{"transport": "tcp", "units": [unit("a", 1), unit("b", 2)]}]
    description = {"control": str(control), "state": str(state), "lines": lines}
    file.write_text(json.dumps(description), encoding="utf-8")

    async def story() -> None:
        process = await run_farm(file)
        await asyncio.to_thread(
            tell, control, do="set", key="b", signal="indoor_temp_setpoint", value=25.0
        )
        await until(state.exists)
        process.kill()
        await process.wait()
        process = await run_farm(file)
        shown = await asyncio.to_thread(tell, control, do="state", key="b")
        process.terminate()
        await process.wait()
        assert shown["values"]["indoor_temp_setpoint"] == 25.0

    asyncio.run(story())


def test_a_farm_file_that_cannot_be_run_ends_with_one_sentence(tmp_path: Path) -> None:
    async def story() -> None:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "devices.modbus.simulator", "--farm", str(tmp_path / "none.json"),
            stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        _, error = await process.communicate()
        assert process.returncode == 1
        assert error.decode().count("\n") == 1 and "none.json" in error.decode()

    asyncio.run(story())
