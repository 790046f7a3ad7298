"""Server time of the ledger's list at the design size: filters, search, sorting, pages.

    .venv/bin/python bench/lists.py [--households 65535] [--rounds 20]

Every request goes through the whole of Django (middleware, permissions, template) on a private
PostgreSQL, without a network between. Asked: 95 of 100 within 150 ms, at most 10 queries each.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import islice
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

BASE = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(BASE))

if TYPE_CHECKING:
    from django.test import Client

    from households.models import Area, Household, Step, User

VILLAGES = 120
TOWNS = 6
BEGAN = date(2026, 6, 1)
# What an officer of the district asks for; {name} is two characters of somebody's name.
REQUESTS = {
    "first page": "",
    "last page": "?page=100000",
    "by name": "?sort=householder",
    "by village, downwards": "?sort=-area",
    "by area": "?sort=-heated_area",
    "a state": "?state=to_accept",
    "a method": "?method=coal_to_electricity",
    "a village": "?area={village}",
    "a town, complete": "?area={town}&progress=complete",
    "two characters of a name": "?q={name}",
    "two characters, by name": "?q={name}&sort=-householder",
    "a door that nobody has": "?q=%E7%94%B2%E4%B9%99%E5%B7%B7",
    "a number": "?q=26-40-0100",
}


@dataclass
class Timed:
    """What one kind of request cost: milliseconds each, the most queries."""

    ms: list[float] = field(default_factory=list)
    queries: int = 0

    @property
    def p95(self) -> float:
        return statistics.quantiles(self.ms, n=20)[-1]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--households", type=int, default=65_535)
    parser.add_argument("--rounds", type=int, default=20)
    options = parser.parse_args()
    from bench.database import database

    with tempfile.TemporaryDirectory(prefix="bench-lists-") as name, database(Path(name)):
        officer, village = fill(options.households)
        measure(officer, village, options.rounds)


def measure(officer: User, village: Area, rounds: int) -> None:
    from django.test import Client

    client = Client(SERVER_NAME="localhost")
    client.force_login(officer)
    words = {"name": "%E7%A4%BA%E7%94%B2", "village": village.pk, "town": village.owner_id}
    found: dict[str, Timed] = {kind: Timed() for kind in REQUESTS}
    ask(client, "/households/")  # templates are compiled once a process
    for _ in range(rounds):
        for kind, query in REQUESTS.items():
            ms, queries = ask(client, "/households/" + query.format(**words))
            found[kind].ms.append(ms)
            found[kind].queries = max(found[kind].queries, queries)
    print(f"{'':28}{'median ms':>12}{'p95 ms':>10}{'queries':>10}")
    for kind, timed in found.items():
        median = statistics.median(timed.ms)
        print(f"{kind:28}{median:>12.0f}{timed.p95:>10.0f}{timed.queries:>10}")
    every = Timed([ms for timed in found.values() for ms in timed.ms])
    most = max(timed.queries for timed in found.values())
    print(f"{'all':28}{statistics.median(every.ms):>12.0f}{every.p95:>10.0f}{most:>10}")


def ask(client: Client, address: str) -> tuple[float, int]:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as queries:
        began = time.perf_counter()
        answer = client.get(address)
        took = (time.perf_counter() - began) * 1000
    assert answer.status_code == 200, address
    return took, len(queries)


def fill(count: int) -> tuple[User, Area]:
    """`count` households of 120 villages, each somewhere on its path; an officer; one village."""
    from django.db import connection

    from households.models import Area, Role, User

    district = Area.objects.create(level=Area.Level.DISTRICT, name="城区")
    towns = [area(Area.Level.TOWN, f"测试{n}镇", district, n) for n in range(1, TOWNS + 1)]
    villages = [
        area(Area.Level.VILLAGE, f"测试{n}村", towns[n % TOWNS], n) for n in range(1, VILLAGES + 1)
    ]
    officer = User.objects.create(username="bench", role=Role.DISTRICT)
    for chunk in chunks(households(villages, count)):
        store(chunk, officer)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    return officer, villages[0]


def area(level: str, name: str, owner: Area, order: int) -> Area:
    from households.models import Area

    return Area.objects.create(level=level, name=name, owner=owner, order=order)


def households(villages: list[Area], count: int) -> Iterator[Household]:
    from heating_platform.demonstration import people
    from households.models import Household, Method, StepKind

    dice = Random(1)
    for n in range(count):
        line, serial = n % VILLAGES, n // VILLAGES + 1
        reached = dice.randrange(0, 9)
        days = {
            f"{kind}_on": BEGAN + timedelta(days=10 * step)
            for step, kind in enumerate(StepKind)
            if step < reached
        }
        yield Household(
            number=f"26-{line + 1:02d}-{serial:04d}",
            year=2026,
            area=villages[line],
            method=dice.choice(list(Method)),
            householder=people.name(dice.randrange(people.NAMES)),
            phone=people.phone(n),
            door=f"示范巷 {serial} 号",
            heated_area=dice.randrange(600, 1400) / 10,
            electricity_account=f"SF{n:08d}",
            **days,
        )


def chunks(rows: Iterator[Household], size: int = 5000) -> Iterator[list[Household]]:
    while chunk := list(islice(rows, size)):
        yield chunk


def store(chunk: list[Household], officer: User) -> None:
    from households.models import Household, Step, StepKind

    Household.objects.bulk_create(chunk)
    Step.objects.bulk_create(
        step(household, kind, officer)
        for household in chunk
        for kind in StepKind
        if getattr(household, f"{kind}_on")
    )


def step(household: Household, kind: str, officer: User) -> Step:
    from households import clock
    from households.models import Step

    on = getattr(household, f"{kind}_on")
    return Step(household=household, kind=kind, on=on, recorded_by=officer, recorded_at=clock.now())


if __name__ == "__main__":
    main()
