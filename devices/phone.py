"""The installer's form for the phone, and what its queue asks of the server.

The page itself holds nothing of anybody: it may be kept by a service worker. What is personal (the
assigned households, entries under way) comes by `install_work` and lies in the browser's database
under the account's own key. Entries come by `install_entries`, each known by its uid.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from functools import wraps
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_not_required, login_required
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.templatetags.static import static
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from devices import installing
from devices.installation_form import InstallationForm, choices
from devices.installing import InstallationRefused
from devices.models import Assignment, Installation
from devices.phone_words import words
from devices.reach import NETWORK
from devices.work_list import STAGE, STAGES, as_read, work_of
from households import clock
from households.archive import documents
from households.archive.incoming import FileRefused
from households.models import DocumentKind, Household, User
from households.models.accounts import OF_A_SUPPLIER
from households.requests import SignedIn

SHOWN = 500  # households of one list: a town's may be long, an installer's is not
PHOTOS = 6
FILES = ("vendor/tabler.min.css", "look.css", "install.js", "icon.svg")
# A script imports these by their plain names.
MODULES = ("elements.js", "entry.js", "queue.js", "choices.js")

REASONS = (
    _lazy("抄错编号"),
    _lazy("型号选错"),
    _lazy("位置不准"),
    _lazy("面积不准"),
    _lazy("日期写错"),
)
View = Callable[[SignedIn], HttpResponse]


def answers_signed_in(view: View) -> Callable[[HttpRequest], HttpResponse]:
    """A script asks: it gets 401 instead of the sign-in page, 403 in the same form."""

    @login_not_required
    @never_cache
    @wraps(view)
    def answer(request: HttpRequest) -> HttpResponse:
        if not isinstance(request.user, User):
            return JsonResponse({"state": "sign_in"}, status=401)
        if not request.user.may_install:
            return JsonResponse({"state": "forbidden"}, status=403)
        return view(cast(SignedIn, request))

    return answer


@login_required
@require_safe
def install(request: SignedIn) -> HttpResponse:
    """The page: a list and a form, filled by its script. It says nothing of whoever asks."""
    if not request.user.may_install:
        raise PermissionDenied
    blank = Household(number="", method="")
    context = {
        "form": InstallationForm(None, blank, None, auto_id="%s"),
        "reasons": REASONS,
        "photos": PHOTOS,
        "words": words(),
    }
    return render(request, "devices/install.html", context)


@login_not_required
@require_safe
def worker(request: HttpRequest) -> HttpResponse:
    """The service worker with the files that it keeps, under a name that changes with them."""
    hashed = [static(name) for name in FILES + MODULES]
    files = hashed[: len(FILES)] + [settings.STATIC_URL + name for name in MODULES]
    version = hashlib.sha256(json.dumps([hashed, _content()]).encode()).hexdigest()[:12]
    context = {"files": json.dumps(files), "version": version}
    return render(
        request, "devices/install_worker.js", context, content_type="text/javascript; charset=utf-8"
    )


def _content() -> str:
    """While developing, files keep their names when they change."""
    if not settings.DEBUG:
        return ""
    folder = settings.BASE_DIR / "heating_platform" / "static"
    return "".join(
        (folder / name).read_text() for name in FILES + MODULES if (folder / name).exists()
    )


@answers_signed_in
@require_safe
def install_work(request: SignedIn) -> JsonResponse:
    """Who asks, what waits for him, and from what he may choose."""
    user = request.user
    rows = _waiting(user)[: SHOWN + 1]
    answer = {
        "user": str(user.pk),
        "name": str(user),
        "csrf": get_token(request),
        "at": clock.now().isoformat(timespec="seconds"),
        "households": [_household(home) for home in rows[:SHOWN]],
        "more": len(rows) > SHOWN,
        "models": choices(user),
    }
    return JsonResponse(answer)


def _waiting(user: User) -> list[Household]:
    """What there is to install or to correct: an installer's own, else what the user sees and is
    not complete."""
    rows = work_of(user).exclude(method__in=NETWORK).filter(accepted_on=None)
    if user.role not in OF_A_SUPPLIER:
        rows = rows.filter(commissioned_on=None)
    kept = Installation.objects.standing().select_related("unit__model__supplier", "unit__gateway")
    given = Assignment.objects.filter(withdrawn_at=None).select_related("model__supplier")
    rows = (
        rows.annotate(stage=STAGE)
        .select_related("area__owner")
        .prefetch_related(Prefetch("installations", kept), Prefetch("assignments", given))
    )
    found = rows.order_by("area__order", "door", "number")[: SHOWN + 1]
    return sorted(found, key=lambda home: (home.area.order, as_read(home.door), home.number))


def _household(home: Household) -> dict[str, Any]:
    stage: str = home.stage  # type: ignore[attr-defined]
    label, shape = STAGES[stage]
    return {
        "number": home.number,
        "place": home.area.name,
        "door": home.door or home.place,
        "name": home.householder,
        "phone": home.masked_phone,
        "area": str(home.heated_area or ""),
        "latitude": home.latitude,
        "longitude": home.longitude,
        "stage": stage,
        "label": str(label),
        "shape": shape,
        "model": _wanted(home),
        "records": [_record(row) for row in home.installations.all()],
    }


def _wanted(home: Household) -> dict[str, str] | None:
    """The model that the assignment names."""
    for given in home.assignments.all():
        if given.model:
            return {
                "maker": given.model.supplier.name,
                "device": given.model.name,
                "model": given.model.code,
            }
    return None


def _record(row: Installation) -> dict[str, Any]:
    """A standing record as the form takes it, with its uid."""
    unit = row.unit
    return {
        "uid": str(row.uid),
        "title": f"{unit.model.code} {row.factory_number}".strip(),
        "values": {
            "installed_on": row.installed_on.isoformat(),
            "maker": unit.model.supplier.name,
            "device": unit.model.name,
            "model": unit.model.code,
            "factory_number": row.factory_number,
            "transmitter_number": row.transmitter_number,
            "address": str(unit.address),
            "network_address": str(unit.network_address or ""),
            "heated_area": f"{row.heated_area:f}",
            "latitude": "" if row.latitude is None else str(row.latitude),
            "longitude": "" if row.longitude is None else str(row.longitude),
            "position_source": row.position_source,
            "accuracy_m": "" if row.accuracy_m is None else str(row.accuracy_m),
            "note": row.note,
        },
    }


# -- entries -------------------------------------------------------------------------------


@answers_signed_in
@require_POST
def install_entries(request: SignedIn) -> JsonResponse:
    """Store one entry: fields `owner`, `uid`, `number`, `values` (JSON), `reason`, files `photo`.

    Answers {"state": "stored", "reminders": […]}, or 422 {"state": "refused", "messages": {…}} by
    field. Sent again it is the same record. An entry of another account is refused (409).
    """
    if request.POST.get("owner") != str(request.user.pk):
        return JsonResponse({"state": "other_user"}, status=409)
    try:
        uid = UUID(request.POST.get("uid", ""))
        values = json.loads(request.POST.get("values", ""))
    except ValueError:
        return _refused({"": [_("这条记录读不出来：请重新填写")]})
    if not isinstance(values, dict) or not all(isinstance(said, str) for said in values.values()):
        return _refused({"": [_("这条记录读不出来：请重新填写")]})
    number = request.POST.get("number", "")
    home = Household.objects.visible_to(request.user).filter(number=number).first()
    try:
        row = _store(request, home, values, uid) if home else _stored(request, values, uid)
    except InstallationRefused as refusal:
        return _refused(refusal.messages)
    return JsonResponse({"state": "stored", "reminders": installing.reminders(row)})


def _refused(messages: dict[str, list[str]]) -> JsonResponse:
    return JsonResponse({"state": "refused", "messages": messages}, status=422)


def _stored(request: SignedIn, values: dict[str, object], uid: UUID) -> Installation:
    """This very entry, stored while the household was the user's: its answer was lost on the way.

    Nothing is changed any more, neither record nor photos.
    """
    number = request.POST.get("number", "")
    mine = Installation.objects.filter(uid=uid, entered_by=request.user, household__number=number)
    row = mine.select_related("household__area").first()
    try:
        if row:
            return installing.record(row.household, values, request.user, uid)
    except InstallationRefused:
        pass  # it would be changed
    raise InstallationRefused(
        {"": [_("这一户不在您的名单里：可能已改派、已竣工验收，请与供应商或镇（街道）核对")]}
    )


@transaction.atomic
def _store(
    request: SignedIn, home: Household, values: dict[str, object], uid: UUID
) -> Installation:
    """Record and photos, both or none."""
    reason = request.POST.get("reason", "")[:200]
    row = installing.record(home, values, request.user, uid, reason=reason)
    for file in request.FILES.getlist("photo")[:PHOTOS]:
        try:
            documents.add(home, DocumentKind.INSTALLATION, file, by=request.user)
        except FileRefused as refusal:
            raise InstallationRefused({"photo": [str(refusal)]}) from refusal
    return row
