"""The demonstration's docking: what the makers brought, what was confirmed, what is under way.

The two models that stand in the houses were confirmed the winter before; one of the confirmations
ends soon. Other models wait at every stage of an application, one of them at the test bench: two
simulated samples behind a transmitter of their own.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from hashlib import sha256
from typing import Any

from PIL import Image

from devices.docking import applications, confirmations
from devices.makers import credit_code, papers
from devices.models import (
    GATING,
    Confirmation,
    ConfirmationState,
    DeviceKind,
    DeviceModel,
    DockingApplication,
    DockingState,
    Gateway,
    MakerPaperKind,
    Medium,
    RegisterMap,
    Supplier,
)
from heating_platform.demonstration import people
from heating_platform.demonstration.farm import AIR_FILE, LINE_WORKER, MAPS, SAMPLES, WATER_FILE
from households import clock
from households.models import Notification, User
from telemetry.docking import runs, samples

CONFIRMED = (12, 10)  # of the year before: ahead of the first unit of this one
ENDS_SOON = timedelta(days=25)
SOAK_S = 1800  # a visitor sees its end
UNREAD_FOR = timedelta(days=3)  # people here have read what came before
S = DockingState
WAY = (S.SUBMITTED, S.RECEIVED, S.TESTING, S.PASSED)
BRANCHES = {
    S.RETURNED: (S.SUBMITTED, S.RETURNED),
    S.FAILED: (*WAY[:3], S.FAILED),
    S.WITHDRAWN: (S.SUBMITTED, S.WITHDRAWN),
}
REASONS = {S.RETURNED: "协议文件缺报警码一页，请补齐", S.WITHDRAWN: "改报新批次主控板"}
BY_MAKER = (S.SUBMITTED, S.WITHDRAWN)
OF_A_MODEL = {
    MakerPaperKind.CERTIFICATE: "演示认证机构",
    MakerPaperKind.INSURANCE: "演示保险公司",
    MakerPaperKind.MANUAL: "",
    MakerPaperKind.PARAMETERS: "",
    MakerPaperKind.PERFORMANCE: "演示检测机构",
    MakerPaperKind.COMMITMENT: "",
}


@dataclass(frozen=True)
class Asked:
    """A model that is not confirmed yet: how far its application has come, begun how long ago."""

    maker: str
    code: str
    state: DockingState
    days_ago: int

    @property
    def is_water(self) -> bool:
        return self.maker == people.WATER_MAKER


AT_BENCH = Asked(people.WATER_MAKER, "CN-W14", S.RECEIVED, 6)
UNDER_WAY = (
    Asked(people.WATER_MAKER, "CN-W06", S.DRAFT, 1),
    Asked(people.WATER_MAKER, "CN-W20", S.FAILED, 12),
    Asked(people.WATER_MAKER, "CN-W08", S.WITHDRAWN, 40),
    Asked(people.AIR_MAKER, "AirBox-2P", S.SUBMITTED, 2),
    Asked(people.AIR_MAKER, "AirBox-5P", S.RETURNED, 4),
    Asked(people.AIR_MAKER, "AirBox-4P", S.RECEIVED, 5),
    Asked(people.AIR_MAKER, "AirBox-3PS", S.PASSED, 9),
)


def confirm(makers: dict[str, Supplier], accounts: dict[str, User]) -> None:
    """Papers and confirmations of the models that stand in the houses, with the days they had."""
    with _on(date(clock.today().year - 1, *CONFIRMED)):
        for n, maker in enumerate(makers.values()):
            by = _maker_person(maker, accounts)
            _introduce(maker, n)
            _add(maker, None, MakerPaperKind.LICENCE, by, number=maker.licence_number)
            for model in maker.device_models.all():
                _describe(model)
                _bring(model, by)
                _confirm(model, accounts)


def _confirm(model: DeviceModel, accounts: dict[str, User]) -> None:
    application = _draft(model, accounts)
    for state in WAY:
        _take(application, state, accounts)
    until = date(clock.today().year + 2, *CONFIRMED)
    confirmations.issue(application, by=accounts["qianfa"], valid_until=until)


@contextmanager
def in_force() -> Iterator[None]:
    """Within it the confirmations count, as they did when the units were put in; after it they
    wait for the worker, which alone can sign them."""
    waiting = Confirmation.objects.filter(state=ConfirmationState.SIGNING)
    held = list(waiting.values_list("pk", flat=True))
    waiting.update(state=ConfirmationState.VALID, paper="-")
    yield
    ours = Confirmation.objects.filter(pk__in=held)
    ours.update(state=ConfirmationState.SIGNING, paper="")
    soon = ours.filter(model__supplier__name=people.AIR_MAKER)
    soon.update(valid_until=clock.today() + ENDS_SOON)


def ask(makers: dict[str, Supplier], accounts: dict[str, User]) -> None:
    """The applications under way, and the sample at the bench with its test begun."""
    for asked in UNDER_WAY:
        _ask(asked, makers[asked.maker], accounts)
    _put_on_the_bench(_ask(AT_BENCH, makers[AT_BENCH.maker], accounts), accounts["pingtai"])
    long_ago = clock.now() - UNREAD_FOR
    Notification.objects.filter(at__lt=long_ago).update(read_at=clock.now())


def _ask(asked: Asked, maker: Supplier, accounts: dict[str, User]) -> DockingApplication:
    begun = clock.today() - timedelta(days=asked.days_ago)
    with _on(begun):
        model = _model(asked, maker)
        _bring(model, _maker_person(maker, accounts))
        application = _draft(model, accounts)
    for n, state in enumerate(_way(asked.state)):
        with _on(begun + timedelta(days=min(n, asked.days_ago - 1))):
            _take(application, state, accounts)
    return application


def _way(last: DockingState) -> tuple[DockingState, ...]:
    """The steps of an application that has come to `last`."""
    if last in BRANCHES:
        return BRANCHES[last]
    return WAY[: WAY.index(last) + 1] if last in WAY else ()


def _put_on_the_bench(application: DockingApplication, tester: User) -> None:
    """Two units behind one transmitter; the worker begins as soon as the platform runs."""
    first, second = SAMPLES
    Gateway.objects.create(
        url=first.url,
        kind=Gateway.Kind.DIAL,
        name=f"{application.model} 样机",
        line_worker=LINE_WORKER,
        trusted=True,
        proven_by=Gateway.Proof.PRIVATE_NETWORK,
    )
    samples.connect(
        application,
        tester,
        address=first.address,
        transmitter=first.transmitter,
        second_address=second.address,
        line_worker=LINE_WORKER,
    )
    runs.queue_all(runs.start(application, tester, soak_s=SOAK_S), tester)


# -- what a maker brings -------------------------------------------------------------------


def _introduce(maker: Supplier, n: int) -> None:
    """Licence, office and service team: nobody's."""
    first = f"91140500DEM{n + 1:06d}"
    maker.licence_number = first + credit_code.check_sign(first)
    maker.office = f"城区示范巷 {901 + n} 号"
    maker.service_head = people.name(700 + n)
    maker.service_phone = people.phone(8001 + n)
    maker.service_people = 6 + 2 * n
    maker.save()


def _describe(model: DeviceModel) -> None:
    """The parameters on its plate."""
    water = model.medium == Medium.WATER
    model.capacity_kw, model.design_temp = (10, -12) if water else (4, -12)
    model.lowest_temp, model.voltage, model.frequency, model.energy_grade = -25, 220, 50, 1
    model.material = "紫铜" if water else ""
    model.standards = "GB/T 25127.2" if water else "JB/T 13573"
    model.save()


def _model(asked: Asked, maker: Supplier) -> DeviceModel:
    kind = DeviceKind.ASHP_WATER if asked.is_water else DeviceKind.ASHP_AIR
    file = WATER_FILE if asked.is_water else AIR_FILE
    model = DeviceModel.objects.create(
        supplier=maker,
        code=asked.code,
        name=str(kind.label),
        kind=kind,
        medium=Medium.WATER if asked.is_water else Medium.AIR,
    )
    _describe(model)
    RegisterMap.objects.add(model, (MAPS / file).read_bytes(), file)
    return model


def _bring(model: DeviceModel, by: User) -> None:
    """The model's papers, in force from that day on."""
    today = clock.today()
    for kind, issuer in OF_A_MODEL.items():
        dated = kind in GATING
        _add(
            model.supplier,
            model,
            kind,
            by,
            issuer=issuer,
            number=f"SF-{model.code}-{kind.value}" if dated else "",
            valid_from=today if dated else None,
            valid_until=date(today.year + 3, 12, 31) if dated else None,
        )


def _add(
    maker: Supplier, model: DeviceModel | None, kind: MakerPaperKind, by: User, **said: Any
) -> None:
    papers.add(maker, _picture(), by=by, model=model, kind=kind, **said)


def _picture() -> io.BytesIO:
    """A sheet on a desk; nothing can be read on it."""
    sheet = Image.new("RGB", (320, 240), "#C9D2DA")
    sheet.paste("white", (90, 20, 230, 220))
    file = io.BytesIO()
    sheet.save(file, "JPEG")
    file.seek(0)
    return file


# -- an application on its way -------------------------------------------------------------


def _draft(model: DeviceModel, accounts: dict[str, User]) -> DockingApplication:
    water = model.medium == Medium.WATER
    return applications.draft(
        model,
        model.register_maps.order_by("-version")[0],
        by=_maker_person(model.supplier, accounts),
        board="CNB-4" if water else "AB-M2",
        board_version="2.1",
        firmware="3.07",
        transmitter_model="SF-DTU-1",
        protocol=f"{model.code} 通讯协议",
        protocol_version="1.2",
        board_number=f"SF-{model.code}",
    )


def _take(application: DockingApplication, state: DockingState, accounts: dict[str, User]) -> None:
    tester = accounts["pingtai"]
    if state in (S.PASSED, S.FAILED):
        # Tested on paper only: the report is not in the platform, its digest is that of its number.
        application.test_digest = sha256(application.number.encode()).hexdigest()
        application.tested_by = tester
    by = _maker_person(application.supplier, accounts) if state in BY_MAKER else tester
    applications.take(application, state, by=by, reason=REASONS.get(state, ""))


def _maker_person(maker: Supplier, accounts: dict[str, User]) -> User:
    return accounts["chennuan" if maker.name == people.WATER_MAKER else "beiyue"]


@contextmanager
def _on(day: date) -> Iterator[None]:
    """That day's forenoon."""
    with clock.at(min(datetime.combine(day, time(10), clock.SHANGHAI), clock.now())):
        yield
