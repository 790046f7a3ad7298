"""The letter of a confirmation: what it says, in which letters, and what it never tells."""

from __future__ import annotations

import shutil
import subprocess
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from devices.docking import codes, confirmations, letter
from devices.models import Confirmation
from households.archive import papers
from tests.cast import Cast
from tests.devices.docking import scene

pytestmark = pytest.mark.django_db
FONTS = pytest.mark.skipif(not papers.are_there(), reason="the fonts are missing: run `npm ci`")
POPPLER = pytest.mark.skipif(not shutil.which("pdffonts"), reason="poppler-utils is missing")


@pytest.fixture(autouse=True)
def home(settings: Settings) -> None:
    settings.PUBLIC_URL = scene.HOME


def said(confirmation: Confirmation) -> str:
    """All words of its facts."""
    return str(letter.facts(confirmation))


def looked_at(pdf: bytes, folder: Path, tool: str, *words: str) -> str:
    file = folder / "letter.pdf"
    file.write_bytes(pdf)
    command = [tool, str(file), *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@FONTS
@POPPLER
def test_the_letter_says_what_it_covers_and_how_it_is_checked(cast: Cast, tmp_path: Path) -> None:
    one = scene.issued(cast)
    text = looked_at(letter.pdf(one), tmp_path, "pdftotext", "-layout", "-").replace(" ", "")
    for word in (
        "数据对接确认书",
        one.number,
        "晨暖（虚构）",
        "CN-W10",
        "ZK-2",
        "V1.3",
        "2.0.7",
        "DTU-100",
        "第 1 版",
        one.register_map.digest if one.register_map else "",
        scene.DIGEST,
        "盖章处",
        codes.spaced(one.code),
        f"{scene.HOME}/confirm/",
        letter.written(one.issued_on),
    ):
        assert word.replace(" ", "") in text, word


@FONTS
@POPPLER
def test_every_letter_is_in_the_file_and_from_the_named_font(cast: Cast, tmp_path: Path) -> None:
    rows = looked_at(letter.pdf(scene.issued(cast)), tmp_path, "pdffonts").splitlines()[2:]
    assert rows and all("NotoSerifSC" in row for row in rows)
    assert all(row.split()[-5] == "yes" for row in rows)  # embedded


@FONTS
@POPPLER
def test_long_names_and_many_conditions_go_on_on_the_next_sheet(cast: Cast, tmp_path: Path) -> None:
    one = scene.issued(cast, protocol="长" * 80, transmitter_model="W" * 40)
    one.conditions = [f"第 {n} 条：累计值字序未验证，超过 65535 后须核对。" for n in range(30)]
    pdf = letter.pdf(one)
    assert "Pages:           2" in looked_at(pdf, tmp_path, "pdfinfo")
    assert "盖章处" in looked_at(pdf, tmp_path, "pdftotext", "-f", "2", "-")


def test_nobodys_name_stands_in_it(cast: Cast) -> None:
    one = scene.issued(cast)
    people = (cast.tester, cast.service_unit, cast.supplier_member)
    maker = one.model.supplier
    text = said(one)
    names = {person.name for person in people} - {maker.name}
    assert not [word for word in (*names, maker.contact, maker.phone) if word and word in text]


def test_where_the_city_confirms_ours_is_a_report(cast: Cast, settings: Settings) -> None:
    settings.APPOINTED_PLATFORM = False
    facts = letter.facts(scene.issued(cast))
    assert facts["title"] == "数据对接测试报告"
    assert "不代替市平台" in facts["body"]
    assert "数据对接确认书仅对" not in str(facts["conditions"])


def test_what_the_test_told_stands_in_it(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confirmations, "CONDITIONS", [lambda of: ["字序未验证"]])
    figures: list[Any] = [lambda of: [("连续运行", "24 小时")]]
    monkeypatch.setattr(confirmations, "FIGURES", figures)
    facts = letter.facts(scene.issued(cast))
    assert facts["conditions"][-1] == "字序未验证。"
    assert ("连续运行", "24 小时") in facts["tested"]


@pytest.mark.parametrize(
    ("day", "words"),
    [
        (date(2026, 11, 23), "二〇二六年十一月二十三日"),
        (date(2030, 1, 10), "二〇三〇年一月十日"),
        (date(2027, 10, 31), "二〇二七年十月三十一日"),
        (date(2027, 2, 20), "二〇二七年二月二十日"),
    ],
)
def test_dates_are_written_as_letters_write_them(day: date, words: str) -> None:
    assert letter.written(day) == words


@FONTS
@pytest.mark.parametrize("sign", ["\U00020000", "😀", "\x07", "é́", "한"])
def test_a_sign_that_the_font_has_not_is_printed_as_an_empty_one(cast: Cast, sign: str) -> None:
    one = scene.issued(cast, firmware=f"2.0{sign}7")
    assert letter.pdf(one).startswith(b"%PDF")
