"""What to do about each mistake is said for every one that the check knows."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from devices.maps import advice
from devices.modbus import cells
from devices.modbus.mistakes import Mistake

MODBUS = Path(cells.__file__).parent
CHECKING = (
    *("cells", "mapcheck", "maprows", "mapsettings", "mistakes", "rowparts", "writeside"),
    "pointmap",
)
# Said when words are decoded by hand, not of a cell.
NOT_OF_A_CELL = {
    "点表里没有信号 %(signal)s",
    "%(signal)s 要 %(count)s 个字，收到 %(got)s 个",
    "%(word)s 应在 0 到 %(highest)s 之间",
}


def templates(module: str) -> set[str]:
    tree = ast.parse((MODBUS / f"{module}.py").read_text(encoding="utf-8"))
    return {
        str(node.args[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "N_"
        and isinstance(node.args[0], ast.Constant)
    }


def test_no_mistake_is_left_without_advice() -> None:
    known = set().union(*map(templates, CHECKING)) - NOT_OF_A_CELL
    assert len(known) > 60
    assert sorted(known - set(advice.ADVICE)) == []


def mistake(template: str, value: str, **params: object) -> Mistake:
    return Mistake(20, "address", value, template, params)


INTEGER = "应为整数（如 100、0x64 或 64H）"


@pytest.mark.parametrize(
    ("value", "meant", "letters"),
    [("13O", "130", "O"), ("l00", "100", "l"), ("4OO2l", "40021", "Ol")],
)
def test_a_letter_for_a_digit_is_named(value: str, meant: str, letters: str) -> None:
    what = advice.of(mistake(INTEGER, value))
    assert what.said(INTEGER, {}) == f"不是数字（字母 {letters}）"
    assert what.advice.startswith(f"是否 {meant}？")


@pytest.mark.parametrize("value", ["abc", "O", "S", "12 V"])
def test_a_word_is_no_number_with_letters_in_it(value: str) -> None:
    what = advice.of(mistake(INTEGER, value))
    assert what.said(INTEGER, {}) == INTEGER
    assert "是否" not in what.advice


@pytest.mark.parametrize(
    ("value", "meant"), [("REAL", "float32"), ("dint", "int32"), ("WORD", "uint16")]
)
def test_a_plcs_type_is_understood(value: str, meant: str) -> None:
    assert advice.of(mistake("没有这个类型，可用：%(known)s", value, known="x")).advice == (
        f"是否 {meant}？"
    )


def test_a_choice_that_is_nearly_right_is_offered() -> None:
    what = advice.of(mistake("不认识的取值，可用：%(known)s", "pulze", known="value、rmw、pulse"))
    assert what.advice == "是否 pulse？"
