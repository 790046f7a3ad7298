"""The columns of heating units in the ledger's workbooks, and the table of installation records.

One sheet may tell of households and their units together; 安装记录 names a household and tells of
its unit alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

from django.db.models import Prefetch
from django.utils.translation import gettext_lazy as _

from devices.installation_form import ADDS, REPLACES, admitted
from devices.models import Installation
from devices.unit_rows import UnitRows
from households.ledger import cells, choices, columns, exporting
from households.ledger.columns import Column
from households.ledger.lines import PARTS
from households.ledger.tables import KINDS, Kind
from households.models import Household, StepKind, User
from households.models.households import HouseholdQuerySet

Of = Callable[[Installation], object]


def _standing(row: Any) -> Installation | None:
    """The record that a row of either table exports: itself, or the household's first one."""
    if isinstance(row, Installation):
        return row
    return next(iter(getattr(row, "standing_units", ())), None)


def _of(value: Of) -> Callable[[Any], object]:
    def export(row: Any) -> object:
        record = _standing(row)
        return value(record) or None if record else None

    return export


MAKER = Column(
    "maker", "设备厂商名称", cells.text(60), _of(lambda row: row.unit.model.supplier.name),
    ("设备厂商", "厂商名称", "厂家", "生产厂家", "设备厂家", "品牌", "厂商", "设备品牌"), 18,
    example="",
)  # fmt: skip
DEVICE = Column(
    "device", "设备名称", cells.text(60), _of(lambda row: row.unit.model.name),
    ("设备", "机组名称", "产品名称", "取暖设备名称"), 18, example="",
)  # fmt: skip
MODEL = Column(
    "model", "设备型号", cells.code(40), _of(lambda row: row.unit.model.code),
    ("型号", "机组型号", "产品型号", "规格型号", "设备规格型号"), 14, example="",
)  # fmt: skip
FACTORY = Column(
    "factory_number", "设备出厂地址编号", cells.code(40), _of(lambda row: row.factory_number),
    ("设备出厂编号", "出厂编号", "出厂地址编号", "设备编号", "机身编号", "机组编号", "序列号"), 18,
    example="",
)  # fmt: skip
TRANSMITTER = Column(
    "transmitter_number", "无线传输设备地址编号", cells.code(40),
    _of(lambda row: row.transmitter_number),
    (
        "无线传输设备编号", "无线数据传输装置地址编号", "无线数据传输装置编号", "传输设备地址编号",
        "装置编号", "DTU编号", "IMEI", "模块编号", "通讯模块编号",
    ),
    20, example="",
)  # fmt: skip
ADDRESS = Column(
    "address", "线上地址", cells.whole(1, 65535, example=1), _of(lambda row: row.unit.address),
    ("从站地址", "站号", "通讯地址", "485地址"), 10, None, 1,
    hint=_("一个装置接一台机组时为 1"),
)  # fmt: skip
NETWORK = Column(
    "network_address", "网络地址", cells.whole(1, 65535, example=1205),
    _of(lambda row: row.unit.network_address), ("网络地址编号", "平台地址"), 10, None, None,
)  # fmt: skip
MANY = Column(
    "many", "更换或加装",
    cells.one_of(
        {REPLACES: "更换", ADDS: "加装"},
        {REPLACES: ("换机", "更换机组"), ADDS: ("增加", "加装一台")},
        _("不是“更换”或“加装”"),
    ),
    aliases=("安装类别",), width=12, choices=("更换", "加装"),
    hint=_("该户已有机组时才填"),
)  # fmt: skip
UNITS = (MAKER, DEVICE, MODEL, FACTORY, TRANSMITTER)


def register() -> None:
    """Put this app's columns, table, rows and drop-downs in; done once, when the app is ready."""
    columns.add(UNITS)
    columns.add((ADDRESS, NETWORK), after=f"{StepKind.INSTALLED}_on")
    KINDS["installation"] = _installations()
    PARTS.append(UnitRows())
    exporting.ROWS["household"] = _households_with_units
    exporting.ROWS["installation"] = _records_of
    choices.TREES.append(_models)


def _installations() -> Kind:
    known = {column.key: column for column in KINDS["household"].columns}
    day = replace(
        known[f"{StepKind.INSTALLED}_on"],
        export=lambda row: row.installed_on,
        example=date(2026, 9, 12),
        required=True,
        hint="",
    )
    told = (
        *(_of_the_household(known[key]) for key in ("number", "town", "village", "door")),
        *(_of_the_household(known[key]) for key in ("householder", "phone")),
        replace(known["heated_area"], export=lambda row: float(row.heated_area), field=""),
        *(known[key] for key in ("longitude", "latitude", "position")),
        replace(known["position_source"], field=""),
        *UNITS,
        ADDRESS,
        NETWORK,
        day,
        MANY,
        replace(known["note"], field=""),
    )
    needs = (("number", "householder"), ("factory_number", "transmitter_number"))
    return Kind("installation", "安装记录", told, needs)


def _of_the_household(column: Column) -> Column:
    """The column as it names a household, which the row does not change."""
    return replace(
        column, export=lambda row: column.export(row.household), required=False, field="", hint=""
    )


def _households_with_units(households: HouseholdQuerySet) -> Any:
    standing = Installation.objects.standing().order_by("pk")
    standing = standing.select_related("unit__model__supplier")
    units = Prefetch("installations", standing, to_attr="standing_units")
    return households.select_related("area__owner").prefetch_related(units)


def _records_of(households: HouseholdQuerySet) -> Any:
    """Standing records of these households, by 户编号."""
    wanted = Household.objects.filter(pk__in=households.order_by().values("pk"))
    records = Installation.objects.standing().filter(household__in=wanted)
    return records.select_related("household__area__owner", "unit__model__supplier").order_by(
        "household__number", "pk"
    )


def _models(user: User) -> choices.Tree:
    """Makers, devices and models that the user may install."""
    rows = tuple((row.supplier.name, row.name, row.code) for row in admitted(user))
    return choices.Tree(("maker", "device", "model"), rows)
