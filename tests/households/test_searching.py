"""Words that are looked for do not stand in addresses."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from households import keys, searching
from tests.cast import Cast


@given(st.text(min_size=1))
def test_words_come_back_from_their_sealed_form(words: str) -> None:
    text = searching.sealed(words)
    assert searching.opened(text) == words
    assert re.fullmatch(r"~\d+\.[\w-]+", text)


@given(st.text().filter(lambda text: not text.startswith("~")))
def test_plain_words_are_taken_as_they_are(text: str) -> None:
    assert searching.opened(text) == text


@pytest.mark.parametrize("text", ["~", "~1", "~1.", "~1.AAAA", "~9.AAAA", "~x.y", "~1.…", "~1.A"])
def test_what_is_broken_looks_for_nothing(text: str) -> None:
    assert searching.opened(text) == ""


def test_a_changed_letter_opens_nothing() -> None:
    text = searching.sealed("测试户甲")
    assert searching.opened(text[:-3] + ("A" if text[-3] != "A" else "B") + text[-2:]) == ""


def test_links_of_before_another_key_still_open(settings: Settings) -> None:
    text = searching.sealed("测试户甲")
    settings.PERSONAL_KEYS += "," + keys.draw(2)
    assert searching.opened(text) == "测试户甲"


def test_a_list_is_asked_with_sealed_words_and_shows_them_plain(cast: Cast, client: Client) -> None:
    client.force_login(cast.town_officer)
    text = client.post("/words/", {"words": " 测试户甲 "}).content.decode()
    page = client.get("/households/", {"q": text}).content.decode()
    assert cast.water_household.number in page and cast.air_household.number not in page
    assert 'value="测试户甲"' in page
    links = re.findall(r'href="(\?[^"]*|/households/\?[^"]*)"', page)
    assert links and not [link for link in links if "测试" in link or "%E6" in link]


def test_nobody_has_words_sealed_without_signing_in(client: Client, db: None) -> None:
    assert client.post("/words/", {"words": "x"}).status_code == 302
