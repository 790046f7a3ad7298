"""What may stand in one cell of a register-map file: numbers, lists, addresses, targets."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Literal

from devices.modbus.words import N_

Area = Literal["coil", "discrete", "input", "holding"]
AREAS: dict[str, Area] = {
    "coil": "coil",
    "线圈": "coil",
    "discrete": "discrete",
    "离散输入": "discrete",
    "input": "input",
    "输入寄存器": "input",
    "holding": "holding",
    "保持寄存器": "holding",
}
BIT_AREAS = frozenset({"coil", "discrete"})
_PREFIX: dict[str, Area] = {"0": "coil", "1": "discrete", "3": "input", "4": "holding"}
PREFIX_OF: dict[Area, str] = {area: prefix for prefix, area in _PREFIX.items()}
SEVERITIES = ("critical", "warn", "info")


class CellRefused(Exception):
    """A cell that means nothing here; `template % params` is the Chinese reason."""

    def __init__(self, template: str, **params: object) -> None:
        super().__init__(template, params)
        self.template = template
        self.params = params


@dataclass(frozen=True, slots=True)
class Target:
    """One register or coil and a value, as `require`, `unlock` and `before` name them."""

    area: Area
    address: int
    value: int


def plain(text: str) -> str:
    """Full-width digits, letters and punctuation as their ASCII, blanks at the ends dropped."""
    return unicodedata.normalize("NFKC", text).strip()


def integer(text: str) -> int:
    """A whole number: decimal, `0x64` or `64H`."""
    number = plain(text)
    if match := re.fullmatch(r"0[xX]([0-9a-fA-F]{1,16})|([0-9a-fA-F]{1,16})[hH]", number):
        return int(match[1] or match[2], 16)
    if re.fullmatch(r"[+-]?[0-9]{1,20}(\.0{1,9})?", number):
        return int(number.partition(".")[0])
    raise CellRefused(N_("应为整数（如 100、0x64 或 64H）"))


def number(text: str) -> Decimal:
    """A decimal number of reasonable size."""
    try:
        value = Decimal(plain(text))
    except InvalidOperation:
        raise CellRefused(N_("应为数字")) from None
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int) or abs(exponent) > 20 or abs(value.adjusted()) > 20:
        raise CellRefused(N_("数字过大或过小"))
    if len(value.as_tuple().digits) > 25:
        raise CellRefused(N_("数字过大或过小"))
    return value.quantize(Decimal(1)) if exponent > 0 else value


def between(text: str, low: int, high: int) -> int:
    """A whole number within limits."""
    value = integer(text)
    if not low <= value <= high:
        raise CellRefused(N_("应在 %(low)s 到 %(high)s 之间"), low=low, high=high)
    return value


def one_of(text: str, choices: Mapping[str, str]) -> str:
    """One of some words, whatever its case; the choices map every spelling to its meaning."""
    word = plain(text).lower()
    if word not in choices:
        known = "、".join(dict.fromkeys(choices.values()))
        raise CellRefused(N_("不认识的取值，可用：%(known)s"), known=known)
    return choices[word]


def words(text: str) -> list[str]:
    """The members of a list; `;` separates them, a space too where there is no `;`."""
    text = text.replace("；", ";").strip()
    parts = text.split(";") if ";" in text else text.split()
    return [part.strip() for part in parts if part.strip()]


def pairs(text: str) -> list[tuple[str, str]]:
    """The members `left=right` of a list; a space separates where another pair follows it."""
    text = text.replace("；", ";").replace("＝", "=")
    found = []
    for part in re.split(r";|\s+(?=[^\s;=]+=)", text):
        left, equals, right = (piece.strip() for piece in part.partition("="))
        if not part.strip():
            continue
        if not (left and equals and right):
            raise CellRefused(N_("“%(part)s”应写成“值=含义”，多项用分号隔开"), part=part.strip())
        found.append((left, right))
    if not found:
        raise CellRefused(N_("应写成“值=含义”，多项用分号隔开"))
    return found


def label(text: str) -> tuple[str, str | None]:
    """A label and its severity: `high_pressure!critical`."""
    name, mark, severity = text.replace("！", "!").rpartition("!")
    if not mark:
        return text, None
    if severity.strip().lower() not in SEVERITIES or not name.strip() or "!" in name:
        raise CellRefused(N_("“%(text)s”的级别不认识，可用：!critical、!warn、!info"), text=text)
    return name.strip(), severity.strip().lower()


def address(text: str, area: Area | None, base: str) -> tuple[Area, int]:
    """The area and the address on the wire of a cell.

    A hexadecimal number is only another way to write the same number, so the base holds for it
    too. A manual reference number of five or six digits names its area itself, which may then
    be left blank.
    """
    digits = plain(text)
    value = integer(text)
    if base == "manual":
        digits = digits if re.fullmatch(r"[0-9]+", digits) else str(value)
        return _manual(digits, area)
    if area is None:
        raise CellRefused(N_("没有写区域（coil、discrete、input、holding）"))
    low = int(base)
    if not low <= value <= 0xFFFF + low:
        raise CellRefused(N_("地址应在 %(low)s 到 %(high)s 之间"), low=low, high=0xFFFF + low)
    return area, value - low


def _manual(digits: str, area: Area | None) -> tuple[Area, int]:
    if len(digits) < 5 and area in BIT_AREAS:
        return area, _one_based(digits, int(digits), 0x10000)
    if len(digits) not in (5, 6) or digits[0] not in _PREFIX:
        raise CellRefused(
            N_("应为五位或六位的地址编号（0xxxx 线圈、1xxxx 离散输入、3xxxx 输入、4xxxx 保持）")
        )
    named = _PREFIX[digits[0]]
    if area is not None and named != area:
        raise CellRefused(
            N_("地址编号 %(digits)s 属于 %(named)s，与区域 %(area)s 不符"),
            digits=digits,
            named=named,
            area=area,
        )
    return named, _one_based(digits, int(digits[1:]), 0x10000)


def _one_based(digits: str, value: int, highest: int) -> int:
    if not 1 <= value <= highest:
        raise CellRefused(
            N_("地址编号 %(digits)s 超出范围：编号从 1 到 %(highest)s"),
            digits=digits,
            highest=highest,
        )
    return value - 1


def written_address(area: Area, wire: int, base: str) -> str:
    """The address as a file of this base writes it; the inverse of `address`."""
    if base != "manual":
        return str(wire + int(base))
    if area in BIT_AREAS and wire + 1 < 10_000:
        return str(wire + 1)
    return f"{PREFIX_OF[area]}{wire + 1:0{4 if wire < 9_999 else 5}d}"


def targets(text: str, base: str) -> tuple[Target, ...]:
    """The members of a list `area:address=value`."""
    found = []
    for left, right in pairs(text):
        name, colon, place = left.partition(":")
        if not colon:
            raise CellRefused(N_("“%(part)s”应写成“区域:地址=值”"), part=f"{left}={right}")
        area, wire = address(place, area_of(name), base)
        found.append(Target(area, wire, between(right, 0, 1 if area in BIT_AREAS else 0xFFFF)))
    return tuple(found)


def area_of(text: str) -> Area:
    """The area of a word, English or Chinese."""
    area = AREAS.get(plain(text).lower())
    if area is None:
        raise CellRefused(N_("不认识的区域，可用：coil、discrete、input、holding"))
    return area


def written_targets(found: tuple[Target, ...], base: str) -> str:
    """A list of targets as a file of this base writes it."""
    return ";".join(
        f"{target.area}:{written_address(target.area, target.address, base)}={target.value}"
        for target in found
    )
