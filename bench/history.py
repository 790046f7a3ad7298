"""What sealing and history cost: households written with and without them.

    .venv/bin/python bench/history.py [--households 5000] [--rounds 5]

On a private PostgreSQL with fsync on. The same rows are made, changed by one UPDATE and brought up
to date in bulk, with the triggers of the history and without; then the history is sealed and
verified. The best of the rounds counts, because other programs only ever add to it.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

BASE = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(BASE))

if TYPE_CHECKING:
    from households.models import Area, Household


class Undo(Exception):
    """Ends a round, of which nothing stays."""


def seconds(act: Callable[[], object]) -> float:
    begin = time.perf_counter()
    act()
    return time.perf_counter() - begin


def sealing(count: int) -> dict[str, float]:
    from households.sealing import Sealed, seal
    from households.uid import uuid7

    model, uids = "households.household", [uuid7() for _ in range(count)]
    texts = [seal(f"138{n:08d}", model, "phone", uid) for n, uid in enumerate(uids)]
    return {
        "seal": seconds(lambda: [seal("13800000000", model, "phone", uid) for uid in uids]),
        "open": seconds(
            lambda: [
                Sealed(text).opened(model, "phone", uid)
                for text, uid in zip(texts, uids, strict=True)
            ]
        ),
    }


def homes(count: int, area: Area) -> list[Household]:
    from households.models import Household

    common = {"area": area, "year": 2026, "method": "coal_to_electricity", "heated_area": 86}
    return [
        Household(
            number=f"26-99-{n:05d}",
            householder="测试户",
            phone=f"138{n:08d}",
            door=str(n),
            **common,
        )
        for n in range(count)
    ]


def writing(count: int, *, history: bool) -> dict[str, float]:
    """Seconds of the three ways of writing; nothing of it stays."""
    from django.db import connection, transaction

    from households.models import Area, Household

    found: dict[str, float] = {}
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            if not history:
                cursor.execute("ALTER TABLE households_household DISABLE TRIGGER USER")
            rows = homes(count, Area.objects.create(level="district", name="测试"))
            found["insert"] = seconds(lambda: Household.objects.bulk_create(rows))
            found["update"] = seconds(lambda: Household.objects.update(vacant=True))
            for row in rows:
                row.door = "改"
            found["upsert"] = seconds(
                lambda: Household.objects.bulk_create(
                    rows, update_conflicts=True, update_fields=["door"], unique_fields=["uid"]
                )
            )
            raise Undo
    except Undo:
        return found


def chain(count: int) -> dict[str, float]:
    """Seconds to seal and to verify the changes of so many households."""
    from households.audit import live_rows, seals
    from households.models import Area, Household

    Household.objects.bulk_create(homes(count, Area.objects.create(level="district", name="测试")))
    Household.objects.update(vacant=True)
    found = {"seal history": seconds(seals.seal)}
    found["verify chain"] = seconds(lambda: list(seals.findings()))
    found["verify rows"] = seconds(lambda: list(live_rows.findings()))
    return found


def best(rounds: int, measure: Callable[[], dict[str, float]]) -> dict[str, float]:
    all_of_them = [measure() for _ in range(rounds)]
    return {name: min(one[name] for one in all_of_them) for name in all_of_them[0]}


def report(count: int, rounds: int) -> None:
    for name, took in best(rounds, lambda: sealing(count)).items():
        print(f"{name:<14}{took:8.3f} s  {took / count * 1e6:6.1f} µs each")
    without = best(rounds, lambda: writing(count, history=False))
    for name, took in best(rounds, lambda: writing(count, history=True)).items():
        cost = took - without[name]
        print(f"{name:<14}{took:8.3f} s  {without[name]:.3f} s without history, +{cost:.3f} s")
    for name, took in chain(count).items():
        print(f"{name:<14}{took:8.3f} s")


def main() -> None:
    from bench.database import database

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--households", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory, database(Path(directory)):
        report(options.households, options.rounds)


if __name__ == "__main__":
    main()
