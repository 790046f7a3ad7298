"""Confirmations: issued by a second person, signed by the worker, suspended, restored, revoked,
superseded; or those of the city's platform, entered with number, issuer and scan.

A confirmation covers one model with the board, firmware, transmitter and register map that were
tested. A newer one of the model supersedes it; what it covered that is installed stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import date, timedelta
from typing import IO, Any

from celery import current_app
from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from kombu.exceptions import OperationalError

from devices.docking import admission, applications, codes
from devices.docking.applications import DockingRefused
from devices.makers import access
from devices.models import (
    Confirmation,
    ConfirmationAct,
    ConfirmationState,
    DeviceModel,
    DockingApplication,
    DockingState,
)
from households import clock, notifications, vault
from households.archive import incoming
from households.language import as_kept
from households.models import FilePurpose, User

S = ConfirmationState
# What telemetry knows of a test: a sentence for each thing that could not be proven, and rows of
# what was tested and how long. Filled at AppConfig.ready().
CONDITIONS: list[Callable[[DockingApplication], list[str]]] = []
FIGURES: list[Callable[[DockingApplication], list[tuple[str, str]]]] = []
# The keys of the people who had a hand in a test. Filled at AppConfig.ready().
TESTERS: list[Callable[[DockingApplication], set[int]]] = []
NEXT: dict[str, set[ConfirmationState]] = {
    S.VALID: {S.SUSPENDED, S.REVOKED},
    S.SUSPENDED: {S.VALID, S.REVOKED},
}
SIGNED_WITHIN = timedelta(minutes=5)
STANDING = (S.VALID, S.SUSPENDED)
LOCK = 0x636F6E66  # numbers are given one after the other


def of_code(typed: str) -> Confirmation | None:
    """The confirmation of a code, however it was typed; None where there is none, or it is not
    signed yet."""
    code = codes.read(typed)
    rows = Confirmation.objects.select_related("model__supplier", "register_map")
    return rows.exclude(state=S.SIGNING).filter(code=code).first() if code else None


# -- issuing -------------------------------------------------------------------------------


@transaction.atomic
def issue(
    application: DockingApplication,
    *,
    by: User,
    valid_until: date,
    conditions: Iterable[str] = (),
) -> Confirmation:
    """A confirmation of what passed, from today on; the worker signs it as soon as this commits.

    `conditions` stand beside those that the test itself brought. Raises DockingRefused: who
    tested does not sign, and what was changed since is tested anew.
    """
    today = clock.today()
    held = DockingApplication.objects.select_for_update(of=("self",)).get(pk=application.pk)
    if has_tested(by, held):
        raise DockingRefused(_("测试人不能签发自己测试的确认书：请由另一位同事签发"))
    if not settings.SERVICE_UNIT:
        raise DockingRefused(_("平台没有设置出具单位名称（SERVICE_UNIT）：请联系系统管理员"))
    if not settings.PUBLIC_URL:
        raise DockingRefused(
            _("平台没有设置公开网址（PUBLIC_URL），二维码无处可指：请联系系统管理员")
        )
    if valid_until < today:
        raise DockingRefused(_("有效期不能早于今天"))
    _refuse_what_was_changed(held)
    made = Confirmation.objects.create(
        code=codes.draw(),
        number=_next_number(today.year),
        issuer=settings.SERVICE_UNIT,
        application=held,
        maker=held.supplier.name,
        model=held.model,
        register_map=held.register_map,
        board=held.board,
        board_version=held.board_version,
        firmware=held.firmware,
        transmitter_model=held.transmitter_model,
        test_digest=held.test_digest,
        conditions=[*of_the_test(held), *conditions],
        issued_on=today,
        valid_from=today,
        valid_until=valid_until,
        tester=held.tested_by,
        signer=by,
        made_at=clock.now(),
    )
    _keep(made, S.SIGNING, by)
    applications.take(held, DockingState.ISSUED, by=by)
    transaction.on_commit(_ask_for_signature)
    return made


def has_tested(user: User, application: DockingApplication) -> bool:
    """Whether the user judged the test, or had a hand in it: a colleague signs."""
    return user.pk in _testers(application)


def signers(application: DockingApplication) -> list[User]:
    """Who of the platform service unit may sign, as things stand: all who have kept out of the
    test."""
    return list(applications.service_unit().exclude(pk__in=_testers(application)))


def _testers(application: DockingApplication) -> set[int]:
    made = {pk for hook in TESTERS for pk in hook(application)}
    return made | ({application.tested_by_id} if application.tested_by_id else set())


def of_the_test(application: DockingApplication) -> list[str]:
    """What the test could not prove, as conditions of use."""
    return [sentence for hook in CONDITIONS for sentence in hook(application)]


def _refuse_what_was_changed(application: DockingApplication) -> None:
    if application.state != DockingState.PASSED:
        words = {"state": application.get_state_display()}
        raise DockingRefused(_("申请现在是“%(state)s”：测试通过后才能出具确认书") % words)
    sample = application.sample
    if sample and sample.register_map_id != application.register_map_id:
        raise DockingRefused(_("样品测试时用的不是申请的点表：须重新测试"))


def _next_number(year: int) -> str:
    """The next 文号 of the year. A number once given is not given again."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    own = Confirmation.objects.filter(origin=Confirmation.Origin.OWN)
    serial = own.filter(issued_on__year=year).count()
    taken = set(own.filter(issuer=settings.SERVICE_UNIT).values_list("number", flat=True))
    number = ""
    while not number or number in taken:
        serial += 1
        number = settings.CONFIRMATION_NUMBER.format(year=year, serial=serial)
    return number


def _ask_for_signature() -> None:
    """By name: the signer is the worker's and not loaded here. Where the broker is away, the
    scheduler comes by."""
    with suppress(OperationalError):
        current_app.send_task("devices.sign_confirmations", retry=False, expires=60)


@transaction.atomic
def enter_city(model: DeviceModel, scan: IO[bytes], *, by: User, **said: Any) -> Confirmation:
    """A confirmation of the city's platform, with the scan that was brought.

    `said` are number, issuer, issued_on, valid_from, valid_until, and what it covers where it says
    so. Raises DockingRefused, incoming.FileRefused, vault.VaultRefused.
    """
    if not by.tests_docking:
        raise DockingRefused(_("市平台的确认书由平台服务单位核对原件后录入"))
    paper, content_type = _kept_scan(scan)
    made = Confirmation.objects.create(
        code=codes.draw(),
        origin=Confirmation.Origin.CITY,
        maker=model.supplier.name,
        model=model,
        state=S.VALID,
        signer=by,
        paper=paper,
        paper_type=content_type,
        made_at=clock.now(),
        **said,
    )
    _keep(made, S.VALID, by)
    _came_into_force(made, by)
    return made


# -- what becomes of it --------------------------------------------------------------------


def waiting() -> list[int]:
    """Those whose signature is still to be made, the oldest first."""
    rows = Confirmation.objects.filter(state=S.SIGNING).order_by("pk")
    return list(rows.values_list("pk", flat=True))


def waiting_long() -> QuerySet[Confirmation]:
    """Those that should have been signed by now: whoever runs the platform has to look."""
    return Confirmation.objects.filter(state=S.SIGNING, made_at__lt=clock.now() - SIGNED_WITHIN)


@transaction.atomic
def sign(pk: int, make: Callable[[Confirmation], bytes]) -> bool:
    """Let the confirmation be valid with the signed paper that `make` gives; False where it is
    done already, or another worker is at it."""
    rows = Confirmation.objects.select_for_update(skip_locked=True, of=("self",))
    one = rows.filter(pk=pk, state=S.SIGNING).first()
    if one is None:
        return False
    one.paper = vault.put(make(one), purpose=FilePurpose.DOCUMENT)
    one.paper_type, one.state = incoming.PDF, S.VALID
    one.save(update_fields=["paper", "paper_type", "state"])
    _keep(one, S.VALID, one.signer)
    _came_into_force(one, one.signer)
    return True


def _came_into_force(confirmation: Confirmation, by: User) -> None:
    supersede_older(confirmation, by)
    if confirmation.state == S.VALID:  # else it came late, and the maker was told what stands
        _tell(confirmation, S.VALID, "")
    admission.papers_came(confirmation.model)


@transaction.atomic
def change(
    confirmation: Confirmation, state: ConfirmationState, *, by: User, reason: str
) -> ConfirmationAct:
    """Suspend, restore or revoke. Raises DockingRefused.

    New installations stop (or may go on) at once; those that stand are left as they are.
    """
    state = ConfirmationState(state)
    held = Confirmation.objects.select_for_update(of=("self",)).get(pk=confirmation.pk)
    if not by.tests_docking or state not in NEXT.get(held.state, set()):
        words = {"now": held.get_state_display(), "next": state.label}
        raise DockingRefused(_("确认书现在是“%(now)s”，您的账号这时不能改为“%(next)s”") % words)
    if not reason:
        raise DockingRefused(_("请写明原因"))
    return _changed(confirmation, state, by, reason)


def _changed(
    confirmation: Confirmation, state: ConfirmationState, by: User, reason: str
) -> ConfirmationAct:
    confirmation.state = state
    confirmation.save(update_fields=["state"])
    act = _keep(confirmation, state, by, reason)
    _tell(confirmation, state, reason)
    if state == S.VALID:
        admission.papers_came(confirmation.model)
    return act


def supersede_older(newer: Confirmation, by: User) -> None:
    """One confirmation stands for a model: that which was issued last, once it is in force, be it
    signed or entered before the other. Of two that are signed at once the second waits here, and
    finds the first."""
    hold(newer.model_id)
    others = Confirmation.objects.filter(model=newer.model, origin=newer.origin)
    standing = others.filter(state__in=STANDING).exclude(pk=newer.pk)
    for one in standing.select_for_update(of=("self",)):
        earlier, later = sorted((one, newer), key=lambda which: (which.issued_on, which.pk))
        if later.valid_from <= clock.today() <= later.valid_until:
            said = {"number": later.number}
            why = as_kept(_lazy("由 %(number)s 替代")) % said
            _changed(earlier, S.SUPERSEDED, by, why)


def hold(model: int) -> None:
    """Until the transaction ends nobody else lets a confirmation of this model supersede."""
    DeviceModel.objects.select_for_update(no_key=True).get(pk=model)


@transaction.atomic
def stamp(confirmation: Confirmation, scan: IO[bytes], *, by: User) -> None:
    """Keep the scan of the letter as it was printed and sealed. Raises DockingRefused,
    incoming.FileRefused, vault.VaultRefused."""
    if not by.tests_docking or confirmation.state == S.SIGNING:
        raise DockingRefused(_("盖章扫描件由平台服务单位在签发后上传"))
    held = Confirmation.objects.select_for_update(of=("self",)).get(pk=confirmation.pk)
    before = held.stamped
    confirmation.stamped, confirmation.stamped_type = _kept_scan(scan)
    confirmation.save(update_fields=["stamped", "stamped_type"])
    if before:
        vault.remove(before)  # once this commits


def _kept_scan(scan: IO[bytes]) -> tuple[str, str]:
    """Name in the vault and content type."""
    taken = incoming.taken(incoming.whole(scan))
    return vault.put(taken.data, purpose=FilePurpose.DOCUMENT), taken.content_type


def _keep(
    confirmation: Confirmation, state: ConfirmationState, by: User, reason: str = ""
) -> ConfirmationAct:
    return confirmation.acts.create(state=state, reason=reason, by=by, at=clock.now())


# -- words ---------------------------------------------------------------------------------


def title() -> str:
    """What the paper is called: a confirmation of the appointed platform, else a report."""
    return _("数据对接确认书") if settings.APPOINTED_PLATFORM else _("数据对接测试报告")


def _tell(confirmation: Confirmation, state: ConfirmationState, reason: str) -> None:
    """The maker, whose model it is."""
    people = access.people(confirmation.model.supplier)
    notifications.tell(people, lambda: _told(confirmation, state, reason), path(confirmation))


def _told(confirmation: Confirmation, state: ConfirmationState, reason: str) -> str:
    words: Mapping[str, object] = {
        "number": confirmation.number,
        "model": confirmation.model.code,
        "state": state.label,
        "reason": reason,
    }
    if reason:
        return _("%(number)s（%(model)s）：%(state)s。%(reason)s") % words
    return _("%(number)s（%(model)s）：%(state)s。") % words


def path(confirmation: Confirmation) -> str:
    """The confirmation's own page."""
    return reverse("confirmation", args=[confirmation.uid])


def public_address(confirmation: Confirmation) -> str:
    """What its QR says."""
    place = reverse("public_confirmation", args=[confirmation.code])
    return settings.PUBLIC_URL.rstrip("/") + place
