"""Names, telephone numbers and door numbers as officers' sheets have them."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from households import clock
from households.ledger import people
from households.ledger.people import Masked


@pytest.mark.parametrize(
    "raw",
    [
        "13800000011",
        13800000011,
        1.3800000011e10,
        "138 0000 0011",
        "138-0000-0011",
        "+86 13800000011",
        "8613800000011",
        "１３８００００００１１",
        "1.3800000011E+10",
        "\u200b13800000011\u3000",
        "\u202d13800000011\u202c",
        "13800000011.00",
        "'13800000011",
    ],
)
def test_a_mobile_number_is_read_however_it_is_written(raw: Any) -> None:
    assert people.phone(raw) == "13800000011"


@pytest.mark.parametrize("raw", ["0356-2023456", "03562023456", "（0356）2023456", "0356 2023456"])
def test_a_landline_has_its_area_code_apart(raw: str) -> None:
    assert people.phone(raw) == "0356-2023456"


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("1380000011", "少 1 位"),
        ("138000000", "少 2 位"),
        ("138000000111", "多 1 位"),
        ("12000000011", "没有 12 开头的手机号"),
        ("2023456", "座机缺区号"),
        ("问村长", "不是电话号码"),
        ("0356", "不是电话号码"),
        ("00000000000", "不是电话号码"),
    ],
)
def test_a_wrong_number_says_what_is_wrong(raw: str, reason: str) -> None:
    told = people.phone(raw)
    assert (told.severity, told.reason) == ("mistake", reason)
    assert told.advice == "填 11 位手机号，或 区号-号码"


def test_digits_that_a_spreadsheet_lost_cannot_be_guessed() -> None:
    told = people.phone("1.38E+10")
    assert told.severity == "mistake"
    assert "1.38E+10" in told.reason


@pytest.mark.parametrize(
    "raw",
    [
        "13800000011/13900000022",
        "13800000011 13900000022",
        "13800000011、13900000022",
        "13800000011或13900000022",
        "1380000001113900000022",
        "13800000011；139 0000 0022",
    ],
)
def test_the_second_number_of_a_cell_is_the_other_phone(raw: str) -> None:
    told = people.phone(raw)
    assert (told.severity, told.value) == ("reminder", "13800000011")
    assert told.also == {"other_phone": "13900000022"}


def test_three_numbers_are_too_many() -> None:
    assert people.phone("13800000011/13900000022/13700000033").severity == "mistake"


def test_of_two_numbers_the_wrong_one_is_told() -> None:
    assert people.phone("13800000011/1390000002").reason == "少 1 位"


def test_a_number_that_is_written_twice_is_one() -> None:
    assert people.phone("13800000011 / 138 0000 0011") == "13800000011"


@pytest.mark.parametrize("raw", ["无", "暂无", "没有", "不详"])
def test_no_phone_in_words_is_no_phone_and_said(raw: str) -> None:
    told = people.phone(raw)
    assert (told.severity, told.value) == ("reminder", None)


@pytest.mark.parametrize("raw", [None, "", "-", "—"])
def test_an_empty_phone_is_no_phone(raw: Any) -> None:
    assert people.phone(raw) is None


def test_words_beside_a_number_are_left_out_and_said() -> None:
    told = people.phone("13800000011（儿子）")
    assert (told.severity, told.value) == ("reminder", "13800000011")
    assert "儿子" in told.reason


def test_a_masked_number_stays_what_it_is() -> None:
    assert isinstance(people.phone("138****0043"), Masked)


@pytest.mark.parametrize("raw", ["张　三", " 张 三 ", "张\u200b三", "张三"])
def test_a_name_has_no_spaces(raw: str) -> None:
    assert people.name(raw) == "张三"


@pytest.mark.parametrize(
    "raw", ["李四（已故）", "李四(已去世)", "李四 （已故）", "李四已故", "已故李四", "（已故）李四"]
)
def test_of_a_dead_householder_the_name_is_kept_and_a_slip_advised(raw: str) -> None:
    told = people.name(raw)
    assert (told.severity, told.value) == ("reminder", "李四")
    assert "变更单" in told.advice


def test_titles_and_remarks_are_no_part_of_a_name() -> None:
    assert people.name("王建国同志").value == "王建国"
    assert people.name("王建国（户主）").value == "王建国"


def test_a_cell_with_two_people_is_a_mistake() -> None:
    for raw in ("张三、李四", "张三/李四", "张三,李四", "张三\n李四"):
        assert people.name(raw).severity == "mistake"
    assert people.name("张\n三") == "张三"


@pytest.mark.parametrize("raw", ["张*三", "张**", "张？三", "张□"])
def test_a_name_without_all_of_its_letters_is_asked_about(raw: str) -> None:
    assert (people.name(raw).severity, people.name(raw).value) == ("reminder", raw)


def test_a_number_is_no_name() -> None:
    assert people.name(12).severity == "mistake"
    assert people.name("13800000011").severity == "mistake"


def test_rare_letters_and_foreign_names_are_names() -> None:
    assert people.name("䶮㛃") == "䶮㛃"
    assert people.name("买买提·艾力") == "买买提·艾力"
    assert people.name("Ali Khan") == "Ali Khan"


@pytest.mark.parametrize(
    ("raw", "door"),
    [
        (datetime(2026, 3, 12), "3-12"),
        (date(2026, 3, 12), "3-12"),
        ("2026-03-12", "3-12"),
        ("2026/3/12", "3-12"),
        ("3月12日", "3-12"),
        ("12-Mar", "3-12"),
        (date(1945, 3, 1), "3-45"),
    ],
)
def test_a_door_that_became_a_day_is_turned_back_and_said(raw: Any, door: str) -> None:
    with clock.at(datetime(2026, 10, 1, tzinfo=UTC)):
        told = people.door(raw)
    assert (told.severity, told.value) == ("reminder", door)


@pytest.mark.parametrize(
    ("raw", "door"),
    [
        ("3-12", "3-12"),
        ("'3-12", "3-12"),
        ("1-2-301", "1-2-301"),
        (12.0, "12"),
        ("１２号", "12号"),
        ("无名巷5号", "无名巷5号"),
    ],
)
def test_a_door_number_is_a_text(raw: Any, door: str) -> None:
    assert people.door(raw) == door


@pytest.mark.parametrize("raw", ["无门牌（庙东第三户）", "无（庙东第三户）", "无门牌号 庙东第三户"])
def test_a_place_in_words_stands_for_a_door(raw: str) -> None:
    told = people.door(raw)
    assert (told.value, told.also) == (None, {"place": "庙东第三户"})


def test_no_door_and_no_place_is_said() -> None:
    assert people.door("无").severity == "reminder"


@pytest.mark.parametrize("raw", ["已故", "（已故）", "去世"])
def test_that_somebody_died_is_no_name(raw: str) -> None:
    assert people.name(raw).reason == "没有姓名"


def test_a_telephone_number_does_not_slip_in_with_a_name() -> None:
    assert people.name("测试户 13800000011").reason == "姓名里有电话号码"
