from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from devices.models import Supplier
from heating_platform.demonstration import history
from households.models import Area, Household, User
from tests.cast import Cast


@pytest.fixture
def var(settings: Any, tmp_path: Path) -> Path:
    settings.VAR_DIR, settings.RUN_DIR = tmp_path, tmp_path
    settings.DEMO = True
    return tmp_path


@pytest.mark.django_db
def test_a_load_that_is_cut_short_leaves_nothing(
    var: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(*_: object) -> None:
        assert Household.objects.count() == 820
        raise KeyboardInterrupt

    monkeypatch.setattr(history, "fill", cut)
    with pytest.raises(KeyboardInterrupt):
        call_command("demo")
    for model in (Area, Household, Supplier, User):
        assert not model.objects.exists()
    assert not (var / "demo" / "farm.json").exists()


@pytest.mark.django_db
def test_known_passwords_are_refused_outside_a_demonstration(var: Path, settings: Any) -> None:
    settings.DEMO = settings.DEBUG = False
    with pytest.raises(CommandError, match="DEMO=1"):
        call_command("demo")


def test_another_districts_database_gets_no_demonstration(var: Path, cast: Cast) -> None:
    homes = Household.objects.count()
    with pytest.raises(CommandError, match="no demonstration"):
        call_command("demo")
    assert Household.objects.count() == homes
    assert not (var / "demo" / "farm.json").exists()
