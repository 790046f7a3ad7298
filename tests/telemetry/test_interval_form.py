"""How often a unit is asked, as its page sets, shows and hurries it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from households import clock
from households.models import Role
from telemetry import cadence
from telemetry.models import Watch
from tests.cast import Cast, user

pytestmark = pytest.mark.django_db


def put(client: Client, cast: Cast, interval: str) -> int:
    return client.post(f"/units/{cast.water.pk}/interval/", {"interval_s": interval}).status_code


def interval(cast: Cast) -> int | None:
    cast.water.refresh_from_db()
    return cast.water.interval_s


@pytest.mark.parametrize("role", [Role.SERVICE_UNIT, Role.ADMINISTRATOR])
def test_those_who_tend_the_lines_set_an_interval_and_take_it_back(
    cast: Cast, client: Client, role: Role
) -> None:
    client.force_login(user("tends", role))
    assert put(client, cast, "120") == 302
    assert interval(cast) == 120
    assert put(client, cast, "") == 302
    assert interval(cast) is None


@pytest.mark.parametrize(
    ("who", "status"),
    [
        ("district_officer", 403),
        ("town_officer", 403),
        ("supplier_member", 403),
        ("reader", 403),
        ("outsider", 404),
        ("rival", 404),
    ],
)
def test_nobody_else_sets_an_interval_and_outsiders_learn_of_no_unit(
    cast: Cast, client: Client, who: str, status: int
) -> None:
    client.force_login(getattr(cast, who))
    assert put(client, cast, "120") == status
    assert interval(cast) is None


def test_a_stranger_is_asked_to_sign_in(cast: Cast, client: Client) -> None:
    answer = client.post(f"/units/{cast.water.pk}/interval/", {"interval_s": "120"})
    assert answer.status_code == 302
    assert "/sign-in/" in answer.headers["Location"]
    assert interval(cast) is None


@pytest.mark.parametrize("wrong", ["5", "99999", "-60", "bald", "1e3"])
def test_an_interval_out_of_bounds_or_no_number_is_refused_in_words(
    cast: Cast, client: Client, wrong: str
) -> None:
    client.force_login(cast.service_unit)
    answer = client.post(f"/units/{cast.water.pk}/interval/", {"interval_s": wrong}, follow=True)
    assert interval(cast) is None
    text = answer.content.decode()
    assert "采集间隔应在 10 到 3600 秒之间" in text or "采集间隔请填整数秒" in text


def test_the_form_stands_on_the_page_of_who_may_use_it_alone(cast: Cast, client: Client) -> None:
    client.force_login(cast.service_unit)
    assert 'name="interval_s"' in client.get(f"/units/{cast.water.pk}/").content.decode()
    client.force_login(cast.district_officer)
    assert 'name="interval_s"' not in client.get(f"/units/{cast.water.pk}/").content.decode()


def test_the_page_says_the_interval_in_force_and_why(cast: Cast, client: Client) -> None:
    cast.water.interval_s = 300
    cast.water.save()
    cadence.watch(cast.water)
    cadence.review()
    client.force_login(cast.district_officer)
    text = client.get(f"/units/{cast.water.pk}/").content.decode()
    assert "采集间隔 10 秒（正在查看）" in text


def test_opening_the_page_hurries_the_unit_and_its_refresh_keeps_it_so(
    cast: Cast, client: Client
) -> None:
    client.force_login(cast.district_officer)
    client.get(f"/units/{cast.water.pk}/")
    begun = Watch.objects.get(unit=cast.water)
    with clock.at(clock.now() + timedelta(seconds=30)):
        client.get(f"/units/{cast.water.pk}/?part=values")
    renewed = Watch.objects.get(unit=cast.water)
    assert renewed.since == begun.since
    assert renewed.until >= begun.until + timedelta(seconds=29)


def test_a_refresh_alone_begins_no_watch(cast: Cast, client: Client) -> None:
    client.force_login(cast.district_officer)
    client.get(f"/units/{cast.water.pk}/?part=values")
    assert not Watch.objects.exists()


def test_an_outsider_hurries_nothing(cast: Cast, client: Client) -> None:
    client.force_login(cast.outsider)
    assert client.get(f"/units/{cast.water.pk}/").status_code == 404
    assert not Watch.objects.exists()
