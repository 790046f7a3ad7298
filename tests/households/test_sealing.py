"""Sealed texts: what a column holds, who can open it, and what the row's code notices of it."""

from __future__ import annotations

import base64
import uuid
from typing import Any

import pytest
from django.core.exceptions import FieldError
from django.db import connection, transaction
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from households import sealing
from households.models import Household
from households.sealing import SealBroken, Sealed, seal
from tests import cast as make
from tests.cast import Cast

MODEL, FIELD = "households.household", "phone"
UID = uuid.UUID("01900000-0000-7000-8000-000000000001")
FIRST, SECOND = (f"{n}:{base64.b64encode(bytes([n] * 32)).decode()}" for n in (1, 2))


def stored(home: Household, column: str = "phone") -> str:
    """What the database itself holds."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM households_household WHERE id = %s", [home.pk])
        return str(cursor.fetchone()[0])


def store(home: Household, text: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE households_household SET phone = %s WHERE id = %s", [text, home.pk])


def again(home: Household) -> Household:
    return Household.objects.get(pk=home.pk)


# -- the text itself -----------------------------------------------------------------------


@given(st.text(min_size=1), st.uuids())
def test_what_is_sealed_opens_for_its_own_row(text: str, uid: uuid.UUID) -> None:
    assert Sealed(seal(text, MODEL, FIELD, uid)).opened(MODEL, FIELD, uid) == text


@given(st.text(st.characters(codec="ascii"), min_size=7), st.data())
def test_a_changed_text_never_opens(text: str, data: st.DataObject) -> None:
    """Whatever single letter is another one: key number, nonce, ciphertext, tag or index."""
    sealed = seal(text, MODEL, FIELD, UID)
    place = data.draw(st.integers(0, len(sealed) - 1))
    letter = data.draw(
        st.sampled_from("0123456789abcdefABCDEFXYZ+/:=").filter(sealed[place].__ne__)
    )
    with pytest.raises(SealBroken):
        Sealed(sealed[:place] + letter + sealed[place + 1 :]).opened(MODEL, FIELD, UID)


@given(st.text())
def test_no_text_that_was_never_sealed_opens(text: str) -> None:
    with pytest.raises(SealBroken):
        Sealed(text).opened(MODEL, FIELD, UID)


@pytest.mark.parametrize(
    "whose",
    [
        ("devices.supplier", FIELD, UID),
        (MODEL, "other_phone", UID),
        (MODEL, FIELD, uuid.UUID(int=UID.int + 1)),
    ],
)
def test_a_text_moved_to_another_model_field_or_row_does_not_open(whose: Any) -> None:
    with pytest.raises(SealBroken):
        Sealed(seal("13000000000", MODEL, FIELD, UID)).opened(*whose)


def test_the_same_text_is_never_sealed_alike() -> None:
    assert len({seal("13000000000", MODEL, FIELD, UID) for _ in range(100)}) == 100


def test_the_number_of_the_key_stands_in_front(settings: Settings) -> None:
    settings.PERSONAL_KEYS = f"{FIRST},{SECOND}"
    assert seal("13000000000", MODEL, FIELD, UID).startswith("2:")


def test_an_older_key_still_opens_what_it_sealed(settings: Settings) -> None:
    settings.PERSONAL_KEYS = FIRST
    old = seal("13000000000", MODEL, FIELD, UID)
    settings.PERSONAL_KEYS = f"{SECOND},{FIRST}"
    assert Sealed(old).opened(MODEL, FIELD, UID) == "13000000000"


def test_without_its_key_a_text_stays_shut_and_the_key_is_named(settings: Settings) -> None:
    settings.PERSONAL_KEYS = FIRST
    old = seal("13000000000", MODEL, FIELD, UID)
    settings.PERSONAL_KEYS = SECOND
    with pytest.raises(SealBroken, match="there is no key 1"):
        Sealed(old).opened(MODEL, FIELD, UID)


def test_a_sealed_text_shows_nothing_of_itself() -> None:
    sealed = Sealed(seal("13000000000", MODEL, FIELD, UID))
    assert str(sealed) == repr(sealed) == "<sealed>"


# -- numbers and their index ---------------------------------------------------------------


@pytest.mark.parametrize("written", ["138 0000 0000", "138-0000-0000", "+8613800000000"])
def test_a_number_has_one_index_however_it_is_written(written: str) -> None:
    assert sealing.blind(written) == sealing.blind("13800000000")


@given(
    st.text("0123456789", min_size=7, max_size=12), st.text("0123456789", min_size=7, max_size=12)
)
def test_different_numbers_have_different_indexes(one: str, other: str) -> None:
    assert (sealing.blind(one) == sealing.blind(other)) == (one == other)


def test_the_index_needs_the_key(settings: Settings) -> None:
    settings.PERSONAL_KEYS = FIRST
    first = sealing.blind("13800000000")
    settings.PERSONAL_KEYS = SECOND
    assert sealing.blind("13800000000") != first


# -- rows ----------------------------------------------------------------------------------


def test_the_database_never_sees_the_number(cast: Cast) -> None:
    home = make.household(cast.area("洞头村"), number="26-12-0002", phone="13012345678")
    assert again(home).phone == "13012345678"
    assert stored(home).startswith("1:")
    assert "13012345678" not in stored(home)
    assert "2345678" not in stored(home)


def test_an_empty_number_stays_empty(cast: Cast) -> None:
    home = make.household(cast.area("洞头村"), number="26-12-0002", phone="")
    assert stored(home) == "" and again(home).phone == ""
    assert home in Household.objects.filter(phone="")
    assert cast.water_household not in Household.objects.filter(phone="")


def test_a_row_saved_without_a_change_keeps_its_very_text(cast: Cast) -> None:
    before = stored(cast.water_household)
    home = again(cast.water_household)
    home.save()
    assert home.phone == "13000000000"
    home.save()
    assert stored(home) == before


def test_a_change_is_sealed_anew(cast: Cast) -> None:
    home = again(cast.water_household)
    home.phone = "13111111111"
    home.save(update_fields=["phone"])
    assert again(home).phone == "13111111111"


def test_rows_are_made_and_brought_up_to_date_in_bulk(cast: Cast) -> None:
    home = again(cast.water_household)
    home.phone = "13222222222"
    new = Household(area=home.area, number="26-12-0009", year=2026, phone="13333333333")
    new.method = home.method
    Household.objects.bulk_create(
        [home, new], update_conflicts=True, update_fields=["phone"], unique_fields=["uid"]
    )
    phones = [home.phone for home in Household.objects.filter(area=home.area)]
    assert sorted(phones) == ["13222222222", "13333333333"]


def test_refreshing_brings_the_number_of_the_database(cast: Cast) -> None:
    home, other = again(cast.water_household), again(cast.water_household)
    other.phone = "13444444444"
    other.save()
    home.refresh_from_db()
    assert home.phone == "13444444444"


def test_a_number_left_out_of_the_query_is_fetched_when_asked_for(cast: Cast) -> None:
    home = Household.objects.defer("phone").get(pk=cast.water_household.pk)
    assert "phone" in home.get_deferred_fields()
    assert home.phone == "13000000000"
    lone = Household.objects.only("phone").get(pk=cast.water_household.pk)
    assert lone.phone == "13000000000"


def test_values_hand_out_what_is_sealed(cast: Cast) -> None:
    rows = Household.objects.filter(pk=cast.water_household.pk)
    sealed: Any = rows.values_list("phone", flat=True).get()
    assert isinstance(sealed, Sealed)
    assert sealed.opened(MODEL, FIELD, cast.water_household.uid) == "13000000000"


@pytest.mark.parametrize("lookup", ["phone", "phone__in", "phone__contains", "phone__regex"])
def test_asking_for_a_number_by_its_column_says_how_to_ask(cast: Cast, lookup: str) -> None:
    value = ["13000000000"] if lookup == "phone__in" else "13000000000"
    with pytest.raises(FieldError, match="phone is sealed"):
        list(Household.objects.filter(**{lookup: value}))


def test_an_update_that_knows_no_row_is_refused(cast: Cast) -> None:
    home = again(cast.water_household)
    home.phone = "13111111111"
    with pytest.raises(FieldError, match="phone is sealed"), transaction.atomic():
        Household.objects.update(phone="13111111111")
    with pytest.raises(FieldError, match="phone is sealed"), transaction.atomic():
        Household.objects.bulk_update([home], ["phone"])
    assert again(home).phone == "13000000000"


def test_a_whole_number_finds_its_households_whichever_of_the_two_it_is(cast: Cast) -> None:
    second = make.household(
        cast.area("洞头村"), number="26-12-0002", phone="", other_phone="138 0000 0000"
    )
    assert list(Household.objects.with_phone("13800000000")) == [second]
    assert not Household.objects.with_phone("1380000000")


def test_numbers_sealed_with_an_older_key_are_found_too(cast: Cast, settings: Settings) -> None:
    settings.PERSONAL_KEYS = f"{settings.PERSONAL_KEYS},{SECOND}"
    assert cast.water_household in Household.objects.with_phone("13000000000")


def test_the_ledger_finds_a_whole_number_and_no_part_of_one(cast: Cast, client: Client) -> None:
    client.force_login(cast.town_officer)
    home = cast.water_household
    home.phone = "13812345678"
    home.save()
    assert home.number in client.get("/households/?q=138-1234-5678").content.decode()
    assert home.number not in client.get("/households/?q=12345678").content.decode()


def test_a_row_that_does_not_open_names_itself_and_never_answers(cast: Cast) -> None:
    store(cast.water_household, stored(cast.air_household))
    home = again(cast.water_household)
    with pytest.raises(SealBroken) as caught:
        assert home.phone
    assert (caught.value.model, caught.value.field) == (MODEL, FIELD)
    assert caught.value.pk == home.pk


def test_pages_survive_a_number_that_does_not_open(cast: Cast, client: Client) -> None:
    store(cast.water_household, "1:AAAA:0")
    client.force_login(cast.town_officer)
    assert "无法解密" in client.get("/households/").content.decode()
    assert client.get(f"/households/{cast.water_household.number}/").status_code == 200


def test_saving_a_row_that_does_not_open_keeps_the_evidence(cast: Cast) -> None:
    store(cast.water_household, "1:AAAA:0")
    home = again(cast.water_household)
    home.note = "改动别处"
    home.save()
    assert stored(home) == "1:AAAA:0"
