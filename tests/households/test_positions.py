import pytest
from hypothesis import given
from hypothesis import strategies as st

from households import positions
from households.models import Household, PositionSource
from households.positions import bd09, degrees, far_from_village, gcj02, metres, outside, wgs84
from tests import cast as make
from tests.cast import Cast

# WGS-84 and GCJ-02 of places in three cities, as converters of several authors agree on them.
KNOWN = [
    ((121.5272106, 31.1774276), (121.531541859215, 31.17530398364597)),
    ((113.912316, 22.543847), (113.9171764808363, 22.540796131694766)),
    ((116.377817, 39.911954), (116.38404722455657, 39.91334545536069)),
    ((116.404, 39.915), (116.41024449916938, 39.91640428150164)),
]
in_the_district = st.tuples(st.floats(112.70, 113.10), st.floats(35.40, 35.60))


@pytest.mark.parametrize(("true", "shown"), KNOWN)
def test_known_places_are_shifted_as_maps_show_them(
    true: positions.Point, shown: positions.Point
) -> None:
    assert metres(gcj02(*true), shown) < 0.01


@pytest.mark.parametrize("source", ["amap", "wechat"])
@pytest.mark.parametrize(("true", "shown"), KNOWN)
def test_known_places_are_brought_back(
    true: positions.Point, shown: positions.Point, source: str
) -> None:
    assert metres(wgs84(*shown, source), true) < 0.01


def test_known_places_are_shifted_once_more_as_baidu_shows_them() -> None:
    true = wgs84(116.404, 39.915, "amap")
    assert metres(bd09(*true), (116.41036949371029, 39.92133699351021)) < 0.01


def test_known_places_of_baidu_are_brought_back() -> None:
    shown_by_amap = (116.39762729119315, 39.90865673957631)
    assert metres(wgs84(116.404, 39.915, "baidu"), wgs84(*shown_by_amap, "amap")) < 0.5


@given(in_the_district)
def test_what_is_shifted_anywhere_in_the_district_comes_back(point: positions.Point) -> None:
    assert metres(wgs84(*gcj02(*point), "amap"), point) < 0.01
    assert metres(wgs84(*bd09(*point), "baidu"), point) < 0.01


@given(in_the_district)
def test_the_shifts_are_the_hundreds_of_metres_that_offices_know(point: positions.Point) -> None:
    assert 200 < metres(gcj02(*point), point) < 900
    assert 200 < metres(bd09(*point), point) < 2000


@given(
    in_the_district, st.sampled_from(PositionSource.values), st.sampled_from(PositionSource.values)
)
def test_a_source_named_wrongly_can_be_put_right(
    point: positions.Point, was: str, is_: str
) -> None:
    kept = wgs84(*point, was)
    assert metres(positions.retold(*kept, was, is_), wgs84(*point, is_)) < 0.01


@pytest.mark.parametrize("source", ["browser", "rtk", "unknown", ""])
def test_other_sources_are_kept_as_they_are(source: str) -> None:
    assert wgs84(112.85, 35.49, source) == (112.85, 35.49)


def test_every_source_is_known_to_be_shifted_or_not() -> None:
    assert set(positions.SHIFTED) <= set(PositionSource.values)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("35.4917", 35.4917),
        (" ３５.４９１７ ", 35.4917),
        ("35°29′30″", 35.491667),
        ("35° 29' 30\"", 35.491667),
        ("35°29'30''", 35.491667),
        ("35 29 30", 35.491667),
        ("35度29分30秒", 35.491667),
        ("北纬35度29分30秒", 35.491667),
        ("112度51分", 112.85),
        ("112°51.5′", 112.858333),
        ("E112.85", 112.85),
        ("112.85°E", 112.85),
        ("东经：112.85", 112.85),
        ("35°29′30.5″N", 35.491806),
    ],
)
def test_positions_are_read_as_people_write_them(text: str, value: float) -> None:
    assert degrees(text) == pytest.approx(value, abs=1e-6)


@pytest.mark.parametrize(
    "text",
    ["", "庙东", "35°61′", "35°29′60″", "35.5°29′", "1e2", "112.8，35.4", "-35.4", "35 29 30 1"],
)
def test_what_is_no_position_is_not_guessed_at(text: str) -> None:
    with pytest.raises(ValueError):
        degrees(text)


@given(st.floats(35.40, 35.60))
def test_degrees_minutes_and_seconds_say_the_same_as_decimals(value: float) -> None:
    minutes = value % 1 * 60
    text = f"{int(value)}°{int(minutes)}′{minutes % 1 * 60:.4f}″"
    if "60.0000″" not in text:
        assert degrees(text) == pytest.approx(value, abs=1e-6)


def test_a_position_outside_the_district_is_refused_in_words() -> None:
    assert outside(35.49, 112.85) is None
    assert "35.4 至 35.6" in str(outside(39.9, 116.4))


def test_latitude_and_longitude_in_each_other_s_place_are_recognised() -> None:
    assert "填反" in str(outside(112.85, 35.49))


@pytest.fixture
def village(cast: Cast) -> Cast:
    """Five households of 洞头村 close together, one of them five kilometres off."""
    places = [
        (35.450, 112.850),
        (35.451, 112.851),
        (35.452, 112.852),
        (35.453, 112.85),
        (35.5, 112.85),
    ]
    for n, (latitude, longitude) in enumerate(places):
        make.household(
            cast.area("洞头村"), number=f"26-12-01{n:02d}", latitude=latitude, longitude=longitude
        )
    return cast


def test_a_house_far_from_its_village_is_told_with_its_distance(village: Cast) -> None:
    far = far_from_village(village.area("洞头村"), 35.5, 112.85)
    assert far == pytest.approx(5340, abs=150)
    assert far_from_village(village.area("洞头村"), 35.455, 112.855) is None


def test_one_wrong_position_does_not_move_the_middle(village: Cast) -> None:
    middle = positions.middle_of(village.area("洞头村"))
    assert middle == positions.Middle(35.452, 112.85)


def test_two_positions_make_no_middle(village: Cast) -> None:
    Household.objects.filter(number__in=["26-12-0102", "26-12-0103", "26-12-0104"]).delete()
    assert far_from_village(village.area("洞头村"), 35.59, 113.09) is None


def test_scattered_households_have_no_middle(village: Cast) -> None:
    Household.objects.filter(number__startswith="26-12-01").update(area=village.area("钟家庄街道"))
    assert far_from_village(village.area("钟家庄街道"), 35.59, 113.09) is None
