from __future__ import annotations

import io
import os
import random
import time as clock_of_process
from contextlib import closing
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pytest

from households.ledger.bounded import child
from households.ledger.reading import Row, Unreadable, rows
from tests.households.ledger import packages
from tests.households.ledger.corpus_hostile import HOSTILE, Hostile
from tests.households.ledger.packages import HEAD

LONGEST_S = 10
MAKING_S = 5  # the file itself


def read(path: Path, filename: str = "台账.xlsx") -> list[Row]:
    return [row for row in rows(path, filename) if isinstance(row, Row)]


def refusal(path: Path, filename: str = "台账.xlsx") -> str:
    with pytest.raises(Unreadable) as refused:
        read(path, filename)
    return refused.value.sentence


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "file"


def try_hostile(case: Hostile, path: Path) -> None:
    case.make(path)
    if case.said:
        assert case.said in refusal(path, case.filename)
    else:
        assert len(read(path, case.filename)) == case.rows


@pytest.mark.parametrize("case", [case for case in HOSTILE if not case.is_slow], ids=str)
def test_a_hostile_file_is_refused_in_words_or_read_harmlessly(
    case: Hostile, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However busy the machine is: the child's processor time is bounded in any case."""
    monkeypatch.setattr("households.ledger.reading.FIRST_SECONDS", 60.0)
    try_hostile(case, path)


@pytest.mark.long
@pytest.mark.parametrize("case", [case for case in HOSTILE if case.is_slow], ids=str)
def test_a_file_that_only_burns_time_is_given_up(case: Hostile, path: Path) -> None:
    began = clock_of_process.monotonic()
    try_hostile(case, path)
    assert clock_of_process.monotonic() - began < LONGEST_S + MAKING_S


def test_the_corpus_is_not_small() -> None:
    assert len(HOSTILE) >= 60
    assert len({case.name for case in HOSTILE}) == len(HOSTILE)


@pytest.mark.parametrize("suffix", [".xlsx", ".csv", ".xls", ""])
def test_a_file_is_known_by_its_content_and_not_by_its_name(path: Path, suffix: str) -> None:
    packages.write(path, packages.parts({"台账": packages.good_sheet()}))
    assert len(read(path, f"台账{suffix}")) == 4


# The child and its bounds.


def children() -> set[int]:
    return {
        int(pid)
        for task in Path("/proc/self/task").iterdir()
        for pid in (task / "children").read_text().split()
    }


@pytest.fixture
def waiting(path: Path) -> Path:
    """A file so long that its reader has to wait for us."""
    content = "".join(map(packages.good_row, range(2, 20_000)))
    sheet = packages.sheet(packages.row(1, *HEAD) + content)
    packages.write(path, packages.parts({"台账": sheet}))
    return path


def test_the_child_may_open_nothing_write_nothing_and_take_little(waiting: Path) -> None:
    before = children()
    with closing(rows(waiting, "台账.xlsx")) as reading:
        next(reading)
        (pid,) = children() - before
        limits = Path(f"/proc/{pid}/limits").read_text().splitlines()
        bound = {line[:26].strip(): line[26:].split()[:2] for line in limits}
        environment = Path(f"/proc/{pid}/environ").read_bytes()
    assert int(bound["Max address space"][0]) < child.MOST_MEMORY
    assert bound["Max address space"][1] == str(child.MOST_MEMORY)
    assert child.MOST_MEMORY < 200_000_000
    assert bound["Max file size"] == ["0", "0"]
    assert bound["Max open files"] == ["3", "3"]
    assert int(bound["Max cpu time"][0]) < LONGEST_S
    assert b"SECRET" not in environment
    assert b"DATABASE" not in environment


def test_whoever_stops_reading_leaves_no_child_behind(waiting: Path) -> None:
    before = children()
    reading = rows(waiting, "台账.xlsx")
    next(reading)
    assert children() > before
    reading.close()
    assert children() == before


def test_neither_side_holds_all_rows(waiting: Path) -> None:
    before = children()
    with closing(rows(waiting, "台账.xlsx")) as reading:
        for _count in range(10_000):
            next(reading)
        (pid,) = children() - before
        status = Path(f"/proc/{pid}/status").read_text()
    (peak,) = (line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))
    assert int(peak) < 60_000  # kB


def test_a_child_that_dies_is_a_file_that_cannot_be_read(waiting: Path) -> None:
    before = children()
    reading = rows(waiting, "台账.xlsx")
    next(reading)
    (pid,) = children() - before
    os.kill(pid, 9)
    with pytest.raises(Unreadable):
        list(reading)


def test_a_reader_may_take_its_time_between_rows(
    waiting: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("households.ledger.reading.FIRST_SECONDS", 2.0)
    count = 0
    for _row in rows(waiting, "台账.xlsx"):
        count += 1
        if count == 5:
            clock_of_process.sleep(2.5)
    assert count == 20_000


def test_a_child_that_says_nothing_is_given_up(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packages.write(path, packages.parts({"台账": packages.good_sheet()}))
    monkeypatch.setattr("households.ledger.reading.START", "import time; time.sleep(60)")
    monkeypatch.setattr("households.ledger.reading.FIRST_SECONDS", 0.3)
    assert "时间超出限度" in refusal(path)


# Whatever comes.


def good_workbook() -> bytes:
    buffer = io.BytesIO()
    with ZipFile(buffer, "w", ZIP_DEFLATED) as archive:
        for name, part in packages.parts({"台账": packages.good_sheet()}).items():
            archive.writestr(name, part)
    return buffer.getvalue()


@pytest.mark.parametrize("seed", range(12))
def test_no_spoilt_file_brings_down_its_reader(path: Path, seed: int) -> None:
    """Cut short, bytes changed, or nothing but chance: read or refused in words, nothing else."""
    chance = random.Random(seed)
    data = bytearray(good_workbook())
    if seed % 3 == 0:
        del data[chance.randrange(len(data)) :]
    elif seed % 3 == 1:
        for _change in range(chance.randrange(1, 30)):
            data[chance.randrange(len(data))] = chance.randrange(256)
    else:
        data = bytearray(b"PK\x03\x04" * (seed % 2) + chance.randbytes(chance.randrange(1, 3000)))
    path.write_bytes(data)
    try:
        list(rows(path, "台账.xlsx"))
    except Unreadable as refused:
        assert refused.sentence
