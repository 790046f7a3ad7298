"""Register maps as rows: versions, and that a used one is fixed whatever is tried."""

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from devices.modbus import pointmap
from devices.models import RegisterMap
from tests import cast as make
from tests.cast import Cast

FILE = "chennuan-cn-w10.csv"


def content() -> bytes:
    return (make.MAPS / FILE).read_bytes()


def test_the_same_meaning_adds_no_version(cast: Cast) -> None:
    again = RegisterMap.objects.add(cast.water.model, content(), "another name.csv")
    assert again == cast.water.register_map
    assert cast.water.model.register_maps.count() == 1


def test_another_meaning_is_the_next_version(cast: Cast) -> None:
    changed = content().replace(b"@baud,9600", b"@baud,19200")
    second = RegisterMap.objects.add(cast.water.model, changed, FILE)
    assert second.version == 2
    assert second.parsed().settings.baud == 19200
    assert cast.water.register_map.parsed().settings.baud == 9600


def test_a_broken_file_is_refused_with_every_mistake_and_stores_nothing(cast: Cast) -> None:
    broken = content().replace(b"@baud,9600", b"@baud,fast").replace(b"int16", b"int15")
    with pytest.raises(pointmap.MapRefused) as refusal:
        RegisterMap.objects.add(cast.water.model, broken, FILE)
    assert len(refusal.value.report.mistakes) > 1
    assert cast.water.model.register_maps.count() == 1


def test_a_stored_map_reads_back_as_it_was_meant(cast: Cast) -> None:
    assert cast.water.register_map.parsed().digest == pointmap.load(content(), FILE).digest


def test_an_unused_map_may_be_deleted(cast: Cast) -> None:
    extra = RegisterMap.objects.add(
        cast.water.model, content().replace(b"@baud,9600", b"@baud,19200"), FILE
    )
    extra.delete()
    assert cast.water.model.register_maps.count() == 1


@pytest.fixture
def used(cast: Cast) -> RegisterMap:
    """A version that was used once and stands in no unit now."""
    cast.water.register_map.mark_used()
    used = RegisterMap.objects.get(pk=cast.water.register_map.pk)
    newer = RegisterMap.objects.add(
        cast.water.model, content().replace(b"@baud,9600", b"@baud,19200"), FILE
    )
    type(cast.water).objects.filter(pk=cast.water.pk).update(register_map=newer)
    return used


def test_a_used_map_cannot_be_saved_or_deleted(used: RegisterMap) -> None:
    used.content += "x"
    with pytest.raises(IntegrityError, match="in use"), transaction.atomic():
        used.save()
    with pytest.raises(IntegrityError, match=r"in use|protected"), transaction.atomic():
        used.delete()


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE devices_registermap SET content = 'x' WHERE id = %s",
        "UPDATE devices_registermap SET used_since = NULL WHERE id = %s",
        "DELETE FROM devices_registermap WHERE id = %s",
    ],
)
def test_a_used_map_cannot_be_touched_even_by_sql(used: RegisterMap, sql: str) -> None:
    refused = pytest.raises(DatabaseError, match="in use")
    with connection.cursor() as cursor, refused, transaction.atomic():
        cursor.execute(sql, [used.pk])
    assert RegisterMap.objects.get(pk=used.pk).content == used.content


def test_marking_twice_keeps_the_first_moment(used: RegisterMap) -> None:
    first = used.used_since
    used.mark_used()
    assert RegisterMap.objects.get(pk=used.pk).used_since == first
