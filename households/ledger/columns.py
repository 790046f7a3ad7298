"""The columns of the ledger's workbooks: heads, what people call them, what their cells mean.

Heads are the notice's own words and stay Chinese in every language: a workbook goes from office to
office. An app that knows more of a household adds its columns when it is ready (`add`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import Any

from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from households.ledger import cells, people
from households.ledger.cells import Cleaner
from households.ledger.coordinates import as_of_source, coordinate
from households.ledger.tables import KINDS, Kind
from households.models import Area, Household, Method, PositionSource, SiteKind, StepKind


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table.

    `clean` turns a raw cell into its value or `cells.Told`; `export` gives the cell of a row;
    `field` is the Household field that the value is for, empty where it is looked up instead;
    `offered`: whether templates and exports have it; others are only understood.
    """

    key: str
    head: str
    clean: Cleaner
    export: Callable[[Any], object] = lambda row: None
    aliases: tuple[str, ...] = ()
    width: int = 12
    choices: tuple[str, ...] | None = None
    example: object = None
    required: bool = False
    hint: str | Promise = ""
    field: str = ""
    offered: bool = True


def chinese(labels: Iterable[tuple[str, Any]]) -> dict[str, str]:
    """Choices by value with their Chinese labels, whoever asks."""
    with translation.override("zh-hans"):
        return {value: str(label) for value, label in labels}


METHODS = chinese(Method.choices)
METHOD_NAMES: Mapping[str, tuple[str, ...]] = {
    Method.CENTRAL_HEATING: (
        "集中供暖", "集中", "接暖气", "暖气", "市政供热", "热力", "接热力", "大暖", "集中供热入户",
    ),
    Method.COAL_TO_ELECTRICITY: (
        "煤改电", "空气能", "空气源", "空气源热泵", "热泵", "空气能热泵", "空气源热泵热风机",
        "空气源热泵热水机", "空气源热泵热水机组", "电采暖", "电取暖",
        "电暖", "热风机", "热水机", "蓄热式电暖器", "电锅炉",
    ),
    Method.COAL_TO_GAS: (
        "煤改气", "天然气", "天然气壁挂炉", "燃气壁挂炉", "壁挂炉", "燃气", "气改", "天然气采暖",
    ),
    Method.INDUSTRIAL_WASTE_HEAT: (
        "余热", "工业余热供暖", "工业余热供热", "余热供暖", "利用工业余热", "电厂余热",
    ),
}  # fmt: skip
SITES = chinese(SiteKind.choices)
SITE_NAMES: Mapping[str, tuple[str, ...]] = {
    SiteKind.HOUSEHOLD: ("居民", "住户", "农户", "居民户", "民用"),
    SiteKind.SCHOOL: ("小学", "中学", "幼儿园"),
    SiteKind.NURSING_HOME: ("敬老院", "养老机构", "日间照料中心"),
    SiteKind.PUBLIC_BUILDING: (
        "公益单位", "公共建筑", "公建", "公共机构",
        "村委会", "居委会", "卫生室", "卫生所", "卫生院",
    ),
}  # fmt: skip
SOURCES = chinese(PositionSource.choices)
SOURCE_NAMES: Mapping[str, tuple[str, ...]] = {
    PositionSource.BROWSER: ("手机", "手机定位", "浏览器", "GPS", "WGS84", "WGS-84"),
    PositionSource.WECHAT: ("腾讯", "腾讯地图", "wechat"),
    PositionSource.AMAP: ("高德地图", "GCJ02", "GCJ-02", "amap"),
    PositionSource.BAIDU: ("百度地图", "BD09", "BD-09", "baidu"),
    PositionSource.RTK: ("RTK", "奥维", "奥维地图", "天地图"),
    PositionSource.UNKNOWN: ("不知道", "其他", "不详", "未知"),
}


def _kept(name: str, empty: object = None) -> Callable[[Household], object]:
    """The field as it stands; empty ones as an empty cell."""
    return lambda row: getattr(row, name) or empty


def _label(name: str, labels: Mapping[str, str]) -> Callable[[Household], object]:
    return lambda row: labels.get(getattr(row, name))


def _flag(name: str) -> Callable[[Household], object]:
    return lambda row: "是" if getattr(row, name) else "否"


def _number(name: str) -> Callable[[Household], object]:
    def export(row: Household) -> object:
        value = getattr(row, name)
        return None if value is None else float(value)

    return export


def town_of(row: Household) -> object:
    town = row.area.town
    return town.name if town else None


def village_of(row: Household) -> object:
    return row.area.name if row.area.level == Area.Level.VILLAGE else "（散户）"


def axis(n: int) -> Callable[[Any], object]:
    """A row's longitude (0) or latitude (1) in the system of its source, as 坐标来源 says it."""

    def export(row: Any) -> object:
        if row.longitude is None or row.latitude is None:
            return None
        return as_of_source(row.longitude, row.latitude, row.position_source)[n]

    return export


def _text(key: str, head: str, longest: int, *aliases: str, **options: Any) -> Column:
    return Column(
        key,
        head,
        cells.text(longest),
        _kept(key),
        aliases,
        field=key,
        **({"example": ""} | options),
    )


def _name(key: str, head: str, *aliases: str, **options: Any) -> Column:
    return Column(key, head, people.name, _kept(key), aliases, field=key, **options)


def _yes_no(key: str, head: str, *aliases: str, **options: Any) -> Column:
    choices = ("是", "否")
    return Column(
        key,
        head,
        partial(cells.yes_or_no, head=head),
        _flag(key),
        aliases,
        10,
        choices,
        field=key,
        **options,
    )


def step_day(kind: StepKind, head: str, *aliases: str) -> Column:
    """The day of a step of the path, for what was done before it was entered."""
    key = f"{kind}_on"
    hint = _("填 年-月-日；留空不登记这一步")
    return Column(key, head, cells.day, _kept(key), aliases, 13, None, date(2026, 9, 12), hint=hint)


NUMBER = Column(
    "number", "户编号", cells.code(12), _kept("number"),
    ("户号编号", "户籍编号", "编号", "改造户编号", "档案编号", "平台编号"),
    14, None, "", hint=_("新增的户留空，由平台编号；填了的按编号更新"),
)  # fmt: skip
TOWN = Column(
    "town", "镇（街道）", cells.text(40), town_of,
    (
        "镇（街道）名", "镇", "街道", "镇街", "乡镇", "乡镇（街道）", "镇街道", "所属镇（街道）",
        "改造主体", "所在镇（街道）", "镇办", "乡（镇）",
    ),
    16, example="钟家庄街道", required=True,
)  # fmt: skip
VILLAGE = Column(
    "village", "村（社区）", cells.text(40), village_of,
    (
        "村（社区）名", "村", "社区", "村社区", "村名", "行政村", "所属村（社区）", "村（居）",
        "村居", "所在村（社区）", "小区", "村（社区）名称", "村庄",
    ),
    16, example="洞头村", required=True, hint=_("散户填（散户）"),
)  # fmt: skip
DOOR = Column(
    "door", "门牌号", people.door, _kept("door"),
    (
        "门牌", "门牌号码", "门号", "住址", "详细地址", "房号", "楼栋房号", "户址", "地址",
        "家庭住址",
    ),
    18, example="示范巷 12 号", field="door",
)  # fmt: skip
HOUSEHOLDER = Column(
    "householder", "住户姓名", people.name, _kept("householder"),
    (
        "住户名字", "户主姓名", "用户姓名", "户主", "姓名", "住户", "户主名字", "户名", "用户名称",
        "改造户姓名", "农户姓名", "名字", "用户名",
    ),
    12, example="测试户甲", required=True, field="householder",
)  # fmt: skip
PHONE = Column(
    "phone", "联系电话", people.phone, lambda row: row.masked_phone or None,
    (
        "电话", "手机号", "手机", "手机号码", "电话号码", "联系方式", "联系人电话", "户主电话",
        "住户电话",
    ),
    16, example="13800000000", field="phone",
    hint=_("手机号 11 位，或 区号-号码；138****0000 表示不改"),
)  # fmt: skip
AREA = Column(
    "heated_area", "取暖面积", cells.square_metres, _number("heated_area"),
    ("供暖面积", "采暖面积", "供热面积", "面积", "建筑面积", "取暖面积（平方米）", "改造面积"),
    10, None, 92, field="heated_area", hint=_("单位 m²"),
)  # fmt: skip
LONGITUDE = Column(
    "longitude", "经度", coordinate, axis(0), ("东经", "安装位置经度", "经度坐标", "lng", "lon"),
    13, None, 112.8551,
)  # fmt: skip
LATITUDE = Column(
    "latitude", "纬度", coordinate, axis(1), ("北纬", "安装位置纬度", "纬度坐标", "lat"),
    13, None, 35.4903,
)  # fmt: skip
BOTH = Column(
    "position", "经纬度", coordinate,
    aliases=("安装位置经纬度", "坐标", "位置坐标", "地理坐标", "安装位置", "定位"), offered=False,
)  # fmt: skip
SOURCE = Column(
    "position_source", "坐标来源",
    cells.one_of(SOURCES, SOURCE_NAMES, _("没有这种坐标来源")),
    _label("position_source", SOURCES), ("定位方式", "坐标系", "坐标获取方式"),
    14, tuple(SOURCES.values()), SOURCES[PositionSource.BROWSER], field="position_source",
    hint=_("高德、百度、微信的坐标由平台换算"),
)  # fmt: skip
METHOD = Column(
    "method", "改造方式", cells.one_of(METHODS, METHOD_NAMES, _("没有这种改造方式")),
    _label("method", METHODS),
    ("改造类型", "取暖方式", "供暖方式", "清洁取暖方式", "采暖方式", "改造类别"),
    14, tuple(METHODS.values()), METHODS[Method.COAL_TO_ELECTRICITY], True, field="method",
)  # fmt: skip

# In the order of the notice's Annex 2 item 5 and the office's usage; devices stand between.
FIRST = (
    NUMBER, TOWN, VILLAGE, DOOR, HOUSEHOLDER, PHONE, AREA, LONGITUDE, LATITUDE, BOTH,
    SOURCE, METHOD,
)  # fmt: skip
OTHERS = (
    _text("place", "无门牌时的位置", 60, "位置说明", "具体位置", width=18),
    Column(
        "electricity_account", "用电户号", cells.account(20), _kept("electricity_account"),
        ("电表户号", "用电编号", "电费户号", "供电户号", "客户编号", "电表号"),
        16, None, "", field="electricity_account",
    ),
    Column(
        "other_phone", "备用电话", people.phone, lambda row: _masked(row.other_phone),
        ("其他电话", "第二电话", "备用联系电话", "联系电话2"), 16, None, "", field="other_phone",
    ),
    _name("applicant", "申请人", "申请人姓名"),
    _name("resident", "实际居住人", "实际住户", "居住人", "实际使用人"),
    _text("relation", "与户主关系", 20, "关系", "与户主的关系"),
    Column(
        "site_kind", "类别", cells.one_of(SITES, SITE_NAMES, _("没有这种类别")),
        _label("site_kind", SITES), ("用户类别", "户类别", "用户类型", "性质"), 12,
        tuple(SITES.values()), SITES[SiteKind.HOUSEHOLD], field="site_kind",
    ),
    _text("house_type", "户型结构", 40, "户型", "房屋结构", "结构"),
    Column(
        "rooms", "间数", cells.whole(0, 999, "间"), _kept("rooms"), ("房间数", "房屋间数"), 8,
        None, 3, field="rooms",
    ),
    _text("walls", "墙体", 40, "墙体情况", "墙体保温"),
    _text("windows", "门窗", 40, "门窗情况", "门窗保温"),
    Column(
        "accuracy_m", "定位精度（米）", cells.metres, _kept("accuracy_m"), ("定位精度", "精度"),
        12, field="accuracy_m", offered=False,
    ),
    _yes_no("in_demolition_plan", "列入拆迁", "是否列入拆迁", "拆迁", "是否拆迁"),
    Column(
        "demolition_on", "预计拆迁日期", cells.day, _kept("demolition_on"),
        ("拆迁日期", "预计拆迁时间"), 13, None, None, field="demolition_on",
    ),
    _yes_no("vacant", "空置", "是否空置"),
    _yes_no("seasonal", "季节性居住", "是否季节性居住"),
    _yes_no("in_network_area", "供热管网覆盖", "管网覆盖", "是否在供热管网覆盖范围"),
    Column(
        "year", "年度", cells.whole(2000, 2099, "年度", 2026), _kept("year"),
        ("改造年度", "任务年度", "年份"), 8, None, 2026, hint=_("留空为今年；以前年度的补录填当年"),
    ),
    step_day(StepKind.SURVEYED, "摸底登记日期", "摸底日期", "登记日期", "摸底时间"),
    step_day(StepKind.SIGNED, "合同日期", "签订协议日期", "签约日期", "协议日期", "合同签订日期"),
    step_day(StepKind.INSTALLED, "安装日期", "安装时间", "入户安装日期"),
    _text("note", "备注", 200, "说明", "其他说明", width=24),
)  # fmt: skip


def _masked(number: str) -> object:
    from households.phones import masked

    return masked(number) or None


HOUSEHOLD = Kind(
    "household",
    "改造户",
    (*FIRST, *OTHERS),
    needs=(("village", "town"), ("householder",)),
    sheet_names="village",
)


def register() -> None:
    """Put the households' table in; done once, when the app is ready."""
    KINDS[HOUSEHOLD.key] = HOUSEHOLD


def add(columns: Iterable[Column], after: str = "method") -> None:
    """Let the households' table have these columns too, behind the one named `after`."""
    kind = KINDS[HOUSEHOLD.key]
    at = [column.key for column in kind.columns].index(after) + 1
    new = (*kind.columns[:at], *columns, *kind.columns[at:])
    KINDS[HOUSEHOLD.key] = replace(kind, columns=new)
