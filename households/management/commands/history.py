"""The history of all records: seal it, hand out the head of its chain, find any tampering."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from households import clock
from households.audit import live_rows, seals
from households.audit.seals import Head
from households.models import Change, HistorySeal


class Command(BaseCommand):
    help = "Seal the history, export the head of its chain, verify that nothing was tampered with."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        verbs.add_parser("seal", help="add a link over all changes since the last one")
        head = verbs.add_parser("head", help="the head at the end of a day, as JSON")
        head.add_argument("--day", type=date.fromisoformat, help="YYYY-MM-DD; today by default")
        head.add_argument("--to", type=Path, help="write it to this file")
        verify = verbs.add_parser("verify", help="find any tampering; exit code 1 if there is any")
        verify.add_argument(
            "--head", type=Path, action="append", default=[], help="a head exported before"
        )
        verify.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        getattr(self, f"_{options['verb']}")(options)

    def _seal(self, options: dict[str, Any]) -> None:
        try:
            link = seals.seal()
        except seals.StillWriting:
            raise CommandError("A transaction that writes does not end; try again later.") from None
        self.stdout.write(
            Head.of(link).to_json() if link else "Nothing changed since the last link."
        )

    def _head(self, options: dict[str, Any]) -> None:
        day = options["day"] or clock.today()
        head = seals.head_of(day)
        if head is None:
            raise CommandError(f"Nothing was sealed until the end of {day}.")
        if options["to"]:
            options["to"].write_text(head.to_json() + "\n", encoding="utf-8")
        self.stdout.write(head.to_json())

    def _verify(self, options: dict[str, Any]) -> None:
        heads = [_read(path) for path in options["head"]]
        found = [*seals.findings(heads), *live_rows.findings()]
        links, changes = HistorySeal.objects.count(), Change.objects.count()
        if options["json"]:
            said = [{"words": f.words, "change": f.change, "link": f.link} for f in found]
            told = {"links": links, "changes": changes, "findings": said}
            self.stdout.write(json.dumps(told, ensure_ascii=False))
        else:
            for one in found:
                self.stdout.write(str(one))
            self.stdout.write(f"{links} links, {changes} changes, {len(found)} findings")
        if found:
            raise SystemExit(1)


def _read(path: Path) -> Head:
    """An exported head. CommandError where the file holds none."""
    try:
        return Head(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as reason:
        raise CommandError(f"{path} is no exported head: {reason}") from None
