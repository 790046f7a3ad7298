"""一户一档: the card of a household, and after it every paper of its file, as one PDF."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from django.db.models import Model
from django.utils.translation import gettext as _
from PIL import Image

from devices.docking import admission
from devices.models import HeatConnection, Installation
from households import cards, clock, vault
from households.archive import documents, papers
from households.models import Document, Household, Method, State, User
from households.path import standing

PERSON = ("householder", "applicant", "relation")
HOUSE = (
    "site_kind",
    "house_type",
    "rooms",
    "walls",
    "windows",
    "heated_area",
    "electricity_account",
    "position_source",
    "vacant",
    "seasonal",
    "in_demolition_plan",
    "in_network_area",
    "note",
)
INSTALLED = ("installed_on", "heated_area", "factory_number", "transmitter_number")
CONNECTED = (
    "station",
    "riser",
    "agreement_number",
    "agreement_on",
    "connected_on",
    "heated_on",
)
UNITS = {"heated_area": " m²"}
LARGEST_PX = 1600  # of a photo's longer side: 200 dots an inch on the sheet


def pdf(household: Household, *, reader: User, address: str) -> bytes:
    """The whole file of `household` in archive order.

    Papers that `reader` may not see are left out; `address` is the begin of this platform's
    addresses, for the QR. Phones are printed masked. Raises papers.NoFont where the letters are
    not installed.
    """
    contents, attached = _contents(household, reader)
    facts = {
        "title": _("改造户档案卡"),
        "number": household.number,
        "state": str(State(household.state).label),
        "office": reader.office,
        "as_of": f"{clock.now().astimezone(clock.SHANGHAI):%Y-%m-%d %H:%M}",
        "sections": [_person(household), _house(household), _heating(household)],
        "steps": _steps(household),
        "contents": contents,
        "qr": "qr.svg",
    }
    attached["qr.svg"] = cards.qr(household, address)
    facts["digest"] = papers.digest(facts, attached)
    return papers.typeset("card", facts, attached)


# -- what the card says ---------------------------------------------------------------------


def _person(home: Household) -> dict[str, Any]:
    town = home.area.town
    rows = [
        *_rows(home, PERSON),
        [_("实际居住人"), home.resident or home.householder + _("（本人）")],
        [_("联系电话"), home.masked_phone],
        [_("镇（街道）"), town.name if town else ""],
        [_("村（社区）"), home.area.as_village],
        [_("门牌号"), home.door or home.place],
    ]
    return {"name": _("住户"), "rows": rows, "nothing": ""}


def _house(home: Household) -> dict[str, Any]:
    rows = [
        [_("年度"), str(home.year)],
        [_("改造方式"), home.get_method_display()],
        *_rows(home, HOUSE),
        [_("经纬度"), _position(home)],
    ]
    return {"name": _("房屋与改造"), "rows": rows, "nothing": ""}


def _heating(home: Household) -> dict[str, Any]:
    """The unit, with the twelve values of Annex 2 item 5, or the connection to the network."""
    if not Method(home.method).has_unit:
        connection = HeatConnection.objects.filter(household=home).first()
        rows = _rows(connection, CONNECTED) if connection else []
        return {"name": _("入网"), "rows": rows, "nothing": _("还没有入网记录。")}
    records = Installation.objects.standing().filter(household=home)
    record = records.select_related("unit__model__supplier").first()
    rows = _unit(record) if record else []
    return {"name": _("安装与机组"), "rows": rows, "nothing": _("还没有安装记录。")}


def _unit(record: Installation) -> list[list[str]]:
    model = record.unit.model
    return [
        [_("设备厂商名称"), model.supplier.name],
        [_("设备名称"), model.name],
        [_("设备型号"), model.code],
        [_("网络地址"), str(record.unit.network_address or "")],
        *_rows(record, INSTALLED),
        [_("数据对接确认书"), _confirmation(record)],
        [_("安装位置经纬度"), _position(record)],
    ]


def _confirmation(record: Installation) -> str:
    """The number of the confirmation under which the unit was put in."""
    found = admission.confirmation_under(record)
    return f"{found.issuer} {found.number}" if found else _("没有")


def _rows(row: Model, fields: Sequence[str]) -> list[list[str]]:
    names = {field.name: field.verbose_name for field in row._meta.fields}
    return [[str(names[field]), _said(row, field)] for field in fields]


def _said(row: Model, name: str) -> str:
    value = getattr(row, name)
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return _("是") if value else _("否")
    display = getattr(row, f"get_{name}_display", None)
    return f"{display() if display else value}{UNITS.get(name, '')}"


def _position(row: Household | Installation) -> str:
    return "" if row.latitude is None else f"{row.latitude:.5f}, {row.longitude:.5f}"


def _steps(home: Household) -> list[dict[str, str]]:
    taken = {step.kind: step for step in home.steps.select_related("recorded_by__area")}
    return [
        {
            "name": str(one.kind.label),
            "on": f"{one.on:%Y-%m-%d}" if one.on else "—",
            "said": _("；").join(one.lacks),
            "by": f"{taken[one.kind].recorded_by.office} {taken[one.kind].recorded_by}"
            if one.on and one.kind in taken
            else "",
        }
        for one in standing(home)
    ]


# -- what lies in the file ------------------------------------------------------------------


def _contents(home: Household, reader: User) -> tuple[list[dict[str, Any]], dict[str, bytes]]:
    rows: list[dict[str, Any]] = []
    attached: dict[str, bytes] = {}
    for n, entry in enumerate(documents.contents(home, reader)):
        paper, said = entry.document, entry.said
        pictures = _pictures(paper, f"paper-{n}", attached) if paper else []
        if paper and not pictures:
            said = _("不能并入，见原件")
        rows.append(
            {
                "name": str(entry.label),
                "on": f"{paper.on:%Y-%m-%d}" if paper else "—",
                "pages": str(paper.pages) if paper else "—",
                "said": str(said),
                "label": f"paper-{n}" if pictures else "",
                "pictures": pictures,
            }
        )
    return rows, attached


def _pictures(paper: Document, name: str, attached: dict[str, bytes]) -> list[dict[str, str | int]]:
    """Each page of a paper as a picture for the sheets that follow the card."""
    with vault.open(paper.file) as file:
        content = file.read()
    if paper.is_photo:
        attached[f"{name}.jpg"] = _on_paper(content)
        return [{"file": f"{name}.jpg", "page": 1}]
    if not papers.can_carry(content):
        return []
    attached[f"{name}.pdf"] = content
    return [{"file": f"{name}.pdf", "page": page + 1} for page in range(paper.pages)]


def _on_paper(photo: bytes) -> bytes:
    """A photo as large as a sheet can show: a file of fifty would not be sent otherwise."""
    with Image.open(io.BytesIO(photo)) as image:
        image.thumbnail((LARGEST_PX, LARGEST_PX))
        small = io.BytesIO()
        image.convert("RGB").save(small, "JPEG", quality=85)
    return small.getvalue()
