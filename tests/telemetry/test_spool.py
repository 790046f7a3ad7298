import uuid
from pathlib import Path

import pytest

from telemetry.spool import Batch, Spool


def batch(rows: int = 3) -> Batch:
    return Batch(
        uuid.uuid4(),
        [f"{n},供水\n".encode() for n in range(rows)],
        [f'{n},"two\nlines"\n'.encode() for n in range(rows)],
        [(1, "2026-11-23T00:00:00+00:00", "not_answered", 2)],
        ["2026-11-23T00:00:00+00:00"],
    )


def test_what_was_put_comes_back_after_a_restart_oldest_first(tmp_path: Path) -> None:
    first, second = batch(), batch(5)
    spool = Spool(tmp_path)
    spool.put(first)
    spool.put(second)
    again = Spool(tmp_path)
    assert [again.get(name) for name in again.names()] == [first, second]


def test_new_batches_after_a_restart_come_last(tmp_path: Path) -> None:
    Spool(tmp_path).put(batch())
    again = Spool(tmp_path)
    third = batch(1)
    again.put(third)
    assert again.get(list(again.names())[-1]) == third


def test_a_removed_batch_is_gone(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.remove(spool.put(batch()))
    assert len(spool) == 0
    assert len(Spool(tmp_path)) == 0
    assert spool.age_of_oldest(1e12) == 0


def test_a_file_cut_off_before_its_fsync_was_never_promised(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    name = spool.put(batch())
    (tmp_path / "000000000009.batch.part").write_bytes(b"half")
    assert list(Spool(tmp_path).names()) == [name]


@pytest.mark.parametrize("cut", [1, 10, 60])
def test_a_damaged_file_is_noticed(cut: int) -> None:
    with pytest.raises(ValueError):
        Batch.from_bytes(batch().to_bytes()[:-cut])


def test_over_the_limit_the_oldest_go_and_are_counted(tmp_path: Path) -> None:
    size = len(batch(100).to_bytes())
    spool = Spool(tmp_path, limit=3 * size)
    names = [spool.put(batch(100)) for _ in range(5)]
    assert spool.dropped == 2
    assert list(spool.names()) == names[2:]


def test_halves_hold_every_line_once_under_ids_that_stay_the_same() -> None:
    whole = batch(5)
    first, second = whole.halves()
    assert first.readings + second.readings == whole.readings
    assert first.states + second.states == whole.states
    assert first.misses + second.misses == whole.misses
    assert abs(len(first) - len(second)) <= 1
    assert [half.id for half in whole.halves()] == [first.id, second.id]
    assert len({whole.id, first.id, second.id}) == 3


def test_halving_ends_at_single_lines() -> None:
    parts = [batch(4)]
    while any(len(part) > 1 for part in parts):
        parts = [half for part in parts for half in (part.halves() if len(part) > 1 else (part,))]
    assert sum(len(part.readings) for part in parts) == 4
    assert sum(len(part.states) for part in parts) == 4
    assert sum(len(part.misses) for part in parts) == 1
