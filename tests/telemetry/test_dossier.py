"""一户一档: who gets the card, and what lies in it."""

from __future__ import annotations

import io
import shutil
import subprocess
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from households.archive import documents, papers
from households.models import DocumentKind, StepKind
from tests import cast as make
from tests.cast import Cast

pytestmark = pytest.mark.skipif(
    not papers.are_there(),
    reason="the fonts are missing: run `npm ci`",
)
POPPLER = pytest.mark.skipif(not shutil.which("pdftotext"), reason="poppler-utils is missing")


def text_of(pdf: bytes, tmp_path: Path) -> str:
    file = tmp_path / "card.pdf"
    file.write_bytes(pdf)
    command = ["pdftotext", "-layout", str(file), "-"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def photo() -> SimpleUploadedFile:
    content = io.BytesIO()
    Image.new("RGB", (640, 480), "gray").save(content, "JPEG")
    return SimpleUploadedFile("photo.jpg", content.getvalue(), "image/jpeg")


@pytest.mark.parametrize(
    ("who", "code"),
    [("clerk", 200), ("town_officer", 200), ("reader", 200), ("outsider", 404), ("rival", 404)],
)
def test_the_card_is_for_whoever_sees_the_household(
    cast: Cast, client: Client, who: str, code: int
) -> None:
    client.force_login(getattr(cast, who))
    answer = client.get(f"/households/{cast.water_household.number}/dossier/")
    assert answer.status_code == code
    if code == 200:
        assert answer["Content-Type"] == "application/pdf" and answer.content.startswith(b"%PDF")


def test_nobody_gets_a_card_without_signing_in(cast: Cast, client: Client) -> None:
    answer = client.get(f"/households/{cast.water_household.number}/dossier/")
    assert answer.status_code == 302 and "/sign-in/" in answer["Location"]


@POPPLER
def test_the_card_says_who_and_with_what_and_hides_the_phone(
    cast: Cast, client: Client, tmp_path: Path
) -> None:
    home = make.reach(cast.water_household, StepKind.SURVEYED, cast.clerk)
    client.force_login(cast.clerk)
    text = text_of(client.get(f"/households/{home.number}/dossier/").content, tmp_path)
    for word in (home.number, home.householder, "CN-W10", "CN26100001", "洞头村", "130****0000"):
        assert word in text
    assert home.phone not in text


@POPPLER
def test_papers_follow_the_card_in_the_order_of_the_archive(
    cast: Cast, client: Client, tmp_path: Path
) -> None:
    home = cast.water_household
    documents.add(home, DocumentKind.INSTALLATION, photo(), by=cast.clerk)
    inner = SimpleUploadedFile("form.pdf", papers_of_one_sheet(), "application/pdf")
    documents.add(home, DocumentKind.SURVEY_FORM, inner, by=cast.clerk)
    client.force_login(cast.clerk)
    text = text_of(client.get(f"/households/{home.number}/dossier/").content, tmp_path)
    sheets = text.split("\f")
    assert "卷内 摸底登记表" in sheets[-3] and "卷内 安装记录及照片" in sheets[-2]


def papers_of_one_sheet() -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (100, 100), "gray").save(content, "PDF")
    return content.getvalue()


def test_without_letters_the_page_says_so(
    cast: Cast, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing() -> None:
        raise papers.NoFont

    monkeypatch.setattr(papers, "fonts", missing)
    client.force_login(cast.clerk)
    answer = client.get(f"/households/{cast.water_household.number}/dossier/")
    assert answer.status_code == 503 and "字体" in answer.content.decode()
