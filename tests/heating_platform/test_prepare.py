"""`manage.py prepare` makes the database ready, and one administrator who can sign in."""

import io
import sys

import pytest
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command
from django.test import RequestFactory

from households import clock
from households.models import Role, User
from telemetry import partitions

COMMAND = "heating_platform.management.commands.prepare"
pytestmark = pytest.mark.django_db


def prepare() -> None:
    call_command("prepare", "--administrator", stdout=io.StringIO())


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is typed at the terminal, in its order."""
    typed: list[str] = []
    monkeypatch.delenv("ADMIN_USERNAME", raising=False)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda _: typed.pop(0))
    monkeypatch.setattr(f"{COMMAND}.getpass", lambda _: typed.pop(0))
    return typed


def test_the_partition_of_today_is_there() -> None:
    call_command("prepare")
    assert clock.today() in partitions.existing()


def test_the_first_administrator_comes_from_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ADMIN_USERNAME", "first")
    monkeypatch.setenv("ADMIN_PASSWORD", "warm-Winter-26")
    prepare()
    request = RequestFactory().post("/")
    user = authenticate(request, username="first", password="warm-Winter-26")
    assert isinstance(user, User)
    assert user.role == Role.ADMINISTRATOR and user.is_superuser


def test_the_first_administrator_is_asked_for_until_name_and_password_will_do(
    answers: list[str],
) -> None:
    answers += ["first", "one-thing", "another", "first", "123", "123", "", "x", "x"]
    answers += ["first", "warm-Winter-26", "warm-Winter-26"]
    prepare()
    assert not answers
    assert User.objects.get().username == "first"


def test_once_there_is_an_account_nobody_is_asked(answers: list[str]) -> None:
    User.objects.create_user("somebody")
    prepare()
    assert User.objects.count() == 1


def test_without_terminal_and_variables_it_says_what_to_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("ADMIN_USERNAME", raising=False)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False, raising=False)
    with pytest.raises(CommandError, match="set ADMIN_USERNAME and ADMIN_PASSWORD"):
        prepare()
