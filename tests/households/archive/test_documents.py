import io
import uuid
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from households import clock, vault
from households.archive import documents
from households.archive.incoming import FileRefused
from households.models import Document, DocumentKind, StepKind
from tests import cast as make
from tests.cast import Cast
from tests.households.archive.test_pdf_files import PAGE, pdf
from tests.households.archive.test_photos import exif, needs_the_font, picture
from tests.households.entry.test_household_pages import as_

NOW = datetime(2026, 11, 23, 8, 30, tzinfo=clock.SHANGHAI)
pytestmark = needs_the_font


@pytest.fixture(autouse=True)
def november() -> Any:
    with clock.at(NOW):
        yield


def photo(cast: Cast, data: bytes | None = None, **fields: Any) -> Document:
    file = io.BytesIO(data or picture())
    home = cast.water_household
    return documents.add(home, DocumentKind.HOUSE_PHOTO, file, by=cast.clerk, **fields)


def content(paper: Document) -> bytes:
    with vault.open(paper.file) as file:
        return file.read()


def sent(*files: tuple[str, bytes], **fields: str) -> dict[str, Any]:
    named = [SimpleUploadedFile(name, data) for name, data in files]
    return {"kind": "house_photo", "on": "", "title": "", "files": named, **fields}


def test_a_photo_is_kept_with_what_the_camera_tells(cast: Cast) -> None:
    paper = photo(cast, picture(exif=exif()))
    assert paper.on == date(2026, 6, 12)
    assert paper.taken_at == datetime(2026, 6, 12, 9, 30, tzinfo=clock.SHANGHAI)
    assert (paper.latitude, paper.longitude) == pytest.approx((35.491667, 112.85))
    with Image.open(io.BytesIO(content(paper))) as kept:
        assert kept.format == "JPEG" and not kept.getexif()


def test_the_watermark_tells_time_village_and_number(cast: Cast) -> None:
    [line] = documents._watermark(cast.water_household)(None)
    assert line == "2026-11-23 08:30（上传时间）　钟家庄街道 洞头村　26-12-0001"
    [line] = documents._watermark(cast.water_household)(datetime(2026, 6, 12, 1, 30, tzinfo=UTC))
    assert line.startswith("2026-06-12 09:30　")
    assert content(photo(cast)) != content(photo(cast, picture((641, 480))))


def test_a_photo_sent_twice_is_one_paper(cast: Cast) -> None:
    assert photo(cast) == photo(cast)
    assert Document.objects.count() == 1


def test_a_withdrawn_photo_can_be_sent_again(cast: Cast) -> None:
    first = photo(cast)
    documents.withdraw(first, why="传错了户")
    assert photo(cast) != first


def test_a_pdf_is_kept_as_it_is_with_its_pages(cast: Cast) -> None:
    data = pdf(PAGE, PAGE)
    paper = documents.add(
        cast.water_household, "agreement", io.BytesIO(data), by=cast.clerk, on=date(2026, 7, 6)
    )
    assert (paper.pages, paper.on, content(paper)) == (2, date(2026, 7, 6), data)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "空的"),
        (b"<html><script>alert(1)</script>", "只收照片"),
        (b"GIF89a....", "只收照片"),
        (b"PK\x03\x04", "只收照片"),
        (b"\x00\x00\x00\x18ftypheic\x00\x00", "HEIC"),
        (b"%PDF-1.7 /JavaScript", "不完整"),
        (b"\xff\xd8\xff\xe0 rest", "没有传完整"),
    ],
)
def test_what_is_neither_photo_nor_pdf_is_refused_in_words(
    cast: Cast, data: bytes, said: str
) -> None:
    with pytest.raises(FileRefused, match=said):
        documents.add(cast.water_household, "other", io.BytesIO(data), by=cast.clerk)


def test_a_file_that_is_too_large_is_refused(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("households.archive.incoming.LARGEST", 100)
    with pytest.raises(FileRefused, match="超过"):
        photo(cast)


def test_contents_stand_in_archive_order_with_what_is_lacking(cast: Cast) -> None:
    home = make.reach(cast.water_household, StepKind.SIGNED, cast.clerk)
    photo(cast)
    entries = documents.contents(home)
    told = [(entry.kind, bool(entry.document), entry.said) for entry in entries]
    assert told[:3] == [
        (DocumentKind.SURVEY_FORM, False, "缺"),
        (DocumentKind.HOUSE_PHOTO, True, ""),
        (DocumentKind.AGREEMENT, False, "缺"),
    ]
    assert (DocumentKind.ACCEPTANCE, False, "待办") in told
    assert DocumentKind.HEAT_AGREEMENT not in {entry.kind for entry in entries}


def test_files_are_sent_several_at_once_and_each_refusal_is_told(cast: Cast) -> None:
    client, address = as_(cast.clerk), f"/households/{cast.water_household.number}/papers/"
    files = [
        ("门头.jpg", picture()),
        ("表格.xls", b"\xd0\xcf\x11\xe0"),
        ("屋内.jpg", picture((99, 99))),
    ]
    answer = client.post(address, sent(*files), follow=True).content.decode()
    assert "已收 2 份材料" in answer
    assert "表格.xls”没有收：只收照片" in answer
    assert Document.objects.count() == 2


def test_a_date_to_come_is_refused(cast: Cast) -> None:
    client, address = as_(cast.clerk), f"/households/{cast.water_household.number}/papers/"
    answer = client.post(address, sent(("a.jpg", picture()), on="2027-01-01"), follow=True)
    assert "日期还没有到" in answer.content.decode()
    assert not Document.objects.exists()


def test_a_paper_is_served_as_itself_and_never_as_a_page(cast: Cast) -> None:
    paper = photo(cast)
    answer = as_(cast.clerk).get(f"/documents/{paper.uid}/")
    assert answer.headers["Content-Type"] == "image/jpeg"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"].endswith("sandbox")
    assert answer.headers["Content-Disposition"].startswith("inline; filename*=utf-8''26-12-0001")
    assert b"".join(answer.streaming_content) == content(paper)  # type: ignore[attr-defined]


def test_a_pdf_is_handed_out_to_be_kept(cast: Cast) -> None:
    paper = documents.add(cast.water_household, "other", io.BytesIO(pdf(PAGE)), by=cast.clerk)
    answer = as_(cast.clerk).get(f"/documents/{paper.uid}/")
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert as_(cast.clerk).get(f"/documents/{paper.uid}/thumbnail/").status_code == 404


def test_papers_are_for_those_who_see_the_household(cast: Cast) -> None:
    paper = photo(cast)
    for tail in ("", "thumbnail/"):
        address = f"/documents/{paper.uid}/{tail}"
        for user in (cast.clerk, cast.town_officer, cast.district_officer, cast.reader):
            assert as_(user).get(address).status_code == 200
        for user in (cast.outsider, cast.rival, cast.supplier_member):
            assert as_(user).get(address).status_code == 404
        assert Client().get(address).status_code == 302
    assert as_(cast.clerk).get(f"/documents/{uuid.uuid4()}/").status_code == 404


def test_only_roles_that_bring_papers_send_them(cast: Cast) -> None:
    address = f"/households/{cast.water_household.number}/papers/"
    assert as_(cast.reader).post(address, sent(("a.jpg", picture()))).status_code == 403
    assert as_(cast.outsider).post(address, sent(("a.jpg", picture()))).status_code == 404
    assert Client().post(address, sent(("a.jpg", picture()))).status_code == 302
    assert as_(cast.clerk).get(address).status_code == 405


def test_a_withdrawn_paper_keeps_its_row_and_leaves_the_file(cast: Cast) -> None:
    paper = photo(cast)
    address = f"/documents/{paper.uid}/withdraw/"
    assert as_(cast.reader).post(address, {"why": "wrong_kind"}).status_code == 403
    assert as_(cast.outsider).post(address, {"why": "wrong_kind"}).status_code == 404
    as_(cast.clerk).post(address, {"why": ""})
    assert Document.objects.standing().exists()
    as_(cast.clerk).post(address, {"why": "wrong_household"})
    paper.refresh_from_db()
    assert (paper.withdrawn_at, paper.withdrawn_why) == (NOW, "传错了户")
    kinds = {entry.kind for entry in documents.contents(cast.water_household)}
    assert DocumentKind.HOUSE_PHOTO not in kinds
