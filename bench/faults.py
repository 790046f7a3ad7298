"""A million exchanges over lines that do everything wrong: nothing false may be stored or verified.

    .venv/bin/python bench/faults.py [--exchanges 1000000] [--seed 1] [--kind late] [--jobs 2]

Each kind of fault gets its share, on the line worker's own path (poller, line, transport,
switchboard, writing) in virtual time; slaves and faults are the bench's own (bench/slaves.py,
bench/mischief.py, bench/buses.py). Last, pymodbus's own client meets the same wires, to show that
the bench finds what is wrong. Ends with 1 if the platform was wrong anywhere.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
if TYPE_CHECKING:
    from bench.trial import Tally

COLUMNS = (
    "kind",
    "exchanges",
    "answered",
    "refused",
    "unanswered",
    "stored good",
    "of them wrong",
    "verified",
    "of them wrong",
    "written twice",
)
WIDTH = 15


def prepare() -> None:
    """What a process needs before the platform can be imported."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "heating_platform.settings")
    os.environ.setdefault("DEBUG", "1")
    import logging

    import django

    django.setup()
    logging.disable(logging.WARNING)


def tried(kind: str, exchanges: int, seed: int) -> Tally:
    from bench import trial

    return trial.tried(kind, exchanges, seed)


def plainly(kind: str, exchanges: int, seed: int) -> Tally:
    from bench import plain

    return plain.tried(kind, exchanges, seed)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--exchanges", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kind", action="append", help="only this kind; may be given repeatedly")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes")
    parser.add_argument("--contrast", type=int, default=2000, help="exchanges of pymodbus per kind")
    options = parser.parse_args()
    prepare()
    from bench import plain, trial

    kinds = options.kind or list(trial.KINDS)
    share = -(-options.exchanges // len(kinds))
    began = time.monotonic()
    with ProcessPoolExecutor(options.jobs, initializer=prepare) as pool:
        ours = [pool.submit(tried, kind, share, options.seed) for kind in kinds]
        theirs = [
            pool.submit(plainly, kind, options.contrast, options.seed)
            for kind in kinds
            if kind in plain.OVER_TCP and options.contrast
        ]
        print(f"The platform, seed {options.seed}")
        tallies = [job.result() for job in ours]
        show(tallies)
        if theirs:
            print("\npymodbus's client, on the wires that it can be put on")
            show([job.result() for job in theirs])
    print(f"\n{time.monotonic() - began:.0f} s")
    tell(tallies)
    raise SystemExit(any(tally.is_wrong for tally in tallies))


def figures(tally: Tally) -> list[int]:
    """The columns of a tally behind its name."""
    return [
        tally.exchanges,
        tally.answered,
        tally.exceptions,
        tally.unanswered,
        tally.good_values,
        tally.wrong_values,
        tally.writes["verified"],
        tally.wrong_writes,
        tally.repeated_writes,
    ]


def show(tallies: Sequence[Tally]) -> None:
    """One row per kind, and their sum."""
    print("".join(f"{head:>{WIDTH}}" for head in COLUMNS))
    rows = [(tally.kind, figures(tally)) for tally in tallies]
    rows.append(("all", [sum(column) for column in zip(*(row for _, row in rows), strict=True)]))
    for name, row in rows:
        print(f"{name:>{WIDTH}}" + "".join(f"{number:>{WIDTH},}" for number in row))


def tell(tallies: Sequence[Tally]) -> None:
    """What else became of values and writes, and the first wrong ones."""
    for tally in tallies:
        others = {**tally.other_values, **{f"write {k}": n for k, n in tally.writes.items()}}
        print(f"{tally.kind}: " + ", ".join(f"{name} {n:,}" for name, n in sorted(others.items())))
        if tally.wrong_replies:
            print(f"  replies that were none, taken by the line: {tally.wrong_replies:,}")
        for example in tally.examples:
            print(f"  {example}")


if __name__ == "__main__":
    main()
