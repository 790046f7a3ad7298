"""How the readings of a soak moved."""

from devices.modbus.bench.movement import Movement


def seen(*pairs: tuple[float, float], every_s: float = 60, resolution: float = 0.1) -> Movement:
    """Supply and return, one pair after the other."""
    movement = Movement({"supply_temp": resolution, "return_temp": resolution})
    for number, (supply, back) in enumerate(pairs):
        movement.add(number * every_s, {"supply_temp": supply, "return_temp": back})
    return movement


def test_a_temperature_that_never_moves_beside_one_that_does_is_stuck() -> None:
    moving = [(45.0, 35.0), (45.0, 37.0), (45.0, 39.0)]
    assert seen(*moving).stuck == "supply_temp"
    assert seen(*moving, (45.1, 39.0)).stuck is None


def test_a_sample_with_resistors_for_sensors_is_still_and_not_stuck() -> None:
    movement = seen(*[(45.0, 40.0)] * 9)
    assert movement.stuck is None and movement.is_still and movement.stale_s is None


def test_what_leaps_after_a_long_stand_time_and_again_is_seldom_brought_up_to_date() -> None:
    leaps = [(40 + number // 10 * 0.7, 35.0) for number in range(80)]
    assert seen(*leaps).stale_s == 600


def test_what_drifts_slowly_by_its_smallest_step_is_fresh() -> None:
    assert seen(*[(40 + number // 10 * 0.1, 35.0) for number in range(80)]).stale_s is None
    coarse = [(40 + number // 10, 35.0) for number in range(80)]
    assert seen(*coarse, resolution=1).stale_s is None


def test_what_leaps_now_and_then_but_moves_between_is_fresh() -> None:
    lively = [(40 + number % 7 * 0.5, 35.0) for number in range(80)]
    assert seen(*lively, every_s=10).stale_s is None
