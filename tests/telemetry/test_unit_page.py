"""One unit's page: values with age and quality, today, readings, chart."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest
from django.test import Client

from devices.modbus.points import Scalar
from households import clock
from telemetry import returns
from telemetry.latest import values_of
from telemetry.models import UnitHour, UnitState
from telemetry.unit_clock import Changed
from tests.cast import Cast, answered, reading, turned_bad
from tests.telemetry.lines import works


@pytest.fixture
def officer(cast: Cast, client: Client) -> Client:
    client.force_login(cast.district_officer)
    return client


def page(client: Client, cast: Cast, more: str = "") -> str:
    return client.get(f"/units/{cast.water.pk}/{more}").content.decode()


def test_a_good_value_stands_with_its_unit_and_age(cast: Cast, officer: Client) -> None:
    now = clock.now()
    answered(cast.water, now - timedelta(seconds=24), supply_temp=43.1, outdoor_temp=-6.7)
    with clock.at(now):
        text = page(officer, cast)
    assert '43.1<span class="unit">°C</span>' in text
    assert "−6.7" in text
    assert "24 秒前" in text


def test_decimals_are_those_of_the_register_map(cast: Cast, officer: Client) -> None:
    answered(cast.water, clock.now(), supply_temp=43.0, indoor_temp_setpoint=20.0)
    text = page(officer, cast)
    assert '43.0<span class="unit">' in text
    assert '20<span class="unit">' in text


def test_a_bad_value_says_why_and_what_was_good_before(cast: Cast, officer: Client) -> None:
    state = answered(cast.water, clock.now(), electric_energy=1842.6)
    turned_bad(state, "electric_energy", "suspect")
    text = page(officer, cast)
    assert "数据存疑" in text
    assert "上次有效 1,842.6 kWh" in text


def test_an_offline_unit_says_why_and_shows_no_value_as_now(cast: Cast, officer: Client) -> None:
    state = answered(cast.water, clock.now() - timedelta(hours=2), supply_temp=43.1)
    state.missed_cause = "line_down"
    state.save()
    works()
    text = page(officer, cast)
    assert "未更新" in text
    assert "装置离线" in text
    assert "上次有效 43.1 °C" in text


def test_a_line_worker_that_is_gone_is_named_and_not_the_last_thing_that_it_said(
    cast: Cast, officer: Client
) -> None:
    state = answered(cast.water, clock.now() - timedelta(hours=2), supply_temp=43.1)
    state.missed_cause = "not_answered"
    state.save()
    works(ago=60)
    text = page(officer, cast)
    assert "采集进程停止" in text and "设备未应答" not in text


def test_what_is_asked_at_every_third_poll_is_fresh_three_times_as_long(
    cast: Cast, officer: Client
) -> None:
    ago = timedelta(minutes=6)
    answered(cast.water, clock.now() - ago, supply_temp=43.1, indoor_temp_setpoint=20.0)
    UnitState.objects.update(interval_s=60)
    values = {shown.signal: shown for shown in values_of(cast.water, UnitState.objects.get())}
    assert values["supply_temp"].is_stale
    assert not values["indoor_temp_setpoint"].is_stale


def test_settings_that_an_outage_changed_are_listed_with_both_values(
    cast: Cast, officer: Client
) -> None:
    assert "断电断线后变化的设定" not in page(officer, cast)
    now = clock.now()
    settings: dict[str, tuple[Scalar, Scalar]] = {
        "indoor_temp_setpoint": (18.0, 25.0),
        "power_state": (True, False),
    }
    returns.keep(Changed(cast.water.pk, now - timedelta(hours=2), now, settings))
    text = page(officer, cast)
    assert "断电断线后变化的设定" in text
    assert "18 °C → 25 °C" in text
    assert "开机 → 关机" in text


def test_the_fault_stands_by_name(cast: Cast, officer: Client) -> None:
    answered(cast.water, clock.now(), fault_active=True, fault_bits=["water_flow"])
    assert "水流开关保护" in page(officer, cast)


def test_a_unit_that_was_never_read_says_what_is_missing(cast: Cast, officer: Client) -> None:
    assert "还没有读到过这台机组" in page(officer, cast)


def test_the_values_come_again_by_themselves_with_all_that_hangs_on_them(
    cast: Cast, officer: Client
) -> None:
    answered(cast.water, clock.now(), supply_temp=43.1)
    text = page(officer, cast, "?part=values")
    assert "<html" not in text
    assert 'id="asof" hx-swap-oob' in text
    assert 'id="pill" hx-swap-oob' in text


def test_todays_run_is_summed_from_unit_hours_and_readings(cast: Cast, officer: Client) -> None:
    midnight = clock.now().astimezone(clock.SHANGHAI).replace(hour=0, minute=0, second=0)
    hour = midnight.replace(microsecond=0)
    UnitHour.objects.create(
        unit=cast.water, hour=hour, interval_s=60, due=60, stored=57, on_seconds=2940,
        indoor_min=17.6, indoor_max=19.6, energy_kwh=1.84,
    )  # fmt: skip
    yesterday = hour - timedelta(hours=1)
    UnitHour.objects.create(
        unit=cast.water, hour=yesterday, interval_s=60, due=60, stored=60, on_seconds=3600
    )
    reading(cast.water, hour, supply_temp=43.1, return_temp=37.9)
    text = page(officer, cast)
    assert "57 / 60 次" in text
    assert "95.0%" in text
    assert "49 分钟" in text
    assert "5.2 K" in text
    assert "17.6 至 19.6 °C" in text
    assert "1.8 kWh" in text


def test_readings_are_listed_newest_first_with_reasons_for_gaps(
    cast: Cast, officer: Client
) -> None:
    now = clock.now()
    reading(cast.water, now - timedelta(minutes=2), supply_temp=42.0)
    reading(
        cast.water,
        now - timedelta(minutes=1),
        supply_temp=43.1,
        not_good={"return_temp": ["sensor_open", "0x7FFF"]},
    )
    text = page(officer, cast, "readings/")
    assert text.index("43.1") < text.index("42.0")
    assert "传感器断路" in text


def test_readings_are_handed_out_as_a_file_of_one_day(cast: Cast, officer: Client) -> None:
    now = clock.now()
    reading(cast.water, now - timedelta(days=2), supply_temp=41.0)
    reading(cast.water, now - timedelta(minutes=1), supply_temp=43.1)
    content = b"".join(officer.get(f"/units/{cast.water.pk}/readings/?export=csv"))
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    assert [row["供水温度 °C"] for row in rows] == ["43.1"]
    day = (clock.today() - timedelta(days=2)).isoformat()
    other = b"".join(officer.get(f"/units/{cast.water.pk}/readings/?export=csv&date={day}"))
    assert "41.0" in other.decode()


@pytest.mark.parametrize("date", ["gestern", "2026-02-30", "2999-01-01", ""])
def test_a_wrong_date_means_the_last_24_hours(cast: Cast, officer: Client, date: str) -> None:
    assert "近 24 小时" in page(officer, cast, f"?date={date}")
    chart = officer.get(f"/units/{cast.water.pk}/chart/?date={date}").json()
    assert chart["end"] - chart["start"] == pytest.approx(86400, abs=5)
