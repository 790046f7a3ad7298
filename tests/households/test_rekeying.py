"""Another key: everything is sealed anew, nothing is lost on the way."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from pytest_django.fixtures import Settings

from households import keys, rekeying, sealing
from households.models import Change, Household
from tests import cast as make
from tests.cast import Cast


def columns() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT phone FROM households_household WHERE phone <> '' ORDER BY id")
        return [row[0] for row in cursor.fetchall()]


def rekey() -> str:
    out = StringIO()
    call_command("personal", "rekey", stdout=out)
    return out.getvalue()


def test_every_number_is_sealed_under_the_newest_key(cast: Cast, settings: Settings) -> None:
    make.household(cast.area("洞头村"), number="26-12-0002", phone="")
    settings.PERSONAL_KEYS += "," + keys.draw(2)
    assert "households.Household.phone: 2 sealed anew under key 2" in rekey()
    assert [text[:2] for text in columns()] == ["2:", "2:"]
    settings.PERSONAL_KEYS = settings.PERSONAL_KEYS.split(",")[1]
    assert {home.phone for home in Household.objects.all()} == {"", "13000000000"}
    assert Household.objects.with_phone("13000000000").count() == 2
    assert Change.objects.order_by("-pk")[0].reason == "更换密钥"


def test_a_second_run_has_nothing_to_do(cast: Cast, settings: Settings) -> None:
    settings.PERSONAL_KEYS += "," + keys.draw(2)
    rekey()
    before = columns()
    assert "phone: 0 sealed anew" in rekey()
    assert columns() == before


def test_a_run_that_was_stopped_goes_on(
    cast: Cast, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rekeying, "BATCH", 1)
    settings.PERSONAL_KEYS += "," + keys.draw(2)
    field = next(f for f in rekeying.sealed_fields() if f.attname == "phone")
    next(rekeying.rekey(field))
    assert sorted(text[:2] for text in columns()) == ["1:", "2:"]
    assert "phone: 1 sealed anew" in rekey()


def test_a_number_that_does_not_open_is_named_and_left(cast: Cast, settings: Settings) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE households_household SET phone = '1:AAAA:0' WHERE id = %s",
            [cast.air_household.pk],
        )
    settings.PERSONAL_KEYS += "," + keys.draw(2)
    err = StringIO()
    with pytest.raises(SystemExit):
        call_command("personal", "rekey", stdout=StringIO(), stderr=err)
    assert f"households.household {cast.air_household.pk}: the sealed phone" in err.getvalue()
    assert "1:AAAA:0" in columns()


def test_a_new_key_is_printed_before_those_that_are_there(settings: Settings) -> None:
    out = StringIO()
    call_command("personal", "key", stdout=out, stderr=StringIO())
    text = out.getvalue().strip()
    assert list(keys.read(text)) == [2, 1] and text.endswith(settings.PERSONAL_KEYS)


def test_all_sealed_fields_are_known() -> None:
    names = {f"{f.model._meta.label_lower}.{f.attname}" for f in rekeying.sealed_fields()}
    assert {"households.household.phone", "households.household.other_phone"} <= names
    assert sealing.newest().number == 1
