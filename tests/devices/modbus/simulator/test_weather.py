from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from devices.modbus.simulator.weather import outdoor, sunshine

TEN_MINUTES = timedelta(minutes=10)


def month(start: datetime) -> list[float]:
    return [outdoor(start + number * TEN_MINUTES) for number in range(31 * 144)]


@pytest.mark.parametrize(
    "start",
    [
        datetime(2026, 1, 1, tzinfo=UTC),
        datetime(2027, 1, 1, tzinfo=UTC),
        datetime(2026, 7, 15, tzinfo=UTC),
        datetime(2026, 11, 23, 13, tzinfo=UTC),
    ],
)
def test_any_month_is_a_january_of_jincheng(start: datetime) -> None:
    values = month(start)
    assert sum(values) / len(values) == pytest.approx(-3.6, abs=0.2)
    assert min(values) == pytest.approx(-17, abs=0.7)
    assert max(values) < 10


def test_the_day_swings_and_is_coldest_before_sunrise_in_shanghai_time() -> None:
    midnight = datetime(2026, 11, 22, 16, tzinfo=UTC)  # 00:00 in Shanghai
    for day in range(31):
        start = midnight + timedelta(days=day)
        hours = [outdoor(start + timedelta(hours=hour)) for hour in range(24)]
        assert 4 < max(hours[6:17]) - min(hours[:9]) < 18
    mean = [
        sum(outdoor(midnight + timedelta(days=day, hours=hour)) for day in range(31)) / 31
        for hour in range(24)
    ]
    assert mean.index(min(mean)) in (6, 7)
    assert mean.index(max(mean)) in (14, 15)


def test_the_temperature_never_jumps_not_even_where_the_table_repeats() -> None:
    values = month(datetime(2026, 1, 1, tzinfo=UTC)) + month(datetime(2026, 2, 1, tzinfo=UTC))
    assert max(abs(b - a) for a, b in pairwise(values)) < 0.5


def test_the_same_moment_has_the_same_weather_in_every_zone() -> None:
    moment = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
    assert outdoor(moment) == outdoor(moment.astimezone())


def test_the_sun_shines_by_day_only() -> None:
    noon = datetime(2026, 11, 23, 4, 30, tzinfo=UTC).timestamp()
    assert sunshine(noon) > 50
    assert sunshine(noon + 12 * 3600) == 0
