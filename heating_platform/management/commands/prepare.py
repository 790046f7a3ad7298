"""`manage.py prepare`: the database as this version needs it."""

import os
import sys
from getpass import getpass
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import translation

from households.models import Role, User
from telemetry import partitions


class Command(BaseCommand):
    help = "Migrates, makes the partitions of the next days, and sees to a first administrator."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--administrator",
            action="store_true",
            help="while there is no account, make the first administrator: from "
            "ADMIN_USERNAME and ADMIN_PASSWORD, or by asking",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", verbosity=0, interactive=False)
        partitions.ensure()
        if options["administrator"] and not User.objects.exists():
            with translation.override("en"):
                self._make_administrator()

    def _make_administrator(self) -> None:
        username = os.environ.get("ADMIN_USERNAME", "")
        password = os.environ.get("ADMIN_PASSWORD", "")
        if username and password:
            user = _administrator(username, password)
        elif sys.stdin.isatty():
            self.stdout.write("Nobody may sign in yet. Name the first administrator.")
            user = self._ask()
        else:
            raise CommandError(
                "There is no account yet and no terminal to ask on: set ADMIN_USERNAME and "
                "ADMIN_PASSWORD."
            )
        user.save()
        self.stdout.write(f"{user.username} may sign in.")

    def _ask(self) -> User:
        while True:
            username = input("User name: ").strip()
            password = getpass("Password: ")
            if password != getpass("Password again: "):
                self.stdout.write("The passwords differ.")
                continue
            try:
                return _administrator(username, password)
            except CommandError as error:
                self.stdout.write(str(error))


def _administrator(username: str, password: str) -> User:
    """An administrator, not yet saved; CommandError if name or password will not do."""
    user = User(
        username=username,
        role=Role.ADMINISTRATOR,
        keeps_accounts=True,
        keeps_rights=True,
        keeps_log=True,
        is_staff=True,
        is_superuser=True,
    )
    user.set_password(password)
    try:
        user.full_clean()
        validate_password(password, user)
    except ValidationError as error:
        raise CommandError(" ".join(error.messages)) from error
    return user
