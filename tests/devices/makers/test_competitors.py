"""No address that a supplier may ask tells him of a competitor, whatever he asks for."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import pytest
from django.core.cache import cache
from django.db import transaction
from django.test import Client, override_settings
from pytest_django.plugin import DjangoDbBlocker

from households.models import Role
from tests.rights_world import PLACES, World, make
from tests.test_rights import Row, _rows

pytestmark = pytest.mark.django_db
ASKED = ("北岳", "AirBox", "AB26100001", "860000000000102", "26-10-0001")


def telling(world: World) -> list[str]:
    """What would give the competitor away: his names and numbers, and where his units stand."""
    air = world.cast.air
    confirmation = air.model.confirmations.get()
    return [
        "北岳",
        air.model.code,
        air.factory_number,
        air.gateway.transmitter,
        confirmation.number,
        confirmation.code,
        world.cast.air_household.number,
        world.cast.air_household.householder,
        world.cast.rival.username,
        *(str(world.things["application"][place].number) for place in PLACES[1:]),
    ]


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    """Made once: it costs as much as half of what is asked of it."""
    quick = override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"])
    with django_db_blocker.unblock(), quick, transaction.atomic():
        yield make()
        transaction.set_rollback(True)


@pytest.fixture(autouse=True)
def nothing_cached() -> None:
    cache.clear()


def readable() -> list[Row]:
    """Every page and endpoint that a supplier may read, but those that stream files."""
    files = ("/file/", "dossier", "/report/", "sign-out")
    return [
        row
        for row in _rows()
        if Role.SUPPLIER in row.may("GET") and not any(word in row.address for word in files)
    ]


def body(client: Client, address: str) -> str:
    response = client.get(address, follow=True)
    content = b"".join(response) if response.streaming else response.content
    return content.decode(errors="replace")


def test_no_page_of_a_supplier_names_a_competitor(world: World) -> None:
    client, words = Client(), telling(world)
    maker = world.users[Role.SUPPLIER]
    client.force_login(maker)
    found = []
    for row in readable():
        address = row.path(world.thing(row.kind, "own", maker))
        text = body(client, address)
        found += [f"{address}: {word}" for word in words if word in text]
    assert not found, "\n".join(found)


LISTS = (
    "/households/",
    "/units/",
    "/installations/",
    "/alarms/",
    "/lines/",
    "/docking/",
    "/maps/",
    "/makers/",
    "/messages/",
    "/api/units/",
    "/api/lines/",
    "/api/households/",
    "/api/alarms/",
)


@pytest.mark.parametrize("asked", ASKED)
def test_no_search_finds_one(world: World, asked: str) -> None:
    """The page may repeat what was asked, and nothing else of him."""
    client, words = Client(), telling(world)
    client.force_login(world.users[Role.SUPPLIER])
    for address in LISTS:
        for field in ("q", "search", "number", "model", "supplier"):
            text = body(client, f"{address}?{field}={quote(asked)}")
            others = [word for word in words if word not in asked and asked not in word]
            assert not [word for word in others if word in text], f"{address}?{field}={asked}"


@pytest.mark.parametrize("kind", ["model", "supplier", "maker"])
def test_a_filter_by_a_competitors_key_answers_like_one_by_no_key(world: World, kind: str) -> None:
    client = Client()
    client.force_login(world.users[Role.SUPPLIER])
    air = world.cast.air.model
    rival = air.pk if kind == "model" else air.supplier_id
    for address in LISTS:
        known, unknown = (client.get(f"{address}?{kind}={key}") for key in (rival, 987_654_321))
        assert known.status_code == unknown.status_code, address
