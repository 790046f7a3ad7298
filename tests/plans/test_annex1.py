from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.core.management import CommandError, call_command
from hypothesis import given, settings
from hypothesis import strategies as st

from households.ledger.bounded.refusal import Refused
from households.ledger.heads import Finder
from households.ledger.tables import found_in
from households.models import Area, Method
from plans import annex1, task_plan
from plans.models import PlanItem, TaskPlan
from tests.households.ledger.bounded.here import items

FILE = Path(annex1.__file__).parent / "data" / "annex1_2020.csv"
DATA = FILE.read_bytes()
SENTENCE = (
    "2020年10月底前，全区共计划完成820户居民冬季清洁取暖改造任务，其中：南村镇531户，西上庄街道80户，"
    "钟家庄街道185户，东街街道19户，南街街道5户。按改造方式划分，集中供热计划完成575户、"
    "煤改电计划完成185户、工业余热计划完成60户。"
)
AS_PRINTED = """\
序号,改造主体,村（社区）,改造户数（户数）,改造方式,,,,备注
,,,,集中供热,电代煤,气代煤,工业余热,
1,南村镇,司匠村,160,160,,,,
3,,放马坪,38,,,,38,在 建
小计,,,198,160,,,38,
9,西上庄街道,(散户),80,80,,,,
小计,,,80,80,,,,
总计,,,278,240,,,38,
"""


def changed(old: str, new: str) -> bytes:
    text = DATA.decode()
    assert old in text
    return text.replace(old, new).encode()


def places(report: annex1.Report) -> list[tuple[int | None, str, str]]:
    return [(wrong.row, wrong.column, wrong.value) for wrong in report.mistakes]


def checked(data: bytes, sentence: str = "") -> annex1.Report:
    """The file's report, read in this process; what is no table at all has no line."""
    try:
        found = list(found_in(items(data), Finder([annex1.KIND])))
    except Refused as refused:
        return annex1.Report([], [annex1.Mistake(None, "", "", refused.code)])
    return annex1.judge(found, sentence)


def loaded(data: bytes, sentence: str = "") -> list[annex1.Line]:
    report = checked(data, sentence)
    assert not report.mistakes
    return report.lines


def numbers(lines: list[annex1.Line], column: str) -> int:
    return sum(line.numbers[column] for line in lines)


def keep(lines: list[annex1.Line], **changes: Any) -> task_plan.Stored:
    district = Area.objects.get_or_create(level=Area.Level.DISTRICT, name="城区")[0]
    fields: dict[str, Any] = {
        "district": district,
        "year": 2020,
        "basis": "城政办发〔2020〕17号",
        "starts_on": date(2020, 5, 28),
        "works_done_by": date(2020, 10, 10),
        "ends_on": date(2020, 10, 31),
    }
    return task_plan.store(lines, **fields | changes)


def test_the_notices_file_agrees_with_itself_and_with_the_notices_sentence() -> None:
    lines = loaded(DATA, SENTENCE)
    assert len(lines) == 14
    assert [numbers(lines, name) for name in annex1.NUMBERS] == [820, 575, 185, 0, 60]
    towns = {line.town: 0 for line in lines}
    for line in lines:
        towns[line.town] += line.numbers["households"]
    assert list(towns.values()) == [531, 80, 185, 19, 5]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_every_usual_encoding_reads_the_same(encoding: str) -> None:
    assert loaded(DATA.decode().encode(encoding)) == loaded(DATA)


def test_the_table_as_the_notice_prints_it_is_read_and_its_sums_are_checked() -> None:
    lines = loaded(AS_PRINTED.encode("gb18030"))
    assert [(line.town, line.village, line.note) for line in lines] == [
        ("南村镇", "司匠村", ""),
        ("南村镇", "放马坪", "在 建"),
        ("西上庄街道", "", ""),
    ]


def test_totals_are_worked_out_anew_and_what_is_written_otherwise_is_told() -> None:
    wrong = AS_PRINTED.replace("小计,,,198,160", "小计,,,,198,160").replace("278,240", "279,240")
    report = checked(wrong.encode())
    assert report.lines == loaded(AS_PRINTED.encode())
    assert not report.mistakes
    assert [(told.row, told.value) for told in report.reminders] == [
        (5, "198、160"),
        (8, "279、240、38"),
    ]
    assert not checked(AS_PRINTED.encode()).reminders


def test_a_town_left_blank_after_a_subtotal_is_not_guessed() -> None:
    report = checked(AS_PRINTED.replace("9,西上庄街道", "9,").encode())
    assert (6, "改造主体", "") in places(report)


def test_a_line_whose_methods_do_not_add_up_is_named_with_row_and_column() -> None:
    report = checked(changed("2,南村镇,青杨掌村,10,10", "2,南村镇,青杨掌村,10,9"))
    assert places(report) == [(3, "households", "10")]
    assert "9" in report.mistakes[0].reason


def test_every_mistake_of_a_file_is_shown_at_once() -> None:
    data = (
        DATA.decode()
        .replace("3,南村镇,放马坪", "1,南村镇,放马坪")
        .replace("4,南村镇,下庄,10", "4,南村镇,下庄,十")
        .replace("5,南村镇,浪井村", "5,南村镇,下庄")
        .replace("14,南街街道,万苑社区,5,5", "14,南街街道,万苑社区,-5,5.0")
    )
    assert places(checked(data.encode())) == [
        (4, "seq", "1"),
        (5, "households", "十"),
        (6, "village", "下庄"),
        (15, "households", "-5"),
        (15, "central_heating", "5.0"),
    ]


def test_a_missing_and_a_doubled_column_are_named_and_an_unknown_one_is_told() -> None:
    report = checked(changed("seq,town,village", "seq,town,town,place"))
    heads = [wrong for wrong in report.mistakes if wrong.row == 1]
    assert {wrong.column for wrong in heads} == {"改造主体", "村（社区）"}
    assert [told.column for told in report.reminders if told.row == 1] == ["place"]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n\n",
        b"PK\x03\x04rest of a workbook",
        b"\xff\xff\xff",
        DATA.splitlines(keepends=True)[0],
        DATA + b'15,"open',
    ],
)
def test_a_file_that_is_no_plan_gets_one_clear_sentence(data: bytes, tmp_path: Path) -> None:
    file = tmp_path / "plan.csv"
    file.write_bytes(data)
    with pytest.raises(annex1.PlanRefused) as refused:
        annex1.load(file)
    assert len(refused.value.mistakes) == 1
    assert refused.value.mistakes[0].reason


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("南村镇531户", "南村镇530户", "南村镇"),
        ("西上庄街道80户，", "", "西上庄街道"),
        ("煤改电计划完成185户", "煤改电计划完成184户", "电代煤"),
        ("全区共计划完成820户", "全区共计划完成821户", "全区"),
        ("南街街道5户", "南街街道5户，北街街道1户", "北街街道"),
    ],
)
def test_a_number_that_differs_from_the_notices_sentence_is_named(
    old: str, new: str, named: str
) -> None:
    report = checked(DATA, SENTENCE.replace(old, new))
    assert [wrong.column for wrong in report.mistakes] == [named]


def test_a_sentence_without_numbers_is_no_proof() -> None:
    assert checked(DATA, "任务如期完成").mistakes


@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda text: text.encode()))
@settings(max_examples=200, deadline=None)
def test_no_file_at_all_breaks_the_check(data: bytes) -> None:
    report = checked(data)
    assert report.mistakes or report.lines


cells = st.lists(
    st.sampled_from(["", "1", "2", "999999999999", "小计", "总计", "南村镇", "散户", "x" * 50]),
    max_size=11,
)


@given(st.lists(cells, max_size=8))
@settings(max_examples=200, deadline=None)
def test_lines_without_a_mistake_always_add_up(rows: list[list[str]]) -> None:
    file = io.StringIO()
    csv.writer(file).writerows([next(csv.reader(DATA.decode().splitlines())), *rows])
    report = checked(file.getvalue().encode())
    if not report.mistakes:
        for line in report.lines:
            assert line.numbers["households"] == sum(line.numbers[method] for method in Method)
            assert line.town


@pytest.mark.django_db
def test_areas_are_made_with_their_owner_in_the_notices_order() -> None:
    keep(loaded(DATA))
    towns = Area.objects.filter(level=Area.Level.TOWN)
    assert [town.name for town in towns] == [
        "南村镇",
        "西上庄街道",
        "钟家庄街道",
        "东街街道",
        "南街街道",
    ]
    zhongjiazhuang = towns.get(name="钟家庄街道")
    assert [str(area) for area in zhongjiazhuang.members.all()] == [
        "时家岭社区",
        "泽州东社区",
        "洞头村",
    ]


@pytest.mark.django_db
def test_scattered_households_belong_to_the_town_itself() -> None:
    keep(loaded(DATA))
    item = PlanItem.objects.get(seq=9)
    assert (item.area.name, item.area.level, item.households) == ("西上庄街道", "town", 80)


@pytest.mark.django_db
def test_importing_again_changes_nothing() -> None:
    keep(loaded(DATA))
    before = list(PlanItem.objects.values()), list(Area.objects.values())
    again = keep(loaded(DATA))
    assert (again.added, again.changed, again.removed, again.unchanged) == (0, 0, 0, 14)
    assert (list(PlanItem.objects.values()), list(Area.objects.values())) == before


@pytest.mark.django_db
def test_a_changed_file_updates_lines_in_place_even_when_serial_numbers_change_hands() -> None:
    keep(loaded(DATA))
    kept = PlanItem.objects.get(area__name="司匠村").pk
    text = DATA.decode().replace("1,南村镇,司匠村", "2,南村镇,司匠村", 1)
    text = text.replace("2,南村镇,青杨掌村,10,10", "1,南村镇,青杨掌村,12,12")
    text = text.replace("14,南街街道,万苑社区", "15,南街街道,新苑社区")
    stored = keep(loaded(text.encode()))
    assert (stored.added, stored.changed, stored.removed, stored.unchanged) == (1, 2, 1, 11)
    assert PlanItem.objects.get(pk=kept).seq == 2
    assert PlanItem.objects.get(seq=1).households == 12


@pytest.mark.django_db
def test_two_years_stand_beside_each_other() -> None:
    keep(loaded(DATA))
    dates = [date(2021, 6, 1), date(2021, 10, 1), date(2021, 10, 31)]
    names = ["starts_on", "works_done_by", "ends_on"]
    keep(loaded(DATA), year=2021, **dict(zip(names, dates, strict=True)))
    assert TaskPlan.objects.count() == 2
    assert Area.objects.filter(level=Area.Level.VILLAGE).count() == 13


@pytest.mark.django_db
def test_the_command_stores_nothing_on_any_mistake(tmp_path: Path) -> None:
    file = tmp_path / "plan.csv"
    file.write_bytes(changed("6,南村镇,夥窑河村,50", "6,南村镇,夥窑河村,51"))
    with pytest.raises(CommandError, match="第 7 行 “households”"):
        call_command("plan", "import", file, year=2020, basis="x", district="城区")
    file.write_bytes(DATA)
    with pytest.raises(CommandError):
        call_command("plan", "import", file, year=2020, basis="号" * 61, district="城区")
    with pytest.raises(CommandError):
        call_command("plan", "import", tmp_path / "absent.csv", year=2020, basis="x")
    assert not Area.objects.exists()
    assert not TaskPlan.objects.exists()


@pytest.mark.django_db
def test_the_command_imports_and_checks(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("plan", "check", FILE, sentence=SENTENCE)
    assert not TaskPlan.objects.exists()
    call_command("plan", "import", FILE, year=2026, basis="示例", district="城区")
    assert TaskPlan.objects.get().works_done_by == date(2026, 10, 10)
    call_command("plan", "import", FILE, year=2027, basis="示例")
    assert [plan.year for plan in TaskPlan.objects.all()] == [2027, 2026]
    assert "820" in capsys.readouterr().out


# As the notice prints it (its text: two subtotals and one line are shifted by a column).
PRINTED: tuple[tuple[object, ...], ...] = (
    ("晋城市城区 2020 年冬季清洁取暖改造任务计划表",),
    ("", "", "", "", "", "", "", "单位：户"),
    ("序号", "改造主体", "村（社区）", "改造户数\n（户数）", "改造方式", "", "", "", "备注"),
    ("", "", "", "", "集中供热", "电代煤", "气代煤", "工业余热", ""),
    (1, "南村镇", "司匠村", 160, 160),
    (2, "", "青杨掌村", 10, 10),
    (3, "", "放马坪", 38, "", "", "", 38),
    (4, "", "下庄", 10, "", "", "", 10),
    (5, "", "浪井村", 12, "", "", "", 12),
    (6, "", "夥窑河村", 50, 50),
    (7, "", "南村村", 185, 185),
    (8, "", "北东村", 66, 66),
    ("小计", "", "", "", 531, 471, "", "", 60),
    (9, "", "西上庄街道", "（散户）", 80, 80),
    ("小计", "", "", 80, 80),
    (10, "钟家庄街道", "时家岭社区", 89, "", 89),
    (11, "", "泽州东社区", 70, "", 70),
    (12, "", "洞头村", 26, "", 26),
    ("小计", "", "", "", 185, "", 185),
    (13, "东街街道", "南大街社区", 19, 19),
    ("小计", "", "", 19, 19),
    (14, "南街街道", "万苑社区", 5, 5),
    ("小计", "", "", 5, 5),
    ("总计", "", "", 820, 575, 185, "", 60),
)
MERGED = ("A1:I1", "A3:A4", "B3:B4", "C3:C4", "D3:D4", "E3:H3", "I3:I4", "B5:B12", "B16:B18")


def printed(path: Path, *, is_merged: bool) -> Path:
    book = openpyxl.Workbook()
    for line in PRINTED:
        book.active.append([cell or None for cell in line])
    for merged in MERGED if is_merged else ():
        book.active.merge_cells(merged)
    book.save(path)
    return path


@pytest.mark.parametrize("is_merged", [True, False])
def test_the_printed_table_as_a_workbook_is_the_same_plan(tmp_path: Path, is_merged: bool) -> None:
    report = annex1.check(printed(tmp_path / "附件1.xlsx", is_merged=is_merged), sentence=SENTENCE)
    assert not report.mistakes
    rows = [line.row for line in report.lines]
    assert rows == [*range(5, 13), 14, *range(16, 19), 20, 22]
    assert [replace(line, row=0) for line in report.lines] == [
        replace(line, row=0) for line in loaded(DATA)
    ]
    shifted = {told.row for told in report.reminders if not told.column}
    assert shifted == {13, 14, 19}


@pytest.mark.django_db
def test_the_command_takes_the_printed_table_and_tells_what_it_read_otherwise(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = printed(tmp_path / "附件1.xlsx", is_merged=True)
    call_command("plan", "import", file, year=2020, basis="城政办发〔2020〕17号", district="城区")
    assert sum(item.households for item in PlanItem.objects.all()) == 820
    assert "提醒：第 14 行" in capsys.readouterr().out
