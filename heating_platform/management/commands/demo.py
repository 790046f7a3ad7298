"""`manage.py demo`: the demonstration district, its farm file and its sign-ins."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from heating_platform.demonstration import farm, loading, people
from heating_platform.demonstration.history import Span


class Command(BaseCommand):
    help = "Load the demonstration district into a database without households."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--farm-only", action="store_true", help="only rewrite the farm file")

    def handle(self, *args: Any, **options: Any) -> None:
        if not (settings.DEMO or settings.DEBUG):
            raise CommandError("The demonstration has known passwords: it needs DEMO=1.")
        folder = Path(settings.VAR_DIR) / "demo"
        folder.mkdir(parents=True, exist_ok=True)
        houses = folder / "houses.json"
        if not options["farm_only"]:
            loading.load_once(Span.of_the_past(), houses, self._say)
        if not farm.is_here():
            raise CommandError("This database holds no demonstration: there are no units to run.")
        farm.repoint()
        _write(folder / "farm.json", farm.description(houses))
        _write(folder / "accounts.json", people.sign_ins())

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


def _write(file: Path, content: object) -> None:
    """Whole or not at all: the simulator may be reading."""
    fresh = file.with_suffix(".new")
    fresh.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")
    fresh.replace(file)
