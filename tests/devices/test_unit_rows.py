"""Rows of a workbook that tell of heating units: checked, imported, exported."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from devices import ledger
from devices.models import Installation
from households.ledger import checking, choices, exporting, importing
from households.ledger.checking import Check
from households.models import Household, StepKind, User
from tests import cast as make
from tests.cast import Cast, household
from tests.households.ledger.workbooks import home, saved, workbook

Checked = Callable[..., Check]
UNIT = {
    "设备厂商名称": "晨暖（虚构）",
    "设备名称": "空气源热泵热水机组",
    "设备型号": "CN-W10",
    "设备出厂地址编号": "CN26100077",
    "无线传输设备地址编号": "860000000000177",
    "安装日期": "2026-10-21",
}
ELECTRIC = {"改造方式": "电代煤", "用电户号": "示例00000077"}


@pytest.fixture
def checked(tmp_path: Path) -> Checked:
    def check(user: User, rows: list[dict[str, Any]], sheet: str = "改造户") -> Check:
        path = tmp_path / "台账.xlsx"
        path.write_bytes(workbook(rows, sheet))
        return checking.check(path, path.name, user)

    return check


def told(check: Check) -> list[tuple[int | None, str, str]]:
    return [(one.row, one.column, one.reason) for one in check.mistakes]


def test_one_row_makes_a_household_and_its_unit(cast: Cast, checked: Checked) -> None:
    check = checked(cast.town_officer, [home(77, **ELECTRIC, **UNIT)])
    assert told(check) == []
    done = importing.run(check, by=cast.town_officer)
    record = Installation.objects.get(factory_number="CN26100077")
    assert done.new == done.installed == 1
    assert record.household.door == "示范巷 77 号"
    assert record.unit.gateway.transmitter == "860000000000177"
    assert str(record.installed_on) == "2026-10-21"
    assert record.household.steps.filter(kind=StepKind.INSTALLED).exists()


def test_a_sheet_of_installations_names_its_households(cast: Cast, checked: Checked) -> None:
    family = household(cast.area("洞头村"), number="26-12-0077", householder="测试户丙")
    rows = [{"户编号": "26-12-0077", **UNIT}]
    check = checked(cast.town_officer, rows, "安装记录")
    assert told(check) == []
    importing.run(check, by=cast.town_officer)
    assert family.installations.get().factory_number == "CN26100077"


def test_without_a_number_village_name_and_door_are_enough(cast: Cast, checked: Checked) -> None:
    for door in ("测试路 2 号", "测试路 3 号"):
        number = f"26-12-000{door[4]}"
        household(cast.area("洞头村"), number=number, householder="测试户丁", door=door)
    place = {"镇（街道）": "钟家庄街道", "村（社区）": "洞头村", "住户姓名": "测试户丁"}
    one = checked(cast.town_officer, [{**place, **UNIT}], "安装记录")
    assert told(one) == [(2, "住户姓名", "本村有 2 户同名")]
    both = checked(cast.town_officer, [{**place, "门牌号": "测试路 3 号", **UNIT}], "安装记录")
    importing.run(both, by=cast.town_officer)
    assert Household.objects.get(number="26-12-0003").installations.count() == 1


@pytest.mark.parametrize("households_first", [True, False])
def test_two_sheets_of_a_file_make_a_household_and_its_unit(
    cast: Cast, tmp_path: Path, households_first: bool
) -> None:
    new = home(77, **ELECTRIC)
    named = {key: new[key] for key in ("镇（街道）", "村（社区）", "门牌号", "住户姓名")}
    sheets = {
        "改造户": [new],
        "安装记录": [{**named, **UNIT}, {**named, **UNIT, "住户姓名": "别人"}],
    }
    order = list(sheets) if households_first else list(sheets)[::-1]
    path = tmp_path / "台账.xlsx"
    path.write_bytes(book_of({name: sheets[name] for name in order}))
    check = checking.check(path, path.name, cast.town_officer)
    assert told(check) == [(3, "住户姓名", "台账里没有这一户")]
    assert (check.rows, check.new, check.changed) == (3, 1, 1)
    done = importing.run(check, by=cast.town_officer, only_right=True)
    assert (done.new, done.installed, done.left_out) == (1, 1, 1)
    assert Household.objects.get(door="示范巷 77 号").installations.count() == 1


def test_a_row_that_names_a_wrong_row_is_wrong_too(cast: Cast, tmp_path: Path) -> None:
    new = home(77, **ELECTRIC, 取暖面积="九十")
    named = {key: new[key] for key in ("镇（街道）", "村（社区）", "门牌号", "住户姓名")}
    path = tmp_path / "台账.xlsx"
    path.write_bytes(book_of({"改造户": [new], "安装记录": [{**named, **UNIT}]}))
    check = checking.check(path, path.name, cast.town_officer)
    assert [one.reason for one in check.mistakes] == [
        "不是数字",
        "所指的户（表“改造户”第 2 行）有错误",
    ]


def book_of(sheets: dict[str, list[dict[str, Any]]]) -> bytes:
    book = Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        page = book.create_sheet(name)
        heads = list(dict.fromkeys(head for row in rows for head in row))
        page.append(heads)
        for row in rows:
            page.append([row.get(head) for head in heads])
    return saved(book)


def test_an_export_of_units_is_an_import_that_changes_nothing(cast: Cast, tmp_path: Path) -> None:
    path = tmp_path / "台账.xlsx"
    exporting.write(path, cast.town_officer)
    check = checking.check(path, path.name, cast.town_officer)
    assert (told(check), check.new, check.changed) == ([], 0, 0)
    assert check.rows == check.unchanged == 4  # two households, two records


ELSEWHERE = "“AirBox-3P”是“北岳（虚构）”“空气源热泵热风机”的型号"
NO_NUMBER = "不是装置编号：只会有字母、数字和半角符号"
UNKNOWN_UNIT = "没有装置编号，平台也没有登记过这台机组"


@pytest.mark.parametrize(
    ("changes", "column", "reason"),
    [
        ({"设备型号": "CN-W1O"}, "设备型号", "没有此设备型号"),
        ({"设备厂商名称": "晨暧（虚构）"}, "设备厂商名称", "没有此设备厂商"),
        ({"无线传输设备地址编号": "86000000000017"}, "无线传输设备地址编号", "14 位，应为 15 位"),
        ({"安装日期": "2026-13-02"}, "安装日期", "不是日期"),
        ({"网络地址": 70000}, "网络地址", "应在 1 到 65535 之间"),
        ({"改造方式": "集中供热"}, "设备厂商名称", "集中供热不在户内安装机组"),
        ({"设备型号": "AirBox-3P"}, "设备型号", ELSEWHERE),
        ({"无线传输设备地址编号": "不详！"}, "无线传输设备地址编号", NO_NUMBER),
        ({"无线传输设备地址编号": None}, "无线传输设备地址编号", UNKNOWN_UNIT),
        ({"线上地址": 300}, "线上地址", "CN-W10 的线上地址应在 1 到 247 之间"),
    ],
)
def test_a_mistake_is_told_at_its_column(
    cast: Cast, checked: Checked, changes: dict[str, Any], column: str, reason: str
) -> None:
    check = checked(cast.town_officer, [home(77, **{**ELECTRIC, **UNIT, **changes})])
    assert told(check) == [(2, column, reason)]


def test_a_letter_for_a_figure_is_suggested(cast: Cast, checked: Checked) -> None:
    check = checked(cast.town_officer, [home(77, **ELECTRIC, **{**UNIT, "设备型号": "CN-W1O"})])
    assert check.mistakes[0].advice == "是否“CN-W10”（数字 0）？"


def test_addresses_are_one_units_in_the_file_and_in_the_ledger(
    cast: Cast, checked: Checked
) -> None:
    rows = [
        home(1, **ELECTRIC, **UNIT, 网络地址=900),
        home(2, **ELECTRIC, **UNIT, 网络地址=900),
        home(3, **ELECTRIC, **{**UNIT, "设备出厂地址编号": "CN26100001"}, 线上地址=2),
        home(
            4, **ELECTRIC, **{**UNIT, "设备出厂地址编号": "CN26100004"}, 线上地址=3, 网络地址=1205
        ),
    ]
    check = checked(cast.town_officer, rows)
    assert [(row, column) for row, column, _reason in told(check)] == [
        (3, "设备出厂地址编号"),
        (3, "无线传输设备地址编号"),
        (3, "网络地址"),
        (4, "设备出厂地址编号"),
        (5, "网络地址"),
    ]
    assert told(check)[0][2] == "与本表第 2 行重复"
    assert "26-12-0001" in told(check)[3][2]


def test_who_may_not_see_the_other_household_learns_nothing_of_it(
    cast: Cast, checked: Checked
) -> None:
    place = {"镇（街道）": "南村镇", "村（社区）": "下庄"}
    row = home(3, **{**place, **ELECTRIC, **UNIT, "设备出厂地址编号": "CN26100001"})
    check = checked(cast.outsider, [row])
    assert "26-12-0001" not in str(check.mistakes)
    assert "已被占用" in check.mistakes[0].reason


def test_a_correction_keeps_the_record(cast: Cast, checked: Checked) -> None:
    record = cast.water_household.installations.get()
    row = {"户编号": "26-12-0001", **UNIT, "无线传输设备地址编号": "QN-000101"}
    changed = {"设备出厂地址编号": "CN26100002", "线上地址": 5, "安装日期": "2026-10-20"}
    check = checked(cast.town_officer, [{**row, **changed}], "安装记录")
    assert (told(check), check.changed) == ([], 1)
    importing.run(check, by=cast.town_officer)
    record.refresh_from_db()
    assert record.factory_number == "CN26100002"
    assert cast.water_household.installations.count() == 1


def test_a_second_unit_is_no_slip_of_the_pen(cast: Cast, checked: Checked) -> None:
    rows = [{"户编号": "26-12-0001", **UNIT}]
    assert told(checked(cast.town_officer, rows, "安装记录"))[0][1] == "设备出厂地址编号"
    check = checked(cast.town_officer, [rows[0] | {"更换或加装": "加装"}], "安装记录")
    importing.run(check, by=cast.town_officer)
    assert cast.water_household.installations.standing().count() == 2


def test_a_clerk_imports_households_but_no_units(cast: Cast, checked: Checked) -> None:
    check = checked(cast.clerk, [home(77, **ELECTRIC, **UNIT)])
    assert told(check) == [(2, "设备厂商名称", "您的账号不登记安装信息")]


def test_a_number_that_a_row_of_an_earlier_batch_claims_is_told_too(
    cast: Cast, checked: Checked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "FIRST_BATCH", 2)
    monkeypatch.setattr(checking, "NEXT_BATCH", 2)
    rows = [home(1, 改造方式="电代煤", **UNIT), *(home(n) for n in range(2, 6))]
    check = checked(cast.town_officer, [*rows, home(6, 改造方式="电代煤", **UNIT)])
    assert {(row, reason) for row, _column, reason in told(check)} == {(7, "与本表第 2 行重复")}
    assert told(checked(cast.town_officer, rows)) == []  # another check begins anew


LACKING = "CN-W10 数据对接确认书已撤销：请供应商办理"


def test_a_unit_that_stands_without_papers_is_told_of_and_kept_as_lacking(
    cast: Cast, checked: Checked
) -> None:
    make.unconfirmed(cast.water.model)
    check = checked(cast.town_officer, [home(77, **ELECTRIC, **UNIT)])
    assert told(check) == []
    reasons = [(one.column, one.reason) for one in check.reminders]
    assert ("设备型号", f"{LACKING}；按手续不全记") in reasons
    importing.run(check, by=cast.town_officer)
    record = Installation.objects.get(factory_number="CN26100077")
    step = record.household.steps.get(kind=StepKind.INSTALLED)
    assert step.lacks[-1] == LACKING
    assert record.household.installed_on is None


def test_without_a_day_it_would_be_put_in_anew_and_that_is_a_mistake(
    cast: Cast, checked: Checked
) -> None:
    make.unconfirmed(cast.water.model)
    row = home(77, **ELECTRIC, **{**UNIT, "安装日期": None})
    assert (2, "设备型号", LACKING) in told(checked(cast.town_officer, [row]))


def test_a_day_that_is_none_is_the_only_mistake_of_a_unit_without_papers(
    cast: Cast, checked: Checked
) -> None:
    make.unconfirmed(cast.water.model)
    row = home(77, **ELECTRIC, **{**UNIT, "安装日期": "2026-02-30"})
    assert told(checked(cast.town_officer, [row])) == [(2, "安装日期", "不是日期")]


def test_units_of_many_days_are_judged_in_few_queries(
    cast: Cast, checked: Checked, django_assert_max_num_queries: Any
) -> None:
    rows = [
        home(n, **ELECTRIC, **UNIT)
        | {
            "用电户号": f"示例{n:08d}",
            "设备出厂地址编号": f"CN262{n:05d}",
            "无线传输设备地址编号": f"8600000002{n:05d}",
            "安装日期": f"2026-10-{n:02d}",
        }
        for n in range(1, 31)
    ]
    with django_assert_max_num_queries(30):
        assert told(checked(cast.town_officer, rows)) == []


def test_the_template_offers_admitted_models_alone(cast: Cast) -> None:
    make.unconfirmed(cast.water.model)
    (tree,) = [tree(cast.town_officer) for tree in choices.TREES if tree is ledger._models]
    assert [row[2] for row in tree.rows] == ["AirBox-3P"]


def test_a_day_to_come_and_another_mask_are_mistakes_of_a_record_too(
    cast: Cast, checked: Checked
) -> None:
    row = {"户编号": "26-12-0001", **UNIT, "无线传输设备地址编号": "QN-000101"}
    wrong = {"安装日期": "2099-01-02", "联系电话": "138****9999"}
    assert told(checked(cast.town_officer, [row | wrong], "安装记录")) == [
        (2, "安装日期", "日期还没有到"),
        (2, "联系电话", "打码的号码与台账里的不符"),
    ]


def test_a_unit_that_replaces_another_may_keep_its_transmitter(
    cast: Cast, checked: Checked
) -> None:
    old = cast.water_household.installations.get()
    row: dict[str, Any] = {"户编号": "26-12-0001", **UNIT, "无线传输设备地址编号": "QN-000101"}
    row |= {"线上地址": old.unit.address, "更换或加装": "更换"}
    early = checked(cast.town_officer, [row | {"安装日期": "2020-01-02"}], "安装记录")
    assert told(early)[0][1] == "安装日期"
    check = checked(cast.town_officer, [row], "安装记录")
    assert told(check) == []
    importing.run(check, by=cast.town_officer)
    (new,) = cast.water_household.installations.standing()
    assert (new.factory_number, new.unit.gateway) == ("CN26100077", old.unit.gateway)
    old.refresh_from_db()
    assert (old.factory_number, old.removed_on) == ("CN26100001", new.installed_on)


def test_without_a_plate_the_row_is_right_and_reminded_of(cast: Cast, checked: Checked) -> None:
    row = home(77, **ELECTRIC, **{**UNIT, "设备出厂地址编号": None})
    check = checked(cast.town_officer, [row])
    assert told(check) == []
    assert "没有设备出厂地址编号" in [one.reason for one in check.reminders]


def test_units_that_speak_otherwise_do_not_share_a_transmitter(
    cast: Cast, checked: Checked
) -> None:
    there = cast.water.gateway.transmitter
    other = {
        "设备厂商名称": "北岳（虚构）",
        "设备名称": "空气源热泵热风机",
        "设备型号": "AirBox-3P",
        "无线传输设备地址编号": there,
        "线上地址": 9,
    }
    check = checked(cast.town_officer, [home(77, **ELECTRIC, **{**UNIT, **other})])
    assert [(row, column) for row, column, _reason in told(check)] == [(2, "无线传输设备地址编号")]
    assert "通信参数" in told(check)[0][2]
