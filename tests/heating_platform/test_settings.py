"""The platform refuses to start where its secrets would be known, and says why."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from heating_platform import settings
from households import keys

BASE = Path(__file__).resolve().parents[2]
PRODUCTION = {"SECRET_KEY": "x" * 50, "ALLOWED_HOSTS": "heating.example"}


def load(**env: str) -> str:
    """What loading the settings in a fresh process with *env* alone says at its end."""
    done = subprocess.run(
        [sys.executable, "-c", "import heating_platform.settings as s; print(s.HTTPS, s.DEBUG)"],
        cwd=BASE,
        env={"PATH": os.environ["PATH"]} | env,
        capture_output=True,
        text=True,
    )
    return (done.stdout or done.stderr).strip().splitlines()[-1]


@pytest.mark.parametrize("key", ["", "only-for-development", "change-me"])
def test_production_refuses_a_default_secret(key: str) -> None:
    assert "SECRET_KEY is not set" in load(SECRET_KEY=key, ALLOWED_HOSTS="heating.example")


def test_production_runs_on_https_with_secrets_of_its_own() -> None:
    said = load(**PRODUCTION, PERSONAL_KEYS=keys.draw())
    assert said == "True False"


def test_a_public_address_that_is_none_is_refused() -> None:
    said = load(**PRODUCTION, PERSONAL_KEYS=keys.draw(), PUBLIC_URL="heating.example")
    assert "PUBLIC_URL is 'heating.example'" in said


@pytest.mark.parametrize("kept", ["", keys.DEVELOPMENT])
def test_production_refuses_to_seal_with_a_known_key(kept: str) -> None:
    assert "PERSONAL_KEYS is not set" in load(**PRODUCTION, PERSONAL_KEYS=kept)


@pytest.mark.parametrize(
    ("kept", "why"),
    [
        ("1:AAAA", "key 1 has 3 bytes instead of 32"),
        ("1:!", "key 1 is not base64"),
        ("secret", "each key is NUMBER:BASE64"),
        (f"{keys.DEVELOPMENT},{keys.DEVELOPMENT}", "key number 1 stands twice"),
        (",", "there is no key"),
    ],
)
def test_keys_that_are_none_are_refused_without_being_shown(kept: str, why: str) -> None:
    said = load(**PRODUCTION, PERSONAL_KEYS=kept)
    assert f"PERSONAL_KEYS: {why}" in said
    assert kept not in said


def test_debug_is_refused_for_other_hosts() -> None:
    said = load(SECRET_KEY="x" * 50, DEBUG="1", ALLOWED_HOSTS="heating.example")
    assert "DEBUG shows secrets" in said


def test_the_demonstration_needs_neither_secret_nor_https() -> None:
    assert load(DEMO="1") == "False False"


def test_a_number_that_is_none_is_named() -> None:
    assert "POLL_INTERVAL_S must be a whole number, not 'often'" in load(
        DEMO="1", POLL_INTERVAL_S="often"
    )


def test_a_database_url_may_name_a_socket_or_a_host() -> None:
    private = settings.env_database("postgresql://heating@/heating?host=%2Ftmp%2Fsockets")
    assert (private["HOST"], private["NAME"], private["USER"]) == (
        "/tmp/sockets",
        "heating",
        "heating",
    )
    remote = settings.env_database("postgresql://heating:p%40ss@database:5433/heating")
    assert (remote["HOST"], remote["PORT"], remote["PASSWORD"]) == ("database", "5433", "p@ss")


@pytest.mark.parametrize("box", ["", "35.4,112.7,35.6", "35.6,112.7,35.4,113.1", "a,b,c,d"])
def test_a_district_s_box_is_south_west_north_east(
    monkeypatch: pytest.MonkeyPatch, box: str
) -> None:
    monkeypatch.setenv("DISTRICT_BOX", "35.4,112.7,35.6,113.1")
    assert settings.env_box("DISTRICT_BOX", "") == (35.4, 112.7, 35.6, 113.1)
    monkeypatch.setenv("DISTRICT_BOX", box)
    with pytest.raises(ImproperlyConfigured, match="south,west,north,east"):
        settings.env_box("DISTRICT_BOX", "")
