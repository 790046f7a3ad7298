"""docker-compose.yml starts the processes of ./run, told by the same variables."""

import os
import re
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from heating_platform.embedded import BASE, INITDB_ARGS, Servers
from heating_platform.launcher import Platform

# What is only for one machine without TLS: in production their defaults hold.
OF_THIS_MACHINE = {"DEBUG", "DEMO", "HTTPS", "POLL_INTERVAL_S", "RUN_DIR"}
OF_PRODUCTION = {
    "APPOINTED_PLATFORM",
    "CSRF_TRUSTED_ORIGINS",
    "GROUP_COMMANDS",
    "SERVICE_PHONE",
    "SERVICE_UNIT",
    "TRUSTED_PROXIES",
}
VAR = "/var/lib/heating"


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded = yaml.safe_load((BASE / "docker-compose.yml").read_text())
    assert isinstance(loaded, dict)
    return loaded


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Platform:
    monkeypatch.setattr(Servers, "sockets", tmp_path)
    return Platform(tmp_path, demo=False)


@pytest.mark.parametrize("name", ["web", "line", "worker", "beat"])
def test_a_process_is_started_by_the_command_of_run(
    name: str, compose: dict[str, Any], platform: Platform
) -> None:
    ours = " ".join(platform.commands("")[name])
    ours = ours.replace(sys.executable, "python").replace(str(platform.var), VAR)
    theirs = compose["services"][name]["command"].replace("0.0.0.0", "127.0.0.1")
    assert shlex.split(theirs) == ours.split()


def test_every_process_of_run_is_a_service(compose: dict[str, Any], platform: Platform) -> None:
    servers = {"proxy", "preparation", "database", "broker"}
    assert set(compose["services"]) - servers == set(platform.commands(""))


def test_every_process_is_told_the_same_variables(
    compose: dict[str, Any], platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in list(os.environ):
        monkeypatch.delenv(name)
    ours = set(platform.environment()) - OF_THIS_MACHINE | OF_PRODUCTION
    for name in ("web", "beat", "preparation"):
        assert set(compose["services"][name]["environment"]) == ours
    signs = {"SIGNING_KEY", "SIGNING_PASSWORD"}
    assert set(compose["services"]["worker"]["environment"]) == ours | signs
    assert set(compose["services"]["line"]["environment"]) == ours | {"LINE_LISTENERS"}


def test_every_variable_of_compose_is_one_that_the_settings_read(compose: dict[str, Any]) -> None:
    source = (BASE / "heating_platform" / "settings.py").read_text()
    read = set(re.findall(r'env(?:_bool|_int|_list)?\(\s*"([A-Z_]+)"', source))
    assert set(compose["services"]["line"]["environment"]) <= read


def test_the_signing_key_is_a_secret_of_the_worker_alone(compose: dict[str, Any]) -> None:
    of = {name for name, service in compose["services"].items() if "secrets" in service}
    assert of == {"worker"}
    assert set(compose["secrets"]) == {"signing_key"}


def test_the_databases_have_the_same_locale(compose: dict[str, Any]) -> None:
    environment = compose["services"]["database"]["environment"]
    assert environment["POSTGRES_INITDB_ARGS"].split() == list(INITDB_ARGS)


def test_no_secret_has_a_default(compose: dict[str, Any]) -> None:
    text = (BASE / "docker-compose.yml").read_text()
    assert "${SECRET_KEY:?" in text and "${POSTGRES_PASSWORD:?" in text
    assert ":-" not in text.replace("LINE_LISTENERS:-", "")


def test_only_proxy_and_transmitters_are_reached_from_outside(compose: dict[str, Any]) -> None:
    open_services = {name for name, service in compose["services"].items() if "ports" in service}
    assert open_services == {"proxy", "line"}
