"""Loading the demonstration: all of it in one transaction, so that a killed load left nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from django.db import connection, transaction

from heating_platform.demonstration import (
    district,
    docking,
    farm,
    history,
    people,
    village_lists,
    work,
)
from heating_platform.demonstration.history import Span
from households import clock
from households.models import Area, Household
from telemetry.models import RemoteWriting

LOCK = 0x64656D6F  # one load at a time


def load_once(span: Span, state: Path, say: Callable[[str], None]) -> None:
    """Load the district with the readings of `span`, unless the database holds a household.

    The houses as they are at its end go to the file `state`, for the simulator.
    """
    with transaction.atomic(), connection.cursor() as cursor, clock.at(clock.now()):
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        if not Household.objects.exists():
            _load(span, state, say)
            # Until somebody looks, the planner takes the tables for as empty as they were.
            cursor.execute("ANALYZE")


def _load(span: Span, state: Path, say: Callable[[str], None]) -> None:
    say("Making the demonstration district: plan, households, accounts, units.")
    homes = district.make_households(district.make_plan(clock.today().year))
    district.plan_steps(homes)
    village_lists.hold_back(homes)
    makers = farm.make_suppliers()
    accounts = people.make_accounts({area.name: area for area in Area.objects.all()}, makers)
    docking.confirm(makers, accounts)
    units = farm.make_units([home for home in homes if home.gets_unit], span.begin)
    say(f"Filling in what {len(units)} units told since {span.begin:%Y-%m-%d}.")
    history.fill(units, span, state)
    history.ask(units, accounts)
    RemoteWriting.objects.create(on=True, why="演示")
    say("Taking the households' steps.")
    with_unit = [home for home in homes if home.gets_unit]
    work.assign(with_unit, makers, accounts)
    work.connect([home for home in homes if not home.gets_unit], accounts)
    with docking.in_force():
        district.take_steps(homes, accounts)
    docking.ask(makers, accounts)
    village_lists.make(homes, accounts)
