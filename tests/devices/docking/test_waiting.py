"""What waits for the platform service unit stands in its row 待我处理."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from devices.docking import applications, waiting
from devices.models import DockingState
from households import clock
from households.models import Role
from households.todo import todo
from tests import cast as make
from tests.cast import Cast
from tests.devices.docking import scene


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
        assert list(waiting.unsigned(getattr(cast, who))) == []


def test_what_was_not_signed_in_time_stands_with_those_who_can_mend_it(
    cast: Cast, client: Client
) -> None:
    one = scene.issued(cast)
    administrator = make.user("guanli", Role.ADMINISTRATOR)
    assert list(waiting.unsigned(administrator)) == []
    with clock.at(clock.now() + timedelta(minutes=6)):
        for who in (administrator, cast.service_unit):
            [found] = waiting.unsigned(who)
            client.force_login(who)
            assert found.count == 1 and one.number in client.get(found.url).content.decode()
    assert one.number not in client.get("/docking/?unsigned=true").content.decode()
