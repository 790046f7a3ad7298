"""How long reading takes, and how much memory: rows of 30 columns, and the hostile corpus.

    .venv/bin/python -m bench.ledger_reading [--rows 5000 100000] [--peers] [--hostile]

Each reader runs in a process of its own. Ours is `reading.rows` and its child, of which memory is
measured apart; the peers are openpyxl (read-only) and python-calamine on the same file.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import django
from django.conf import settings

ROOT = Path(__file__).resolve().parent.parent
COLUMNS = 30
EVERY_S = 0.005
HEADS = ["镇（街道）", "村（社区）", "门牌号", "住户姓名", "联系电话", "取暖面积", "经度", "纬度"]
HEADS += [f"其他{n}" for n in range(COLUMNS - len(HEADS))]


def values(number: int) -> list[object]:
    """A row of a ledger: eight cells that matter, six texts of its own, others that come again."""
    own: list[object] = [f"X{number}-{n}" for n in range(6)]
    again: list[object] = [f"厂{(number + n) % 300}" if n % 2 else number * n for n in range(16)]
    told: list[object] = ["南村镇", f"村{number % 200}", f"{number % 50} 号", f"户{number}"]
    told += [f"138{number:08d}", 80 + number % 70, 112.8 + number / 1e7, 35.5 + number / 1e7]
    return told + own + again


def workbook(path: Path, count: int) -> None:
    """A workbook as Excel writes it, with shared texts."""
    from zipfile import ZIP_DEFLATED, ZipFile

    from tests.households.ledger import packages

    texts: dict[str, int] = {}

    def cell(column: int, row: int, value: object) -> str:
        place = f"{packages.letter(column)}{row}"
        if not isinstance(value, str):
            return f'<c r="{place}" s="0"><v>{value!r}</v></c>'
        return f'<c r="{place}" s="0" t="s"><v>{texts.setdefault(value, len(texts))}</v></c>'

    def row(number: int, cells: list[object]) -> str:
        made = "".join(cell(n, number, value) for n, value in enumerate(cells, start=1))
        return f'<row r="{number}" spans="1:{COLUMNS}">{made}</row>'

    made = packages.parts({"台账": ""}, strings="")
    with ZipFile(path, "w", ZIP_DEFLATED, compresslevel=1) as archive:
        with archive.open("xl/worksheets/sheet1.xml", "w") as sheet:
            sheet.write(f"{packages.SHEET_BEGIN}{row(1, [*HEADS])}".encode())
            for number in range(2, count + 2):
                sheet.write(row(number, values(number)).encode())
            sheet.write(packages.SHEET_END.encode())
        for name, part in made.items():
            if name == "xl/sharedStrings.xml":
                shared = "".join(f"<si><t>{text}</t></si>" for text in texts)
                part = f'{packages.XML}<sst xmlns="{packages.MAIN}">{shared}</sst>'
            if not name.endswith("sheet1.xml"):
                archive.writestr(name, part)


@contextmanager
def watched() -> Iterator[Callable[[], int]]:
    """The peak of resident memory (MiB) of this process's children, asked of each while it lives.

    A child's own record (`ru_maxrss`) would begin with the memory of the parent that it came from.
    """
    peak, is_over = 0, threading.Event()

    def look() -> None:
        nonlocal peak
        while not is_over.wait(EVERY_S):
            peak = max([peak, *(_resident(pid) for pid in _children())])

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield lambda: peak >> 10
    finally:
        is_over.set()
        watcher.join()


def _children() -> list[str]:
    return [
        pid
        for task in Path("/proc/self/task").iterdir()
        for pid in (task / "children").read_text().split()
    ]


def _resident(pid: str) -> int:
    try:
        if Path(f"/proc/{pid}/cmdline").read_bytes().count(b"bounded") == 0:
            return 0  # not yet itself
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in status.splitlines() if "VmHWM" in line), 0)


def ours(path: Path) -> str:
    from households.ledger import reading

    with watched() as peak:
        began = time.monotonic()
        count = sum(isinstance(row, reading.Row) for row in reading.rows(path, path.name))
        seconds = time.monotonic() - began
        return f"{count} | {seconds:.2f} | {_cpu():.2f} | child {peak()}, parent {_own_peak()}"


def openpyxl(path: Path) -> str:
    from openpyxl import load_workbook

    began = time.monotonic()
    sheet = load_workbook(path, read_only=True, data_only=True).worksheets[0]
    count = sum(1 for _row in sheet.iter_rows(values_only=True))
    return f"{count} | {time.monotonic() - began:.2f} | {_cpu():.2f} | {_own_peak()}"


def calamine(path: Path) -> str:
    from python_calamine import CalamineWorkbook

    began = time.monotonic()
    count = sum(1 for _row in CalamineWorkbook.from_path(path).get_sheet_by_index(0).iter_rows())
    return f"{count} | {time.monotonic() - began:.2f} | {_cpu():.2f} | {_own_peak()}"


READERS: dict[str, Callable[[Path], str]] = {
    "ours": ours,
    "openpyxl": openpyxl,
    "calamine": calamine,
}


def _cpu() -> float:
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


def _own_peak() -> int:
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if "VmHWM" in line) >> 10


def hostile(folder: Path) -> None:
    """The whole hostile corpus, one after the other: the slowest and the largest stand first."""
    from households.ledger import reading
    from tests.households.ledger.corpus_hostile import HOSTILE

    told = []
    for case in HOSTILE:
        path = folder / "hostile"
        case.make(path)
        with watched() as peak:
            began = time.monotonic()
            try:
                rows = sum(
                    isinstance(row, reading.Row) for row in reading.rows(path, case.filename)
                )
                said = f"{rows} rows"
            except reading.Unreadable as refused:
                said = refused.sentence
            told.append((time.monotonic() - began, peak(), case.name, said))
    print(f"\n{len(told)} hostile files; longest {max(told)[0]:.2f} s, "
          f"largest {max(one[1] for one in told)} MiB\n")  # fmt: skip
    print("| file | s | MiB | said |\n|---|---|---|---|")
    for seconds, size, name, said in sorted(told, reverse=True):
        print(f"| {name} | {seconds:.2f} | {size} | {said} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="*", default=[5_000, 100_000])
    parser.add_argument("--peers", action="store_true", help="openpyxl and calamine too")
    parser.add_argument("--hostile", action="store_true", help="the hostile corpus too")
    parser.add_argument("--one", nargs=2, metavar=("READER", "FILE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    settings.configure(USE_I18N=False)
    django.setup()
    if options.one:
        print(READERS[options.one[0]](Path(options.one[1])))
        return
    with tempfile.TemporaryDirectory() as folder:
        print("| reader | rows | s | CPU s | peak MiB |\n|---|---|---|---|---|", flush=True)
        for count in options.rows:
            path = Path(folder, f"{count}.xlsx")
            workbook(path, count)
            for reader in READERS if options.peers else ["ours"]:
                command = [sys.executable, "-m", "bench.ledger_reading", "--one", reader, str(path)]
                ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
                print(f"| {reader} | {ran.stdout.strip()} |", flush=True)
        if options.hostile:
            hostile(Path(folder))


if __name__ == "__main__":
    main()
