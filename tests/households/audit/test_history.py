"""Every change of a tracked row is written down, whoever makes it and however."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.db import IntegrityError, InternalError, connection, transaction
from django.test import Client
from psycopg2.extras import execute_values

from households.audit import history
from households.models import Change, Household, Role, Step, StepKind, User
from tests import cast as make
from tests.cast import Cast, program


def changes(row: Any) -> list[Any]:
    """What was written of a row since its cast was made, the oldest first."""
    found = Change.objects.filter(table=row._meta.db_table, row_id=row.pk).order_by("pk")
    return list(found)


def newest(row: Any) -> Any:
    return changes(row)[-1]


def sql(text: str, *parameters: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(text, parameters)


# -- however it is made --------------------------------------------------------------------


def test_a_new_row_is_written_with_all_that_it_holds(cast: Cast) -> None:
    home = make.household(cast.area("洞头村"), number="26-12-0002", door="测试路 2 号")
    (change,) = changes(home)
    assert (change.kind, change.before, change.household_id) == ("insert", None, home.pk)
    assert change.after["door"] == "测试路 2 号"


def test_a_saved_change_is_written_before_and_after_and_nothing_else(cast: Cast) -> None:
    home = cast.water_household
    home.door, home.rooms = "示范巷 9 号", 5
    home.save()
    change = newest(home)
    assert change.kind == "update"
    assert change.before == {"door": "测试路 1 号", "rooms": None}
    assert change.after == {"door": "示范巷 9 号", "rooms": 5}


def test_a_save_without_a_change_writes_nothing(cast: Cast) -> None:
    before = len(changes(cast.water_household))
    Household.objects.get(pk=cast.water_household.pk).save()
    assert len(changes(cast.water_household)) == before


def test_an_update_of_many_writes_each_row_that_changed(cast: Cast) -> None:
    Household.objects.filter(pk=cast.air_household.pk).update(vacant=True)
    count = Change.objects.count()
    Household.objects.update(vacant=True)
    assert Change.objects.count() == count + 1
    assert newest(cast.water_household).after == {"vacant": True}


def test_rows_made_or_brought_up_to_date_in_bulk_are_written(cast: Cast) -> None:
    home = cast.water_household
    home.door = "示范巷 3 号"
    new = Household(area=home.area, number="26-12-0009", year=2026, method=home.method)
    Household.objects.bulk_create(
        [home, new], update_conflicts=True, update_fields=["door"], unique_fields=["uid"]
    )
    new = Household.objects.get(number="26-12-0009")
    assert newest(home).after == {"door": "示范巷 3 号"}
    assert newest(new).kind == "insert"


def test_sql_by_hand_is_written_with_the_role_that_ran_it(cast: Cast) -> None:
    sql(
        "UPDATE households_household SET accepted_on = '2026-11-01' WHERE id = %s",
        cast.water_household.pk,
    )
    change = newest(cast.water_household)
    assert (change.before, change.after) == ({"accepted_on": None}, {"accepted_on": "2026-11-01"})
    with connection.cursor() as cursor:
        cursor.execute("SELECT session_user, current_setting('application_name')")
        assert (change.role, change.program) == cursor.fetchone()
    assert (change.user_id, change.via, change.reason) == (None, "", "")


def test_copy_is_written(cast: Cast) -> None:
    line = f"{cast.water_household.pk}\tsurveyed\t2026-06-01\t[]\t\t{cast.clerk.pk}\t2026-06-01\n"
    columns = ["household_id", "kind", '"on"', "lacks", "note", "recorded_by_id", "recorded_at"]
    rest = [f for f in _not_null(Step) if f not in {c.strip('"') for c in columns}]
    line = line[:-1] + "".join(f"\t{_filler(Step, name)}" for name in rest) + "\n"
    with connection.cursor() as cursor:
        cursor.copy_expert(
            f"COPY households_step ({', '.join([*columns, *rest])}) FROM STDIN", io.StringIO(line)
        )
    step = Step.objects.get(household=cast.water_household)
    assert newest(step).after["kind"] == "surveyed"
    assert newest(step).household_id == cast.water_household.pk


def _not_null(model: Any) -> list[str]:
    fields = model._meta.concrete_fields
    return [f.column for f in fields if not f.null and not f.primary_key]


def _filler(model: Any, column: str) -> str:
    field = next(f for f in model._meta.concrete_fields if f.column == column)
    return "f" if field.get_internal_type() == "BooleanField" else ""


def test_a_deleted_row_is_kept_whole(cast: Cast) -> None:
    home = make.household(cast.area("洞头村"), number="26-12-0002")
    pk = home.pk
    home.delete()
    change: Any = Change.objects.get(table="households_household", row_id=pk, kind="delete")
    assert change.before["number"] == "26-12-0002" and change.after is None


def test_a_row_given_another_key_is_one_gone_and_one_come(cast: Cast) -> None:
    home = make.household(cast.area("洞头村"), number="26-12-0002")
    sql("UPDATE households_household SET id = 999999 WHERE id = %s", home.pk)
    assert newest(home).kind == "delete"
    assert Change.objects.get(row_id=999999, table="households_household").kind == "insert"


def test_an_emptied_table_is_written_row_by_row(cast: Cast) -> None:
    make.reach(cast.water_household, StepKind.LISTED, cast.clerk)
    sql("SET CONSTRAINTS ALL IMMEDIATE")
    sql("TRUNCATE households_step CASCADE")
    assert Change.objects.filter(table="households_step", kind="delete").count() == 2


def test_what_is_rolled_back_never_happened(cast: Cast) -> None:
    before = len(changes(cast.water_household))
    with pytest.raises(IntegrityError), transaction.atomic():
        Household.objects.filter(pk=cast.water_household.pk).update(door="x")
        Household.objects.filter(pk=cast.water_household.pk).update(heated_area=-1)
    assert len(changes(cast.water_household)) == before


# -- what is left out ----------------------------------------------------------------------


def test_neither_password_nor_the_last_sign_in_is_kept(cast: Cast, client: Client) -> None:
    before = len(changes(cast.clerk))
    client.force_login(cast.clerk)
    cast.clerk.set_password("anderes-wort-2020")
    cast.clerk.save()
    assert len(changes(cast.clerk)) == before
    assert all("password" not in change.after for change in changes(cast.clerk))


def test_phones_stay_sealed(cast: Cast) -> None:
    home = cast.water_household
    home.phone = "13912345678"
    home.save()
    assert "13912345678" not in str(newest(home).after)


# -- who and why ---------------------------------------------------------------------------


def test_a_request_says_who_and_how(cast: Cast, client: Client) -> None:
    client.force_login(cast.clerk)
    client.post("/language/", {"language": "en", "next": "/?secret=x"})
    change = newest(cast.clerk)
    assert change.after == {"language": "en"}
    assert (change.user_id, change.via) == (cast.clerk.pk, "POST /language/")
    assert change.request is not None


def test_two_requests_are_told_apart(cast: Cast, client: Client) -> None:
    client.force_login(cast.clerk)
    for language in ("en", "zh-hans"):
        client.post("/language/", {"language": language})
    first, second = changes(cast.clerk)[-2:]
    assert first.request != second.request


def test_a_program_with_a_token_is_its_owner(cast: Cast) -> None:
    api = program(cast.district_officer, "units:read")
    api.get("/api/units/")
    touched = Change.objects.filter(table="households_apitoken").order_by("-pk")[0]
    assert touched.kind == "insert"  # its use is no change
    assert api.get("/api/units/").status_code == 200


def test_reasons_hold_within_their_block_alone(cast: Cast) -> None:
    home = cast.water_household
    with history.acting(cast.clerk, "manage ledger"), history.because("现场核对"):
        with history.because("门牌 100% 重编"):
            Household.objects.filter(pk=home.pk).update(door="甲")
        Household.objects.filter(pk=home.pk).update(door="乙")
    Household.objects.filter(pk=home.pk).update(door="丙")
    told = [(c.user_id, c.via, c.reason) for c in changes(home)[-3:]]
    assert told[:2] == [
        (cast.clerk.pk, "manage ledger", "门牌 100% 重编"),
        (cast.clerk.pk, "manage ledger", "现场核对"),
    ]


def test_a_program_that_says_a_reason_says_it_of_nothing_after_the_block(cast: Cast) -> None:
    home = cast.water_household
    with transaction.atomic():
        with history.because("入户核对"):
            Household.objects.filter(pk=home.pk).update(door="a")
        Household.objects.filter(pk=home.pk).update(door="b")
    assert [change.reason for change in changes(home)[-2:]] == ["入户核对", ""]


@pytest.mark.parametrize("reason", ["100%", "%s", "'; DROP TABLE x; --", '"引号"', "\\'", "{}"])
def test_a_reason_is_any_text(cast: Cast, reason: str) -> None:
    home = cast.water_household
    with history.because(reason):
        Household.objects.filter(pk=home.pk).update(door="甲")
        sql("UPDATE households_household SET note = 'a' WHERE id = " + str(home.pk))
    assert [c.reason for c in changes(home)[-2:]] == [reason, reason]


def test_the_drivers_own_statements_know_who_once_it_was_told(cast: Cast) -> None:
    with history.acting(cast.clerk, "manage ledger"), connection.cursor() as cursor:
        history.tell()
        rows = [(cast.water_household.pk, "丁")]
        execute_values(
            cursor.cursor,
            "UPDATE households_household AS h SET door = v.door FROM (VALUES %s) AS v (id, door)"
            " WHERE h.id = v.id",
            rows,
        )
    assert newest(cast.water_household).user_id == cast.clerk.pk


def test_statements_by_the_many_know_who(cast: Cast) -> None:
    with history.acting(cast.clerk), connection.cursor() as cursor:
        cursor.executemany(
            "UPDATE households_household SET door = %s WHERE id = %s",
            [("戊", cast.water_household.pk), ("己", cast.air_household.pk)],
        )
    for home in (cast.water_household, cast.air_household):
        assert newest(home).user_id == cast.clerk.pk


def test_the_same_number_of_queries_is_asked(cast: Cast, django_assert_num_queries: Any) -> None:
    with history.acting(cast.clerk), django_assert_num_queries(1):
        Household.objects.filter(pk=cast.water_household.pk).update(door="庚")


# -- for good ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE households_change SET reason = 'x'",
        "DELETE FROM households_change",
        "DELETE FROM households_historyseal",
    ],
)
def test_what_was_written_stands(cast: Cast, statement: str) -> None:
    with pytest.raises(InternalError, match="only ever added to"), transaction.atomic():
        sql(statement)


def test_history_outlives_its_rows(cast: Cast) -> None:
    gone = make.user("kurz", Role.READER)
    with history.acting(gone):
        Household.objects.filter(pk=cast.water_household.pk).update(door="辛")
    pk = gone.pk
    User.objects.filter(pk=pk).delete()
    assert newest(cast.water_household).user_id == pk
