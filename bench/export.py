"""The export of the whole ledger at the design size: its time, its memory, and its way back.

    .venv/bin/python bench/export.py [--households 65535] [--no-check]

The workbook is written by a process of its own, as a worker does it; memory is that process's
peak. Afterwards the very file is checked as an import: it must change nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BASE = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(BASE))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--households", type=int, default=65_535)
    parser.add_argument("--no-check", action="store_true")
    parser.add_argument("--child", choices=["export", "check"], help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        return child(options.child, options.file)
    from bench.database import database

    with tempfile.TemporaryDirectory(prefix="bench-export-") as name, database(Path(name)):
        from bench.lists import fill

        fill(options.households)
        path = Path(name) / "ledger.xlsx"
        told = apart("export", path)
        print(f"export  {told['rows']:,} households, {path.stat().st_size / 2**20:.1f} MB file")
        show(told)
        if not options.no_check:
            told = apart("check", path)
            print(f"check   {told['rows']:,} rows, {told['unchanged']:,} unchanged")
            show(told)
    return None


def show(told: dict[str, float]) -> None:
    rise = told["peak_mb"] - told["before_mb"]
    print(
        f"        {told['seconds']:.1f} s ({told['cpu']:.1f} s of its own CPU), "
        f"peak {told['peak_mb']:.0f} MB ({rise:.0f} MB more than Django alone)"
    )


def apart(what: str, path: Path) -> dict[str, float]:
    """Do it in a fresh process and hear what it cost."""
    command = [sys.executable, __file__, "--child", what, "--file", str(path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=os.environ)
    told: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return told


def child(what: str, path: Path) -> None:
    import django

    django.setup()
    from households.ledger import checking, exporting
    from households.models import User

    officer = User.objects.get()
    before, began = peak_mb(), time.perf_counter()
    if what == "export":
        told = {"rows": exporting.write(path, officer)}
    else:
        found = checking.check(path, path.name, officer)
        told = {"rows": found.rows, "unchanged": found.unchanged}
    cost = {"seconds": time.perf_counter() - began, "cpu": time.process_time()}
    print(json.dumps(told | cost | {"before_mb": before, "peak_mb": peak_mb()}))


def peak_mb() -> float:
    """Of this process alone, in MB: what getrusage says begins with its parent's."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


if __name__ == "__main__":
    main()
