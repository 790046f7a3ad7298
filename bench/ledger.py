"""A workbook of households checked and imported, beside django-import-export on the same file.

    .venv/bin/python bench/ledger.py [--rows 5000] [--large 100000] [--without-peer]

Needs bench/requirements.txt for the peer. Every way runs in a process of its own on a private
PostgreSQL with fsync on and without households, so that memory and time are its own. Seconds are
from the file on disk to the committed rows, the interpreter's start left out; memory is the most
that the process and the children that it starts (the bounded reader) held together, and what the
interpreter with the platform's code takes before it begins is told beside it. Queries are counted
without BEGIN and COMMIT, one of each. Asked: 5,000 rows
within 3 s and 12 queries, 100,000 within 60 s and 200 MB.

The peer stores fewer things: no history's reason, no step, no reminders, no check of positions,
duplicates or rights; the database's triggers and the sealing of phones work for it too.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

BASE = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(BASE))

from bench.database import database  # noqa: E402 - needs the path above

if TYPE_CHECKING:
    from households.models import User

VILLAGES = 30
TOWNS = 5
SEED = 5
Told = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=5000)
    parser.add_argument("--large", type=int, default=100_000, help="0 leaves it out")
    parser.add_argument("--without-peer", action="store_true")
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("file", nargs="?", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.way:
        return run_one(options.way, options.file)
    with tempfile.TemporaryDirectory(prefix="bench-ledger-") as name, database(Path(name)):
        make_district()
        path = Path(name) / "ledger.xlsx"
        write(path, options.rows)
        ways = ["ours"] if options.without_peer else list(WAYS)
        told = {way: measured(way, path) for way in ways}
        show(options.rows, told)
        if options.large:
            write(path, options.large)
            show(options.large, {"ours": measured("ours", path)})
    return None


# -- what is imported ------------------------------------------------------------------------


def places() -> list[tuple[str, str]]:
    return [(f"示例{n % TOWNS + 1}镇", f"示例{n + 1}村") for n in range(VILLAGES)]


def make_district() -> None:
    from households.models import Area, Role, User

    district = Area.objects.create(level="district", name="城区")
    towns: dict[str, Area] = {}
    for order, (town, village) in enumerate(places(), start=1):
        if town not in towns:
            level = Area.Level.TOWN
            fields = {"level": level, "owner": district, "order": 900 + order}
            towns[town] = Area.objects.create(name=town, **fields)
        level = Area.Level.VILLAGE
        Area.objects.create(level=level, name=village, owner=towns[town], order=order)
    User.objects.create(username="bench", role=Role.DISTRICT)


def write(path: Path, count: int) -> None:
    from tests.households.ledger import village_books

    village_books.write(path, {"改造户": village_books.rows(count, places(), Random(SEED))})


# -- measuring -------------------------------------------------------------------------------


def measured(way: str, path: Path) -> Told:
    """Run one way in a process of its own on an empty ledger."""
    empty()
    command = [sys.executable, "-m", "bench.ledger", "--way", way, str(path)]
    process = subprocess.Popen(command, cwd=BASE, stdout=subprocess.PIPE)
    most = [0.0]
    watcher = threading.Thread(target=watch, args=(process, most), daemon=True)
    watcher.start()
    output, _errors = process.communicate()
    watcher.join()
    if process.returncode:
        raise SystemExit(f"{way}: the process ended with {process.returncode}")
    told: Told = json.loads(output.splitlines()[-1])
    return told | {"most_mb": most[0]}


def empty() -> None:
    """Away with all households; history's table too, which would keep growing."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "TRUNCATE households_household, households_step, households_numberline,"
            " households_ledgerimport, households_change CASCADE"
        )


def watch(process: subprocess.Popen[bytes], most: list[float]) -> None:
    """The most memory that the process and all below it held at once."""
    while process.poll() is None:
        most[0] = max(most[0], sum(map(resident, tree(process.pid))))
        time.sleep(0.05)


def tree(pid: int) -> list[int]:
    found = [pid]
    for one in found:
        try:
            threads = Path(f"/proc/{one}/task").iterdir()
            found += [int(child) for t in threads for child in (t / "children").read_text().split()]
        except OSError:
            continue
    return found


def resident(pid: int) -> float:
    """Megabytes in memory, pages shared with others by their share (a child shares all of its
    parent's for a moment); 0 once the process has ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:")), 0.0)


def run_one(way: str, path: Path) -> None:
    """In the process of its own: import the file, print what it cost."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "heating_platform.settings"
    import django

    django.setup()
    from django.db import connection

    from households.models import Household, User

    user, queries = User.objects.get(username="bench"), [0]

    def count(execute: Callable[..., Any], *asked: Any) -> Any:
        queries[0] += 1
        return execute(*asked)

    before = resident(os.getpid())
    with connection.execute_wrapper(count):
        began, cpu = time.perf_counter(), time.process_time()
        parts = WAYS[way](path, user)
        seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    told = {"seconds": seconds, "cpu_s": cpu, "queries": queries[0], "before_mb": before}
    print(json.dumps(told | parts | {"stored": Household.objects.count()}))


# -- the ways --------------------------------------------------------------------------------


def ours(path: Path, user: User) -> Told:
    from households.ledger import checking, importing

    began = time.perf_counter()
    check = checking.check(path, path.name, user)
    checked_s = time.perf_counter() - began
    importing.run(check, by=user)
    return {"checked_s": checked_s, "mistakes": len(check.mistakes)}


def peer(path: Path, user: User) -> Told:
    """django-import-export as its papers advise for many rows: in bulk, without looking for rows
    that are there, one transaction."""
    return _peer(path, bulk=True)


def plain_peer(path: Path, user: User) -> Told:
    """django-import-export as it is without settings: row by row."""
    return _peer(path, bulk=False)


def _peer(path: Path, bulk: bool) -> Told:
    import tablib
    from import_export import fields, resources, widgets

    from households.ledger.columns import METHODS, SOURCES
    from households.models import Area, Household

    class Label(widgets.Widget):
        """A choice by its label."""

        def __init__(self, labels: dict[str, str]) -> None:
            super().__init__()
            self.values = {label: value for value, label in labels.items()}

        def clean(self, value: Any, row: Any = None, **options: Any) -> str:
            return self.values[value] if value else ""

    class Places(resources.ModelResource):
        class Meta:
            model = Household
            use_bulk, force_init_instance, use_transactions = bulk, True, True
            skip_diff = report_skipped = False
            batch_size = 1000
            import_id_fields = ("number",)
            fields = ("number", "year", "area", "door", "householder", "phone", "heated_area",
                      "longitude", "latitude", "position_source", "method",
                      "electricity_account", "house_type", "rooms")  # fmt: skip

        number = fields.Field("number", "户编号")
        year = fields.Field("year", "年度")
        area = fields.Field("area", "村（社区）", widgets.ForeignKeyWidget(Area, "name"))
        door = fields.Field("door", "门牌号")
        householder = fields.Field("householder", "住户姓名")
        phone = fields.Field("phone", "联系电话")
        heated_area = fields.Field("heated_area", "取暖面积", widgets.DecimalWidget())
        longitude = fields.Field("longitude", "经度", widgets.FloatWidget())
        latitude = fields.Field("latitude", "纬度", widgets.FloatWidget())
        position_source = fields.Field("position_source", "坐标来源", Label(SOURCES))
        method = fields.Field("method", "改造方式", Label(METHODS))
        electricity_account = fields.Field("electricity_account", "用电户号")
        house_type = fields.Field("house_type", "户型结构")
        rooms = fields.Field("rooms", "间数", widgets.IntegerWidget())

        def before_import_row(self, row: Any, **options: Any) -> None:
            serial = options["row_number"]
            row["户编号"], row["年度"] = f"26-{serial // 10_000 + 10}-{serial % 10_000:04d}", 2026

    rows = tablib.Dataset().load(path.read_bytes(), format="xlsx")
    result = Places().import_data(rows, raise_errors=True, dry_run=False)
    return {"mistakes": len(result.row_errors())}


WAYS: dict[str, Callable[[Path, Any], Told]] = {
    "ours": ours,
    "peer": peer,
    "plain_peer": plain_peer,
}
NAMES = {
    "ours": "checked and imported",
    "peer": "django-import-export, bulk",
    "plain_peer": "django-import-export, plain",
}


def show(rows: int, told: dict[str, Told]) -> None:
    print(f"\n{rows:,} rows, load {os.getloadavg()[0]:.1f}")
    print(
        f"{'':30}{'seconds':>9}{'CPU s':>8}{'queries':>9}{'stored':>9}{'most MB':>9}{'before':>8}"
    )
    for way, one in told.items():
        cells = f"{one['seconds']:>9.2f}{one['cpu_s']:>8.2f}{one['queries']:>9,}{one['stored']:>9,}"
        print(f"{NAMES[way]:30}{cells}{one['most_mb']:>9.0f}{one['before_mb']:>8.0f}")
    if "checked_s" in told["ours"]:
        print(f"of ours the check: {told['ours']['checked_s']:.2f} s")
    for way in ("peer", "plain_peer"):
        if way in told:
            ratio = told[way]["seconds"] / told["ours"]["seconds"]
            print(f"{NAMES[way]}: {ratio:.1f} times as long")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
