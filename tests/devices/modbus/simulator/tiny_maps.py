"""Small register maps, written in the test that needs them."""

from collections.abc import Mapping
from pathlib import Path

import devices.modbus
from devices.modbus.simulator.maps import RegisterMap, parse

MAPS = Path(devices.modbus.__file__).parent / "maps"
CN_W10 = MAPS / "chennuan-cn-w10.csv"
AIRBOX = MAPS / "beiyue-airbox3.csv"


def map_of(*rows: Mapping[str, object], **settings: object) -> RegisterMap:
    """A map of these rows (column: cell); area holding and access r unless they say otherwise."""
    rows = tuple({"area": "holding", "access": "r", **row} for row in rows)
    columns = sorted({column for row in rows for column in row})
    known = {"maker": "测试", "model": "T1", "kind": "ashp_water", "medium": "water", **settings}
    lines = [f"@{name},{value}" for name, value in known.items()]
    lines.append(",".join(columns))
    lines += [",".join(str(row.get(column, "")) for column in columns) for row in rows]
    return parse("\n".join(lines).encode())
