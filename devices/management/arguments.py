"""What commands for an engineer at a line have in common: numbers as typed, a register-map file."""

from __future__ import annotations

import argparse
from pathlib import Path

from django.utils.translation import gettext as _

from devices.modbus import pointmap
from devices.modbus.pointmap import MapRefused, PointMap


class Unusable(Exception):
    """Something typed, or a file, that cannot be used; the sentence says why."""


def number(text: str) -> int:
    """Decimal, or hexadecimal as 0x64 or 64H."""
    plain = text.strip().lower()
    if plain.endswith("h") and not plain.startswith("0x"):
        plain = f"0x{plain[:-1]}"
    try:
        return int(plain, 16 if plain.startswith("0x") else 10)
    except ValueError:
        raise argparse.ArgumentTypeError(_("%s 不是整数") % repr(text)) from None


def map_in(file: Path) -> PointMap:
    """The register map of a file; raises Unusable."""
    try:
        with file.open("rb") as opened:
            return pointmap.load(opened.read(pointmap.MAX_BYTES + 1), file.name)
    except OSError as error:
        reason = error.strerror or str(error)
        raise Unusable(
            _("打不开点表文件 %(file)s：%(reason)s") % {"file": file, "reason": reason}
        ) from None
    except MapRefused as refused:
        raise Unusable(_mistakes(file, refused.report)) from None


def moved(map: PointMap, module: int | None) -> PointMap:
    """The map as one module behind the address has it; raises Unusable where there is none."""
    try:
        return map.for_module(module)
    except ValueError:
        known = {"module": module, "stride": map.settings.module_stride}
        raise Unusable(
            _("点表里没有模块 %(module)s（module_stride：%(stride)s）") % known
        ) from None


def _mistakes(file: Path, report: pointmap.Report) -> str:
    first = report.mistakes[0]
    where = _("第 %(row)d 行 ") % {"row": first.row} if first.row else ""
    return _(
        "点表 %(file)s 有 %(count)d 处错误，第一处：%(first)s；全部错误请用 registermap check 查看"
    ) % {
        "file": file,
        "count": len(report.mistakes),
        "first": f"{where}{first.column} {first.reason}",
    }
