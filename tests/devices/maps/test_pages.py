"""The list of register maps, a version, two compared, downloads: who sees what."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.test import Client
from openpyxl import load_workbook

from devices.docking import applications
from devices.modbus import mapfile, pointmap
from devices.models import MapDraft, RegisterMap
from tests.cast import Cast
from tests.devices.maps.scene import as_, draft

pytestmark = pytest.mark.django_db


@pytest.fixture
def second(cast: Cast) -> RegisterMap:
    """晨暖's second version: another baud rate, another address."""
    first = cast.water.register_map
    text = first.content.replace("@baud,9600", "@baud,19200").replace("holding,102", "holding,104")
    return RegisterMap.objects.add(first.model, text.encode(), "map.csv")


def test_a_maker_sees_its_own_maps_and_learns_of_no_other(cast: Cast) -> None:
    page = as_(cast.supplier_member).get("/maps/").content.decode()
    assert "CN-W10" in page
    assert "AirBox" not in page
    assert "北岳" not in page


def test_the_service_unit_sees_all_makers_maps(cast: Cast) -> None:
    page = as_(cast.service_unit).get("/maps/").content.decode()
    assert "CN-W10" in page
    assert "AirBox-3P" in page
    assert "写下一版" not in page


def test_the_list_asks_the_same_few_queries_however_many_models_there_are(
    cast: Cast, second: RegisterMap, django_assert_max_num_queries: Any
) -> None:
    client = as_(cast.service_unit)
    client.get("/maps/")
    with django_assert_max_num_queries(8):
        page = client.get("/maps/").content.decode()
    assert "第 2 版" in page


def test_a_version_shows_each_row_with_its_address_on_the_wire(cast: Cast) -> None:
    page = as_(cast.supplier_member).get(f"/maps/{cast.water.register_map_id}/").content.decode()
    assert "0x0064" in page
    assert "7 / 7" in page
    assert "5 / 5" in page


def test_a_version_that_nobody_tested_leads_to_its_application(
    cast: Cast, second: RegisterMap
) -> None:
    version = RegisterMap.objects.get(pk=second.pk)
    address = f"/docking/new/?model={version.model_id}"
    maker = as_(cast.supplier_member)
    assert address in maker.get(f"/maps/{version.pk}/").content.decode()
    applications.draft(version.model, version, by=cast.supplier_member)
    assert address not in maker.get(f"/maps/{version.pk}/").content.decode()


def test_reference_numbers_go_on_the_wire_as_what_they_mean(cast: Cast) -> None:
    page = as_(cast.rival).get(f"/maps/{cast.air.register_map_id}/").content.decode()
    assert "30001" in page
    assert "0x0000" in page


def test_a_competitors_version_is_not_there(cast: Cast) -> None:
    theirs = cast.air.register_map_id
    client = as_(cast.supplier_member)
    for path in ("", "compare/", "file.csv", "decode/?signal=mode&words=1"):
        assert client.get(f"/maps/{theirs}/{path}").status_code == 404
        assert client.get(f"/maps/999999999/{path}").status_code == 404


def test_words_are_decoded_beside_a_version(cast: Cast) -> None:
    path = f"/maps/{cast.water.register_map_id}/decode/"
    client = as_(cast.service_unit)
    page = client.get(path, {"signal": "outdoor_temp", "words": "0xFFBD"}).content.decode()
    assert "−6.7 °C" in page
    assert "6,546.9 °C" in page
    assert "超出合理范围" in page
    assert (
        "应为整数" in client.get(path, {"signal": "outdoor_temp", "words": "水"}).content.decode()
    )
    assert "没有信号" in client.get(path, {"signal": "x", "words": "1"}).content.decode()


def test_two_versions_are_compared(cast: Cast, second: RegisterMap) -> None:
    client = as_(cast.supplier_member)
    page = client.get(f"/maps/{second.pk}/compare/").content.decode()
    assert "19200" in page
    assert "outdoor_temp" in page
    assert "supply_temp<" not in page
    assert client.get(f"/maps/{cast.water.register_map_id}/compare/").status_code == 404
    assert client.get(f"/maps/{second.pk}/compare/?with=9").status_code == 404
    assert client.get(f"/maps/{second.pk}/compare/?with=1").status_code == 200


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_what_is_downloaded_is_the_same_map(cast: Cast, kind: str) -> None:
    mine = cast.water.register_map
    answer = as_(cast.reader).get(f"/maps/{mine.pk}/file.{kind}")
    assert "attachment" in answer["Content-Disposition"]
    assert pointmap.load(answer.content, f"a.{kind}").digest == mine.digest


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_the_template_has_both_heads(cast: Cast, kind: str) -> None:
    data = as_(cast.supplier_member).get(f"/maps/template.{kind}").content
    rows = mapfile.read_rows(data, f"a.{kind}")
    assert rows[4].cells[0] == "信号 signal"


def test_the_templates_drop_downs_say_what_may_stand_there(cast: Cast) -> None:
    data = as_(cast.supplier_member).get("/maps/template.xlsx").content
    lists = load_workbook(io.BytesIO(data)).active.data_validations.dataValidation
    assert any("int16" in one.formula1 for one in lists)
    assert all(len(one.formula1) <= 257 for one in lists)  # Excel takes no longer list


def test_no_other_kinds_of_files(cast: Cast) -> None:
    client = as_(cast.supplier_member)
    assert client.get(f"/maps/{cast.water.register_map_id}/file.exe").status_code == 404
    assert client.get("/maps/template.exe").status_code == 404


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_no_download_brings_a_formula(cast: Cast, kind: str) -> None:
    mine = draft(cast)
    text = mine.content.replace("室外环境温度", '"=HYPERLINK(""http://x"")"')
    MapDraft.objects.filter(pk=mine.pk).update(content=text)
    data = as_(cast.supplier_member).get(f"/maps/draft/{mine.model_id}/file.{kind}").content
    if kind == "csv":
        assert "'=HYPERLINK" in data.decode()
        return
    cells = [cell for row in load_workbook(io.BytesIO(data)).active.rows for cell in row]
    assert any(str(cell.value).startswith("=HYPERLINK") for cell in cells)
    assert not [cell for cell in cells if cell.data_type == "f"]


@pytest.mark.parametrize("who", ["clerk", "town_officer", "outsider"])
def test_maps_are_none_of_a_towns_business(cast: Cast, who: str) -> None:
    client = as_(getattr(cast, who))
    assert client.get("/maps/").status_code == 403
    assert client.get(f"/maps/{cast.water.register_map_id}/").status_code in (403, 404)


def test_a_stranger_signs_in_first(cast: Cast, client: Client) -> None:
    assert client.get("/maps/")["Location"].startswith("/sign-in/")
