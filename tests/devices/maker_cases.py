"""What the database refuses of makers, their models and their papers."""

from __future__ import annotations

from datetime import date
from typing import Any

from devices.models import DeviceModel, MakerPaper
from tests import cast as make
from tests.cast import Cast
from tests.constraints import Case

PAPER: dict[str, Any] = {
    "content_type": "application/pdf",
    "size": 1,
    "digest": "0" * 64,
    "file": "0" * 32,
    "added_at": make.SERVICE_BEGAN,
    "valid_until": date(2027, 10, 31),
}


def model(**changes: Any) -> Case:
    """One more device model of 晨暖, complete but for `changes`."""
    fields = {"name": "热泵", "code": "CN-X", "kind": "ashp_water", "medium": "water"} | changes
    return lambda cast: DeviceModel.objects.create(supplier=cast.water.model.supplier, **fields)


def licence(number: str) -> Case:
    def write(cast: Cast) -> None:
        maker = cast.water.model.supplier
        maker.licence_number = number
        maker.save()

    return write


def paper(kind: str, *, of_the_model: bool = True, **changes: Any) -> Case:
    """A paper of 晨暖, complete but for `changes`."""
    return lambda cast: MakerPaper.objects.create(
        supplier=cast.water.model.supplier,
        model=cast.water.model if of_the_model else None,
        kind=kind,
        added_by=cast.supplier_member,
        **PAPER | changes,
    )


CASES: list[tuple[str, Case]] = [
    ("supplier_licence_of_18_signs", licence("91140500")),
    ("supplier_licence_of_18_signs", licence("91140500ma0kxxxx1a")),
    ("model_code_once_per_supplier", model(code="CN-W10")),
    ("model_kind_known", model(kind="stove")),
    ("model_medium_known", model(medium="sand")),
    ("model_energy_grade_range", model(energy_grade=0)),
    ("model_energy_grade_range", model(energy_grade=6)),
    ("model_gas_boiler_of_grade_2", model(kind="gas_boiler", energy_grade=3)),
    ("maker_paper_kind_known", paper("poem")),
    ("maker_paper_of_company_or_model", paper("licence")),
    ("maker_paper_of_company_or_model", paper("manual", of_the_model=False)),
    ("maker_paper_ends_after_it_begins", paper("insurance", valid_from=date(2027, 11, 1))),
    ("maker_paper_gating_is_dated", paper("certificate", valid_until=None)),
    ("maker_paper_gating_is_dated", paper("insurance", valid_until=None)),
    ("maker_paper_withdrawn_with_reason", paper("manual", withdrawn_why="传错了")),
    (
        "maker_paper_withdrawn_with_reason",
        paper("manual", withdrawn_at=make.SERVICE_BEGAN),
    ),
]
