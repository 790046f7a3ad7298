"""Which passwords will do, and that the refusal says what is missing."""

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from households.accounts import passwords
from households.models import User

GOOD = [
    "Nuan-2026-qv",  # twelve, four kinds
    "abcdefgh1234!?",
    "qing jie qu nuan bu leng",  # a phrase of small letters
    "correct-horse-battery-staple",
    "今年冬天屋里一定要暖和起来",  # thirteen Chinese characters
]
WEAK = [
    ("Ab1!xyz", "至少要 12 个"),
    ("abcdefghijklm", "三种"),
    ("abcdefghij12", "三种"),
    ("aaaaaaAAA111!", "不同的字符太少"),
    ("nuan nuan nuan nuan nuan", "不同的字符太少"),
    ("heat heat heat house house", "三种"),
    ("今年冬天暖和", "至少要 12 个"),
    ("zhongjiazhuang1A", "相似"),
    ("qwerty123456", "常见"),
]


@pytest.mark.parametrize("password", GOOD)
def test_a_long_mixed_password_or_a_longer_phrase_will_do(password: str) -> None:
    validate_password(password, User(username="zhongjiazhuang"))


@pytest.mark.parametrize(("password", "words"), WEAK)
def test_a_weak_password_is_refused_and_told_why(password: str, words: str) -> None:
    with pytest.raises(ValidationError) as caught:
        validate_password(password, User(username="zhongjiazhuang"))
    assert words in "".join(caught.value.messages)


def test_initial_passwords_differ_and_will_do() -> None:
    made = {passwords.initial() for _n in range(50)}
    assert len(made) == 50
    for password in made:
        validate_password(password, User(username="x"))


@given(st.text(max_size=40))
def test_no_text_breaks_the_judgement(text: str) -> None:
    assert passwords.is_mixed(text) in (True, False)
    assert passwords.is_phrase(text) in (True, False)
