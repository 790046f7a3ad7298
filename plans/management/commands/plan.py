"""`plan check FILE` and `plan import FILE --year Y --basis 文号`: the year's task plan."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import date
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils.translation import gettext as _

from households.models import Area
from plans import annex1, task_plan


class Command(BaseCommand):
    help = "Check or import a year's task plan (the notice's Annex 1, workbook or CSV)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        check = actions.add_parser("check", help="show every mistake, store nothing")
        keep = actions.add_parser("import", help="store the plan if there is no mistake")
        for action in (check, keep):
            action.add_argument("file", type=Path, metavar="FILE")
            action.add_argument(
                "--sentence",
                default="",
                help="the notice's sentence with the totals (全区共计划完成820户，其中：…)",
            )
        keep.add_argument("--year", type=int, required=True)
        keep.add_argument("--basis", required=True, help="the notice's number (文号)")
        keep.add_argument("--district", help="its name; needed for the first plan only")
        keep.add_argument("--starts-on", type=date.fromisoformat, help="default: May 28")
        keep.add_argument("--works-done-by", type=date.fromisoformat, help="default: October 10")
        keep.add_argument("--ends-on", type=date.fromisoformat, help="default: October 31")

    def handle(self, *args: Any, **options: Any) -> None:
        lines = self._lines(options["file"], options["sentence"])
        if options["action"] == "import":
            self._store(lines, options)

    def _lines(self, file: Path, sentence: str) -> list[annex1.Line]:
        try:
            report = annex1.check(file, sentence=sentence)
        except OSError as error:
            raise CommandError(_("打不开文件：%s") % error) from error
        for reminder in report.reminders:
            self.stdout.write(_("提醒：%s") % reminder)
        if report.mistakes:
            count = _("共 %d 处错误，没有导入任何一行") % len(report.mistakes)
            raise CommandError("\n".join([*map(str, report.mistakes), count]))
        lines = report.lines
        households = sum(line.numbers["households"] for line in lines)
        counts = {"lines": len(lines), "households": households}
        self.stdout.write(_("没有错误：%(lines)d 行，%(households)d 户") % counts)
        return lines

    @transaction.atomic
    def _store(self, lines: list[annex1.Line], options: dict[str, Any]) -> None:
        year = options["year"]
        if not 2000 <= year <= 2099:
            raise CommandError(_("年度要在 2000 到 2099 之间：%d") % year)
        try:
            stored = task_plan.store(
                lines,
                district=_district(options["district"]),
                year=year,
                basis=options["basis"],
                starts_on=options["starts_on"] or date(year, 5, 28),
                works_done_by=options["works_done_by"] or date(year, 10, 10),
                ends_on=options["ends_on"] or date(year, 10, 31),
            )
        except ValidationError as error:
            raise CommandError("\n".join(error.messages)) from error
        counts = {
            "year": year,
            "added": stored.added,
            "changed": stored.changed,
            "removed": stored.removed,
            "unchanged": stored.unchanged,
        }
        self.stdout.write(
            _(
                "%(year)d 年度计划：新增 %(added)d 行，修改 %(changed)d 行，"
                "删除 %(removed)d 行，未变 %(unchanged)d 行"
            )
            % counts
        )


def _district(name: str | None) -> Area:
    """The district by its name, or the only one that there is; a new one must be named."""
    districts = Area.objects.filter(level=Area.Level.DISTRICT)
    if name:
        return districts.get_or_create(name=name, defaults={"level": Area.Level.DISTRICT})[0]
    try:
        return districts.get()
    except (Area.DoesNotExist, Area.MultipleObjectsReturned) as error:
        raise CommandError(_("请用 --district 写明是哪个区")) from error
