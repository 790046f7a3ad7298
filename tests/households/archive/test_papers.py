"""Papers are typeset from facts, with the platform's own letters and with what is attached."""

from __future__ import annotations

import io
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from households.archive import papers

pytestmark = pytest.mark.skipif(
    not papers.are_there(),
    reason="the fonts are missing: run `npm ci`",
)
POPPLER = pytest.mark.skipif(not shutil.which("pdftotext"), reason="poppler-utils is missing")


def card(**changes: Any) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "title": "改造户档案卡",
        "number": "26-12-0001",
        "digest": "0123456789abcdef",
        "qr": "qr.png",
        "state": "待安装",
        "office": "洞头村",
        "as_of": "2026-11-23 09:00",
        "sections": [{"name": "住户", "rows": [["户主", "䶮示㛃"]], "nothing": ""}],
        "steps": [{"name": "摸底登记", "on": "2026-06-01", "said": "", "by": "洞头村"}],
        "contents": [],
    }
    return facts | changes


def picture(kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (60, 40), "gray").save(file, kind)
    return file.getvalue()


def paper(*pictures: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": "供货合同书",
        "on": "2026-06-20",
        "pages": str(len(pictures)),
        "said": "",
        "label": "paper-0",
        "pictures": list(pictures),
    }


def said(pdf: bytes, tool: str, tmp_path: Path, *words: str) -> str:
    """What a foreign reader of PDF files finds in it."""
    file = tmp_path / "paper.pdf"
    file.write_bytes(pdf)
    command = [tool, str(file), *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@POPPLER
def test_a_paper_can_be_read_and_copied_by_any_reader(tmp_path: Path) -> None:
    pdf = papers.typeset("card", card(), {"qr.png": picture()})
    text = said(pdf, "pdftotext", tmp_path, "-")
    assert "改造户档案卡" in text and "䶮示㛃" in text and "26-12-0001" in text
    assert "0123456789abcdef" in text


@POPPLER
def test_every_letter_is_in_the_file_and_from_our_own_font(tmp_path: Path) -> None:
    pdf = papers.typeset("card", card(), {"qr.png": picture()})
    rows = said(pdf, "pdffonts", tmp_path).splitlines()[2:]
    assert rows and all("NotoSerifSC" in row for row in rows)
    assert all(row.split()[-5] == "yes" for row in rows)  # embedded


@POPPLER
def test_each_page_of_an_attached_paper_gets_a_sheet_and_its_place_in_the_contents(
    tmp_path: Path,
) -> None:
    pages = [{"file": "paper.png", "page": 1}, {"file": "paper.png", "page": 1}]
    files = {"qr.png": picture(), "paper.png": picture()}
    pdf = papers.typeset("card", card(contents=[paper(*pages)]), files)
    assert "Pages:           3" in said(pdf, "pdfinfo", tmp_path)
    assert "第 3 页，共 3 页" in said(pdf, "pdftotext", tmp_path, "-")


def test_pages_of_an_attached_pdf_become_sheets_too() -> None:
    inner = papers.typeset("card", card(), {"qr.png": picture()})
    files = {"qr.png": picture(), "paper.pdf": inner}
    contents = [paper({"file": "paper.pdf", "page": 1})]
    assert papers.can_carry(inner)
    assert papers.typeset("card", card(contents=contents), files).startswith(b"%PDF")


@pytest.mark.parametrize("broken", [b"", b"%PDF-1.7 nothing", b"\x89PNG"])
def test_a_broken_pdf_is_known_before_it_spoils_a_paper(broken: bytes) -> None:
    assert not papers.can_carry(broken)


def test_the_digest_changes_with_every_word_and_every_file() -> None:
    facts, files = card(), {"a.png": b"1"}
    digests = {
        papers.digest(facts, files),
        papers.digest(facts | {"office": "时家岭社区"}, files),
        papers.digest(facts, {"a.png": b"2"}),
        papers.digest(facts, {}),
    }
    assert len(digests) == 4
    assert papers.digest(facts, files) == papers.digest(dict(reversed(facts.items())), files)


def test_without_the_font_nothing_is_typeset(
    monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path
) -> None:
    settings.FONTS = tmp_path
    papers.fonts.cache_clear()
    with pytest.raises(papers.NoFont):
        papers.typeset("card", card(), {"qr.png": picture()})
    papers.fonts.cache_clear()


@POPPLER
def test_a_sign_that_the_font_has_not_is_printed_as_a_blank_one(tmp_path: Path) -> None:
    rows = [{"name": "住户", "rows": [["户主", "测\U00020000示😀"]], "nothing": ""}]
    file = tmp_path / "card.pdf"
    file.write_bytes(papers.typeset("card", card(sections=rows), {"qr.png": picture()}))
    read = subprocess.run(["pdftotext", file, "-"], capture_output=True, text=True, check=True)
    assert "测〓示〓" in read.stdout
