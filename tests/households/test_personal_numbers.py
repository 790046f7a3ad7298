from typing import Any

import pytest
from django.core.exceptions import ValidationError

from devices.installation_form import InstallationForm
from households.personal_numbers import refused, warn
from households.village_lists.later_entry import LaterForm
from households.village_lists.slip_form import SlipForm
from plans.list_forms import ObjectionForm
from telemetry.alarm_list import NoteForm

# Made up: the region code 000000 is no place's.


def signed(seventeen: str) -> str:
    weights = [2 ** (17 - n) % 11 for n in range(17)]
    total = sum(int(digit) * weight for digit, weight in zip(seventeen, weights, strict=True))
    return seventeen + "10X98765432"[total % 11]


NUMBERS = [signed(f"0000001990010112{n}") for n in range(10)]


def test_identity_numbers_are_refused_in_any_text() -> None:
    for number in NUMBERS:
        assert "身份证号" in str(refused(f"户主证号{number}，已核对"))
        assert refused(f"{number[:6]} {number[6:14]} {number[14:]}")


@pytest.mark.parametrize(
    ("form", "field"),
    [
        (InstallationForm, "note"),
        (ObjectionForm, "text"),
        (NoteForm, "note"),
        (SlipForm, "basis"),
        (SlipForm, "note"),
        (LaterForm, "done_by"),
        (LaterForm, "note"),
    ],
)
def test_no_form_takes_one_in_what_people_write_freely(form: Any, field: str) -> None:
    with pytest.raises(ValidationError, match="身份证号"):
        form.base_fields[field].clean(f"证号 {NUMBERS[0]}")
    assert form.base_fields[field].clean("已核对") == "已核对"


def test_a_check_sign_x_is_known_in_both_cases() -> None:
    with_x = next(
        n for n in (signed(f"00000019900101{m:03d}") for m in range(1000)) if n[-1] == "X"
    )
    assert refused(with_x) and refused(with_x.lower())


def test_wide_digits_hide_nothing() -> None:
    wide = "".join(chr(ord(sign) + 0xFEE0) for sign in NUMBERS[0])
    assert refused(wide)


def test_eighteen_digits_with_a_wrong_check_are_only_asked_about() -> None:
    wrong = NUMBERS[0][:17] + str((int(NUMBERS[0][17].replace("X", "9")) + 1) % 10)
    assert refused(wrong) is None
    assert "18 位数字" in str(warn(wrong))


@pytest.mark.parametrize("card", ["4111111111111111", "6222 0212 3456 7890 128"])
def test_bank_cards_are_asked_about(card: str) -> None:
    digits = card.replace(" ", "")[:-1]
    doubled = [int(d) * (2 - n % 2) for n, d in enumerate(reversed(digits))]
    check = -sum(d - 9 if d > 9 else d for d in doubled) % 10
    assert "银行卡号" in str(warn(f"卡 {digits}{check}"))


@pytest.mark.parametrize(
    "text",
    ["", "庙东第三户", "13800000043", "0356-2020000", "SF00000043", "863456789012345", "12" * 15],
)
def test_other_texts_are_let_be(text: str) -> None:
    assert refused(text) is None
    assert warn(text) is None
