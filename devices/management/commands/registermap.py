"""`registermap check FILE`: what is wrong in a supplier's register map; `registermap template`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from devices.modbus import mapcolumns, pointmap
from devices.modbus.mistakes import Mistake


class Command(BaseCommand):
    """Needs no database."""

    help = "Check a register-map file (点表), or print an empty one to fill in."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        kinds = parser.add_subparsers(dest="what", required=True)
        check = kinds.add_parser(
            "check", help="every mistake with its row and column; exit 1 if there is any"
        )
        check.add_argument("file", type=Path, help="CSV (UTF-8 or GB18030) or XLSX")
        check.add_argument("--json", action="store_true", dest="as_json")
        kinds.add_parser("template", help="an empty register map, heads in both languages")

    def handle(self, *args: object, **options: Any) -> None:
        if options["what"] == "template":
            self.stdout.write(mapcolumns.template(), ending="")
            return
        file: Path = options["file"]
        report = pointmap.check(content(file), file.name)
        if options["as_json"]:
            text = json.dumps(_as_json(file.name, report), ensure_ascii=False, indent=1)
        else:
            text = "\n".join(_as_text(file.name, report))
        self.stdout.write(text)
        if report.mistakes:
            raise SystemExit(1)


def content(file: Path) -> bytes:
    """The bytes of a file, no more than the check would take."""
    try:
        with file.open("rb") as opened:
            return opened.read(pointmap.MAX_BYTES + 1)
    except OSError as error:
        reason = error.strerror or str(error)
        raise CommandError(
            _("打不开点表文件 %(file)s：%(reason)s") % {"file": file, "reason": reason}
        ) from None


def _reason(mistake: Mistake) -> str:
    return _(mistake.template) % mistake.params if mistake.params else _(mistake.template)


def shown(mistake: Mistake) -> str:
    parts = [
        _("第 %(row)s 行") % {"row": mistake.row} if mistake.row else _("全文件"),
        mistake.column,
        f"“{mistake.value}”" if mistake.value else "",
    ]
    return f"  {' '.join(part for part in parts if part)}：{_reason(mistake)}"


def _section(title: str, mistakes: list[Mistake]) -> list[str]:
    return [f"{title}（{len(mistakes)}）", *map(shown, mistakes)] if mistakes else []


def _as_text(name: str, report: pointmap.Report) -> list[str]:
    lines = _section(_("错误"), report.mistakes) + _section(_("提醒"), report.warnings)
    if report.missing_readings:
        lines.append(_("附件 2 缺少的读取项：") + "、".join(report.missing_readings))
    if report.missing_writings:
        lines.append(_("附件 2 缺少的写入项：") + "、".join(report.missing_writings))
    if report.map is None:
        return [*lines, _("%(file)s 有错误，须改正后再用") % {"file": name}]
    counts = {"file": name, "points": len(report.map.points)}
    return [*lines, _("%(file)s 正确，共 %(points)s 个点") % counts]


def _as_json(name: str, report: pointmap.Report) -> dict[str, object]:
    return {
        "file": name,
        "ok": report.map is not None,
        "mistakes": [_item(mistake) for mistake in report.mistakes],
        "reminders": [_item(mistake) for mistake in report.warnings],
        "missing": {"readings": report.missing_readings, "writings": report.missing_writings},
        "points": [_wire(point) for point in report.map.points] if report.map else [],
    }


def _item(mistake: Mistake) -> dict[str, object]:
    return {
        "row": mistake.row,
        "column": mistake.column,
        "value": mistake.value,
        "reason": _reason(mistake),
    }


def _wire(point: pointmap.Point) -> dict[str, object]:
    """A row with its address as it goes on the wire: off by one is the commonest mistake."""
    return {
        "row": point.row,
        "signal": point.signal,
        "area": point.area,
        "wire_address": point.address,
        "count": point.count,
    }
