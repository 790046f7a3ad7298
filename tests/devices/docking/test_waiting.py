"""What waits for the platform service unit stands in its row 待我处理."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from devices.docking import applications, waiting
from devices.models import DockingState
from households.todo import todo
from tests.cast import Cast


@pytest.fixture
def submitted(cast: Cast) -> None:
    maps = cast.water.model.register_maps.all()
    said = dict.fromkeys(applications.ASKED, "V1")
    for _ in range(2):
        one = applications.draft(cast.water.model, maps[0], by=cast.supplier_member, **said)
        applications.take(one, DockingState.SUBMITTED, by=cast.supplier_member)
    applications.draft(cast.water.model, maps[0], by=cast.supplier_member, **said)


@pytest.mark.usefixtures("submitted")
def test_what_was_submitted_waits_for_the_service_unit(cast: Cast, client: Client) -> None:
    found = {one.label: (one.count, one.url) for one in todo(cast.service_unit)}
    assert found == {"对接申请已提交": (2, "/docking/?state=submitted")}
    client.force_login(cast.service_unit)
    assert "对接申请已提交 2" in client.get("/todo/").content.decode()


@pytest.mark.usefixtures("submitted")
@pytest.mark.parametrize("who", ["district_officer", "supplier_member", "town_officer", "reader"])
def test_it_waits_for_nobody_else_and_costs_them_nothing(
    cast: Cast, who: str, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(0):
        assert list(waiting.waiting(getattr(cast, who))) == []
