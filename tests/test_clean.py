"""The tree is clean: ruff's rules and form, mypy's types, no model without its migration, and one
version everywhere."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from django.core.management import call_command

ROOT = Path(__file__).parent.parent
CACHE = ROOT / "var" / "cache"


def said(*words: str) -> str:
    """What a tool of this environment has to object, run over the whole tree; "" if nothing."""
    ran = subprocess.run([sys.executable, "-m", *words], cwd=ROOT, capture_output=True, text=True)
    return f"exit code {ran.returncode}\n{ran.stdout}{ran.stderr}" if ran.returncode else ""


def test_ruff_finds_no_fault() -> None:
    assert not said("ruff", "check", "--cache-dir", str(CACHE / "ruff"), ".")


def test_ruff_would_write_every_file_as_it_is() -> None:
    assert not said("ruff", "format", "--check", "--cache-dir", str(CACHE / "ruff"), ".")


def test_mypy_agrees_with_every_type() -> None:
    """The one test that may take longer than 5 s: at first, while its cache is empty."""
    assert not said("mypy", "--cache-dir", str(CACHE / "mypy"))


def test_the_version_is_that_of_the_newest_changes() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    newest = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert newest and newest[1] == version


@pytest.mark.django_db
def test_every_model_has_its_migration() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)
