"""A register map written out means the same."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.modbus import pointmap, rawtypes
from devices.modbus.cells import AREAS
from devices.modbus.pointmap import MapRefused, PointMap
from tests.devices.modbus.written_maps import Cells, map_of

MAPS = sorted((Path(pointmap.__file__).parent / "maps").glob("*.csv"))
X: Cells = {"signal": "x", "address": 1, "type": "uint16"}


def again(map: PointMap) -> PointMap:
    return pointmap.load(map.to_csv().encode(), "again.csv")


@pytest.mark.parametrize("path", MAPS, ids=lambda path: path.stem)
def test_an_example_written_out_means_the_same(path: Path) -> None:
    map = pointmap.load(path.read_bytes(), path.name)
    assert again(map) == map
    assert again(map).to_csv() == map.to_csv()


PREFIXES = {"coil": 0, "discrete": 1, "input": 3, "holding": 4}


@pytest.mark.parametrize("base", ["0", "1", "manual"])
@pytest.mark.parametrize("area", sorted(set(AREAS.values())))
@settings(deadline=None)
@given(wire=st.integers(0, 0xFFFF))
def test_an_address_written_out_is_the_same_on_the_wire(base: str, area: str, wire: int) -> None:
    manual = f"{PREFIXES[area]}{wire + 1:05d}"
    address = manual if base == "manual" else wire + int(base)
    type_ = "bool" if area in ("coil", "discrete") else "uint16"
    map = map_of(
        {"signal": "x", "area": area, "address": address, "type": type_}, address_base=base
    )
    assert map.points[0].address == wire
    assert again(map) == map


NAME = st.text(max_size=12).map(lambda text: "".join(c for c in text if c.isprintable()).strip())
LABEL = st.from_regex(r"[a-z一-龥][a-z_ ]{0,6}[a-z]", fullmatch=True)
NUMBER = st.decimals(-1000, 1000, places=3).map(lambda number: format(number.normalize(), "f"))
INTEGERS = sorted(set(rawtypes.NUMBER_TYPES) - rawtypes.FLOATS - rawtypes.BITFIELDS - {"bits"})


@st.composite
def points(draw: st.DrawFn) -> Cells:
    """Cells of a row that is right: any type, labels, limits, names."""
    kind = draw(st.sampled_from([*INTEGERS, "float32", "float64", "bitfield16", "bits", "ascii:6"]))
    long = not kind.startswith("ascii") and rawtypes.registers(kind) > 1
    orders = rawtypes.ORDERS_32 if long else rawtypes.ORDERS_16
    cells: Cells = {
        "address": draw(st.integers(0, 60_000)),
        "type": kind,
        "order": draw(st.sampled_from([*orders, ""])),
        "name": draw(NAME),
        "note": draw(NAME),
        "access": draw(st.sampled_from(["r", "rw", "w"])),
    }
    labels = draw(st.dictionaries(st.integers(0, 3), LABEL, min_size=1, max_size=4))
    text = ";".join(f"{key}={label}" for key, label in labels.items())
    if kind == "bitfield16":
        return cells | {"bits": text, "access": "r"}
    if kind == "bits":
        cells["mask"] = draw(st.sampled_from(["0x000F", "0x0F00", "12", "0xC000"]))
        text = text if cells["mask"] in ("0x000F", "0x0F00") else ""
    if kind.startswith("ascii") or kind == "bool":
        return cells
    if draw(st.booleans()):
        return cells | {"enum": text, "invalid": "5=broken" if kind != "bits" else ""}
    low = draw(NUMBER)
    return cells | {
        "scale": draw(NUMBER.filter(lambda number: Decimal(number) != 0)),
        "offset": draw(NUMBER),
        "min": low,
        "max": format(Decimal(low) + 10, "f"),
        "write_delay_s": draw(st.sampled_from(["0", "0.5", "2"])) if cells["access"] != "r" else "",
    }


@settings(max_examples=150, deadline=None)
@given(rows=st.lists(points(), min_size=1, max_size=5), base=st.sampled_from(["0", "1"]))
def test_whatever_a_map_says_it_says_the_same_once_written_out(
    rows: list[Cells], base: str
) -> None:
    stated = {"address_base": base, "max_read": 125}
    by = 1 if base == "1" else 0
    named = [
        {**row, "signal": f"x{at}", "address": int(str(row["address"])) + by}
        for at, row in enumerate(rows)
    ]
    map = map_of(*named, **stated)
    assert again(map) == map
    assert again(map).digest == map.digest


def test_files_that_differ_in_looks_only_have_one_digest() -> None:
    plain_ = map_of(X)
    dressed = map_of(
        {"signal": "x", "address": "0x0001", "type": "UINT16", "scale": "1", "unit": ""}
    )
    assert dressed.digest == plain_.digest
    assert map_of({**X, "scale": "0.1"}).digest != plain_.digest


def test_a_refused_file_tells_all_its_mistakes() -> None:
    with pytest.raises(MapRefused) as refused:
        map_of({**X, "scale": "a", "offset": "b"})
    assert [m.column for m in refused.value.report.mistakes] == ["scale", "offset"]
    assert "scale" in str(refused.value) and "offset" in str(refused.value)
