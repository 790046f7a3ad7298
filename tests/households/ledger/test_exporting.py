"""The exported ledger: an import that changes nothing, harmless to open, whole phones on record."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from households.ledger import exporting, sheets, template
from households.ledger.checking import Check, check
from households.ledger.importing import run
from households.models import Household, Method, PhoneReveal, User
from households.reveals import ReasonNeeded
from tests.cast import Cast, household
from tests.households.ledger.libreoffice import needs_libreoffice, through

FULL: dict[str, Any] = {
    "number": "26-12-0007",
    "householder": "测试户丙",
    "applicant": "测试户丁",
    "relation": "父子",
    "phone": "13800000007",
    "other_phone": "0356-2000007",
    "door": "3-12",
    "house_type": "砖混平房",
    "rooms": 4,
    "heated_area": "98.5",
    "electricity_account": "0001234567",
    "latitude": 35.4903,
    "longitude": 112.8551,
    "position_source": "amap",
    "in_demolition_plan": True,
    "demolition_on": date(2028, 5, 1),
    "method": Method.CENTRAL_HEATING,
    "note": "=1+1",
}


@pytest.fixture
def full(cast: Cast) -> Household:
    return household(cast.area("洞头村"), **FULL)


def exported(user: User, path: Path, **options: Any) -> Any:
    exporting.write(path, user, **options)
    return load_workbook(path)


def row_of(book: Any, number: str) -> dict[str, Any]:
    """The cells of the household with this 户编号, by head."""
    lines = book["改造户"].iter_rows()
    heads = [cell.value for cell in next(lines)]
    found = next(line for line in lines if line[heads.index("户编号")].value == number)
    return dict(zip(heads, found, strict=True))


def checked(path: Path, user: User) -> Check:
    return check(path, "台账.xlsx", user)


def test_every_household_that_the_officer_sees_is_there_once(cast: Cast, tmp_path: Path) -> None:
    book = exported(cast.town_officer, tmp_path / "x.xlsx")
    numbers = [cell.value for cell in book["改造户"]["A"]]
    assert numbers == ["户编号", "26-10-0001", "26-12-0001"]
    other = exported(cast.outsider, tmp_path / "y.xlsx")
    assert other["改造户"].max_row == 1


def test_the_filters_of_the_ledger_hold(cast: Cast, full: Household, tmp_path: Path) -> None:
    book = exported(cast.town_officer, tmp_path / "x.xlsx", filters={"method": "central_heating"})
    assert book["改造户"].max_row == 2
    village = str(cast.area("时家岭社区").pk)
    book = exported(cast.town_officer, tmp_path / "x.xlsx", filters={"area": village})
    assert [row[0] for row in book["改造户"].iter_rows(min_row=2, values_only=True)] == [
        "26-10-0001"
    ]


def test_numbers_are_numbers_days_are_days_and_ids_are_texts(
    cast: Cast, full: Household, tmp_path: Path
) -> None:
    cells = row_of(exported(cast.town_officer, tmp_path / "x.xlsx"), full.number)
    assert cells["取暖面积"].value == 98.5
    assert cells["间数"].value == 4
    assert cells["预计拆迁日期"].is_date
    assert cells["预计拆迁日期"].number_format == sheets.DAY
    assert (cells["用电户号"].value, cells["用电户号"].number_format) == ("0001234567", "@")
    assert (cells["门牌号"].value, cells["门牌号"].number_format) == ("3-12", "@")


def test_a_phone_is_masked_and_nothing_is_recorded(
    cast: Cast, full: Household, tmp_path: Path
) -> None:
    cells = row_of(exported(cast.town_officer, tmp_path / "x.xlsx"), full.number)
    assert cells["联系电话"].value == "138****0007"
    assert "13800000007" not in str(list(load_workbook(tmp_path / "x.xlsx")["改造户"].values))
    assert not PhoneReveal.objects.exists()


def test_whole_phones_need_a_reason_and_every_one_is_recorded(
    cast: Cast, full: Household, tmp_path: Path
) -> None:
    with pytest.raises(ReasonNeeded):
        exporting.write(tmp_path / "x.xlsx", cast.town_officer, phones="plain")
    book = exported(cast.town_officer, tmp_path / "x.xlsx", phones="plain", reason="核对台账")
    assert row_of(book, full.number)["联系电话"].value == "13800000007"
    assert row_of(book, full.number)["备用电话"].value == "0356-2000007"
    told = PhoneReveal.objects.filter(user=cast.town_officer, how="export", reason="核对台账")
    assert {reveal.number for reveal in told} == {"26-10-0001", "26-12-0001", "26-12-0007"}


@pytest.mark.parametrize("text", ["=1+1", "+86 138", "-1", "@SUM(A1)", "\t=1", "'=1", "''=1"])
def test_a_text_that_would_run_is_harmless_and_comes_back_as_it_was(
    cast: Cast, full: Household, tmp_path: Path, text: str
) -> None:
    Household.objects.filter(pk=full.pk).update(note=text)
    cell = row_of(exported(cast.town_officer, tmp_path / "x.xlsx"), full.number)["备注"]
    assert cell.data_type == "s"
    assert not cell.value.startswith(("=", "+", "-", "@", "\t"))
    if text != "\t=1":  # blanks at its ends a form takes away too
        found = checked(tmp_path / "x.xlsx", cast.town_officer)
        assert (found.mistakes, found.unchanged) == ([], found.rows)


def test_an_export_is_an_import_that_changes_nothing(
    cast: Cast, full: Household, tmp_path: Path
) -> None:
    for phones, reason in (("masked", ""), ("plain", "核对台账")):
        path = tmp_path / f"{phones}.xlsx"
        exporting.write(path, cast.town_officer, phones=phones, reason=reason)
        found = checked(path, cast.town_officer)
        assert found.mistakes == []
        assert (found.rows, found.unchanged) == (5, 5)  # two of them installations


def test_what_is_changed_in_an_export_updates_that_household_alone(
    cast: Cast, full: Household, tmp_path: Path
) -> None:
    path = tmp_path / "x.xlsx"
    book = exported(cast.town_officer, path)
    row_of(book, full.number)["间数"].value = 6
    book.save(path)
    found = checked(path, cast.town_officer)
    assert (found.changed, found.unchanged, found.mistakes) == (1, 4, [])
    run(found, by=cast.town_officer)
    full.refresh_from_db()
    assert (full.rooms, full.phone) == (6, "13800000007")


def test_an_export_has_the_drop_downs_of_the_template(cast: Cast, tmp_path: Path) -> None:
    book = exported(cast.town_officer, tmp_path / "x.xlsx")
    template.write(tmp_path / "t.xlsx", cast.town_officer)
    wanted = lists_of(load_workbook(tmp_path / "t.xlsx"))
    assert lists_of(book) == wanted
    assert len(wanted) >= 10
    assert book[sheets.OPTIONS].sheet_state == "hidden"


def lists_of(book: Any) -> set[str]:
    """Title and words of every drop-down of both tables."""
    return {
        f"{sheet.title} {rule.errorTitle} {rule.formula1.split('(')[0].split('!')[0]}"
        for sheet in (book["改造户"], book["安装记录"])
        for rule in sheet.data_validations.dataValidation
        if rule.type == "list"
    }


def test_progress_tells_how_many_of_how_many(
    cast: Cast, full: Household, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "AT_ONCE", 2)
    told: list[tuple[int, int]] = []
    exporting.write(tmp_path / "x.xlsx", cast.town_officer, progress=lambda *now: told.append(now))
    assert told == [(0, 3), (2, 3)]


@needs_libreoffice
def test_an_export_that_libreoffice_has_saved_still_changes_nothing(
    cast: Cast, full: Household, tmp_path: Path
) -> None:
    path = tmp_path / "x.xlsx"
    exporting.write(path, cast.town_officer)
    found = checked(through(path), cast.town_officer)
    assert found.mistakes == []
    assert (found.rows, found.unchanged) == (5, 5)
