"""The English catalogue: complete, exact, and without a Chinese page in between."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import polib
import pytest
from django.test import Client
from django.utils import translation
from pytest_django.fixtures import Settings

from devices.models import Confirmation
from households import clock
from tests import messages
from tests.cast import Cast, answered

PLACEHOLDER = re.compile(r"%\(\w+\)[#0\- +]?\d*(?:\.\d+)?[a-zA-Z]|%[sd]|%%|\{[hm]\}")
CHINESE = re.compile(r"[\u4e00-\u9fff]+")


@cache
def marked() -> dict[messages.Key, messages.Message]:
    return messages.extract()


@cache
def catalogue() -> dict[messages.Key, polib.POEntry]:
    entries = polib.pofile(str(messages.CATALOGUE))
    return {(entry.msgctxt, entry.msgid): entry for entry in entries}


def translations(entry: polib.POEntry) -> list[str]:
    return list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]


def test_the_extractor_sees_python_templates_contexts_and_plurals() -> None:
    texts = marked()
    assert (None, "改造台账") in texts
    assert ("supply air", "送风") in texts
    assert texts[(None, "%(n)d 秒前")].plural == "%(n)d 秒前"
    assert any(place.startswith("devices/modbus/") for m in texts.values() for place in m.places)
    assert any(place.startswith("templates/") for m in texts.values() for place in m.places)


def test_every_marked_text_is_translated() -> None:
    empty = [
        key for key in marked() if key not in catalogue() or not all(translations(catalogue()[key]))
    ]
    assert not empty, "run `python -m tests.messages` and translate these"


def test_no_translation_outlives_its_text() -> None:
    assert set(catalogue()) <= set(marked()), "run `python -m tests.messages`"


def test_nothing_is_left_to_doubt() -> None:
    assert not [entry.msgid for entry in catalogue().values() if entry.fuzzy]


def test_placeholders_survive_translation() -> None:
    for entry in catalogue().values():
        wanted = sorted(set(PLACEHOLDER.findall(entry.msgid)))
        for text in translations(entry):
            assert sorted(set(PLACEHOLDER.findall(text))) == wanted, entry.msgid


# Workbooks and papers are Chinese in every language: these are typed or looked for as they stand.
WORDS_OF_PAPERS = (
    *("集中供热", "电代煤", "气代煤", "工业余热", "更换", "加装", "安装记录", "无门牌时的位置"),
    *("（散户）", "示例", "问题说明", "示范巷 43 号", "钟街办〔2026〕12 号", "3号楼", "户", "或"),
    *("是", "否"),
)


def test_no_chinese_is_left_in_english_but_words_of_papers() -> None:
    papers = re.compile("|".join(WORDS_OF_PAPERS))
    left = [
        entry.msgid
        for entry in catalogue().values()
        for text in translations(entry)
        if CHINESE.search(papers.sub("", text))
    ]
    assert not left


@pytest.fixture
def english(tmp_path: Path, settings: Settings) -> None:
    """The catalogue as set-up compiles it, whatever lies beside the .po."""
    folder = tmp_path / "en" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    polib.pofile(str(messages.CATALOGUE)).save_as_mofile(str(folder / "django.mo"))
    settings.LOCALE_PATHS = [tmp_path]


PAGES = ["/", "/households/", "/units/", "/personal/", "/progress/definitions/", "/nowhere/"]


@pytest.mark.usefixtures("english")
@pytest.mark.parametrize("page", [*PAGES, "unit", "household", "readings"])
def test_an_english_page_has_chinese_only_in_names(cast: Cast, client: Client, page: str) -> None:
    answered(cast.water, clock.now(), supply_temp=43.1, fault_active=True)
    cast.district_officer.language = "en"
    cast.district_officer.save()
    client.force_login(cast.district_officer)
    url = {
        "unit": f"/units/{cast.water.pk}/",
        "household": f"/households/{cast.water_household.number}/",
        "readings": f"/units/{cast.water.pk}/readings/",
    }.get(page, page)
    text = client.get(url).content.decode()
    seen = re.sub(r"<script.*?</script>|<[^>]*lang=\"zh-hans\".*?</button>", "", text, flags=re.S)
    assert not set(CHINESE.findall(seen)) - names(cast)


def names(cast: Cast) -> set[str]:
    """Chinese that is data: places, people, makers, products, numbers of letters."""
    products = {thing.model.name for thing in (cast.water, cast.air)}
    makers = {thing.model.supplier.name for thing in (cast.water, cast.air)}
    letters = set(Confirmation.objects.values_list("number", flat=True))
    people = {cast.district_officer.name, cast.water_household.householder}
    people |= {cast.air_household.householder, cast.water_household.door}
    places = set(cast.areas)
    return {
        run
        for name in products | makers | letters | people | places
        for run in CHINESE.findall(name)
    }


@pytest.mark.usefixtures("english")
def test_a_number_of_seconds_has_its_english_plural() -> None:
    with translation.override("en"):
        assert translation.ngettext("%(n)d 秒前", "%(n)d 秒前", 1) % {"n": 1} == "1 second ago"
        assert translation.ngettext("%(n)d 秒前", "%(n)d 秒前", 2) % {"n": 2} == "2 seconds ago"
