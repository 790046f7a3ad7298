"""The states of commands against a small model: people wish, a line worker carries out and may die
at any moment, units obey or not, and lines go away. Whatever order things happen in, the sentences
of `CommandModel.keeps_its_word` hold."""

from __future__ import annotations

import uuid
from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.db import transaction
from django.db.models import QuerySet
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as run

from devices.models import Unit
from households import clock
from telemetry import commands, obligations
from telemetry.limits import CommandRefused
from telemetry.models import Command, CommandState, GatewayState
from tests import cast as people
from tests.cast import Cast

pytestmark = pytest.mark.django_db
BEGAN = datetime(2026, 11, 20, 3, tzinfo=UTC)
WORKER = "main"
AWAY = timedelta(minutes=10)

TARGETS: dict[str, tuple[Any, ...]] = {
    "indoor_temp_setpoint": (16.0, 21.0, 26.0),
    "mode": ("heating", "auto"),
    "power_state": (True, False),
}
WAITING = {"awaiting", "queued"}
NEXT = {
    None: WAITING,
    "awaiting": {"queued", "cancelled", "expired", "superseded"},
    "queued": {"sending", "cancelled", "expired", "superseded"},
    "sending": {"queued", "superseded", "verified", "refused", "failed", "unknown"},
    "unknown": {"verified", "failed"},
    "verified": {"not_held"},
}
some = st.integers(0, 10_000)  # which one, of those that are there
signals = st.sampled_from(sorted(TARGETS))


class CommandModel(RuleBasedStateMachine):
    """Two units behind one line.

    `held` is what they truly hold, `orders` what the living worker has in its hands, `gone_out`
    of which a byte has left; `proven` was read back.
    """

    def __init__(self, cast: Cast) -> None:
        super().__init__()
        self.undo = transaction.atomic()
        self.undo.__enter__()
        second = people.unit(cast.water.gateway, cast.water.model, address=6, network_address=1206)
        self.units: list[Unit] = [cast.water, second]
        self.gateway = cast.water.gateway_id
        self.asks, self.agrees = cast.district_officer, cast.town_officer
        self.now, self.outdoor = BEGAN, 8.0
        self.start = uuid.uuid4()
        self.connected, self.since = True, BEGAN
        self.held = {
            unit.pk: {"indoor_temp_setpoint": 20.0, "mode": "heating", "power_state": True}
            for unit in self.units
        }
        self.orders: dict[uuid.UUID, Command] = {}
        self.gone_out: set[uuid.UUID] = set()
        self.writes: Counter[uuid.UUID] = Counter()
        self.proven: set[uuid.UUID] = set()
        self.states: dict[uuid.UUID, str] = {}

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.undo.__exit__(None, None, None)

    @initialize(outdoor=st.sampled_from([-3.0, 8.0]))
    def the_day_begins(self, outdoor: float) -> None:
        self.outdoor = outdoor
        self._polls()

    # People.

    @rule(
        which=some,
        signal=signals,
        value=some,
        reason=st.sampled_from(["frost", "test"]),
        woken=st.booleans(),
    )
    def somebody_wishes(
        self, which: int, signal: str, value: int, reason: str, woken: bool
    ) -> None:
        target = TARGETS[signal][value % len(TARGETS[signal])]
        with clock.at(self.now):
            try:
                commands.request(
                    self._unit(which), signal, target, by=self.asks, reason=reason, present=True
                )
            except CommandRefused as refused:
                assert refused.messages
        if woken:
            self.keeps_its_word()
            self._claims()

    @precondition(lambda self: not WAITING.isdisjoint(self.states.values()))
    @rule(which=some)
    def somebody_cancels(self, which: int) -> None:
        command = self._pick(Command.objects.exclude(state="cancelled"), which)
        with clock.at(self.now):
            could = command.is_waiting and command.reason != "restore"
            assert commands.cancel(command, self.asks) == could

    @precondition(lambda self: "awaiting" in self.states.values())
    @rule(which=some)
    def a_second_person_agrees(self, which: int) -> None:
        command = self._pick(Command.objects.filter(state="awaiting"), which)
        with clock.at(self.now):
            agreed = commands.approve(command, self.agrees)
        assert agreed == (command.expires_at is not None and command.expires_at > self.now)

    @rule(which=some, signal=signals, value=some)
    def somebody_turns_the_panel(self, which: int, signal: str, value: int) -> None:
        self.held[self._unit(which).pk][signal] = TARGETS[signal][value % len(TARGETS[signal])]

    # Time and the line.

    @rule(
        seconds=st.sampled_from([1, 5, 11, 30, 61, 301, 1801]),
        reads=st.booleans(),
        settles=st.booleans(),
    )
    def life_goes_on(self, seconds: int, reads: bool, settles: bool) -> None:
        self.now += timedelta(seconds=seconds)
        if reads:
            self._polls()
        self._keeper_makes_its_round(settles)

    @rule(seconds=st.sampled_from([30, 601]))
    def the_line_is_away(self, seconds: int) -> None:
        self._line(False)
        self.now += timedelta(seconds=seconds)
        self._keeper_makes_its_round(False)
        self._line(True)

    def _line(self, connected: bool) -> None:
        self.connected, self.since = connected, self.now
        GatewayState.objects.update_or_create(
            gateway_id=self.gateway, defaults={"connected": connected, "since": self.now}
        )

    def _polls(self) -> None:
        for unit in self.units:
            values = {**self.held[unit.pk], "outdoor_temp": self.outdoor}
            people.answered(unit, self.now, **values)

    # The line worker, which has orders in its hands and may die at any moment.

    @precondition(lambda self: self._orders(sent=False))
    @rule(which=some, obeys=st.booleans(), reads_back=st.booleans())
    def bytes_leave(self, which: int, obeys: bool, reads_back: bool) -> None:
        """The unit obeys, or the request is lost on its way; then the worker may get to read."""
        command = self._order(which, sent=False)
        self._goes_out(command)
        if obeys:
            self.held[command.unit_id][command.signal] = command.target
        if reads_back:
            self._reads_back(command)

    @precondition(lambda self: self._orders(sent=True))
    @rule(which=some, answers=st.booleans())
    def it_is_read_back_later(self, which: int, answers: bool) -> None:
        command = self._order(which, sent=True)
        if answers:
            self._reads_back(command)
        else:
            self._finish(command, "unknown", command.target, None)

    def _reads_back(self, command: Command) -> None:
        shown = self.held[command.unit_id][command.signal]
        state = "verified" if shown == command.target else "failed"
        self._finish(command, state, command.target, shown)

    @precondition(lambda self: self._orders(sent=False))
    @rule(which=some, how=st.sampled_from(["so already", "held", "refused", "line down"]))
    def nothing_is_done(self, which: int, how: str) -> None:
        command = self._order(which, sent=False)
        if how == "so already":
            if self.held[command.unit_id][command.signal] == command.target:
                self._finish(command, "verified", None, command.target)
        elif how == "held":
            self.orders.pop(command.pk)
            with clock.at(self.now):
                assert commands.hand_back(command.pk, self.start, "line")
        elif how == "refused":
            self._goes_out(command)
            self._finish(command, "refused", command.target, None)
        else:
            self._finish(command, "failed", None, None)

    @precondition(lambda self: self.orders)
    @rule()
    def the_worker_dies_and_another_starts(self) -> None:
        dead, self.start = self.start, uuid.uuid4()
        self._disowns()
        for pk in self.orders:
            with clock.at(self.now):
                assert not commands.finish(pk, dead, "verified", sent=1, read_back=1), "too late"
        self.orders.clear()

    def _keeper_makes_its_round(self, answers: bool) -> None:
        self._disowns()
        self.orders = {
            pk: row for pk, row in self.orders.items() if self._state(pk) == CommandState.SENDING
        }
        settles = partial(self._settles, answers)
        for step in (self._compares, settles, self._restores, self._expires, self._claims):
            step()
            self.keeps_its_word()

    def _restores(self) -> None:
        with clock.at(self.now):
            obligations.carry_out(WORKER, self._lines())

    def _disowns(self) -> None:
        with clock.at(self.now):
            commands.disown(WORKER, self.start)

    def _compares(self) -> None:
        before = set(Command.objects.filter(state="not_held").values_list("pk", flat=True))
        with clock.at(self.now):
            commands.compare()
        for row in Command.objects.filter(state="not_held").exclude(pk__in=before):
            assert row.unit.state.entry(row.signal)["value"] != row.target

    def _settles(self, answers: bool) -> None:
        with clock.at(self.now):
            for row in commands.unsettled(WORKER, self._lines()):
                shown: Any = self.held[row.unit_id][row.signal]
                state = "verified" if shown == row.target else "failed"
                if commands.settled(row.pk, state if answers else "unknown", shown, ""):
                    self.proven |= {row.pk} if state == "verified" else set()

    def _expires(self) -> None:
        with clock.at(self.now):
            commands.expire()
        waiting = Command.objects.filter(state__in=WAITING).exclude(reason="restore")
        assert not waiting.filter(expires_at__lte=self.now).exists()
        if not self.connected and self.now >= self.since + AWAY:
            assert not waiting.exists(), "everything queued expires when a line was away for long"

    def _claims(self) -> None:
        with clock.at(self.now):
            rows = commands.claim(WORKER, self.start, self._lines())
        for row in rows:
            assert self.connected and row.pk not in self.orders
            assert row.expires_at is None or row.expires_at > self.now
            self.orders[row.pk] = row

    # What always holds.

    @invariant()
    def keeps_its_word(self) -> None:
        rows = list(Command.objects.all())
        for row in rows:
            self._moved_on_as_allowed(row)
            assert self.writes[row.pk] <= 1, "a write was sent twice"
            if row.state in ("verified", "not_held"):
                assert row.pk in self.proven, "verified without being read back"
            if row.reason == "restore":
                assert row.state not in ("cancelled", "expired", "superseded")
            if self.writes[row.pk]:
                assert row.state not in (*WAITING, "cancelled", "expired", "superseded")
        self._one_visit_to_a_unit(rows)
        self._one_waiting_for_a_signal(rows)

    def _moved_on_as_allowed(self, row: Command) -> None:
        before = self.states.get(row.pk)
        if row.state != before:
            assert row.state in NEXT.get(before, ()), f"{before} became {row.state}"
            self.states[row.pk] = row.state

    def _one_visit_to_a_unit(self, rows: list[Command]) -> None:
        """What is being sent to a unit was claimed at one moment, by one worker."""
        claims: dict[int, set[Any]] = {}
        for row in rows:
            if row.state == "sending":
                claims.setdefault(row.unit_id, set()).add((row.claimed_by, row.sending_since))
        assert all(len(each) == 1 for each in claims.values())

    def _one_waiting_for_a_signal(self, rows: list[Command]) -> None:
        waiting = Counter((row.unit_id, row.signal) for row in rows if row.state in WAITING)
        assert not waiting or max(waiting.values()) == 1

    # Parts.

    def _unit(self, which: int) -> Unit:
        return self.units[which % len(self.units)]

    def _lines(self) -> list[int]:
        return [self.gateway] if self.connected else []

    def _pick(self, rows: QuerySet[Command], which: int) -> Command:
        found = list(rows.order_by("pk"))
        return found[which % len(found)]

    def _orders(self, *, sent: bool) -> list[Command]:
        """What the worker carries out, before its deadline, as its time-outs see to."""
        return [
            row
            for pk, row in self.orders.items()
            if (pk in self.gone_out) == sent and row.deadline_at and row.deadline_at > self.now
        ]

    def _order(self, which: int, *, sent: bool) -> Command:
        mine = self._orders(sent=sent)
        return mine[which % len(mine)]

    def _goes_out(self, command: Command) -> None:
        self.gone_out.add(command.pk)
        self.writes[command.pk] += 1
        assert self._state(command.pk) == "sending", "a byte left for what was not claimed"

    def _finish(self, command: Command, state: str, sent: Any, read_back: Any) -> None:
        self.orders.pop(command.pk)
        if state == "verified":
            self.proven.add(command.pk)
        with clock.at(self.now):
            assert commands.finish(command.pk, self.start, state, sent=sent, read_back=read_back)

    def _state(self, pk: uuid.UUID) -> str:
        return Command.objects.values_list("state", flat=True).get(pk=pk)


def try_stories(cast: Cast, examples: int, steps: int) -> None:
    run(
        lambda: CommandModel(cast),  # type: ignore[arg-type]  # any maker of one will do
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            phases=(Phase.reuse, Phase.generate),  # a story of 40 steps shrinks for minutes
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_commands_keep_their_word_whatever_happens_in_whatever_order(cast: Cast) -> None:
    try_stories(cast, examples=6, steps=30)


@pytest.mark.long
def test_commands_keep_their_word_in_long_stories(cast: Cast) -> None:
    try_stories(cast, examples=500, steps=60)
