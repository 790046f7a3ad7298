"""Wrong codes at public pages are counted: by page, by visitor, minute by minute, in one place."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection

from households import clock, guesses
from households.models import Guesses

HERE = "203.0.113.7"


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same minute from the first try to the last, however slow the machine."""
    fixed = clock.now()
    monkeypatch.setattr(clock, "now", lambda: fixed)


def tries(n: int, visitor: str | None = HERE, page: str = "confirm") -> list[bool]:
    return [guesses.too_many(page, visitor, 3) for _ in range(n)]


@pytest.mark.django_db
def test_the_fourth_of_three_is_too_many() -> None:
    assert tries(5) == [False, False, False, True, True]


@pytest.mark.django_db
def test_visitors_and_pages_are_counted_apart() -> None:
    tries(4)
    assert tries(1, "203.0.113.8") == tries(1, page="card") == [False]


@pytest.mark.django_db
def test_the_addresses_of_one_ipv6_network_are_one_visitor() -> None:
    assert tries(3, "2001:db8::1") + tries(1, "2001:db8::2") == [False] * 3 + [True]
    assert tries(1, "2001:db8:0:1::1") == [False]


@pytest.mark.django_db
def test_who_has_no_address_is_counted_all_the_same() -> None:
    assert tries(4, None) == [False, False, False, True]


@pytest.mark.django_db
def test_the_next_minute_begins_anew_and_old_ones_are_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tries(4)
    later = clock.now() + timedelta(hours=2)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert tries(1) == [False]
    assert Guesses.objects.count() == 1


@pytest.mark.django_db
def test_no_address_can_be_read_from_the_table() -> None:
    tries(1)
    assert HERE not in str(list(Guesses.objects.values()))


@pytest.mark.django_db(transaction=True)
def test_processes_that_count_at_once_lose_nothing() -> None:
    def one(_n: int) -> bool:
        try:
            return guesses.too_many("confirm", HERE, 3)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as crowd:
        answers = list(crowd.map(one, range(20)))
    assert answers.count(False) == 3
    assert Guesses.objects.get().count == 20
