"""Many officers save the same household at once, through its page: whatever was saved stays."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, connections
from django.test import Client

from households.models import Household, StepKind, User
from tests import cast as make
from tests.cast import Cast
from tests.households.entry.test_household_pages import as_

# Each edit leaves its own mark in one of these, a bit of a number in hexadecimal.
FIELDS = ("note", "house_type", "walls", "windows", "applicant", "resident", "place")


def page_of(client: Client, address: str) -> dict[str, Any]:
    """What a browser would send back of the page as it was opened."""
    context = client.get(address).context
    form = context["form"]
    values = {name: form[name].value() for name in form.fields}
    values = {name: value for name, value in values.items() if value not in (None, "", False)}
    return values | {"opened": context["opened"], "reason": "typing", "submit": "1"}


def edit(client: Client, address: str, mark: int) -> int:
    """Open the page and add one's own mark; when asked back, look at what stands there now and do
    it again. How often one was asked."""
    asked, name, bit = 0, FIELDS[mark % len(FIELDS)], 1 << mark // len(FIELDS)
    while True:
        page = page_of(client, address)
        page[name] = f"{int(page.get(name, '0'), 16) | bit:x}"
        answer = client.post(address, page)
        if answer.status_code == 302:
            return asked
        assert answer.context["clashes"], answer.content.decode()
        asked += 1


def race(home: Household, user: User, edits: int, officers: int) -> int:
    """So many edits by several officers at once; how often one was asked back."""
    address = f"/households/{home.number}/edit/"

    def officer(number: int) -> int:
        client = as_(user)
        try:
            return sum(edit(client, address, mark) for mark in range(number, edits, officers))
        finally:
            connections[connection.alias].close()

    with ThreadPoolExecutor(officers) as pool:
        return sum(pool.map(officer, range(officers)))


def marks(home: Household) -> int:
    """How many edits are still to be seen."""
    home.refresh_from_db()
    return sum(int(getattr(home, name) or "0", 16).bit_count() for name in FIELDS)


@pytest.fixture
def home(transactional_db: None) -> Household:
    people: Cast = make.gather()
    return make.reach(people.water_household, StepKind.SURVEYED, people.clerk)


@pytest.fixture
def officer(home: Household) -> User:
    found: User = User.objects.get(username="qu")
    return found


def test_of_racing_edits_none_is_lost(home: Household, officer: User) -> None:
    race(home, officer, edits=12, officers=4)
    assert marks(home) == 12


@pytest.mark.long
def test_of_a_thousand_racing_edits_none_is_lost(home: Household, officer: User) -> None:
    asked = race(home, officer, edits=1000, officers=8)
    print(f"1000 racing edits by 8 officers: asked back {asked} times, {1000 - marks(home)} lost")
    assert marks(home) == 1000
    assert asked > 0
