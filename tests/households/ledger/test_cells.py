"""What officers' cells mean: texts, numbers, days, choices."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from households import clock
from households.ledger import cells
from households.ledger.cells import Told
from households.ledger.columns import METHOD_NAMES, METHODS
from households.ledger.tables import KINDS


def of(key: str, raw: Any) -> Any:
    """What the ledger's column makes of a cell."""
    column = next(one for one in KINDS["household"].columns if one.key == key)
    return column.clean(raw)


def is_mistake(told: Any) -> bool:
    return isinstance(told, Told) and told.severity == "mistake" and bool(told.advice)


@pytest.mark.parametrize(
    "raw", [120, 120.0, "120", "１２０", " 120 ", "120㎡", "120平方米", "120平", "120 m2", "120.0"]
)
def test_an_area_is_read_with_its_unit(raw: Any) -> None:
    assert cells.square_metres(raw) == Decimal("120.0")


def test_about_so_large_is_taken_and_said() -> None:
    told = cells.square_metres("约120平")
    assert (told.severity, told.value) == ("reminder", 120)
    assert "120.0" in told.reason


@pytest.mark.parametrize("raw", ["一百二", "九十二", "80+20", "三间房", "inf", "nan", True, "1e9"])
def test_an_area_that_is_no_number_is_told_with_what_to_fill_in(raw: Any) -> None:
    assert is_mistake(cells.square_metres(raw))


@pytest.mark.parametrize("raw", [0, -3, "-12", 0.4])
def test_an_area_is_larger_than_nothing(raw: Any) -> None:
    assert cells.square_metres(raw).reason == "面积要大于 0"


def test_more_decimals_than_are_kept_are_said() -> None:
    assert cells.square_metres(86.25).value == Decimal("86.3")
    assert cells.square_metres(86.30000000001) == Decimal("86.3")


@pytest.mark.parametrize(
    "raw",
    [
        "2026-9-12",
        "2026.9.12",
        "2026/09/12",
        "2026年9月12日",
        "20260912",
        20260912,
        46277,
        "46277",
        "2026-09-12 00:00:00",
        "２０２６．９．１２",
        "2026、9、12",
        "二〇二六年九月十二日",
        datetime(2026, 9, 12, 8, 30),
        date(2026, 9, 12),
    ],
)
def test_a_day_is_read_however_it_is_written(raw: Any) -> None:
    assert cells.day(raw) == date(2026, 9, 12)


def test_a_day_without_its_year_is_of_this_year_and_said() -> None:
    with clock.at(datetime(2026, 10, 1, tzinfo=UTC)):
        told = cells.day("9/12")
    assert (told.severity, told.value) == ("reminder", date(2026, 9, 12))
    assert cells.day("26.9.12").value == date(2026, 9, 12)


@pytest.mark.parametrize(
    "raw", ["2026-13-02", "2026-02-30", "秋天", "1949-10-01", 3, 0.5, "2026年9月", True]
)
def test_what_is_no_day_is_told_with_an_example(raw: Any) -> None:
    told = cells.day(raw)
    assert (told.reason, told.advice) == ("不是日期", "填 年-月-日，例如 2026-09-12")


@pytest.mark.parametrize("key", ["rooms", "year", "demolition_on", "heated_area", "accuracy_m"])
@pytest.mark.parametrize("raw", ["9" * 5000, "-" + "9" * 5000, "1e99", 1e300])
def test_numbers_without_measure_are_mistakes_and_no_more(key: str, raw: Any) -> None:
    assert is_mistake(of(key, raw))


@pytest.mark.parametrize(("raw", "value"), [("是", True), ("√", True), ("否", False), (1, True)])
def test_yes_and_no(raw: Any, value: bool) -> None:
    assert cells.yes_or_no(raw) is value
    assert cells.yes_or_no(None) is None
    assert is_mistake(cells.yes_or_no("也许"))


def test_a_cell_that_repeats_its_columns_head_says_yes() -> None:
    assert of("vacant", "空置") is True
    assert is_mistake(of("vacant", "季节性居住"))


def test_an_example_fits_the_column() -> None:
    assert of("year", "去年").advice == "填整数，例如 2026"
    assert of("rooms", "几间").advice == "填整数，例如 3"


def test_every_name_of_a_method_means_it() -> None:
    for method, names in METHOD_NAMES.items():
        assert {of("method", name) for name in (*names, METHODS[method])} == {method}
    assert of("method", "集中 供热") == "central_heating"
    assert of("method", "“煤改电”") == "coal_to_electricity"


def test_an_unknown_method_is_told_the_choices_and_the_nearest() -> None:
    assert of("method", "煤改气电").reason == "没有这种改造方式"
    assert of("method", "电带煤").advice.startswith("是否“电代煤”？")


def test_accounts_keep_their_leading_zeros_and_say_where_they_may_be_lost() -> None:
    assert of("electricity_account", "0012345678") == "0012345678"
    assert of("electricity_account", 12345678).severity == "reminder"
    assert of("electricity_account", 12345678).value == "12345678"
    assert is_mistake(of("electricity_account", 1.2345678901234567e19))
    assert is_mistake(of("electricity_account", "1.2E+15"))


def test_whole_numbers_may_carry_their_unit() -> None:
    assert [of("rooms", raw) for raw in (5, 5.0, "5间", "五间", "５")] == [5] * 5
    assert is_mistake(of("rooms", "3.5"))
    assert is_mistake(of("rooms", -1))


@pytest.mark.parametrize("raw", [None, "", " ", "无", "-", "—", "/", "\u3000"])
def test_what_says_nothing_is_nothing(raw: Any) -> None:
    assert of("house_type", raw) is None
    assert of("heated_area", None if raw == "无" else raw) is None


def test_wide_letters_and_invisible_ones_are_tidied_without_a_word() -> None:
    assert of("house_type", "平房\u3000\u200bＡ１ 型\n") == "平房 A1 型"


def test_an_identity_number_is_not_taken_and_a_long_number_is_warned_of() -> None:
    assert is_mistake(of("note", "身份证 11010519491231002X"))
    assert of("note", "合同 123456789012345678").severity == "reminder"


def test_a_text_that_is_too_long_says_how_long_it_may_be() -> None:
    assert "200" in of("note", "长" * 201).advice


def test_a_formula_that_was_escaped_comes_back_as_it_was() -> None:
    assert of("note", "'=1+1") == "=1+1"


def test_a_cell_is_shown_as_it_looks_in_the_sheet() -> None:
    assert cells.as_typed(13800000011.0) == "13800000011"
    assert cells.as_typed(datetime(2026, 3, 12)) == "2026-03-12"
    assert cells.as_typed(None) == ""


@pytest.mark.parametrize("raw", ["约120余平", "≈120", "120左右", "120多平"])
def test_about_is_written_in_several_ways(raw: str) -> None:
    assert (cells.square_metres(raw).severity, cells.square_metres(raw).value) == ("reminder", 120)


def test_a_comma_parts_thousands_and_is_no_decimal_point() -> None:
    assert cells.square_metres("1,200") == 1200
    assert is_mistake(cells.square_metres("120,5"))


def test_a_remark_behind_a_choice_is_passed_over_and_said() -> None:
    told = of("method", "煤改电（空气能）")
    assert (told.severity, told.value) == ("reminder", "coal_to_electricity")
    assert "空气能" in told.reason
    assert is_mistake(of("method", "（空气能）"))
    assert is_mistake(of("method", "烧柴（煤改电）"))


@pytest.mark.parametrize("raw", [1405231234567890, 1.40523123456789e15, 10**20, 3.2e17])
def test_a_number_ends_in_noughts_where_a_spreadsheet_has_cut_it(raw: Any) -> None:
    assert is_mistake(of("electricity_account", raw))


@pytest.mark.parametrize("raw", [140523123456789, 1405231234567891])
def test_a_number_that_is_whole_is_a_code(raw: int) -> None:
    assert of("electricity_account", raw) == str(raw)
