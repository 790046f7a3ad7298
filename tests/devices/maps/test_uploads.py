"""Files of makers: register maps, and lists of their own."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from openpyxl import Workbook

from devices.maps.mapping import Mapping
from devices.models import MapDraft, MapUpload
from tests.cast import MAPS, Cast
from tests.devices.maps.scene import as_, draft

pytestmark = pytest.mark.django_db
OURS = (MAPS / "chennuan-cn-w10.csv").read_bytes()
THEIRS = """寄存器地址,参数名称,数据类型,系数,单位
100,出水温度,有符号,0.1,℃
101,进水温度,有符号,0.1,℃
"""


@pytest.fixture
def maker(cast: Cast) -> Client:
    return as_(cast.supplier_member)


def upload(client: Client, cast: Cast, data: bytes | str, name: str = "a.csv", **more: str) -> Any:
    data = data.encode() if isinstance(data, str) else data
    file = SimpleUploadedFile(name, data)
    return client.post(f"/maps/draft/{cast.water.model_id}/upload/", {"file": file, **more})


def workbook(rows: list[list[object]]) -> bytes:
    book, file = Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(file)
    return file.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_register_map_is_the_draft_at_once(cast: Cast, maker: Client, encoding: str) -> None:
    answer = upload(maker, cast, OURS.decode().encode(encoding))
    assert answer["Location"] == f"/maps/draft/{cast.water.model_id}/"
    assert maker.get(answer["Location"]).context["start"]["found"]["mistakes"] == 0


def test_a_map_with_mistakes_is_a_draft_too(cast: Cast, maker: Client) -> None:
    upload(maker, cast, OURS.replace(b"holding,102", b"holding,1O2"))
    page = maker.get(f"/maps/draft/{cast.water.model_id}/")
    assert page.context["start"]["found"]["mistakes"] == 1


def test_what_is_downloaded_can_be_uploaded_again(cast: Cast, maker: Client) -> None:
    for kind in ("csv", "xlsx"):
        data = maker.get(f"/maps/{cast.water.register_map_id}/file.{kind}").content
        upload(maker, cast, data, f"a.{kind}", replace="yes")
        assert "-1" not in MapDraft.objects.get().content
        page = maker.get(f"/maps/draft/{cast.water.model_id}/")
        assert page.context["start"]["found"]["mistakes"] == 0


def test_cells_are_pasted_with_tabs_between_them(cast: Cast, maker: Client) -> None:
    text = "signal\taddress\tarea\ttype\nsupply_temp\t100\tholding\tint16\n"
    maker.post(f"/maps/draft/{cast.water.model_id}/upload/", {"pasted": text})
    assert "supply_temp" in MapDraft.objects.get().content


def test_a_draft_is_replaced_only_where_that_was_ticked(cast: Cast, maker: Client) -> None:
    mine = draft(cast)
    answer = upload(maker, cast, OURS.replace(b"holding,102", b"holding,104"))
    assert answer.status_code == 422
    assert MapDraft.objects.get().content == mine.content
    upload(maker, cast, OURS.replace(b"holding,102", b"holding,104"), replace="yes")
    kept = MapDraft.objects.get()
    assert "104" in kept.content
    assert kept.edits > mine.edits  # who still has the former open cannot save over it


@pytest.mark.parametrize(
    ("data", "name", "words"),
    [
        (b"", "a.csv", "空"),
        (b"\xd0\xcf\x11\xe0old", "a.xls", "另存为"),
        (b"PK\x03\x04broken", "a.xlsx", "另存为"),
        (b"\x00\x01\x02\x03", "a.csv", "不是文本"),
        (b'a,"b\n', "a.csv", "引号"),
        (b"a," * 3_000_000, "a.csv", "超过"),
        (b"signal,address\n" + b"a,1\n" * 1_001, "a.csv", "1000"),
    ],
)
def test_files_that_cannot_be_read_say_why(
    cast: Cast, maker: Client, data: bytes, name: str, words: str
) -> None:
    answer = upload(maker, cast, data, name)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not MapDraft.objects.exists()


def mapping_page(maker: Client, cast: Cast, text: str = THEIRS) -> str:
    return str(upload(maker, cast, text)["Location"])


CHOSEN = {
    "head": "0",
    "base": "1",
    "area": "input",
    "column_0": "address",
    "column_1": "name",
    "column_2": "type",
    "column_3": "scale",
}


def test_a_makers_own_list_is_mapped_first(cast: Cast, maker: Client) -> None:
    page = mapping_page(maker, cast)
    shown = maker.get(page)
    assert not MapDraft.objects.exists()
    assert shown.context["mapping"].columns == {
        0: "address",
        1: "name",
        2: "type",
        3: "scale",
        4: "unit",
    }
    assert "supply_temp" in shown.content.decode()
    maker.post(page, CHOSEN)
    content = MapDraft.objects.get().content
    assert "@address_base,1" in content
    assert "supply_temp,出水温度,input,100,int16,0.1" in content


def test_the_mapping_is_kept_and_serves_the_next_list(cast: Cast, maker: Client) -> None:
    maker.post(mapping_page(maker, cast), CHOSEN)
    kept = Mapping.of_json(MapUpload.objects.get().mapping or {})
    assert (kept.area, kept.base) == ("input", "1")
    upload(maker, cast, THEIRS + "102,环境温度,有符号,0.1,℃\n", replace="yes")
    newest = MapUpload.objects.order_by("-pk")[0]
    assert maker.get(f"/maps/uploads/{newest.pk}/").context["mapping"] == kept


def test_choices_are_shown_before_anything_is_kept(cast: Cast, maker: Client) -> None:
    page = mapping_page(maker, cast)
    shown = maker.post(f"{page}preview/", CHOSEN).content.decode()
    assert "出水温度" in shown
    assert "请指明哪一列是地址" in maker.post(f"{page}preview/", {}).content.decode()
    assert MapUpload.objects.get().mapping is None


def test_a_list_without_addresses_is_not_taken(cast: Cast, maker: Client) -> None:
    answer = maker.post(mapping_page(maker, cast), {"column_1": "name"})
    assert answer.status_code == 422
    assert not MapDraft.objects.exists()


def test_a_workbook_of_a_makers_own(cast: Cast, maker: Client) -> None:
    rows: list[list[object]] = [["通信协议"], ["变量地址", "名称"], ["40021:REAL:CDAB", "出水温度"]]
    page = str(upload(maker, cast, workbook(rows), "协议.xlsx")["Location"])
    assert maker.get(page).context["mapping"].columns[0] == "place"
    maker.post(page, {"head": "1", "base": "manual", "column_0": "place", "column_1": "name"})
    assert "40021,float32,CDAB" in MapDraft.objects.get().content


def test_strange_choices_are_as_if_not_made(cast: Cast, maker: Client) -> None:
    page = mapping_page(maker, cast)
    odd = {"head": "99999", "base": "x", "area": "sea", "column_0": "address", "column_1": "zzz"}
    assert maker.post(f"{page}preview/", odd).status_code == 200


def test_only_the_newest_uploads_are_kept(cast: Cast, maker: Client) -> None:
    for n in range(23):
        upload(maker, cast, THEIRS + f"{n + 200},点{n},INT,1,\n")
    assert MapUpload.objects.count() == 20


def test_a_competitors_list_is_not_there(cast: Cast, maker: Client) -> None:
    page = mapping_page(maker, cast)
    rival = as_(cast.rival)
    assert rival.get(page).status_code == 404
    assert rival.post(page, CHOSEN).status_code == 404
    assert rival.post(f"{page}preview/", CHOSEN).status_code == 404
    assert as_(cast.service_unit).get(page).status_code == 403


def test_names_with_signs_of_a_page_are_shown_as_text(cast: Cast, maker: Client) -> None:
    page = mapping_page(maker, cast, "地址,名称\n1,<script>alert(1)</script>\n")
    assert "<script>alert" not in maker.get(page).content.decode()
    maker.post(page, {"head": "0", "base": "0", "column_0": "address", "column_1": "name"})
    shown = maker.get(f"/maps/draft/{cast.water.model_id}/").content.decode()
    assert "<script>alert" not in shown
