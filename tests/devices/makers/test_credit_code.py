import pytest

from devices.makers.credit_code import check_sign, is_right


def test_the_example_of_the_standard_is_right() -> None:
    assert is_right("91350100M000100Y43")


@pytest.mark.parametrize(
    "code",
    [
        "91350100M000100Y44",  # one sign off
        "91350100M000010Y43",  # two signs swapped
        "91350100M000100Y4",  # too short
        "91350100M000I00Y43",  # a letter that the code does not have
        "",
    ],
)
def test_a_mistyped_code_is_not(code: str) -> None:
    assert not is_right(code)


def test_any_single_wrong_sign_is_found() -> None:
    right = "91350100M000100Y43"
    for place in range(17):
        for sign in "0123456789ABCDEFGHJKLMNPQRTUWXY":
            typed = right[:place] + sign + right[place + 1 :]
            assert is_right(typed) == (typed == right)


def test_signs_that_no_code_has_are_told() -> None:
    with pytest.raises(ValueError, match="not found"):
        check_sign("91350100M000I00Y4")
