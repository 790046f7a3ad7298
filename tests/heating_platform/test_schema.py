"""The API's description: whole, valid, and drawn by a page that asks no other host."""

import re
from io import StringIO

import pytest
import yaml
from django.core.management import call_command

from tests import cast as make
from tests.cast import Cast


def test_the_schema_validates_without_a_warning() -> None:
    schema = StringIO()
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=schema)
    paths = yaml.safe_load(schema.getvalue())["paths"]
    assert set(paths) == {
        "/api/alarms/",
        "/api/alarms/{id}/",
        "/api/alarms/{id}/acknowledge/",
        "/api/areas/",
        "/api/areas/{id}/",
        "/api/commands/",
        "/api/commands/{id}/",
        "/api/commands/{id}/approve/",
        "/api/commands/{id}/cancel/",
        "/api/households/",
        "/api/households/{number}/",
        "/api/lines/",
        "/api/lines/{id}/",
        "/api/plan-lines/",
        "/api/plan-lines/{id}/",
        "/api/units/",
        "/api/units/{id}/",
        "/api/units/{id}/hours/",
        "/api/units/{id}/readings/",
    }


@pytest.mark.parametrize("path", ["/api/", "/api/schema/"])
def test_only_who_is_known_reads_the_description(cast: Cast, path: str) -> None:
    assert make.person(cast.reader).get(path).status_code == 200
    assert make.program(cast.reader, "areas:read").get(path).status_code == 200
    assert type(make.person(cast.reader))().get(path).status_code == 401


def test_the_page_loads_nothing_from_another_host(cast: Cast) -> None:
    page = make.person(cast.reader).get("/api/").content.decode()
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(loaded) >= 4
    assert not [address for address in loaded if "//" in address]
    assert "<style" not in page
    assert not re.search(r"<script(?![^>]*src=)", page)
