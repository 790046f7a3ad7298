"""One house and its heating unit: a one-node building, an emitter loop, a compressor, its user.

The building is one heat capacity that loses heat to the outdoor air and gains from people, sun
and the unit. The emitter loop is another; its mean temperature lies half the spread below supply
and half above return. A room thermostat with hysteresis calls for heat, the unit modulates
towards its setpoint, stops above it, defrosts. Temperatures in °C, powers in W, energies in kWh,
times in Unix seconds. Everything follows from the seed and the time; nothing is random at a step.
"""

from __future__ import annotations

import math
from random import Random
from typing import Any

from devices.modbus.simulator import users
from devices.modbus.simulator.weather import SHANGHAI_OFFSET_S, sunshine, temperature

GRID_S = 10  # live time advances in these steps
HEATING_MODES = {"heating", "auto", "heating_hot_water", "emergency_electric"}
WATER, AIR = "water", "air"
WARM_UP_S = 48 * 3600  # walls settle before a story begins
DAY_FROM_S, DAY_TO_S = 8 * 3600, 20 * 3600  # outside of it electricity is at the valley price
LONGEST_GAP_S = 14 * 24 * 3600
# What a unit's counters have seen before, as a share of a season of steady heating.
PAST_SHARE = {"steady": 1.0, "night": 0.6, "sparse": 0.2, "none": 0.01}
KEPT = (
    "at", "room", "water", "spread", "calling", "running", "stopped_at", "frost", "defrost_left",
    "defrosting", "power", "mode", "room_set", "supply_set", "return_set", "next_act", "acting",
    "electric_w", "heat_w", "kwh", "valley_kwh", "heat_kwh", "gas_m3", "hours",
)  # fmt: skip


class House:
    """The state of one house; `step` carries it on. Signals are read with `signals`."""

    __slots__ = (
        *KEPT, "kind", "medium", "control_side", "area", "user", "seed", "loss",
        "emitter", "loop_capacity", "walls", "people", "glass", "sensor_error", "nominal",
        "faults", "blocked", "_decay", "_decay_s", "_enabled",
    )  # fmt: skip

    def __init__(
        self,
        at: float,
        *,
        kind: str = "ashp_water",
        medium: str = WATER,
        control_side: str = "supply",
        area: float = 86.0,
        user: str = "steady",
        seed: int = 0,
    ) -> None:
        if user not in PAST_SHARE:
            raise ValueError(f"unknown user {user!r}: steady, night, sparse or none")
        self.kind, self.medium, self.control_side = kind, medium, control_side
        self.area, self.user, self.seed = area, user, seed
        self.at = at - at % GRID_S
        self._build(Random(seed))
        self.faults: dict[str, bool] = {}  # label: whether its cause persists
        self.blocked = False
        self._decay_s = 0.0
        self._decay = 0.0
        self.enable()

    def _build(self, dice: Random) -> None:
        """Walls, loop, unit and counters of this seed; sizes follow the heated area in m²."""
        area = self.area
        self.loss = area * dice.uniform(1.8, 2.4)  # W/K, a mended village house
        self.walls = self.loss * 3600 * dice.uniform(26, 38)  # J/K, by its time constant
        self.nominal = area * dice.uniform(82, 96)  # W at -12 °C
        self.people = area * dice.uniform(2.5, 4.0)
        self.glass = area * dice.uniform(0.03, 0.06)  # m² of sun let in
        self.sensor_error = dice.uniform(-0.6, 0.6)
        if self.medium == AIR:
            self.emitter = self.nominal / 21  # W/K of the air stream
            self.loop_capacity = self.emitter * 150
        else:
            self.emitter = area * dice.uniform(3.0, 3.5)  # W/K of radiators
            self.loop_capacity = self.emitter * dice.uniform(1800, 2700)
        self.room_set = float(dice.choice((18, 19, 20, 20, 21)))
        self.supply_set = float(dice.choice((41, 42, 43, 44, 45)))
        self.return_set = self.supply_set - 5
        self.mode = "heating"
        self.power = self.user == "steady"
        self.room = self.room_set - 0.5 if self.power else 7.0
        self.water = 38.0 if self.power else self.room
        self.spread = 0.4
        self.calling = self.running = False
        self.stopped_at = self.at - 3600
        self.frost = dice.uniform(0, 3000)
        self.defrost_left = 0.0
        self.defrosting = False
        self.electric_w = self.heat_w = 0.0
        season_hours = dice.uniform(900, 2600) * PAST_SHARE[self.user]
        self.heat_kwh = season_hours * self.nominal / 1000 * 0.55
        self.kwh = self.heat_kwh / 2.7
        self.valley_kwh = self.kwh * 0.55
        self.gas_m3 = self.heat_kwh / 9.0
        self.hours = season_hours
        self.acting, self.next_act = users.next_act(self.user, self.seed, self.at)

    # -- what its user, a fault or the platform does --------------------------------------

    def enable(self) -> None:
        """Work out whether the unit may heat; to be called after any change from outside."""
        self._enabled = self.power and not self.blocked and self.mode in HEATING_MODES

    def plant(self, fault: str, *, persists: bool = False, stops: bool = True) -> None:
        """Let a fault appear; a persisting one survives a reset, a stopping one ends heating."""
        self.faults[fault] = persists
        self.blocked = self.blocked or stops
        self.enable()

    def clear(self, fault: str | None = None) -> None:
        """Take a fault's cause away, or all causes; the unit is as if it had never been."""
        self.faults = {} if fault is None else {k: v for k, v in self.faults.items() if k != fault}
        self.blocked = self.blocked and bool(self.faults)
        self.enable()

    def reset(self) -> None:
        """Alarm reset: latched faults go, those whose cause persists stay."""
        self.faults = {fault: True for fault, persists in self.faults.items() if persists}
        self.blocked = self.blocked and bool(self.faults)
        self.enable()

    # -- time ------------------------------------------------------------------------------

    def advance(self, until: float) -> None:
        """Carry the house on to `until`: coarse far back, finer and finer towards it."""
        if until - self.at > LONGEST_GAP_S:
            self.at = until - until % GRID_S - WARM_UP_S
            self.acting, self.next_act = users.next_act(self.user, self.seed, self.at)
        for step, rest in ((300, 3600), (60, 600), (GRID_S, 0)):
            while self.at + step <= until - rest:
                self.step(step)

    def step(self, dt: float) -> None:
        """One step of `dt` seconds (at most 300)."""
        at = self.at = self.at + dt
        if at >= self.next_act:
            self._act()
        outdoor = temperature(at)
        room = self.room
        emitted = self.emitter * (self.water - room)
        heat = self._heat(dt, outdoor, emitted)
        if dt != self._decay_s:
            self._decay_s = dt
            self._decay = math.exp(-dt * self.emitter / self.loop_capacity)
        steady = room + heat / self.emitter
        self.water = steady + (self.water - steady) * self._decay
        gain = self.people + self.glass * sunshine(at)
        if room < 8:
            gain += 1500 * (8 - room)  # a stove is lit before the pipes freeze
        self.room = room + dt * (emitted + gain - self.loss * (room - outdoor)) / self.walls
        self._count(dt, heat)

    def _act(self) -> None:
        self.power = self.acting
        self.acting, self.next_act = users.next_act(self.user, self.seed, self.at)
        self.enable()

    def _heat(self, dt: float, outdoor: float, emitted: float) -> float:
        """Heat into the loop in W; switches thermostat, compressor and defrost."""
        if self.room >= self.room_set + 0.4:
            self.calling = False
        elif self.room <= self.room_set - 0.4:
            self.calling = True
        if not (self._enabled and self.calling):
            return self._rest(dt, outdoor)
        if self.control_side == "return" and self.medium != AIR:
            lacking = self.return_set - self.water + self.spread / 2
        else:
            lacking = self.supply_set - self.water - self.spread / 2
        if self.running:
            if lacking < -2:
                return self._rest(dt, outdoor)
        elif lacking > 3 and self.at - self.stopped_at >= 180:
            self.running = True
        else:
            return self._rest(dt, outdoor)
        strength = 1 + 0.016 * (outdoor + 12)
        most = self.nominal * (0.7 if strength < 0.7 else 1.25 if strength > 1.25 else strength)
        if self.defrost_left > 0 or self._frosted(dt, outdoor):
            return self._defrost(dt)
        self.defrosting = False
        wanted = emitted + lacking * self.loop_capacity / 600
        heat = most if wanted > most else 0.55 * most if wanted < 0.55 * most else wanted
        self.spread += (3 + 2.6 * heat / most - self.spread) * (1 if dt > 90 else dt / 90)
        lift = self.water - outdoor
        self.heat_w = heat
        self.electric_w = 110 + heat * self._cost(lift)
        return heat

    def _rest(self, dt: float, outdoor: float) -> float:
        if self.running:
            self.running = False
            self.stopped_at = self.at
            self.defrost_left = 0.0
        self.defrosting = False
        self.spread += (0.4 - self.spread) * (1 if dt > 120 else dt / 120)
        self.heat_w = 0.0
        self.electric_w = 75.0 if self._enabled else 9.0
        return 0.0

    def _frosted(self, dt: float, outdoor: float) -> bool:
        if self.kind not in ("ashp_water", "ashp_air") or outdoor > 6:
            return False
        self.frost += dt if outdoor > -10 else dt / 2
        if self.frost < 3600:
            return False
        self.frost = 0.0
        self.defrost_left = 300.0
        return True

    def _defrost(self, dt: float) -> float:
        """The cycle runs backwards for five minutes: supply falls below return."""
        self.defrosting = True
        self.defrost_left -= dt
        self.spread += (-3 - self.spread) * (1 if dt > 60 else dt / 60)
        self.heat_w = 0.0
        self.electric_w = 110 + 0.2 * self.nominal
        return -0.25 * self.nominal

    def _cost(self, lift: float) -> float:
        """Electric watts for one watt of heat."""
        if self.kind.startswith("ashp"):
            return (lift + 10 if lift > 15 else 25) / 142  # about 0.45 of Carnot at 315 K
        return {"gas_boiler": 0.01, "heat_interface_unit": 0.0}.get(self.kind, 1.0)

    def _count(self, dt: float, heat: float) -> None:
        kwh = self.electric_w * dt / 3.6e6
        self.kwh += kwh
        if not DAY_FROM_S <= (self.at + SHANGHAI_OFFSET_S) % 86_400 < DAY_TO_S:
            self.valley_kwh += kwh
        if self.running:
            self.hours += dt / 3600
            if heat > 0:
                self.heat_kwh += heat * dt / 3.6e6
                if self.kind == "gas_boiler":
                    self.gas_m3 += heat * dt / 3.6e6 / 9.0

    # -- what its sensors say --------------------------------------------------------------

    def signals(self) -> dict[str, Any]:
        """Every signal that this model has physics for, by canonical name, unrounded."""
        half = self.spread / 2
        air = self.medium == AIR
        share = self.heat_w / self.nominal
        flow = 0.0 if air or not self._enabled else self.nominal / 5.2 / 1163
        return {
            "supply_temp": self.water if air else self.water + half,
            "return_temp": self.room if air else self.water - half,
            "outdoor_temp": temperature(self.at) + self.sensor_error,
            "indoor_temp": self.room,
            "indoor_temp_setpoint": self.room_set,
            "supply_temp_setpoint": self.supply_set,
            "return_temp_setpoint": self.return_set,
            "power_state": self.power,
            "mode": self.mode,
            "compressor_running": self.running,
            "compressor_freq": min(96.0, 20 + 60 * share) if self.running else 0.0,
            "defrosting": self.defrosting,
            "flame_on": self.running,
            "electric_power": self.electric_w / 1000,
            "electric_energy": self.kwh,
            "valley_energy": self.valley_kwh,
            "heat_power": self.heat_w / 1000,
            "heat_energy": self.heat_kwh,
            "gas_volume": self.gas_m3,
            "flow_rate": flow,
            "water_pressure": 1.5 + 0.006 * (self.water - 35),
            "valve_position": min(100.0, 100 * share),
            "runtime_hours": self.hours,
            "fault_active": bool(self.faults),
        }

    # -- keeping ---------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """All that a later process needs to go on with the same story (JSON)."""
        kept = {name: getattr(self, name) for name in KEPT}
        return {**kept, "faults": self.faults, "blocked": self.blocked}

    def restore(self, state: dict[str, Any]) -> None:
        for name in (*KEPT, "faults", "blocked"):
            setattr(self, name, state[name])
        self.enable()


def settled(at: float, **what: Any) -> House:
    """A house whose walls and habits have settled by the time `at`."""
    house = House(at - WARM_UP_S, **what)
    start = house.at + WARM_UP_S
    while house.at < start:
        house.step(300)
    return house
