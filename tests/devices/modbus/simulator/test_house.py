import time
from itertools import pairwise

import pytest

from devices.modbus.simulator.house import House, settled
from devices.modbus.simulator.users import NEVER, next_act

START = 1_768_000_000.0
DAY = 86_400


def a_week(house: House, step: int = 60) -> list[dict[str, float]]:
    seen = []
    for _ in range(7 * DAY // step):
        house.step(step)
        seen.append(house.signals())
    return seen


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_a_steadily_heated_water_house_is_warm_and_its_loop_plausible(seed: int) -> None:
    house = settled(START, user="steady", seed=seed)
    seen = a_week(house)
    rooms = [one["indoor_temp"] for one in seen]
    assert min(rooms) > 16 and max(rooms) < 22.5
    running = [one for one in seen if one["compressor_running"] and not one["defrosting"]]
    supplies = sorted(one["supply_temp"] for one in running)
    assert supplies[len(supplies) // 10] > 28 and supplies[-1] < 50
    spreads = sorted(one["supply_temp"] - one["return_temp"] for one in running)
    assert spreads[len(spreads) // 10] > 3 and spreads[-1] < 6
    assert 0.1 < len(running) / len(seen) < 0.95
    kwh_a_day = (seen[-1]["electric_energy"] - seen[0]["electric_energy"]) / 7
    assert 15 < kwh_a_day < 80


def test_an_air_unit_blows_warm_air_and_its_return_air_is_the_room() -> None:
    seen = a_week(settled(START, kind="ashp_air", medium="air", seed=5))
    assert all(one["return_temp"] == one["indoor_temp"] for one in seen)
    running = sorted(one["supply_temp"] for one in seen if one["compressor_running"])
    assert 28 < running[len(running) // 2] < 50


@pytest.mark.parametrize("user", ["steady", "night", "sparse", "none"])
def test_rooms_stay_between_5_and_22_degrees_whatever_the_user(user: str) -> None:
    for seed in range(5):
        rooms = [one["indoor_temp"] for one in a_week(settled(START, user=user, seed=seed), 300)]
        assert min(rooms) > 5 and max(rooms) < 22.5, seed


def test_users_differ_in_how_much_they_heat() -> None:
    used = {}
    for user in ("steady", "night", "sparse", "none"):
        houses = [settled(START, user=user, seed=seed) for seed in range(8)]
        before = sum(house.kwh for house in houses)
        for house in houses:
            house.advance(START + 14 * DAY)
        used[user] = sum(house.kwh for house in houses) - before
    assert used["steady"] > used["night"] > 2 * used["sparse"] > 10 * used["none"] > 0


def test_the_unit_defrosts_about_once_an_hour_of_running_and_supply_falls_below_return() -> None:
    seen = a_week(settled(START, seed=2))
    starts = sum(now["defrosting"] and not before["defrosting"] for before, now in pairwise(seen))
    running_hours = seen[-1]["runtime_hours"] - seen[0]["runtime_hours"]
    assert 0.5 < starts / running_hours < 1.1
    deepest = min(one["supply_temp"] - one["return_temp"] for one in seen if one["defrosting"])
    assert deepest < -2


def test_counters_never_run_backwards_and_power_adds_up_to_energy() -> None:
    seen = a_week(settled(START, user="night", seed=3))
    energies = [one["electric_energy"] for one in seen]
    assert energies == sorted(energies)
    summed = sum(one["electric_power"] for one in seen[1:]) / 60
    assert summed == pytest.approx(energies[-1] - energies[0], rel=1e-6)


def test_a_higher_room_setpoint_makes_the_room_warmer() -> None:
    cool, warm = settled(START, seed=6), settled(START, seed=6)
    warm.room_set = cool.room_set + 4
    warm.enable()
    for house in (cool, warm):
        house.advance(START + 2 * DAY)
    assert warm.room > cool.room + 1.5


def test_off_or_cooling_or_a_stopping_fault_ends_the_heating() -> None:
    for change in ("power", "mode", "fault"):
        house = settled(START, seed=6)
        if change == "fault":
            house.plant("high_pressure")
        else:
            setattr(house, change, False if change == "power" else "cooling")
        house.enable()
        house.advance(START + DAY / 2)
        assert not house.running
        assert house.signals()["heat_power"] == 0
        assert house.room < 16


def test_a_reset_clears_a_latched_fault_but_not_one_whose_cause_persists() -> None:
    house = settled(START, seed=1)
    house.plant("high_pressure")
    house.plant("water_flow", persists=True)
    house.reset()
    assert list(house.faults) == ["water_flow"]
    assert house.blocked
    house.clear("water_flow")
    assert not house.faults and not house.blocked


def test_the_same_seed_tells_the_same_story_and_another_seed_another() -> None:
    stories = []
    for seed in (7, 7, 8):
        house = settled(START, user="sparse", seed=seed)
        house.advance(START + 3 * DAY)
        stories.append(house.state())
    assert stories[0] == stories[1] != stories[2]


def test_a_restored_house_goes_on_as_the_first_would_have() -> None:
    house = settled(START, user="night", seed=9)
    twin = House(START, user="night", seed=9)
    twin.restore(house.state())
    for one in (house, twin):
        one.advance(START + DAY)
    assert house.state() == twin.state()


def test_after_a_month_without_power_the_counter_goes_on_where_it_was() -> None:
    house = settled(START, seed=9)
    before = house.kwh
    house.advance(START + 40 * DAY)
    assert START + 40 * DAY - house.at < 10
    assert before < house.kwh < before + 200


def test_users_act_as_their_kind() -> None:
    assert next_act("steady", 1, START) == (True, NEVER)
    assert next_act("none", 1, START) == (False, NEVER)
    at, acts = START, []
    for _ in range(14):
        on, at = next_act("night", 1, at)
        acts.append((on, (at + 8 * 3600) % DAY / 3600))
    assert all((16.5 <= hour <= 18.5) if on else (6.8 <= hour <= 8.2) for on, hour in acts)
    evenings, at = 0, START
    while at < START + 100 * DAY:
        on, at = next_act("sparse", 4, at)
        evenings += on
    assert 20 < evenings < 50


def test_an_unknown_user_is_named() -> None:
    with pytest.raises(ValueError, match="'lodger'"):
        House(START, user="lodger")


def test_a_step_costs_at_most_ten_microseconds() -> None:
    house = settled(START, seed=1)
    best = 1.0
    for _ in range(5):
        begun = time.process_time()
        for _ in range(2000):
            house.step(60)
        best = min(best, (time.process_time() - begun) / 2000)
    assert best < 10e-6
