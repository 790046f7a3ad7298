"""A maker's own list of registers as a register map: which column is which, and the rest."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping as Dict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from django.utils.translation import gettext_lazy as _l

from devices.maps import foreign
from devices.maps.sheet import COLUMNS, MAX_POINTS, Sheet, clean
from devices.modbus import rawtypes, signals
from devices.modbus.cells import PREFIX_OF, CellRefused, plain
from devices.modbus.mapcheck import READ_FUNCTION
from devices.modbus.mapcolumns import HEADS
from devices.modbus.words import N_

# What a column of a foreign list may be besides one of ours.
SPECIAL = {
    "place": _l("地址:类型:字节序（合写）"),
    "function": _l("功能码"),
    "range": _l("范围（最小~最大）"),
    "bit": _l("位号"),
}
TARGETS = (*HEADS, *SPECIAL)
BASES = ("0", "1", "manual")
_PREFIXES: dict[str, str] = {prefix: area for area, prefix in PREFIX_OF.items()}
_TRANSLATED = {
    "type": foreign.type_of,
    "order": foreign.order_of,
    "area": foreign.area_of,
    "access": foreign.access_of,
    "scale": foreign.scale_of,
}


@dataclass(frozen=True)
class Mapping:
    """`head` is the place of the head's row in the list, `columns` what each place is, `area` and
    `base` hold where the list does not say; `only_known` leaves out what is no signal of ours."""

    head: int = 0
    columns: dict[int, str] = field(default_factory=dict)
    area: str = "holding"
    base: str = "0"
    only_known: bool = False

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"columns": {str(n): name for n, name in self.columns.items()}}

    @classmethod
    def of_json(cls, kept: Dict[str, Any]) -> Mapping:
        columns = {int(place): str(name) for place, name in kept["columns"].items()}
        return cls(**dict(kept) | {"columns": columns})

    @property
    def lacks(self) -> bool:
        """Whether no column has the addresses: nothing can be made of the list then."""
        return not {"address", "place"} & set(self.columns.values())


Rows = Sequence[Sequence[str]]


# --- a first guess ----------------------------------------------------------------------------


def suggest(rows: Rows) -> Mapping:
    """What the heads and cells look like."""
    head = _head(rows)
    columns: dict[int, str] = {}
    for place, text in enumerate(rows[head] if rows else ()):
        name = foreign.head_of(text)
        if name and name not in columns.values():
            columns[place] = name
    body = rows[head + 1 :]
    for place in _compound(body):
        columns = {n: name for n, name in columns.items() if name not in ("place", "address")}
        columns[place] = "place"
    return Mapping(head, columns, _usual_area(body, columns), _usual_base(body, columns))


def _head(rows: Rows) -> int:
    """The row with the most cells that are heads, among the first; titles stand above it."""
    found = [
        len({foreign.head_of(text) for text in row if not re.search(r"\d{2}", text)} - {""})
        for row in rows[:20]
    ]
    return found.index(max(found)) if found else 0


def _compound(body: Rows) -> list[int]:
    """The first column that is full of `40021:REAL:CDAB`."""
    width = max(map(len, body), default=0)
    for place in range(width):
        cells = [row[place] for row in body if len(row) > place and row[place]]
        whole = [{"address", "type"} <= set(foreign.place_of(cell)) for cell in cells[:50]]
        if whole and sum(whole) * 2 >= len(whole):
            return [place]
    return []


def _addresses(body: Rows, columns: Dict[int, str]) -> list[str]:
    found = []
    for row in body:
        cells = _named(row, columns)
        place = foreign.place_of(cells.get("place", ""))
        address = place.get("address") or cells.get("address", "")
        found += [plain(address).partition(".")[0]] if re.search(r"\d", address) else []
    return found


def _usual_base(body: Rows, columns: Dict[int, str]) -> str:
    """Reference numbers (40001) are known by their digits; counting from 0 or 1 is not."""
    found = _addresses(body, columns)
    looks = [bool(re.fullmatch(r"[0134]\d{4,5}", text)) for text in found]
    return "manual" if found and sum(looks) * 10 >= len(looks) * 9 else "0"


def _usual_area(body: Rows, columns: Dict[int, str]) -> str:
    named = Counter(foreign.area_of(_named(row, columns).get("function", "")) for row in body)
    del named[""]
    return named.most_common(1)[0][0] if named else "holding"


def _named(row: Sequence[str], columns: Dict[int, str]) -> dict[str, str]:
    return {name: row[n].strip() for n, name in columns.items() if n < len(row) and row[n].strip()}


# --- taken over -------------------------------------------------------------------------------


def apply(rows: Rows, mapping: Mapping, settings: Dict[str, str]) -> Sheet:
    """The list as a sheet; `settings` are what is known of the model besides.

    What is not understood stays as the maker wrote it: the check shows it at its cell. Raises
    CellRefused where more rows are left than a register map may have.
    """
    sheet = Sheet()
    areas: set[str] = set()
    taken: set[str] = set()
    area, is_hex = mapping.area, _is_hexadecimal(rows, mapping)
    for row in rows[mapping.head + 1 :]:
        area = _section(row) or area
        point = _point(_named(row, mapping.columns), replace(mapping, area=area), taken, is_hex)
        if point is not None:
            sheet.points.append([clean(point.get(column, "")) for column in COLUMNS])
            areas.add(point["area"] or _PREFIXES[plain(point["address"])[0]])
        if len(sheet.points) > MAX_POINTS:
            raise CellRefused(N_("点超过 %(limit)s 行：请只留平台要读写的"), limit=MAX_POINTS)
    known = {**settings, "address_base": mapping.base, **_functions(areas)}
    sheet.settings = [[name, known.get(name, "")] for name, _ in sheet.settings]
    return sheet


def _section(row: Sequence[str]) -> str:
    """The area that a line between the rows names for those below it."""
    filled = [text.strip() for text in row if text.strip()]
    return foreign.area_of(filled[0]) if len(filled) == 1 and not filled[0].isdigit() else ""


def _is_hexadecimal(rows: Rows, mapping: Mapping) -> bool:
    """Whether bare numbers of the addresses are hexadecimal: the head says so, or some of them
    can be nothing else."""
    place = next((n for n, name in mapping.columns.items() if name == "address"), None)
    if place is None:
        return False
    head, *cells = (row[place] if place < len(row) else "" for row in rows[mapping.head :])
    bare = [cell for cell in map(plain, cells) if re.fullmatch(r"[0-9a-fA-F]{2,4}", cell)]
    letters = [cell for cell in bare if re.search(r"\d", cell) and re.search(r"[a-fA-F]", cell)]
    return foreign.is_hex_head(head) or bool(letters)


def _functions(areas: set[str]) -> dict[str, str]:
    """What the device must be able to read, by the areas that there are."""
    codes = " ".join(str(code) for area, code in READ_FUNCTION.items() if area in areas)
    return {"read_functions": codes} | ({"write_functions": "5 6 16"} if "coil" in areas else {})


def _point(
    cells: dict[str, str], mapping: Mapping, taken: set[str], is_hex: bool
) -> dict[str, str] | None:
    """One row by our columns; None of a row without an address, and of what is not wanted."""
    found = {name: text for name, text in cells.items() if name in HEADS}
    found |= foreign.place_of(cells.get("place", ""))
    if "address" in cells:
        text = cells["address"]
        found |= foreign.place_of(text) if re.search("[:：]", text) else foreign.address_of(text)
    if is_hex and "address" in found:
        found["address"] = foreign.hexadecimal(found["address"])
    if not re.search(r"\d", found.get("address", "")):
        return None
    for name, translate in _TRANSLATED.items():
        if name in found:
            found[name] = translate(found[name]) or found[name]
    _signal(found, taken, only_known=mapping.only_known)
    if not found["signal"]:
        return None
    _area(found, cells, mapping)
    _bit(found, found.pop("bit", "") or cells.get("bit", ""))
    _values(found, cells)
    return found


def _signal(found: dict[str, str], taken: set[str], *, only_known: bool) -> None:
    """A signal is one row's only; what the platform has no word for keeps the maker's."""
    name = found.get("signal") or found.get("name", "")
    signal = foreign.signal_of(name)
    if not signal and only_known:
        found["signal"] = ""
        return
    if not signal or signal in taken:
        free = foreign.free_name(name) or f"register_{plain(found['address'])}"
        signal, n = free, 1
        while signal in taken:
            n += 1
            signal = f"{free}_{n}"
    taken.add(signal)
    found["signal"] = signal


def _area(found: dict[str, str], cells: dict[str, str], mapping: Mapping) -> None:
    """A reference number names its area itself."""
    named = foreign.area_of(cells.get("function", "")) or found.get("area", "")
    whole = re.fullmatch(r"[0134]\d{4,5}", plain(found["address"]))
    found["area"] = named or ("" if mapping.base == "manual" and whole else mapping.area)


def _bit(found: dict[str, str], bit: str) -> None:
    """One bit of a register is `bits` with its mask."""
    mask = foreign.mask_of(bit)
    if mask and found.get("type", "") in ("", "bool", "bits"):
        found |= {"type": "bits", "mask": mask}


def _values(found: dict[str, str], cells: dict[str, str]) -> None:
    """Ranges and lists of values; a list of bits where the type has them."""
    spoken = re.search(r"(?:范围|range)\W*(.+)", found.get("note", ""), re.IGNORECASE)
    limits = cells.get("range") or (spoken[1] if spoken and "w" in found.get("access", "") else "")
    if limits:
        low, high = foreign.range_of(limits)
        if low:
            found.setdefault("min", low)
            found.setdefault("max", high)
    text = found.get("enum") or (cells.get("range", "") if "min" not in found else "")
    if signals.kind_of(found["signal"]) not in ("float", "counter"):
        text = text or found.get("note", "")
    labels = foreign.labels_of(text, found["signal"])
    is_set = signals.kind_of(found["signal"]) == "set"
    found.pop("enum", None)
    if is_set and found.get("type", "") in ("", "uint16", "int16", "uint32", "int32"):
        wide = rawtypes.registers(found.get("type") or "uint16") > 1
        found["type"] = "bitfield32" if wide else "bitfield16"
    if labels:
        found["bits" if is_set else "enum"] = labels
    elif text and text == cells.get("enum"):
        found["enum"] = text  # the check says what is wrong with it
