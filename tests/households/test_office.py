"""How offices write times and figures."""

from datetime import UTC, date, datetime

import pytest

from households import clock
from households.templatetags import office

NOW = datetime(2026, 11, 23, 1, 42, 0, tzinfo=UTC)  # 09:42 in Shanghai


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        (datetime(2026, 11, 23, 1, 42, 0, tzinfo=UTC), "刚刚"),
        (datetime(2026, 11, 23, 1, 41, 36, tzinfo=UTC), "24 秒前"),
        (datetime(2026, 11, 23, 1, 41, 0, tzinfo=UTC), "1 分钟前"),
        (datetime(2026, 11, 23, 1, 4, 0, tzinfo=UTC), "38 分钟前"),
        (datetime(2026, 11, 22, 20, 42, 0, tzinfo=UTC), "5 小时前"),
        (datetime(2026, 11, 22, 15, 59, 0, tzinfo=UTC), "昨天 23:59"),
        (datetime(2026, 11, 22, 8, 5, 0, tzinfo=UTC), "昨天 16:05"),
        (datetime(2026, 11, 20, 8, 5, 0, tzinfo=UTC), "11-20 16:05"),
        (datetime(2025, 12, 31, 16, 5, 0, tzinfo=UTC), "01-01 00:05"),
        (datetime(2025, 12, 31, 15, 5, 0, tzinfo=UTC), "2025-12-31 23:05"),
    ],
)
def test_an_age_is_told_as_people_say_it(moment: datetime, words: str) -> None:
    with clock.at(NOW):
        assert f">{words}</time>" in office.age(moment)


def test_an_age_carries_the_full_shanghai_time_on_hover() -> None:
    with clock.at(NOW):
        text = office.age(datetime(2026, 11, 23, 1, 41, 36, tzinfo=UTC))
    assert 'title="2026-11-23 09:41:36"' in text


def test_no_time_at_all_is_a_dash() -> None:
    assert office.age(None) == office.day_time(None) == office.day(None) == "—"


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [(683, 820, "83.3%"), (1, 16, "6.3%"), (0, 5, "0.0%"), (19, 19, "100.0%"), (0, 0, "")],
)
def test_a_percentage_has_one_decimal_half_up(part: int, whole: int, text: str) -> None:
    assert office.percent(part, whole) == text


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [(999, 0, "999"), (98040, 0, "98,040"), (-6.7, 1, "−6.7"), (None, 0, "—")],
)
def test_figures_have_commas_and_a_true_minus(value: float | None, digits: int, text: str) -> None:
    assert office.figure(value, digits) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(3.4, "3.4 秒"), (62, "1 分钟"), (57 * 60, "57 分钟"), (29460, "8 小时 11 分"), (None, "—")],
)
def test_spans_are_told_in_hours_and_minutes(seconds: float | None, text: str) -> None:
    assert office.span(seconds) == text


def test_a_date_of_another_year_says_its_year() -> None:
    with clock.at(NOW):
        assert office.day(date(2026, 9, 18)) == "09-18"
        assert office.day(date(2025, 9, 18)) == "2025-09-18"


def test_a_bar_never_runs_over_its_end() -> None:
    assert 'width="100.00%"' in office.bar(5, 9)
    assert "rect" not in office.bar(0, 0)
