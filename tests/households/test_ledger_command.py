"""`ledger check | import | export | template`: the ledger's workbooks from the shell."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from households.models import Change, Household, LedgerImport, Step
from tests.cast import Cast
from tests.households.ledger.workbooks import home, workbook


@pytest.fixture
def book(tmp_path: Path) -> Any:
    def write(*rows: dict[str, Any]) -> Path:
        path = tmp_path / "台账.xlsx"
        path.write_bytes(workbook(rows))
        return path

    return write


def said(*words: object) -> str:
    out = StringIO()
    call_command("ledger", *map(str, words), stdout=out)
    return out.getvalue()


def test_a_check_for_programs_tells_rows_mistakes_and_reminders(cast: Cast, book: Any) -> None:
    path = book(home(1), home(2, 联系电话="1380000011"), home(3, 联系电话="无"))
    out = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("ledger", "check", str(path), "--json", stdout=out)
    assert ended.value.code == 1
    told = json.loads(out.getvalue())
    assert set(told) == {"rows", "mistakes", "reminders"}
    assert told["rows"] == 3
    assert told["mistakes"] == [
        {
            "sheet": "改造户",
            "row": 3,
            "column": "联系电话",
            "value": "1380000011",
            "reason": "少 1 位；填 11 位手机号，或 区号-号码",
        }
    ]
    assert [one["row"] for one in told["reminders"]] == [4]


def test_a_check_without_mistakes_ends_well_and_stores_nothing(cast: Cast, book: Any) -> None:
    before = Household.objects.count()
    assert "可新增 1 行" in said("check", book(home(1)))
    assert Household.objects.count() == before


def test_a_person_reads_where_and_what(cast: Cast, book: Any) -> None:
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("ledger", "check", str(book(home(1, 取暖面积="九十二"))), stdout=out)
    assert "错误 改造户 第 2 行 G 取暖面积“九十二”：不是数字；填数字" in out.getvalue()


def test_a_file_that_cannot_be_read_is_told_to_programs_too(cast: Cast, tmp_path: Path) -> None:
    path, out = tmp_path / "旧.xls", StringIO()
    path.write_bytes(bytes.fromhex("d0cf11e0a1b11ae1") + bytes(512))
    with pytest.raises(SystemExit):
        call_command("ledger", "check", str(path), "--json", stdout=out)
    assert json.loads(out.getvalue())["mistakes"][0]["reason"]
    with pytest.raises(CommandError):
        said("check", path)
    with pytest.raises(CommandError):
        said("import", path)


def test_an_import_acts_as_the_district_office_and_the_history_says_so(
    cast: Cast, book: Any
) -> None:
    assert "新增 2 户" in said("import", book(home(1), home(2)))
    new = Household.objects.filter(door__startswith="示范巷")
    assert new.count() == 2
    assert {step.recorded_by for step in Step.objects.filter(household__in=new)} == {
        cast.district_officer
    }
    assert Change.objects.filter(via="manage ledger import").exists()


def test_an_import_with_a_mistake_stores_nothing_unless_asked(cast: Cast, book: Any) -> None:
    path = book(home(1), home(2, 联系电话="123"))
    with pytest.raises(CommandError, match="没有导入任何一行"):
        said("import", path)
    assert not LedgerImport.objects.exists()
    assert "退回 1 行" in said("import", path, "--only-right")


def test_the_same_file_is_not_imported_twice_by_mistake(cast: Cast, book: Any) -> None:
    path = book(home(1))
    said("import", path)
    with pytest.raises(CommandError, match="导入过"):
        said("import", path)
    count = Household.objects.count()
    said("import", path, "--again")
    assert Household.objects.count() == count + 1


def test_it_reaches_as_far_as_the_account_does(cast: Cast, book: Any) -> None:
    path = book(home(1))
    with pytest.raises(SystemExit):
        said("check", path, "--user", "nancun")
    assert "可新增 1 行" in said("check", path, "--user", "zhongjiazhuang")
    with pytest.raises(CommandError, match="没有账号"):
        said("check", path, "--user", "nobody")


def test_what_it_exports_it_takes_back_unchanged(cast: Cast, tmp_path: Path) -> None:
    path = tmp_path / "台账.xlsx"
    assert "已导出 2 户" in said("export", path)
    assert "未变化 4 行" in said("check", path)


def test_the_template_is_an_empty_ledger(cast: Cast, tmp_path: Path) -> None:
    path = tmp_path / "模板.xlsx"
    said("template", path)
    assert "共 0 行：错误 0 处" in said("check", path)


def test_without_an_account_of_the_office_a_check_is_possible_an_import_is_not(
    db: None, book: Any
) -> None:
    path = book(home(1))
    with pytest.raises(SystemExit):
        said("check", path)
    with pytest.raises(CommandError, match="--user"):
        said("import", path)


def test_a_file_that_is_not_there_is_no_file_with_mistakes(cast: Cast, tmp_path: Path) -> None:
    with pytest.raises(CommandError) as refused:
        call_command("ledger", "check", str(tmp_path / "没有.xlsx"), "--json")
    assert refused.value.returncode == 2


def test_who_may_not_register_households_imports_none_from_the_shell_either(
    cast: Cast, book: Any
) -> None:
    before = Household.objects.count()
    with pytest.raises(CommandError, match="领导小组办公室"):
        said("import", book(home(1)), "--user", cast.reader.username)
    assert Household.objects.count() == before


def test_the_wrong_rows_come_back_as_a_workbook(cast: Cast, book: Any, tmp_path: Path) -> None:
    wrong = tmp_path / "退回.xlsx"
    rows = book(home(1), home(2, 联系电话="123"))
    assert "已退回 1 行" in said("import", rows, "--only-right", "--returned", str(wrong))
    with pytest.raises(SystemExit):
        said("check", wrong)


def test_workbooks_are_written_as_xlsx_into_a_folder_that_is_there(
    cast: Cast, tmp_path: Path
) -> None:
    for act in ("export", "template"):
        with pytest.raises(CommandError, match="只写"):
            said(act, tmp_path / "台账.csv")
        with pytest.raises(CommandError, match="没有文件夹"):
            said(act, tmp_path / "没有" / "台账.xlsx")
