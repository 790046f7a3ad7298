"""After acceptance a supplier's pages tell the 户编号 of a household and nothing else of it."""

from __future__ import annotations

import pytest
from django.test import Client

from households.models import StepKind
from tests import cast as make
from tests.cast import Cast


@pytest.mark.parametrize(
    "page",
    ["/units/", "/units/?export=csv", "/units/{unit}/", "/alarms/", "/api/units/{unit}/"],
)
def test_a_suppliers_pages_hold_no_name_door_or_phone(cast: Cast, page: str) -> None:
    home = make.reach(cast.water_household, StepKind.ACCEPTED, cast.town_officer)
    make.assign(home, cast.water.model.supplier, cast.town_officer)
    client = Client()
    client.force_login(cast.supplier_member)
    answer = client.get(page.format(unit=cast.water.pk))
    text = b"".join(answer).decode()
    assert answer.status_code == 200
    for personal in (home.householder, home.door, home.phone, home.masked_phone):
        assert personal not in text


def test_nor_does_he_reach_its_page_any_more(cast: Cast) -> None:
    home = make.reach(cast.water_household, StepKind.COMMISSIONED, cast.town_officer)
    make.assign(home, cast.water.model.supplier, cast.town_officer)
    client = Client()
    client.force_login(cast.supplier_member)
    assert client.get(f"/households/{home.number}/").status_code == 200
    make.reach(home, StepKind.ACCEPTED, cast.town_officer)
    assert client.get(f"/households/{home.number}/").status_code == 404
    assert client.post(f"/households/{home.number}/phone/").status_code == 404
