"""Texts that would run as a formula: harmless when written, the same when they come back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from households.ledger.escaping import STARTS, escape, unescape

BEGINNINGS = st.text(alphabet="'=+-@\t\r测1", max_size=4)


@given(BEGINNINGS, st.text(max_size=5))
def test_what_was_escaped_comes_back_exactly(beginning: str, rest: str) -> None:
    text = beginning + rest
    assert unescape(escape(text)) == text
    assert not escape(text).startswith(STARTS)


@pytest.mark.parametrize("text", ["", "测试户", "3-12", "1+1", "'", "it's", "'甲'"])
def test_an_ordinary_text_is_left_alone_both_ways(text: str) -> None:
    assert escape(text) == text
    assert unescape(text) == text


def test_an_apostrophe_before_a_sign_is_taken_for_ours() -> None:
    assert unescape("'=1+1") == "=1+1"
    assert unescape("'+86 130 0000 0000") == "+86 130 0000 0000"
