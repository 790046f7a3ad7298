"""Checking a workbook: what is told of which cell, and what an import would do."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from households import clock
from households.ledger import checking, importing
from households.ledger.checking import Check, Remark
from households.models import Household, StepKind, User
from tests import cast as make
from tests.cast import Cast
from tests.households.ledger.workbooks import home, opened, workbook

Checked = Callable[..., Check]


@pytest.fixture
def checked(tmp_path: Path) -> Checked:
    def check(user: User, rows: list[dict[str, Any]], **options: Any) -> Check:
        path = tmp_path / "台账.xlsx"
        path.write_bytes(workbook(rows))
        return checking.check(path, path.name, user, **options)

    return check


def told(remarks: list[Remark]) -> list[tuple[int | None, str, str]]:
    return [(one.row, one.column, one.reason) for one in remarks]


def family(cast: Cast, **changes: Any) -> Household:
    fields = {"number": "26-12-0007", "householder": "测试户丙", "phone": "13800000043"}
    return make.household(cast.area("洞头村"), **{**fields, **changes})


def test_right_rows_are_new_and_nothing_is_written(cast: Cast, checked: Checked) -> None:
    before = Household.objects.count()
    check = checked(cast.town_officer, [home(n) for n in range(1, 6)])
    assert (check.rows, check.new, check.mistakes, check.reminders) == (5, 5, [], [])
    assert Household.objects.count() == before


def test_a_mistake_names_sheet_row_column_value_reason_and_advice(
    cast: Cast, checked: Checked
) -> None:
    rows = [home(1), home(2, 联系电话="1380000011")]
    (mistake,) = checked(cast.town_officer, rows).mistakes
    assert mistake == Remark(
        "改造户", 3, "联系电话", "F", "1380000011", "少 1 位", "填 11 位手机号，或 区号-号码"
    )


def test_a_number_of_5000_digits_right_below_the_head_is_a_mistake_like_any(
    cast: Cast, checked: Checked
) -> None:
    (mistake,) = checked(cast.town_officer, [home(1, 取暖面积="9" * 5000)]).mistakes
    assert (mistake.row, mistake.column) == (2, "取暖面积")


def test_a_second_table_on_a_sheet_is_told_by_its_own_columns(cast: Cast, checked: Checked) -> None:
    row = home(1)
    heads = list(row)
    turned = dict(
        zip(
            reversed(heads),
            ("#REF!" if h == "取暖面积" else row[h] for h in reversed(heads)),
            strict=True,
        )
    )
    rows = [
        row,
        dict(zip(heads, turned, strict=True)),
        dict(zip(heads, turned.values(), strict=True)),
    ]
    (mistake,) = checked(cast.town_officer, rows).mistakes
    assert (mistake.row, mistake.column, mistake.value) == (4, "取暖面积", "#REF!")


def test_an_alias_is_told_by_the_standard_head(cast: Cast, checked: Checked) -> None:
    row = home(1)
    row["电话"] = row.pop("联系电话")[:-1]
    assert told(checked(cast.town_officer, [row]).mistakes) == [(2, "联系电话", "少 1 位")]


def test_what_a_new_household_needs(cast: Cast, checked: Checked) -> None:
    rows = [home(1, 住户姓名=""), home(2, 改造方式=None)]
    assert told(checked(cast.town_officer, rows).mistakes) == [
        (2, "住户姓名", "没有姓名"),
        (3, "改造方式", "没有改造方式"),
    ]


def test_a_number_updates_and_unchanged_rows_are_counted(cast: Cast, checked: Checked) -> None:
    family(cast)
    rows = [
        {"户编号": "26-12-0007", "住户姓名": "测试户丙", "门牌号": "测试路 9 号"},
        {"户编号": "26-12-0001", "住户姓名": "测试户甲", "门牌号": "测试路 1 号"},
    ]
    rows = [{**make_place(), **row} for row in rows]
    check = checked(cast.town_officer, rows)
    assert (check.new, check.changed, check.unchanged, check.mistakes) == (0, 1, 1, [])


def make_place() -> dict[str, str]:
    return {"镇（街道）": "钟家庄街道", "村（社区）": "洞头村"}


def test_an_unknown_number_and_a_foreign_one_are_the_same_mistake(
    cast: Cast, checked: Checked
) -> None:
    rows = [
        {"户编号": number, "村（社区）": "下庄", "住户姓名": "某"}
        for number in ("26-12-0001", "26-99-0001")
    ]
    check = checked(cast.outsider, rows)
    assert {one.reason for one in check.mistakes} == {"没有这个户编号，或不归您管"}
    assert [one.row for one in check.mistakes] == [2, 3]


def test_a_number_twice_in_the_file_names_the_other_row(cast: Cast, checked: Checked) -> None:
    rows = [home(n, 户编号="26-12-0001", 改造方式="电代煤") for n in (1, 2)]
    assert told(checked(cast.town_officer, rows).mistakes) == [(3, "户编号", "与本表第 2 行重复")]


def test_twins_are_reminded_of_in_the_file_and_in_the_ledger(cast: Cast, checked: Checked) -> None:
    family(cast, door="示范巷 5 号", electricity_account="示例00000005")
    rows = [
        home(1),
        home(2, 门牌号="示范巷 1 号", 住户姓名=home(1)["住户姓名"]),
        home(5, 住户姓名="测试户丙", 用电户号="示例00000005"),
        home(6, 用电户号="示例00000005"),
    ]
    check = checked(cast.town_officer, rows)
    assert check.mistakes == []
    assert told(check.reminders) == [
        (3, "门牌号", "与本表第 2 行 姓名、门牌号相同"),
        (4, "门牌号", "与已有 26-12-0007 姓名、门牌号、用电户号相同"),
        (5, "用电户号", "与本表第 4 行 用电户号相同"),
    ]


def test_a_masked_phone_means_the_stored_one(cast: Cast, checked: Checked) -> None:
    family(cast)
    place = {**make_place(), "住户姓名": "测试户丙", "户编号": "26-12-0007"}
    same = checked(cast.town_officer, [{**place, "联系电话": "138****0043"}])
    assert (same.unchanged, same.mistakes) == (1, [])
    other = checked(cast.town_officer, [{**place, "联系电话": "138****0044"}])
    assert told(other.mistakes) == [(2, "联系电话", "打码的号码与台账里的不符")]
    new = checked(cast.town_officer, [home(1, 联系电话="138****0043")])
    assert told(new.mistakes) == [(2, "联系电话", "新增的户不能填打码的号码")]


def test_a_filed_household_changes_by_slip_alone(cast: Cast, checked: Checked) -> None:
    filed = make.reach(family(cast), StepKind.LISTED, cast.town_officer)
    row = {**make_place(), "户编号": filed.number, "住户姓名": "测试户丁", "门牌号": "测试路 9 号"}
    (mistake,) = checked(cast.town_officer, [row]).mistakes
    assert mistake.column == "住户姓名"
    assert "变更单" in mistake.reason
    moved = {**row, "住户姓名": "测试户丙", "村（社区）": "泽州东社区"}
    assert [one.column for one in checked(cast.town_officer, [moved]).mistakes] == ["村（社区）"]


def test_what_was_changed_since_the_officer_looked_is_a_mistake(
    cast: Cast, checked: Checked
) -> None:
    home = family(cast)
    row = {**make_place(), "户编号": home.number, "住户姓名": "测试户丙", "门牌号": "测试路 9 号"}
    looked = home.updated_at + timedelta(seconds=1)
    assert checked(cast.town_officer, [row], since=looked).mistakes == []
    looked = home.updated_at - timedelta(seconds=1)
    assert told(checked(cast.town_officer, [row], since=looked).mistakes) == [
        (2, "户编号", "检查之后该户又有人改过")
    ]


def test_an_area_ten_times_its_villages_is_reminded_of(cast: Cast, checked: Checked) -> None:
    rows = [home(n, 取暖面积=90 + n % 3) for n in range(1, 12)]
    rows[4]["取暖面积"] = 920
    check = checked(cast.town_officer, rows)
    assert told(check.reminders) == [(6, "取暖面积", "约为本村中位数 91 m² 的 10 倍")]
    assert check.mistakes == []


def test_a_position_far_from_its_village_is_reminded_of(cast: Cast, checked: Checked) -> None:
    rows = [home(n, 经度=112.85 + n / 10000, 纬度=35.49, 坐标来源="手机浏览器") for n in range(12)]
    rows[3]["纬度"] = 35.53
    (reminder,) = checked(cast.town_officer, rows).reminders
    assert (reminder.row, reminder.column, reminder.value) == (5, "纬度", "35.53")
    assert reminder.reason == "离本村中位位置 4.4 km"


def test_a_contract_after_the_installation_is_reminded_of(cast: Cast, checked: Checked) -> None:
    row = home(1, 合同日期="2026-09-20", 安装日期="2026-09-12")
    assert told(checked(cast.town_officer, [row]).reminders) == [
        (2, "合同日期", "晚于安装日期 2026-09-12")
    ]


def test_a_day_to_come_is_a_mistake(cast: Cast, checked: Checked) -> None:
    tomorrow = clock.today() + timedelta(days=1)
    check = checked(cast.town_officer, [home(1, 合同日期=tomorrow)])
    assert told(check.mistakes) == [(2, "合同日期", "日期还没有到")]


def test_a_date_that_was_a_door_number_is_reminded_of_as_typed(
    cast: Cast, checked: Checked
) -> None:
    day = date(clock.today().year, 3, 12)
    check = checked(cast.town_officer, [home(1, 门牌号=day)])
    assert told(check.reminders) == [(2, "门牌号", "Excel 把门牌号变成了日期，按 3-12 记")]


def test_the_year_of_a_household_does_not_change(cast: Cast, checked: Checked) -> None:
    family(cast)
    row = {**make_place(), "户编号": "26-12-0007", "住户姓名": "测试户丙", "年度": 2025}
    assert [one.column for one in checked(cast.town_officer, [row]).mistakes] == ["年度"]


def test_an_emptied_name_or_method_is_a_mistake_an_emptied_note_is_not(
    cast: Cast, checked: Checked
) -> None:
    family(cast, note="旧备注")
    row = {
        **make_place(),
        "户编号": "26-12-0007",
        "住户姓名": "测试户丙",
        "改造方式": "",
        "备注": "",
    }
    assert told(checked(cast.town_officer, [row]).mistakes) == [(2, "改造方式", "没有改造方式")]
    del row["改造方式"]
    assert checked(cast.town_officer, [row]).changed == 1


def test_mistakes_come_in_the_order_of_the_sheet(cast: Cast, checked: Checked) -> None:
    rows = [home(n, 联系电话="123", 改造方式="无") for n in range(1, 4)]
    columns = ["联系电话", "改造方式"] * 3
    assert [one.column for one in checked(cast.town_officer, rows).mistakes] == columns


def test_the_rows_are_told_of_while_they_are_read(cast: Cast, checked: Checked) -> None:
    heard: list[int] = []
    checked(cast.town_officer, [home(1), home(2)], progress=heard.append)
    assert heard[-1] == 2


def test_what_a_row_lacks_is_told_by_the_columns_head_where_the_file_has_no_such_column(
    cast: Cast, checked: Checked
) -> None:
    row = home(1)
    del row["改造方式"], row["镇（街道）"]
    row["村（社区）"] = "李家湾"
    mistakes = checked(cast.district_officer, [row]).mistakes
    assert {(one.column, one.letter) for one in mistakes} == {("改造方式", ""), ("村（社区）", "B")}


def test_two_things_lacking_without_a_column_are_both_told(cast: Cast, checked: Checked) -> None:
    row = home(1)
    del row["改造方式"], row["镇（街道）"], row["村（社区）"]
    check = checked(cast.district_officer, [row | {"村（社区）": None}])
    assert [one.column for one in check.mistakes] == ["镇（街道）", "改造方式"]


def test_a_reminder_is_not_told_twice_of_a_cell(cast: Cast, checked: Checked) -> None:
    row = home(1, 备注="合同 123456789012345678")
    assert [one.column for one in checked(cast.town_officer, [row]).reminders] == ["备注"]


def test_a_reminder_of_a_whole_sheet_names_no_column(cast: Cast, tmp_path: Path) -> None:
    path = tmp_path / "台账.xlsx"
    book = opened(workbook([home(1)]))
    book.active.cell(2, 1100, "远处")
    book.save(path)
    told = checking.check(path, path.name, cast.town_officer).reminders
    assert [one.column for one in told if one.row is None] == [""]


def test_half_a_position_in_the_column_for_both_is_a_mistake(cast: Cast, checked: Checked) -> None:
    check = checked(cast.town_officer, [home(1, 经纬度="112.78"), home(2, 经纬度="112.83,35.47")])
    assert told(check.mistakes) == [(2, "经纬度", "只有一个数")]


def test_a_head_that_stands_twice_is_told_by_its_standard_name(cast: Cast, tmp_path: Path) -> None:
    path = tmp_path / "台账.xlsx"
    book = opened(workbook([home(1)]))
    book.active.cell(1, 6, "手机号")
    book.active.cell(1, 9, "手机号")
    book.save(path)
    check = checking.check(path, path.name, cast.town_officer)
    assert [(one.row, one.column, one.letter) for one in check.mistakes] == [(1, "联系电话", "I")]


def test_a_second_number_is_kept_where_the_file_has_no_column_for_it(
    cast: Cast, tmp_path: Path
) -> None:
    row = home(1, 联系电话="13800000011/13800000012")
    row.pop("备用电话", None)
    path = tmp_path / "台账.xlsx"
    path.write_bytes(workbook([row]))
    check = checking.check(path, path.name, cast.town_officer)
    assert told(check.reminders) == [(2, "联系电话", "一格里有 2 个号码，第 2 个记作备用电话")]
    importing.run(check, by=cast.town_officer)
    assert Household.objects.get(householder=row["住户姓名"]).other_phone == "13800000012"


def test_no_dwelling_is_as_large_as_a_school(cast: Cast, checked: Checked) -> None:
    rows = [home(1, 取暖面积=99_999), home(2, 取暖面积=3_000, 类别="学校")]
    assert [one[:2] for one in told(checked(cast.town_officer, rows).mistakes)] == [(2, "取暖面积")]
