"""The chain over the history: every way of tampering is found and named."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from households import clock
from households.audit import live_rows, seals
from households.audit.seals import Finding, Head, StillWriting
from households.models import Change, HistorySeal, Household, RoleRule
from households.tasks import seal_history
from tests import cast as make
from tests.cast import Cast


def sql(text: str, *parameters: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(text, parameters)


@contextmanager
def behind_the_triggers() -> Iterator[None]:
    """As somebody would who owns the database."""
    sql("SET LOCAL session_replication_role = replica")
    yield
    sql("SET LOCAL session_replication_role = origin")


def sealed() -> HistorySeal:
    link = seals.seal()
    assert link is not None
    return link


def found(heads: list[Head] | None = None) -> list[Finding]:
    return list(seals.findings(heads))


def open_door(home: Household, door: str) -> None:
    Household.objects.filter(pk=home.pk).update(door=door)


@pytest.fixture
def chain(cast: Cast) -> list[HistorySeal]:
    """Three links over some changes."""
    links = [sealed()]
    for door in ("甲", "乙"):
        open_door(cast.water_household, door)
        open_door(cast.air_household, door)
        links.append(sealed())
    return links


def middle(chain: list[HistorySeal]) -> int:
    """A change in the second link."""
    return chain[1].ids[0]


def test_an_untouched_history_gives_nothing_to_find(chain: list[HistorySeal]) -> None:
    assert not found([Head.of(link) for link in chain])
    assert not list(live_rows.findings())


def test_links_hold_every_change_once(chain: list[HistorySeal]) -> None:
    ids = [pk for link in chain for pk in link.ids]
    assert ids == list(Change.objects.order_by("pk").values_list("pk", flat=True))


def test_without_a_change_there_is_no_link(chain: list[HistorySeal]) -> None:
    assert seals.seal() is None
    seal_history()
    assert HistorySeal.objects.count() == 3


COLUMNS = {
    "at": "at + interval '1 microsecond'",
    "table_name": "'households_area'",
    "row_id": "row_id + 1",
    "household_id": "NULL",
    "kind": "'delete'",
    "before": 'before || \'{"door": "x"}\'',
    "after": 'after || \'{"door": "x"}\'',
    "user_id": "1",
    "via": "'POST /'",
    "request": "gen_random_uuid()",
    "reason": "'其他'",
    "role": "'postgres'",
    "program": "'psql'",
}


@pytest.mark.parametrize("column", COLUMNS)
def test_a_changed_change_is_found_whatever_was_changed(
    chain: list[HistorySeal], column: str
) -> None:
    with behind_the_triggers():
        sql(
            f"UPDATE households_change SET {column} = {COLUMNS[column]} WHERE id = %s",
            middle(chain),
        )
    assert found() == [Finding("变更记录被改动", middle(chain), 2)]


def test_no_column_of_a_change_lies_open() -> None:
    columns = {field.column for field in Change._meta.concrete_fields}
    assert columns == {*COLUMNS, "id"}


def test_a_removed_change_is_found(chain: list[HistorySeal]) -> None:
    with behind_the_triggers():
        sql("DELETE FROM households_change WHERE id = %s", middle(chain))
    assert found() == [Finding("变更记录被删除", middle(chain), 2)]


@pytest.mark.parametrize("link", [0, 2])
def test_an_inserted_change_is_found(chain: list[HistorySeal], link: int) -> None:
    with behind_the_triggers():
        gap = chain[link].ids[0]
        sql("UPDATE households_change SET id = -1 WHERE id = %s", gap)
    words = {(f.words, f.change) for f in found()}
    assert words == {("变更记录被删除", gap), ("变更记录是后来插入的", -1)}


def test_changes_that_changed_places_are_found(chain: list[HistorySeal]) -> None:
    one, other = chain[1].ids
    with behind_the_triggers():
        for before, after in ((one, -1), (other, one), (-1, other)):
            sql("UPDATE households_change SET id = %s WHERE id = %s", after, before)
    assert [f.change for f in found()] == [one, other]


TAMPERING: dict[str, Callable[[], None]] = {
    "head": lambda: sql(
        "UPDATE households_historyseal SET head = repeat('a', 64) WHERE number = 2"
    ),
    "previous": lambda: sql(
        "UPDATE households_historyseal SET previous = repeat('a', 64) WHERE number = 2"
    ),
    "time": lambda: sql(
        "UPDATE households_historyseal SET made_at = made_at - interval '1 day' WHERE number = 2"
    ),
    "range": lambda: sql(
        "UPDATE households_historyseal SET last_id = last_id + 1 WHERE number = 2"
    ),
    "leaves": lambda: sql("UPDATE households_historyseal SET leaves = '\\x00' WHERE number = 2"),
    "ids": lambda: sql("UPDATE households_historyseal SET ids = ids[2:] WHERE number = 2"),
    "removed": lambda: sql("DELETE FROM households_historyseal WHERE number = 2"),
    "the first removed": lambda: sql("DELETE FROM households_historyseal WHERE number = 1"),
    "renumbered": lambda: sql("UPDATE households_historyseal SET number = 9 WHERE number = 3"),
}


@pytest.mark.parametrize("what", TAMPERING)
def test_a_changed_or_removed_link_is_found(chain: list[HistorySeal], what: str) -> None:
    with behind_the_triggers():
        TAMPERING[what]()
    assert any(f.link in (1, 2, 3) and "封存" in f.words for f in found())


def test_a_change_and_its_digest_changed_together_break_the_link(chain: list[HistorySeal]) -> None:
    with behind_the_triggers():
        sql("UPDATE households_change SET reason = '其他' WHERE id = %s", middle(chain))
        ids, leaves = seals._leaves(chain[0].last_id, chain[1].last_id)
        HistorySeal.objects.filter(number=2).update(ids=ids, leaves=leaves)
    assert found() == [Finding("封存内容被改动", link=2)]


def rebuild(chain: list[HistorySeal]) -> None:
    """What somebody can do who has the database and this program."""
    with behind_the_triggers():
        sql("UPDATE households_change SET reason = '其他' WHERE id = %s", middle(chain))
        sql("DELETE FROM households_historyseal WHERE number > 1")
        before = chain[0]
        for old in chain[1:]:
            _ids, leaves = seals._leaves(before.last_id, old.last_id)
            old.pk, old.leaves, old.previous = None, leaves, before.head
            old.head = seals._head(old)
            old.save(force_insert=True)
            before = old


def test_a_chain_built_anew_is_found_by_a_head_that_was_exported(chain: list[HistorySeal]) -> None:
    exported = [Head.of(link) for link in chain]
    rebuild(chain)
    assert not found()
    assert [f.link for f in found(exported)] == [2, 3]


def test_last_links_that_were_taken_away_are_found(chain: list[HistorySeal]) -> None:
    exported = [Head.of(chain[-1])]
    with behind_the_triggers():
        sql("DELETE FROM households_historyseal WHERE number = 3")
    assert found(exported) == [Finding("封存已被删除：导出的链头不在链上", link=3)]
    with clock.at(clock.now() + timedelta(hours=3)):
        (overdue,) = found()
    assert (overdue.change, "两小时" in overdue.words) == (chain[2].ids[0], True)


def test_a_row_changed_with_the_triggers_off_is_found(chain: list[HistorySeal], cast: Cast) -> None:
    with behind_the_triggers():
        sql(
            "UPDATE households_household SET accepted_on = '2026-11-01', vacant = true"
            " WHERE id = %s",
            cast.water_household.pk,
        )
        sql("INSERT INTO households_rolerule (role, needs_second_factor) VALUES ('town', false)")
        sql("DELETE FROM households_area WHERE name = '司匠村'")
    assert not found()
    rule = RoleRule.objects.get()
    assert [f.words for f in live_rows.findings()] == [
        f"households_area {cast.area('司匠村').pk} 没有记录就被删除",
        f"households_household {cast.water_household.pk} 与最近的记录不符：accepted_on, vacant",
        f"households_rolerule {rule.pk} 没有记录就被新增",
    ]


@pytest.mark.parametrize("act", ["DISABLE TRIGGER history_update", "DISABLE TRIGGER USER"])
def test_triggers_that_are_off_are_found(chain: list[HistorySeal], act: str) -> None:
    sql("SET CONSTRAINTS ALL IMMEDIATE")
    sql(f"ALTER TABLE households_rolerule {act}")
    (off,) = live_rows.findings()
    assert off.words == "households_rolerule 的历史触发器被停用或删除"


# -- the command ---------------------------------------------------------------------------


def say(*words: str) -> str:
    out = StringIO()
    call_command("history", *words, stdout=out)
    return out.getvalue()


def test_the_head_of_a_day_is_exported_and_verified_against(
    chain: list[HistorySeal], tmp_path: Path
) -> None:
    path = tmp_path / "head.json"
    told = json.loads(say("head", "--to", str(path)))
    assert told["head"] == chain[-1].head and told["number"] == 3
    assert json.loads(path.read_text()) == told
    assert "3 links" in say("verify", "--head", str(path))
    rebuild(chain)
    with pytest.raises(SystemExit) as caught:
        say("verify", "--head", str(path))
    assert caught.value.code == 1


def test_verifying_names_what_was_tampered_with(
    chain: list[HistorySeal], capsys: pytest.CaptureFixture[str]
) -> None:
    with behind_the_triggers():
        sql("DELETE FROM households_change WHERE id = %s", middle(chain))
    with pytest.raises(SystemExit):
        call_command("history", "verify", "--json")
    (one,) = json.loads(capsys.readouterr().out)["findings"]
    assert one == {"words": "变更记录被删除", "change": middle(chain), "link": 2}


def test_a_day_before_the_first_link_has_no_head(chain: list[HistorySeal]) -> None:
    with pytest.raises(CommandError, match="Nothing was sealed"):
        say("head", "--day", "2020-01-01")


def test_a_file_that_is_no_head_is_named(tmp_path: Path, db: None) -> None:
    (tmp_path / "x.json").write_text("[]")
    with pytest.raises(CommandError, match="is no exported head"):
        say("verify", "--head", str(tmp_path / "x.json"))


def test_sealing_by_command_tells_the_head(cast: Cast) -> None:
    assert json.loads(say("seal"))["number"] == 1
    assert "Nothing changed" in say("seal")


# -- others who write meanwhile ------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_link_waits_for_transactions_that_began_before_it() -> None:
    home = make.household(make.areas()["洞头村"])
    sealed()
    slow = psycopg2.connect(**{**connection.get_connection_params(), "cursor_factory": None})
    with slow.cursor() as cursor:
        cursor.execute("UPDATE households_household SET note = 'slow'")
        open_door(make.household(home.area, number="26-12-0002"), "quick")
        with pytest.raises(StillWriting):
            seals.seal(patience=0.3)
        assert HistorySeal.objects.count() == 1
    slow.commit()
    slow.close()
    assert len(sealed().ids) == 3
    assert not found()
