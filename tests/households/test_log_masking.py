"""Neither logs nor reports of errors nor addresses of pages hold personal data."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings as project
from django.test import Client, RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils.module_loading import import_string
from django.views.debug import ExceptionReporter
from pytest_django.fixtures import Settings

from households import reveals
from households.log_masking import without_phones
from households.models import Household
from tests.cast import Cast

NUMBER = "13812345678"


@pytest.mark.parametrize(
    ("written", "masked"),
    [
        ("打 13812345678 给", "打 138****5678 给"),
        ("+86 138-1234-5678", "+86****5678"),
        ("('13812345678',)", "('138****5678',)"),
        ("phone=138 1234 5678,", "phone=138****5678,"),
        ("0356-2021234", "035****1234"),
        ("Key (phone)=(03560001234)", "Key (phone)=(035****1234)"),
        ("GET /card/AbCd_-123/ 404", "GET /card/…/ 404"),
    ],
)
def test_numbers_and_codes_of_cards_are_masked(written: str, masked: str) -> None:
    assert without_phones(written) == masked


@pytest.mark.parametrize(
    "text",
    [
        "16:32:25,123 INFO telemetry: line dial://860000000000102 answered in 0.3561234 s",
        "household 26-12-0001, 1391 rows, uid 0190138123456781234",
        "127.0.0.1:13812 pid 138123",
    ],
)
def test_other_figures_stay_as_they_are(text: str) -> None:
    assert without_phones(text) == text


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """Everything that the platform's handler writes, from DEBUG on."""
    logging_settings: Any = project.LOGGING
    told = logging_settings["formatters"]["line"]
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(import_string(told["class"])(told["format"], style=told["style"]))
    root = logging.getLogger()
    before, root.level = root.level, logging.DEBUG
    root.addHandler(handler)
    yield stream
    root.removeHandler(handler)
    root.level = before


def test_tracebacks_are_masked_too(logged: io.StringIO) -> None:
    try:
        raise ValueError(f"no such number {NUMBER}")
    except ValueError:
        logging.getLogger("x").exception("at %s", NUMBER)
    assert "138****5678" in logged.getvalue() and NUMBER not in logged.getvalue()


def test_saving_searching_and_telling_a_number_logs_neither_it_nor_a_name(
    cast: Cast, client: Client, logged: io.StringIO
) -> None:
    home = cast.water_household
    home.phone, home.householder = NUMBER, "独一姓名"
    home.save()
    client.force_login(cast.clerk)
    client.get("/households/", {"q": NUMBER})
    client.post(f"/households/{home.number}/phone/", {"how": "dial"})
    reveals.exported(cast.clerk, Household.objects.all(), "送审")
    client.get("/households/99-99-9999/")
    told = logged.getvalue()
    assert told
    assert NUMBER not in told and home.householder not in told


def test_a_report_of_an_error_shows_neither_form_nor_variables(settings: Settings) -> None:
    settings.DEBUG = False
    request = RequestFactory().post(
        "/households/new/", {"phone": NUMBER, "householder": "独一姓名"}
    )
    try:
        person = "独一姓名"
        raise ValueError(len(person))
    except ValueError as reason:
        report = ExceptionReporter(request, type(reason), reason, reason.__traceback__)
    text = report.get_traceback_text() + report.get_traceback_html()
    # The page quotes the source around the place, where this test writes the name itself.
    told = report.get_traceback_data()
    values = str([frame["vars"] for frame in told["frames"]]) + str(told["filtered_POST_items"])
    assert NUMBER not in text
    assert "独一姓名" not in values and "*****" in values


def _arguments(patterns: Any, before: str = "") -> Iterator[tuple[str, str]]:
    for one in patterns:
        path = before + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from _arguments(one.url_patterns, path)
        elif isinstance(one, URLPattern):
            yield from ((path, name) for name in one.pattern.converters)


def test_no_address_takes_a_name_or_a_phone() -> None:
    """Addresses stand in logs of proxies and in histories of browsers: keys and codes alone."""
    allowed = {"pk", "number", "other", "uid", "code", "token", "year"}
    allowed |= {"key", "n", "suffix"}  # a step of the test bench, its photo, a kind of file
    wrong = [
        (path, name)
        for path, name in _arguments(get_resolver().url_patterns)
        if name not in allowed
    ]
    assert not wrong
