import zlib

import pytest

from households.archive import pdf_files
from households.archive.pdf_files import PdfRefused

PAGE = b"3 0 obj\n<</Type /Page /Parent 2 0 R>>\nendobj\n"


def pdf(*objects: bytes, catalog: bytes = b"") -> bytes:
    """A PDF as simple as they come, with these objects in it."""
    head = b"%PDF-1.7\n1 0 obj\n<</Type /Catalog /Pages 2 0 R " + catalog + b">>\nendobj\n"
    tree = b"2 0 obj\n<</Type /Pages /Kids [3 0 R] /Count 1>>\nendobj\n"
    return head + tree + b"".join(objects) + b"trailer\n<</Root 1 0 R>>\n%%EOF\n"


def object_stream(text: bytes, name: bytes = b"/ObjStm") -> bytes:
    body = zlib.compress(text)
    head = b"7 0 obj\n<</Type " + name + b" /Filter /FlateDecode /Length %d>>\n" % len(body)
    return head + b"stream\n" + body + b"\nendstream\nendobj\n"


def test_pages_are_counted() -> None:
    assert pdf_files.pages(pdf(PAGE)) == 1
    assert pdf_files.pages(pdf(PAGE, PAGE, PAGE)) == 3


def test_pages_in_compressed_objects_are_counted_too() -> None:
    assert pdf_files.pages(pdf(object_stream(b"<</Type/Page>> <</Type /Page/X 1>>"))) == 2


def test_a_page_to_open_at_is_no_action() -> None:
    assert pdf_files.pages(pdf(PAGE, catalog=b"/OpenAction [3 0 R /Fit]")) == 1


@pytest.mark.parametrize(
    "catalog",
    [
        b"/OpenAction 9 0 R",
        b"/OpenAction <</S /JavaScript /JS (app.alert(1))>>",
        b"/Names <</JavaScript 9 0 R>>",
        b"/Names <</Java#53cript 9 0 R>>",
        b"/X <</S /Launch /F (calc.exe)>>",
        b"/X <</S /L#61unch>>",
        b"/Names <</EmbeddedFiles 9 0 R>>",
        b"/AcroForm <</XFA 9 0 R>>",
    ],
)
def test_programs_and_attachments_are_refused(catalog: bytes) -> None:
    with pytest.raises(PdfRefused, match="带有程序或附件"):
        pdf_files.pages(pdf(PAGE, catalog=catalog))


@pytest.mark.parametrize("name", [b"/ObjStm", b"/Obj#53tm"])
def test_programs_in_compressed_objects_are_found(name: bytes) -> None:
    with pytest.raises(PdfRefused, match="带有程序"):
        pdf_files.pages(pdf(PAGE, object_stream(b"<</S/JavaScript/JS(x)>>", name)))


def test_object_streams_that_do_not_open_are_refused() -> None:
    broken = object_stream(b"x").replace(b"stream\nx", b"stream\nzz")
    with pytest.raises(PdfRefused, match="打不开"):
        pdf_files.pages(pdf(PAGE, broken))


def test_a_bomb_in_an_object_stream_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf_files, "LARGEST_UNPACKED", 10_000)
    with pytest.raises(PdfRefused, match="过大"):
        pdf_files.pages(pdf(PAGE, object_stream(b" " * 1_000_000)))


def test_locked_ones_are_refused() -> None:
    with pytest.raises(PdfRefused, match="密码"):
        pdf_files.pages(pdf(PAGE, catalog=b"/Encrypt 9 0 R"))


@pytest.mark.parametrize("data", [b"%PDF-1.7\n", pdf(PAGE)[:-8], b"hello"])
def test_half_a_pdf_is_refused(data: bytes) -> None:
    with pytest.raises(PdfRefused, match="不完整"):
        pdf_files.pages(data)


def test_one_without_pages_is_refused() -> None:
    with pytest.raises(PdfRefused, match="没有页面"):
        pdf_files.pages(pdf())


def test_bytes_of_pictures_are_taken_for_nothing() -> None:
    """Short names would be found by chance in megabytes of compressed pixels."""
    pixels = bytes(range(256)) * 4000 + b"/JS (x) /AA 1"
    stream = b"8 0 obj\n<</Length 9>>\nstream\n" + pixels + b"\nendstream\nendobj\n"
    assert pdf_files.pages(pdf(PAGE, stream)) == 1
