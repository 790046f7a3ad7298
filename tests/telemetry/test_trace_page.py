"""The live trace: started, looked at, stopped, downloaded; frames in words and by name."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.test import Client

from devices.modbus.frames import crc16
from devices.models import Gateway
from households import clock
from telemetry import keeping, tracing
from telemetry.models import LineTrace, TracedFrame
from telemetry.tracing import Chunk
from tests.cast import Cast, gateway, unit
from tests.farm import Farm, farm
from tests.telemetry.lines import opened, works
from tests.telemetry.test_line_worker import eventually, sim, water, working
from tests.telemetry.test_line_worker import gateway as line_of

AT = datetime(2026, 11, 23, 2, 26, 14, 102000, tzinfo=UTC).timestamp()


def frame(text: str) -> bytes:
    body = bytes.fromhex(text)
    return body + crc16(body).to_bytes(2, "little")


ASK = frame("05 03 0064 0004")
SAY = frame("05 03 08 01AF 0182 FFDF 00BE")


@pytest.fixture
def operator(cast: Cast, client: Client) -> Client:
    works()
    opened(cast.water.gateway)
    client.force_login(cast.service_unit)
    return client


def heard(line: Gateway, *chunks: tuple[str, bytes], lost: int = 0) -> None:
    tracing.keep(
        {
            line.pk: [
                Chunk(direction, AT + n / 10, data, lost)  # type: ignore[arg-type]
                for n, (direction, data) in enumerate(chunks)
            ]
        }
    )


def url(cast: Cast, tail: str = "") -> str:
    return f"/lines/{cast.water.gateway_id}/trace/{tail}"


def page(client: Client, where: str) -> str:
    answer = client.get(where)
    assert answer.status_code == 200, answer.status_code
    return answer.content.decode()


# Frames


def test_a_frame_shows_time_direction_bytes_and_meaning(cast: Cast, operator: Client) -> None:
    heard(cast.water.gateway, ("out", ASK), ("in", SAY))
    said = page(operator, url(cast))
    for words in (
        "10:26:14.102",
        "→ 发",
        "05 03 00 64 00 04",
        "地址 5：读 保持 100，4 个",
        "10:26:14.202",
        "← 收",
        "地址 5 应答：0x01AF 0x0182 0xFFDF 0x00BE",
    ):
        assert words in said, words


def test_values_are_named_by_the_units_register_map(cast: Cast, operator: Client) -> None:
    heard(cast.water.gateway, ("out", ASK), ("in", SAY))
    points = {point.signal: point for point in cast.water.register_map.parsed().points}
    assert points["supply_temp"].address == 100
    said = page(operator, url(cast))
    assert "供水温度 43.1 °C" in said and "回水温度 38.6 °C" in said


def test_a_write_names_the_point_that_it_sets(cast: Cast, operator: Client) -> None:
    points = {point.signal: point for point in cast.water.register_map.parsed().points}
    register = points["indoor_temp_setpoint"].write_address
    heard(cast.water.gateway, ("out", frame(f"05 06 {register:04X} 0014")))
    assert "设定室温" in page(operator, url(cast))


def test_a_wrong_check_is_marked_and_lost_chunks_are_counted(cast: Cast, operator: Client) -> None:
    heard(cast.water.gateway, ("out", ASK), ("in", SAY[:-1] + b"\x00"), lost=4)
    said = page(operator, url(cast))
    assert "地址 5 的应答，校验错误" in said and "st-unk" in said
    assert "这里有 4 段没有记下" in said


def test_only_frames_after_the_last_seen_come_and_know_their_request(
    cast: Cast, operator: Client
) -> None:
    line = cast.water.gateway
    LineTrace.objects.start(line.pk, cast.service_unit)
    heard(line, ("out", ASK))
    seen = TracedFrame.objects.get().pk
    heard(line, ("in", SAY))
    said = page(operator, url(cast, f"?part=frames&after={seen}"))
    assert "地址 5 应答" in said and "地址 5：读" not in said and "<html" not in said
    last = TracedFrame.objects.order_by("-pk")[0].pk
    assert f"after={last}" in said
    assert "地址 5" not in page(operator, url(cast, f"?part=frames&after={last}"))


@pytest.mark.parametrize("after", ["", "x", "-1", "9" * 40, "٣"])
def test_a_strange_place_to_go_on_from_is_no_fault(
    cast: Cast, operator: Client, after: str
) -> None:
    heard(cast.water.gateway, ("out", ASK))
    page(operator, url(cast, f"?part=frames&after={after}"))


def test_frames_of_a_line_without_units_are_told_too(cast: Cast, operator: Client) -> None:
    bare = gateway("mbap://127.0.0.1:502")
    heard(bare, ("out", bytes.fromhex("0001 0000 0006 05 03 0000 0001")))
    assert "地址 5：读 保持 0，1 个" in page(operator, f"/lines/{bare.pk}/trace/")


def test_a_unit_of_a_competitor_on_the_line_is_read_by_its_own_map(
    cast: Cast, operator: Client
) -> None:
    unit(cast.water.gateway, cast.air.model, address=9)
    heard(cast.water.gateway, ("out", frame("09 03 0064 0004")), ("in", frame("09 83 02")))
    assert "地址 9 返回异常码 2" in page(operator, url(cast))


# Start and stop


def test_a_trace_is_started_and_stopped(cast: Cast, operator: Client) -> None:
    assert "没有在跟踪" in page(operator, url(cast))
    operator.post(url(cast, "switch/"), {"on": "1"})
    said = page(operator, url(cast))
    assert "正在跟踪" in said and "停止跟踪" in said and 'hx-trigger="every 1s"' in said
    operator.post(url(cast, "switch/"))
    said = page(operator, url(cast))
    assert "开始跟踪" in said and "every 1s" not in said


def test_a_trace_that_ended_makes_the_page_load_anew(cast: Cast, operator: Client) -> None:
    trace = LineTrace.objects.start(cast.water.gateway_id, cast.service_unit)
    with clock.at(trace.until + timedelta(seconds=1)):
        answer = operator.get(url(cast, "?part=frames&after=0"))
    assert answer["HX-Refresh"] == "true"


def test_stopping_what_does_not_run_is_no_fault(cast: Cast, operator: Client) -> None:
    assert operator.post(url(cast, "switch/")).status_code == 302


# Files


def test_the_text_has_every_frame_in_its_order(cast: Cast, operator: Client) -> None:
    heard(cast.water.gateway, *[("out", ASK), ("in", SAY)] * 150)
    answer = operator.get(url(cast, "file/"))
    text = b"".join(answer).decode()
    assert len(text.splitlines()) == 300
    assert text.startswith("2026-11-23 10:26:14.102  发  05 03 00 64")
    assert "attachment" in answer["Content-Disposition"]


def test_the_csv_has_the_same_in_columns(cast: Cast, operator: Client) -> None:
    heard(cast.water.gateway, ("out", ASK), ("in", SAY), ("in", b"\x00\xff"))
    content = b"".join(operator.get(url(cast, "file/?as=csv"))).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(content)))
    assert [row["方向"] for row in rows] == ["发", "收", "收"]
    assert "供水温度 43.1 °C" in rows[1]["含义"]
    assert [row["校验"] for row in rows] == ["", "", "错误"]


# Who may


@pytest.mark.parametrize("tail", ["", "?part=frames&after=0", "file/"])
@pytest.mark.parametrize("who", ["district_officer", "town_officer", "clerk", "reader", "rival"])
def test_for_others_there_is_no_trace(cast: Cast, client: Client, who: str, tail: str) -> None:
    client.force_login(getattr(cast, who))
    assert client.get(url(cast, tail)).status_code == 404
    assert client.post(url(cast, "switch/"), {"on": "1"}).status_code == 404


@pytest.mark.parametrize("tail", ["", "?part=frames&after=0", "file/"])
def test_a_supplier_reads_no_frames(cast: Cast, client: Client, tail: str) -> None:
    client.force_login(cast.supplier_member)
    assert client.get(url(cast, tail)).status_code == 403
    assert client.post(url(cast, "switch/"), {"on": "1"}).status_code == 403
    assert not LineTrace.objects.exists()


@pytest.mark.parametrize("tail", ["", "file/"])
def test_nobody_reads_frames_without_signing_in(cast: Cast, client: Client, tail: str) -> None:
    assert client.get(url(cast, tail))["Location"].startswith("/sign-in/")


# The whole way


def _once(said: str, words: str) -> str:
    return said if words in said else ""


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[Farm]:
    for name in ("ROUND_S", "ROSTER_S", "FIGURES_S"):
        monkeypatch.setattr(keeping, name, 0.1)
    with farm() as made:
        yield made


@pytest.mark.django_db(transaction=True)
def test_what_a_unit_says_now_appears_on_the_page_by_name(
    cast: Cast, client: Client, lines: Farm, tmp_path: Path
) -> None:
    device = sim()
    line = line_of(lines.open(device))
    water(line)
    client.force_login(cast.service_unit)
    where = f"/lines/{line.pk}/trace/"
    client.post(f"{where}switch/", {"on": "1"})
    told = f"供水温度 {device.values()['supply_temp']:.1f} °C"  # the request names it without
    with working(tmp_path):
        said = eventually(lambda: _once(page(client, where), told))
    assert f'href="/lines/{line.pk}/"' in said
