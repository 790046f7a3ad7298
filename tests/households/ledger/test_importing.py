"""Importing a checked workbook: all or nothing, once, and nobody's change is lost."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction

from households.ledger import checking, exporting, importing
from households.ledger.checking import Check
from households.ledger.importing import ImportRefused
from households.models import Change, Household, LedgerImport, Step, StepKind, User
from households.uid import uuid7
from tests import cast as make
from tests.cast import Cast
from tests.households.ledger.workbooks import home, opened, saved, workbook

Checked = Callable[..., Check]


@pytest.fixture
def checked(tmp_path: Path) -> Checked:
    def check(user: User, rows: list[dict[str, Any]]) -> Check:
        path = tmp_path / "台账.xlsx"
        path.write_bytes(workbook(rows))
        return checking.check(path, path.name, user)

    return check


def test_all_rows_are_stored_with_numbers_of_their_place(cast: Cast, checked: Checked) -> None:
    rows = [home(n) for n in range(1, 4)] + [home(9, **{"村（社区）": "泽州东社区"})]
    done = importing.run(checked(cast.town_officer, rows), by=cast.town_officer)
    assert (done.new, done.changed, done.left_out) == (4, 0, 0)
    new = Household.objects.filter(door__startswith="示范巷").order_by("number")
    lines = {(row.area.name, row.number.rpartition("-")[0]) for row in new}
    assert len(lines) == 2
    assert [row.door for row in new if row.area.name == "洞头村"] == [
        "示范巷 1 号",
        "示范巷 2 号",
        "示范巷 3 号",
    ]


def test_the_values_are_those_of_the_cells(cast: Cast, checked: Checked) -> None:
    row = home(1, 联系电话="0356 2023456", 取暖面积="约120平", 经度="112°51′", 纬度="35.49")
    row |= {"坐标来源": "手机浏览器", "用电户号": "0012345678", "空置": "是", "改造方式": "余热"}
    check = checked(cast.town_officer, [row])
    importing.run(check, by=cast.town_officer)
    kept = Household.objects.get(door="示范巷 1 号")
    assert (kept.phone, float(kept.heated_area or 0)) == ("0356-2023456", 120.0)
    assert (kept.longitude, kept.latitude) == (112.85, 35.49)
    assert (kept.electricity_account, kept.vacant, kept.method) == (
        "0012345678",
        True,
        "industrial_waste_heat",
    )
    assert kept.householder_sound


def test_a_complete_row_is_registered_one_without_a_door_waits(
    cast: Cast, checked: Checked
) -> None:
    rows = [home(1), home(2, 摸底登记日期="2026-06-01"), home(3, 门牌号="")]
    importing.run(checked(cast.town_officer, rows), by=cast.town_officer)
    kept = {row.phone[-1]: row for row in Household.objects.filter(phone_index__gt="")}
    assert kept["1"].surveyed_on is not None
    assert str(kept["2"].surveyed_on) == "2026-06-01"
    assert (kept["3"].surveyed_on, kept["3"].state) == (None, "draft")
    assert Step.objects.filter(household=kept["2"], recorded_by=cast.town_officer).count() == 1


def test_days_of_steps_take_the_path(cast: Cast, checked: Checked) -> None:
    row = home(1, 合同日期="2026-09-20", 安装日期="2026-09-12")
    importing.run(checked(cast.town_officer, [row]), by=cast.town_officer)
    kept = Household.objects.get(door="示范巷 1 号")
    told = {step.kind: step for step in kept.steps.all()}
    assert set(told) == {StepKind.SURVEYED, StepKind.SIGNED, StepKind.INSTALLED}
    assert told[StepKind.INSTALLED].lacks
    assert kept.papers_incomplete


def test_with_a_mistake_nothing_is_stored_unless_the_right_rows_are_asked_for(
    cast: Cast, checked: Checked
) -> None:
    before = Household.objects.count()
    check = checked(cast.town_officer, [home(1), home(2, 联系电话="123"), home(3)])
    with pytest.raises(ImportRefused, match="没有导入任何一行"):
        importing.run(check, by=cast.town_officer)
    assert Household.objects.count() == before
    done = importing.run(check, by=cast.town_officer, only_right=True)
    assert (done.new, done.left_out) == (2, 1)
    assert Household.objects.count() == before + 2


def test_a_reminder_is_confirmed_by_name(cast: Cast, checked: Checked) -> None:
    check = checked(cast.town_officer, [home(1, 联系电话="无")])
    with pytest.raises(ImportRefused, match="1 处提醒"):
        importing.run(check, by=cast.town_officer, confirmed=set())
    importing.run(check, by=cast.town_officer, confirmed={check.reminders[0].key})
    assert Household.objects.filter(door="示范巷 1 号").exists()


def test_the_same_import_twice_makes_nothing_twice(cast: Cast, checked: Checked) -> None:
    check, uid = checked(cast.town_officer, [home(1)]), uuid7()
    first = importing.run(check, by=cast.town_officer, uid=uid)
    count = Household.objects.count()
    again = importing.run(check, by=cast.town_officer, uid=uid)
    assert (first.again, again.again, again.new) == (False, True, 1)
    assert Household.objects.count() == count
    assert LedgerImport.objects.get(uid=uid).digest == check.digest
    assert importing.imported_before(check) is not None


def test_what_somebody_changed_after_the_check_stays(cast: Cast, checked: Checked) -> None:
    place = {"镇（街道）": "钟家庄街道", "村（社区）": "洞头村"}
    rows = [
        {**place, "户编号": "26-12-0001", "住户姓名": "测试户甲", "门牌号": "测试路 8 号"},
        home(5),
    ]
    check = checked(cast.town_officer, rows)
    kept = cast.water_household
    kept.note = "刚刚更正"
    kept.save()
    before = Household.objects.count()
    with pytest.raises(ImportRefused) as refused:
        importing.run(check, by=cast.town_officer)
    assert [(one.sheet, one.row) for one in refused.value.remarks] == [("改造户", 2)]
    kept.refresh_from_db()
    assert (kept.note, kept.door, Household.objects.count()) == ("刚刚更正", "测试路 1 号", before)


def test_an_export_is_an_import_and_only_edited_cells_change(cast: Cast, tmp_path: Path) -> None:
    for n in range(1, 6):
        make.household(
            cast.area("洞头村"),
            number=f"26-12-001{n}",
            phone=f"1380000001{n}",
            door=f"示范巷 {n} 号",
            latitude=35.49,
            longitude=112.85,
            position_source="amap",
        )
    path = tmp_path / "台账.xlsx"
    exporting.write(path, cast.town_officer)
    unchanged = checking.check(path, path.name, cast.town_officer)
    assert (unchanged.new, unchanged.changed, unchanged.mistakes) == (0, 0, [])
    book = opened(path.read_bytes())
    sheet = book["改造户"]
    heads = [cell.value for cell in sheet[1]]
    for row in sheet.iter_rows(min_row=2):
        if row[0].value == "26-12-0013":
            row[heads.index("备注")].value = "改过"
        if row[0].value == "26-12-0014":
            row[heads.index("联系电话")].value = "13800000099"
    path.write_bytes(saved(book))
    before = {row["number"]: row for row in Household.objects.values()}
    edited = checking.check(path, path.name, cast.town_officer)
    assert (edited.new, edited.changed, edited.mistakes) == (0, 2, [])
    importing.run(edited, by=cast.town_officer)
    after = {row["number"]: row for row in Household.objects.values()}
    changed = {
        (number, name)
        for number, row in after.items()
        for name, value in row.items()
        if value != dict(before[number])[name] and name != "updated_at"
    }
    assert changed == {
        ("26-12-0013", "note"),
        ("26-12-0014", "phone"),
        ("26-12-0014", "phone_index"),
    }
    assert Household.objects.get(number="26-12-0014").phone == "13800000099"


def test_the_history_sees_every_row(cast: Cast, checked: Checked) -> None:
    before = Change.objects.count()
    importing.run(checked(cast.town_officer, [home(n) for n in range(1, 4)]), by=cast.town_officer)
    assert Change.objects.count() >= before + 3


def test_who_did_not_check_does_not_import(cast: Cast, checked: Checked) -> None:
    check = checked(cast.town_officer, [home(1)])
    with pytest.raises(ValueError, match="who imports"):
        importing.run(check, by=cast.clerk)


# -- killed ----------------------------------------------------------------------------------


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _in_the_middle() -> None:
    """Households are stored, their steps are not."""

    def killed(*args: object, **options: object) -> None:
        _kill()

    setattr(Step.objects, "bulk_create", killed)  # noqa: B010 - in a child that is about to die


def _before_the_end() -> None:
    keep = importing._keep_receipt

    def killed(*args: Any) -> None:
        keep(*args)
        _kill()

    setattr(importing, "_keep_receipt", killed)  # noqa: B010


def _after_the_end() -> None:
    transaction.on_commit(_kill)


def _killed(at: Callable[[], None], act: Callable[[], object]) -> bool:
    """Do `act` in a process of its own that is killed at this seam; whether it was."""
    child = os.fork()
    if child == 0:
        inherited = connection.connection  # the parent's: kept, so that it is not closed here
        connection.connection = None
        try:
            with transaction.atomic():
                at()
                act()
        finally:
            os._exit(1 if inherited is None else 2)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("seam", "stored"), [(_in_the_middle, 0), (_before_the_end, 0), (_after_the_end, 30)]
)
def test_killed_at_any_point_nothing_is_half_in(
    transactional_db: None,
    cast: Cast,
    checked: Checked,
    seam: Callable[[], None],
    stored: int,
) -> None:
    check, uid = checked(cast.town_officer, [home(n) for n in range(1, 31)]), uuid7()
    before = Household.objects.count()
    assert _killed(seam, lambda: importing.run(check, by=cast.town_officer, uid=uid))
    assert Household.objects.count() - before == stored
    assert Step.objects.filter(household__door__startswith="示范巷").count() == stored
    assert LedgerImport.objects.count() == (1 if stored else 0)
    done = importing.run(check, by=cast.town_officer, uid=uid)
    assert (done.new, done.again) == (30, bool(stored))
    assert Household.objects.count() - before == 30
    numbers = Household.objects.filter(door__startswith="示范巷").values_list("number", flat=True)
    assert len(set(numbers)) == 30
