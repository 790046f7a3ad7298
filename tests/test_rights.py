"""Who may do what where: every address of the platform × role × place × method.

A line of ROWS is an address. `object` says whose thing the address names ("-": none), and SEES in
which places a role sees such things: its own, a colleague's (another village or company of the same
town), a foreign one. GET and POST say who is let in, in the words of WHO; "-": the address does
not know the method. What follows:

- who is let in gets an answer for a thing that he sees, else 404;
- who is not let in gets 403, or 404 where he shall not even learn of the thing;
- a stranger is led to sign in by a page, and gets 401 from the API; "public" lets him in;
- other methods are 405.

An address without a line fails, and so does a line without an address.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory, override_settings
from django.urls import URLPattern, URLResolver, get_resolver
from drf_spectacular.views import SpectacularAPIView
from rest_framework.response import Response

from heating_platform import urls
from households.models import Role
from households.uid import uuid7
from telemetry import dossier
from telemetry.docking import report
from tests.rights_world import PLACES, World, make

pytestmark = pytest.mark.django_db
C, T, D, N, S, P, H, E, V, R, A = Role  # clerk, town, district, installer … as `Role` has them
WHO: dict[str, set[Role]] = {
    "-": set(),
    "all": set(Role),
    "public": set(Role),
    "plan-followers": set(Role) - {N, S},
    "line-tenders": {P, A},
    "line-viewers": {P, A, S, N},
    "commanders": {T, D, P, S},
    "alarm-keepers": {T, D, P, A},
    "service-unit": {P},
    "installers": {N, S, T, D},
    "connectors": {T, H},
    "assigners": {T, D},
    "givers": {S},
    "registrars": {C, T, D},
    "paper-bringers": {C, T, D, N, S},
    "town-and-district": {T, D},
    "district": {D},
    "drafters": {C, T},
    "keepers": {A},
    "wall-makers": {D, A},
}
WHOLE = {D, P, R, A}
WHO["docking-readers"] = WHOLE | {S}
WHO["maker-registrars"] = {P, A}
WHO["paper-takers"] = {P, S}
WHO["docking-writers"] = {P, S}
VILLAGE = {"own": WHOLE | {C, T}, "colleague": WHOLE | {T}, "foreign": WHOLE}
IN_PLAN = {place: roles | {H, E, V} for place, roles in VILLAGE.items()}
UNIT = {"own": WHOLE | {C, T, S, N}, "colleague": WHOLE | {T}, "foreign": WHOLE}
LINE = {"own": {P, A, S, N}, "colleague": {P, A}, "foreign": {P, A}}
HOME = {"own": set(Role) - {H}, "colleague": WHOLE | {T, E, V}, "foreign": WHOLE | {E, V}}
MAKERS = {"own": WHOLE | {S}, "colleague": WHOLE, "foreign": WHOLE}
ALL_OF_THEM = {place: set(Role) for place in PLACES}
SEES: dict[str, dict[str, set[Role]]] = {
    "-": ALL_OF_THEM,
    "household": HOME,
    "two-households": HOME,
    "document": {**HOME, "own": HOME["own"] - {N, S}},  # those see what concerns the unit
    "list": VILLAGE,
    "slip": VILLAGE,
    "paper": VILLAGE,
    "area": VILLAGE,
    "planned-area": IN_PLAN,
    "plan-line": IN_PLAN,
    "unit": UNIT,
    "line": LINE,
    "alarm": UNIT,
    "command": UNIT,
    "application": MAKERS,
    "drafted": {"own": {S}, "colleague": set(), "foreign": set()},
    "confirmation": MAKERS,
    "code": ALL_OF_THEM,
    "docking-test": MAKERS,
    "maker": MAKERS,
    "model": MAKERS,
    "maker-paper": MAKERS,
    "register-map": MAKERS,
    "map-draft": MAKERS,
    "map-upload": MAKERS,
    "map-template": ALL_OF_THEM,
    "transmitter": ALL_OF_THEM,
    "group": ALL_OF_THEM,
    "account": ALL_OF_THEM,
    "wall-link": ALL_OF_THEM,
    "card": ALL_OF_THEM,
    "token": {"own": set(Role), "colleague": set(), "foreign": set()},
    "session": {"own": set(Role), "colleague": set(), "foreign": set()},
    "import": {"own": {C, T, D}, "colleague": set(), "foreign": set()},
    "export": {"own": set(Role), "colleague": set(), "foreign": set()},
}
ROWS = """
address                              object       GET             POST
/                                    -            all             -
progress/curves/                     -            all             -
progress/table/                      -            all             -
progress/definitions/                -            all             -

two-level/                           -            all             -
two-level/<pk>/                      planned-area all             -
todo/                                -            all             -

wall/                                -            plan-followers  -
wall/<token>/                        wall-link    public          -
wall-links/                          -            wall-makers     wall-makers
wall-links/<pk>/revoke/              wall-link    -               wall-makers

sign-in/                             -            public          public
sign-in/code/                        -            public          public
sign-out/                            -            -               public
language/                            -            -               public
personal/                            -            all             -
personal/password/                   -            all             all
personal/second-factor/              -            all             all
personal/second-factor/codes/        -            -               all
personal/second-factor/remove/       -            -               all
personal/sessions/<pk>/end/          session      -               all
personal/sessions/others/end/        -            -               all
personal/tokens/                     -            -               all
personal/tokens/<pk>/revoke/         token        -               all
messages/                            -            all             -

accounts/                            -            keepers         -
accounts/new/                        -            keepers         keepers
accounts/rules/                      -            keepers         keepers
accounts/<pk>/                       account      keepers         keepers
accounts/<pk>/password/              account      -               keepers
accounts/<pk>/disable/               account      -               keepers
accounts/<pk>/enable/                account      -               keepers
accounts/<pk>/unlock/                account      -               keepers
accounts/<pk>/sessions/              account      -               keepers
accounts/<pk>/second-factor/         account      -               keepers
accounts/<pk>/handover/              account      keepers         keepers
log/                                 -            keepers         -
log/phones/                          -            keepers         -
log/head/                            -            keepers         -

card/<code>/                         card         public          -
words/                               -            -               all
households/earlier/                  -            registrars      -
households/<number>/dossier/         household    all             -
households/new/                      -            registrars      registrars
households/alike/                    -            -               registrars
households/<number>/edit/            household    registrars      registrars
households/<number>/later/           household    registrars      registrars
households/<number>/merge/<other>/   two-households registrars    registrars
households/<number>/papers/          household    -               paper-bringers
households/<number>/story/           household    plan-followers  -
documents/<uid>/                     document     all             -
documents/<uid>/thumbnail/           document     all             -
documents/<uid>/withdraw/            document     -               registrars
lists/                               -            all             -
lists/file/                          -            -               district
lists/<year>/<pk>/                   list         all             -
lists/<year>/<pk>/act/               list         -               drafters
lists/<year>/<pk>/objection/         list         -               drafters
lists/<year>/<pk>/remark/            list         -               town-and-district
lists/<year>/<pk>/paper/             list         -               drafters
slips/                               -            all             -
slips/new/                           -            drafters        drafters
slips/<uid>/                         slip         all             -
slips/<uid>/edit/                    slip         drafters        drafters
slips/<uid>/act/                     slip         -               drafters
slips/<uid>/paper/                   slip         -               drafters
papers/<uid>/                        paper        all             -
households/                          -            all             -
households/<number>/                 household    all             -
households/<number>/phone/           household    -               all
households/<number>/card/renew/      household    -               registrars

transfer/                            -            registrars      -
transfer/template/                   -            registrars      -
imports/upload/                      -            -               registrars
imports/<uid>/                       import       all             -
imports/<uid>/progress/              import       all             -
imports/<uid>/confirm/               import       -               all
imports/<uid>/choose/                import       -               all
imports/<uid>/abandon/               import       -               all
imports/<uid>/annotated/             import       all             -
imports/<uid>/returned/              import       all             -
exports/new/                         -            all             all
exports/<uid>/                       export       all             -
exports/<uid>/progress/              export       all             -
exports/<uid>/file/                  export       all             -

installations/                       -            all             -
installations/assign/                -            -               assigners
installations/give/                  -            -               givers
installations/<number>/              household    installers      installers
connections/                         -            connectors      connectors
install/                             -            installers      -
install/work/                        -            installers      -
install/entries/                     -            -               installers
install/worker.js                    -            public          -

makers/                              -            docking-readers -
makers/desk/                         -            givers          -
makers/new/                          -            maker-registrars maker-registrars
makers/<pk>/                         maker        docking-readers -
makers/<pk>/edit/                    maker        givers          givers
makers/<pk>/name/                    maker        maker-registrars maker-registrars
makers/models/new/                   -            givers          givers
makers/models/<pk>/                  model        docking-readers -
makers/models/<pk>/edit/             model        givers          givers
makers/papers/new/                   -            givers          givers
makers/papers/<uid>/                 maker-paper  docking-readers -
makers/papers/<uid>/thumbnail/       maker-paper  docking-readers -
makers/papers/<uid>/withdraw/        maker-paper  -               paper-takers
maps/                                -            docking-readers -
maps/template.<suffix>               map-template docking-readers -
maps/<pk>/                           register-map docking-readers -
maps/<pk>/decode/                    register-map docking-readers -
maps/<pk>/compare/                   register-map docking-readers -
maps/<pk>/file.<suffix>              register-map docking-readers -
maps/draft/<pk>/                     map-draft    givers          -
maps/draft/<pk>/start/               map-draft    -               givers
maps/draft/<pk>/check/               map-draft    -               givers
maps/draft/<pk>/save/                map-draft    -               givers
maps/draft/<pk>/decode/              map-draft    -               givers
maps/draft/<pk>/submit/              map-draft    -               givers
maps/draft/<pk>/discard/             map-draft    -               givers
maps/draft/<pk>/compare/             map-draft    givers          -
maps/draft/<pk>/file.<suffix>        map-draft    givers          -
maps/draft/<pk>/upload/              map-draft    givers          givers
maps/uploads/<pk>/                   map-upload   givers          givers
maps/uploads/<pk>/preview/           map-upload   -               givers

docking/                             -            docking-readers -
docking/new/                         -            givers          givers
docking/<number>/                    application  all             -
docking/<number>/edit/               drafted      givers          givers
docking/<number>/step/               application  -               docking-writers
docking/<number>/issue/              application  -               service-unit
confirmations/city/                  -            service-unit    service-unit
confirmations/<uid>/                 confirmation all             -
confirmations/<uid>/act/             confirmation -               service-unit
confirmations/<uid>/paper/           confirmation all             -
confirmations/<uid>/stamp/           confirmation -               service-unit
confirmations/<uid>/stamped/         confirmation all             -
confirm/                             -            public          -
confirm/<code>/                      code         public          -
docking/<number>/sample/             docking-test service-unit    service-unit
docking/<number>/test/               docking-test all             -
docking/<number>/test/card/          docking-test all             -
docking/<number>/test/frames/        docking-test all             -
docking/<number>/test/report/        docking-test all             -
docking/<number>/test/start/         docking-test -               service-unit
docking/<number>/test/run/           docking-test -               service-unit
docking/<number>/test/judge/         docking-test -               service-unit
docking/<number>/test/note/          docking-test -               docking-writers
docking/<number>/test/steps/<key>/   docking-test service-unit    service-unit
docking/<number>/test/steps/<key>/run/ docking-test -             service-unit
docking/<number>/test/steps/<key>/stop/ docking-test -            service-unit
docking/<number>/test/steps/<key>/photos/<n>/ docking-test all    -

alarms/                              -            all             -
alarms/<pk>/acknowledge/             alarm        -               alarm-keepers
units/                               -            all             -
units/<pk>/                          unit         all             -
units/<pk>/chart/                    unit         all             -
units/<pk>/readings/                 unit         all             -
units/<pk>/interval/                 unit         -               line-tenders
units/<pk>/command/                  unit         all             commanders
commands/awaiting/                   -            all             -
commands/<pk>/                       command      all             -
commands/<pk>/cancel/                command      -               commanders
commands/<pk>/approve/               command      -               commanders
settings/monitoring/                 -            line-tenders    line-tenders
groups/                              -            service-unit    -
groups/new/                          -            service-unit    service-unit
groups/<pk>/                         group        service-unit    -
groups/<pk>/confirm/                 group        -               service-unit
groups/<pk>/stop/                    group        -               service-unit
lines/                               -            line-viewers    -
lines/unknown/                       -            line-tenders    -
lines/unknown/<pk>/                  transmitter  line-tenders    line-tenders
lines/<pk>/                          line         all             -
lines/<pk>/settings/                 line         -               line-tenders
lines/<pk>/trust/                    line         -               line-tenders
lines/<pk>/secret/                   line         -               line-tenders
lines/<pk>/transmitter/              line         -               line-tenders
lines/<pk>/trace/                    line         line-tenders    -
lines/<pk>/trace/switch/             line         -               line-tenders
lines/<pk>/trace/file/               line         line-tenders    -

api/                                 -            all             -
api/schema/                          -            all             -
api/areas/                           -            all             -
api/areas/<pk>/                      area         all             -
api/households/                      -            all             -
api/households/<number>/             household    all             -
api/plan-lines/                      -            all             -
api/plan-lines/<pk>/                 plan-line    all             -
api/units/                           -            all             -
api/units/<pk>/                      unit         all             -
api/units/<pk>/hours/                unit         all             -
api/units/<pk>/readings/             unit         all             -
api/lines/                           -            all             -
api/lines/<pk>/                      line         all             -
api/commands/                        -            all             commanders
api/commands/<pk>/                   command      all             -
api/commands/<pk>/approve/           command      -               commanders
api/commands/<pk>/cancel/            command      -               commanders
api/alarms/                          -            all             -
api/alarms/<pk>/                     alarm        all             -
api/alarms/<pk>/acknowledge/         alarm        -               alarm-keepers
"""
# Where an empty form says nothing about rights.
SENT = {
    "groups/<pk>/confirm/": "step=one",
    "households/new/": f"uid={uuid7()}",
    "households/alike/": f"uid={uuid7()}",
    "lists/<year>/<pk>/remark/": "uid={0.uid}",
    "lists/<year>/<pk>/act/": "act=verify",
    "slips/<uid>/act/": "act=submit",
}
SIGN_IN = "sign in"
LET_IN: set[int | str] = {200, 201, 202, 204, 301, 302, 400, 409, 422}


@dataclass(frozen=True)
class Row:
    address: str
    kind: str
    get: str
    post: str

    def may(self, method: str) -> set[Role]:
        return WHO[{"GET": self.get, "POST": self.post}.get(method, "-")]

    def expected(self, role: Role, place: str, method: str) -> set[int | str]:
        """The answers that are right."""
        if method == "HEAD":  # as GET, or not known
            return self.expected(role, place, "GET") | {405}
        may, sees = self.may(method), role in SEES[self.kind][place]
        if not may:
            known = role in self.may("GET") & self.may("POST") and sees
            return {405} if known else {403, 404, 405}
        if role not in may:
            return {403, 404}
        return LET_IN | self.leads_out if sees else {404}

    def of_a_stranger(self, method: str) -> set[int | str]:
        if method == "HEAD":
            return self.of_a_stranger("GET") | {405}
        if "public" in (self.get, self.post):
            return LET_IN | self.leads_out if self.may(method) else {405}
        asked_by_scripts = ("api/", "install/work/", "install/entries/")
        return {401} if self.address.startswith(asked_by_scripts) else {SIGN_IN}

    @property
    def leads_out(self) -> set[int | str]:
        """What is open to everybody may lead to signing in, or have been asked too often."""
        return {SIGN_IN, 429} if "public" in (self.get, self.post) else set()

    def path(self, thing: Any) -> str:
        path = "/" + self.address.removeprefix("/")
        return re.sub(r"<(\w+)>", lambda found: str(getattr(thing, found[1])), path)


def _rows() -> list[Row]:
    return [Row(*line.split()) for line in ROWS.splitlines()[2:] if line]


def addresses(resolver: Any = None, before: str = "") -> Iterator[str]:
    """Every address that the platform answers, its arguments as <name>."""
    for entry in (resolver or get_resolver()).url_patterns:
        address = before + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from addresses(entry, address)
        elif isinstance(entry, URLPattern):
            address = re.sub(r"\(\?P<(\w+)>[^)]*\)", r"<\1>", address)
            yield re.sub(r"<\w+:", "<", address).replace("^", "").replace("$", "") or "/"


def test_every_address_has_a_line_and_every_line_an_address() -> None:
    found, told = sorted(set(addresses())), sorted(row.address for row in _rows())
    assert [address for address in found if address not in told] == []
    assert [address for address in told if address not in found] == []
    assert len(told) == len(set(told))


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    """Made once, because making it costs as much as asking for it all."""
    quick = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    switched_on = override_settings(GROUP_COMMANDS=True, PASSWORD_HASHERS=quick)
    # A world that could not be made must leave the pages of other tests as they are.
    with pytest.MonkeyPatch.context() as refusing, django_db_blocker.unblock(), switched_on:
        for code in (403, 404):  # most answers: their pages would take half of the time
            refusing.setattr(urls, f"handler{code}", partial(_refused, code), raising=False)
        refusing.setattr(dossier, "pdf", lambda *of_whom, **how: b"%PDF")
        refusing.setattr(report, "pdf", lambda run: b"%PDF")
        refusing.setattr(SpectacularAPIView, "_get_schema_response", lambda *asked: Response())
        with transaction.atomic():
            yield make()
            transaction.set_rollback(True)


def _refused(code: int, request: HttpRequest, exception: Exception) -> HttpResponse:
    return HttpResponse(status=code)


BROWSER = RequestFactory()
PLATFORM = WSGIHandler()  # not the test client: it copies the contexts of all templates


def answer(session: str, method: str, path: str, sent: str | None = None) -> int | str:
    """How the platform answers; whatever it did is undone."""
    kind = "application/json" if sent is None else "application/x-www-form-urlencoded"
    BROWSER.cookies.clear()
    if session:
        BROWSER.cookies["sessionid"] = session
    request = BROWSER.generic(method, path, sent or "", content_type=kind)
    request._dont_enforce_csrf_checks = True  # type: ignore[attr-defined]
    with transaction.atomic():
        response = PLATFORM.get_response(request)
        transaction.set_rollback(True)
    if response.status_code == 302 and response["Location"].startswith("/sign-in/"):
        return SIGN_IN
    return response.status_code


def asked(row: Row) -> Iterator[tuple[Role, str, str]]:
    """Role, place and method of everything that is asked of one address; what a page does not
    know at all is asked by one who is let in and by one who is not."""
    for role in Role:
        for place in PLACES if row.kind != "-" else PLACES[:1]:
            for method in ("GET", "POST"):
                if row.may(method) or place == PLACES[0]:
                    yield role, place, method
    let_in = row.may("GET") | row.may("POST")
    for role in (*list(let_in)[:1], *[role for role in Role if role not in let_in][:1]):
        for method in ("HEAD", "PUT", "PATCH", "DELETE"):
            yield role, PLACES[0], method


@pytest.mark.parametrize("row", _rows(), ids=lambda row: row.address)
def test_everybody_gets_what_the_table_says(row: Row, world: World) -> None:
    wrong = []
    for role, place, method in asked(row):
        thing = world.thing(row.kind, place, world.users[role])
        path = row.path(thing)
        sent = SENT[row.address].format(thing) if row.address in SENT else None
        got = answer(world.sessions[role], method, path, sent)
        right = row.expected(role, place, method)
        if got not in right:
            wrong.append(f"{role} {place} {method}: {got}, not {' '.join(map(str, right))}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("row", _rows(), ids=lambda row: row.address)
def test_a_stranger_is_led_to_sign_in(row: Row, world: World) -> None:
    path = row.path(world.thing(row.kind, PLACES[0], None))
    for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"):
        assert answer("", method, path) in row.of_a_stranger(method), method
