"""The keys of personal data: draw another, seal everything anew under the newest."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from households import keys, rekeying, sealing


class Command(BaseCommand):
    help = "Draw another key for personal data; seal everything anew under the newest key."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        verbs.add_parser("key", help="print PERSONAL_KEYS with another key; changes nothing")
        verbs.add_parser("rekey", help="seal all phone numbers anew under the newest key")

    def handle(self, *args: Any, **options: Any) -> None:
        getattr(self, f"_{options['verb']}")()

    def _key(self) -> None:
        self.stdout.write(f"{keys.draw(sealing.newest().number + 1)},{settings.PERSONAL_KEYS}")
        self.stderr.write(
            "Keep a copy apart from the database. Give it to all processes as PERSONAL_KEYS (with"
            " ./run: the file personal_keys in var/), restart them, then run: manage personal rekey"
        )

    def _rekey(self) -> None:
        lost = False
        for field in rekeying.sealed_fields():
            count = 0
            for sealed, broken in rekeying.rekey(field):
                count += sealed
                for one in broken:
                    lost = True
                    self.stderr.write(str(one))
            name = f"{field.model._meta.label}.{field.name}"
            self.stdout.write(f"{name}: {count} sealed anew under key {sealing.newest().number}")
        if lost:
            raise SystemExit(1)
