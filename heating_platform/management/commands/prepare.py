"""`manage.py prepare`: the database as this version needs it."""

import os
import sys
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from telemetry import partitions


class Command(BaseCommand):
    help = "Migrates, makes the partitions of the next days, and sees to a first administrator."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--administrator",
            action="store_true",
            help="while nobody may sign in, ask for a first administrator (or take "
            "DJANGO_SUPERUSER_USERNAME, _PASSWORD and _EMAIL)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", verbosity=0, interactive=False)
        partitions.ensure()
        if options["administrator"] and not get_user_model().objects.exists():
            self._first_administrator()

    def _first_administrator(self) -> None:
        if os.environ.get("DJANGO_SUPERUSER_USERNAME"):
            call_command("createsuperuser", interactive=False)
        elif sys.stdin.isatty():
            self.stdout.write("Nobody may sign in yet. Name the first administrator.")
            call_command("createsuperuser", interactive=True)
        else:
            raise CommandError(
                "There is no administrator yet and no terminal to ask on: set "
                "DJANGO_SUPERUSER_USERNAME and DJANGO_SUPERUSER_PASSWORD."
            )
