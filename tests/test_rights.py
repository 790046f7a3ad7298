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
from typing import Any

import pytest
from django.db import transaction
from django.test import Client, override_settings
from django.urls import URLPattern, URLResolver, get_resolver

from households.models import Role
from tests.rights_world import PLACES, World, make

pytestmark = pytest.mark.django_db
C, T, D, N, S, P, H, E, V, R, A = Role  # clerk, town, district, installer … as `Role` has them
WHO: dict[str, set[Role]] = {
    "-": set(),
    "all": set(Role),
    "public": set(Role),
    "plan-followers": set(Role) - {N, S},
    "line-tenders": {P, A},
    "line-viewers": {P, A, D, R},
    "commanders": {T, D, P, S},
    "alarm-keepers": {T, D, P, A},
    "service-unit": {P},
    "installers": {N, S, T, D},
    "connectors": {T, H},
    "assigners": {T, D},
    "givers": {S},
    "registrars": {C, T, D},
}
WHOLE = {D, P, R, A}
VILLAGE = {"own": WHOLE | {C, T}, "colleague": WHOLE | {T}, "foreign": WHOLE}
UNIT = {"own": WHOLE | {C, T, S}, "colleague": WHOLE | {T}, "foreign": WHOLE}
ALL_OF_THEM = {place: set(Role) for place in PLACES}
SEES: dict[str, dict[str, set[Role]]] = {
    "-": ALL_OF_THEM,
    "household": {
        "own": set(Role) - {H},
        "colleague": WHOLE | {T, E, V},
        "foreign": WHOLE | {E, V},
    },
    "area": VILLAGE,
    "plan-line": VILLAGE,
    "unit": UNIT,
    "line": UNIT,
    "alarm": UNIT,
    "command": UNIT,
    "transmitter": ALL_OF_THEM,
    "group": ALL_OF_THEM,
    "token": {"own": set(Role), "colleague": set(), "foreign": set()},
    "import": {"own": {C, T, D}, "colleague": set(), "foreign": set()},
    "export": {"own": set(Role), "colleague": set(), "foreign": set()},
}
ROWS = """
address                              object       GET             POST
/                                    -            all             -
progress/curves/                     -            all             -
progress/table/                      -            all             -
progress/definitions/                -            all             -

sign-in/                             -            public          public
sign-out/                            -            -               public
language/                            -            -               public
personal/                            -            all             -
personal/password/                   -            -               all
personal/tokens/                     -            -               all
personal/tokens/<pk>/revoke/         token        -               all

households/                          -            all             -
households/<number>/                 household    all             -
households/<number>/phone/           household    all             -

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

alarms/                              -            all             -
alarms/<pk>/acknowledge/             alarm        -               alarm-keepers
units/                               -            all             -
units/<pk>/                          unit         all             -
units/<pk>/chart/                    unit         all             -
units/<pk>/readings/                 unit         all             -
units/<pk>/interval/                 unit         -               line-tenders
units/<pk>/command/                  unit         all             commanders
commands/awaiting/                   -            commanders      -
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
lines/<pk>/settings/                 line         line-tenders    line-tenders
lines/<pk>/trust/                    line         -               line-tenders
lines/<pk>/secret/                   line         -               line-tenders
lines/<pk>/transmitter/              line         line-tenders    line-tenders
lines/<pk>/trace/                    line         all             -
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
            known = role in self.may("GET") | self.may("POST") and sees
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
        """What is open to everybody may lead to signing in, and does so for good reason."""
        return {SIGN_IN} if "public" in (self.get, self.post) else set()

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
    switched_on = override_settings(GROUP_COMMANDS=True)
    with django_db_blocker.unblock(), switched_on, transaction.atomic():
        yield make()
        transaction.set_rollback(True)


BROWSER = Client(raise_request_exception=False)


def answer(session: str, method: str, path: str) -> int | str:
    """How the platform answers; whatever it did is undone."""
    BROWSER.cookies.clear()
    if session:
        BROWSER.cookies["sessionid"] = session
    with transaction.atomic():
        response = BROWSER.generic(method, path, content_type="application/json")
        transaction.set_rollback(True)
    if response.status_code == 302 and response["Location"].startswith("/sign-in/"):
        return SIGN_IN
    return response.status_code


def asked(row: Row) -> Iterator[tuple[Role, str, str]]:
    """Role, place and method of everything that is asked of one address."""
    for role in Role:
        for place in PLACES if row.kind != "-" else PLACES[:1]:
            for method in ("GET", "POST"):
                yield role, place, method
        for method in ("HEAD", "PUT", "PATCH", "DELETE"):
            yield role, PLACES[0], method


@pytest.mark.parametrize("row", _rows(), ids=lambda row: row.address)
def test_everybody_gets_what_the_table_says(row: Row, world: World) -> None:
    wrong = []
    for role, place, method in asked(row):
        path = row.path(world.thing(row.kind, place, world.users[role]))
        got, right = answer(world.sessions[role], method, path), row.expected(role, place, method)
        if got not in right:
            wrong.append(f"{role} {place} {method}: {got}, not {' '.join(map(str, right))}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("row", _rows(), ids=lambda row: row.address)
def test_a_stranger_is_led_to_sign_in(row: Row, world: World) -> None:
    path = row.path(world.thing(row.kind, PLACES[0], None))
    for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"):
        assert answer("", method, path) in row.of_a_stranger(method), method
