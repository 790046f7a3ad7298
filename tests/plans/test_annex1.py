from __future__ import annotations

import csv
import io
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given, settings
from hypothesis import strategies as st

from households.models import Area, Method
from plans import annex1, task_plan
from plans.models import PlanItem, TaskPlan

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
    lines = annex1.load(DATA, SENTENCE)
    assert len(lines) == 14
    assert [numbers(lines, name) for name in annex1.NUMBERS] == [820, 575, 185, 0, 60]
    towns = {line.town: 0 for line in lines}
    for line in lines:
        towns[line.town] += line.numbers["households"]
    assert list(towns.values()) == [531, 80, 185, 19, 5]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_every_usual_encoding_reads_the_same(encoding: str) -> None:
    assert annex1.load(DATA.decode().encode(encoding)) == annex1.load(DATA)


def test_the_table_as_the_notice_prints_it_is_read_and_its_sums_are_checked() -> None:
    lines = annex1.load(AS_PRINTED.encode("gb18030"))
    assert [(line.town, line.village, line.note) for line in lines] == [
        ("南村镇", "司匠村", ""),
        ("南村镇", "放马坪", "在 建"),
        ("西上庄街道", "", ""),
    ]
    wrong = AS_PRINTED.replace("小计,,,198,160", "小计,,,198,161").replace("278,240", "279,240")
    assert places(annex1.check(wrong.encode())) == [
        (5, "集中供热", "161"),
        (8, "改造户数（户数）", "279"),
    ]


def test_a_town_left_blank_after_a_subtotal_is_not_guessed() -> None:
    report = annex1.check(AS_PRINTED.replace("9,西上庄街道", "9,").encode())
    assert (6, "改造主体", "") in places(report)


def test_a_line_whose_methods_do_not_add_up_is_named_with_row_and_column() -> None:
    report = annex1.check(changed("2,南村镇,青杨掌村,10,10", "2,南村镇,青杨掌村,10,9"))
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
    assert places(annex1.check(data.encode())) == [
        (4, "seq", "1"),
        (5, "households", "十"),
        (6, "village", "下庄"),
        (15, "households", "-5"),
        (15, "central_heating", "5.0"),
    ]


def test_an_unknown_a_missing_and_a_doubled_column_are_named() -> None:
    report = annex1.check(changed("seq,town,village", "seq,town,town,place"))
    assert {wrong.column for wrong in report.mistakes} == {"place", "改造主体", "村（社区）"}
    assert all(wrong.row == 1 for wrong in report.mistakes)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n\n",
        b"PK\x03\x04rest of a workbook",
        DATA.decode().encode("utf-16"),
        b"\xff\xff\xff",
        DATA.splitlines(keepends=True)[0],
        DATA + b'15,"open',
    ],
)
def test_a_file_that_is_no_plan_gets_one_clear_sentence(data: bytes) -> None:
    with pytest.raises(annex1.PlanRefused) as refused:
        annex1.load(data)
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
    report = annex1.check(DATA, SENTENCE.replace(old, new))
    assert [wrong.column for wrong in report.mistakes] == [named]


def test_a_sentence_without_numbers_is_no_proof() -> None:
    assert annex1.check(DATA, "任务如期完成").mistakes


@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda text: text.encode()))
@settings(max_examples=200, deadline=None)
def test_no_file_at_all_breaks_the_check(data: bytes) -> None:
    report = annex1.check(data)
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
    report = annex1.check(file.getvalue().encode())
    if not report.mistakes:
        for line in report.lines:
            assert line.numbers["households"] == sum(line.numbers[method] for method in Method)
            assert line.town


@pytest.mark.django_db
def test_areas_are_made_with_their_owner_in_the_notices_order() -> None:
    keep(annex1.load(DATA))
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
    keep(annex1.load(DATA))
    item = PlanItem.objects.get(seq=9)
    assert (item.area.name, item.area.level, item.households) == ("西上庄街道", "town", 80)


@pytest.mark.django_db
def test_importing_again_changes_nothing() -> None:
    keep(annex1.load(DATA))
    before = list(PlanItem.objects.values()), list(Area.objects.values())
    again = keep(annex1.load(DATA))
    assert (again.added, again.changed, again.removed, again.unchanged) == (0, 0, 0, 14)
    assert (list(PlanItem.objects.values()), list(Area.objects.values())) == before


@pytest.mark.django_db
def test_a_changed_file_updates_lines_in_place_even_when_serial_numbers_change_hands() -> None:
    keep(annex1.load(DATA))
    kept = PlanItem.objects.get(area__name="司匠村").pk
    text = DATA.decode().replace("1,南村镇,司匠村", "2,南村镇,司匠村", 1)
    text = text.replace("2,南村镇,青杨掌村,10,10", "1,南村镇,青杨掌村,12,12")
    text = text.replace("14,南街街道,万苑社区", "15,南街街道,新苑社区")
    stored = keep(annex1.load(text.encode()))
    assert (stored.added, stored.changed, stored.removed, stored.unchanged) == (1, 2, 1, 11)
    assert PlanItem.objects.get(pk=kept).seq == 2
    assert PlanItem.objects.get(seq=1).households == 12


@pytest.mark.django_db
def test_two_years_stand_beside_each_other() -> None:
    keep(annex1.load(DATA))
    dates = [date(2021, 6, 1), date(2021, 10, 1), date(2021, 10, 31)]
    names = ["starts_on", "works_done_by", "ends_on"]
    keep(annex1.load(DATA), year=2021, **dict(zip(names, dates, strict=True)))
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
