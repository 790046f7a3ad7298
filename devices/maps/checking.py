"""What is right and wrong in a sheet, as the editor shows it at the cells and in its lists."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from devices.maps import advice, annex
from devices.maps.sheet import COLUMNS, Sheet
from devices.modbus import cells, pointmap
from devices.modbus.cells import CellRefused
from devices.modbus.mapcolumns import HEADS
from devices.modbus.mistakes import Mistake
from devices.modbus.rowparts import signal_name
from devices.models import DeviceModel

SHOWN = 200  # remarks on a page


@dataclass(frozen=True)
class Remark:
    """A mistake or a reminder in words. `column` as in the file; `head` in Chinese; `short` fits
    beside the row."""

    is_mistake: bool
    row: int | None
    column: str
    head: str
    value: str
    reason: str
    short: str
    advice: str

    @property
    def shape(self) -> str:
        return "st-bad" if self.is_mistake else "st-warn"

    @property
    def kind(self) -> str:
        return _("错误") if self.is_mistake else _("提醒")


@dataclass(frozen=True)
class Findings:
    """`wire` has the address on the wire of each row that has one, by row."""

    remarks: list[Remark] = field(default_factory=list)
    wire: dict[int, str] = field(default_factory=dict)
    annex: annex.Annex | None = None

    @property
    def mistakes(self) -> int:
        return sum(remark.is_mistake for remark in self.remarks)

    @property
    def reminders(self) -> int:
        return len(self.remarks) - self.mistakes

    @property
    def first(self) -> list[Remark]:
        """As many as a page shows."""
        return self.remarks[:SHOWN]

    @property
    def further(self) -> int:
        """How many there are beyond `first`."""
        return max(len(self.remarks) - SHOWN, 0)

    def cells(self) -> list[tuple[int | None, str, str, str, str]]:
        """Row, column, kind (bad, warn), short word and reason of each remark."""
        return [
            (r.row, r.column, "bad" if r.is_mistake else "warn", r.short, r.reason)
            for r in self.remarks
        ]


def look(sheet: Sheet, model: DeviceModel) -> Findings:
    """Check the sheet of a model; never raises."""
    report = pointmap.check(sheet.content().encode(), "map.csv")
    remarks = [remark(m, is_mistake=True) for m in report.mistakes]
    remarks += [remark(m, is_mistake=False) for m in report.warnings]
    remarks += _of_another(sheet, model)
    missing = (report.missing_readings, report.missing_writings)
    wrong, doubtful = (_signals(sheet, found) for found in (report.mistakes, report.warnings))
    medium = sheet.setting("medium").strip().lower()
    return Findings(remarks, _wire(sheet), annex.compare(missing, medium, wrong, doubtful))


def remark(mistake: Mistake, *, is_mistake: bool) -> Remark:
    """A mistake of the check in words."""
    what = advice.of(mistake)
    head = HEADS.get(mistake.column, mistake.column)
    return Remark(
        is_mistake,
        mistake.row,
        mistake.column,
        _(head) if head else "",
        mistake.value,
        what.said(mistake.template, mistake.params),
        what.short,
        what.advice,
    )


def _of_another(sheet: Sheet, model: DeviceModel) -> list[Remark]:
    """Reminders of settings that are not the model's: a file of another one, perhaps."""
    known = {"model": model.code, "kind": model.kind, "medium": model.medium}
    return [
        Remark(
            False,
            row,
            f"@{name}",
            f"@{name}",
            text,
            _("型号登记的是 %(known)s") % {"known": known[name]},
            _("与型号不符"),
            _("核对是否选错了型号或文件；确认无误可继续"),
        )
        for row, (name, text) in enumerate(sheet.settings, 1)
        if text and text != known.get(name, text)
    ]


def _signals(sheet: Sheet, found: list[Mistake]) -> set[str]:
    """The signals of the rows that these are in."""
    last = sheet.first_row + len(sheet.points)
    rows = {m.row for m in found if m.row and sheet.first_row <= m.row < last}
    return {_name(sheet.cells(row)["signal"]) for row in rows}


def _name(text: str) -> str:
    try:
        return signal_name(text)
    except CellRefused:
        return ""


def _wire(sheet: Sheet) -> dict[int, str]:
    """Wrong rows have theirs too, as long as area and address make sense."""
    base = sheet.setting("address_base").strip().lower() or "0"
    base = base if base in ("0", "1", "manual") else "0"
    area, address = COLUMNS.index("area"), COLUMNS.index("address")
    found = {}
    for row, point in enumerate(sheet.points, sheet.first_row):
        if wire := wire_address(point[area], point[address], base):
            found[row] = wire
    return found


def wire_address(area: str, address: str, base: str) -> str:
    """The address as it goes on the wire (`0x0064`); "" where the cells do not make one."""
    if not address.strip():
        return ""
    try:
        named = cells.area_of(area) if area.strip() else None
        return f"0x{cells.address(address, named, base)[1]:04X}"
    except CellRefused:
        return ""
