"""What the database refuses of applications for docking and of confirmations."""

from __future__ import annotations

import secrets
from datetime import date
from typing import Any

from devices.models import Confirmation, DockingApplication
from tests import cast as make
from tests.cast import Cast
from tests.constraints import Case

DAY = date(2026, 11, 1)


def apply(cast: Cast, **changes: Any) -> DockingApplication:
    """An application of 晨暖, complete but for `changes`."""
    model = cast.water.model
    fields: dict[str, Any] = {
        "year": 2026,
        "serial": 900,
        "supplier": model.supplier,
        "model": model,
        "register_map": cast.water.register_map,
        "made_by": cast.supplier_member,
        "made_at": make.SERVICE_BEGAN,
    }
    return DockingApplication.objects.create(**fields | changes)


def application(**changes: Any) -> Case:
    return lambda cast: apply(cast, **changes)


def confirm(cast: Cast, **changes: Any) -> Confirmation:
    """A confirmation in the signing, tested and signed by two people, but for `changes`."""
    judged = {"state": "issued", "test_digest": "0" * 64, "tested_by": cast.tester}
    fields: dict[str, Any] = {
        "code": secrets.token_hex(16),
        "number": "测试〔2026〕1 号",
        "issuer": "测试单位",
        "maker": "晨暖（虚构）",
        "model": cast.water.model,
        "register_map": cast.water.register_map,
        "test_digest": "0" * 64,
        "issued_on": DAY,
        "valid_from": DAY,
        "valid_until": DAY,
        "tester": cast.tester,
        "signer": cast.service_unit,
        "made_at": make.SERVICE_BEGAN,
    }
    if "application" not in changes:
        fields["application"] = apply(cast, serial=901, **judged)
    return Confirmation.objects.create(**fields | changes)


def confirmation(**changes: Any) -> Case:
    return lambda cast: confirm(cast, **changes)


def two_of_a_number(cast: Cast) -> None:
    for _ in range(2):
        confirm(cast, origin="city", application=None)


def two_of_a_serial(cast: Cast) -> None:
    for _ in range(2):
        apply(cast)


def one_sample_twice(cast: Cast) -> None:
    apply(cast, sample=cast.water, second_sample=cast.water)


def unknown_act(cast: Cast) -> None:
    apply(cast).acts.create(state="lost", on=DAY, by=cast.tester, at=make.SERVICE_BEGAN)


def unknown_act_of_a_confirmation(cast: Cast) -> None:
    confirm(cast).acts.create(state="lost", by=cast.tester, at=make.SERVICE_BEGAN)


def signed_by_the_tester(cast: Cast) -> None:
    confirm(cast, signer=cast.tester)


CASES: list[tuple[str, Case]] = [
    ("docking_number_once", two_of_a_serial),
    ("docking_state_known", application(state="lost")),
    ("docking_samples_are_two", one_sample_twice),
    ("docking_judged_with_its_report", application(state="passed")),
    ("docking_judged_with_its_report", application(state="failed", test_digest="0" * 64)),
    ("docking_act_state_known", unknown_act),
    ("confirmation_number_once", two_of_a_number),
    ("confirmation_state_known", confirmation(state="lost", paper="0" * 32)),
    ("confirmation_origin_known", confirmation(origin="moon")),
    ("confirmation_ends_after_it_begins", confirmation(valid_until=date(2026, 10, 31))),
    ("confirmation_of_two_people", signed_by_the_tester),
    ("confirmation_own_is_tested", confirmation(test_digest="")),
    ("confirmation_own_is_tested", confirmation(tester=None)),
    ("confirmation_own_is_tested", confirmation(register_map=None)),
    ("confirmation_own_is_tested", confirmation(application=None)),
    ("confirmation_valid_with_its_paper", confirmation(state="valid")),
    ("confirmation_act_state_known", unknown_act_of_a_confirmation),
]
