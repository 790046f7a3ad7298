"""Who changes records now, and why: what the triggers write beside every change.

Requests say it by the middleware, everything else by `acting`. It goes to the database in front of
each statement that may write, in the same round trip and for that transaction alone, so that a
pooled connection never carries it on.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any

from django.db import connection
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from psycopg2.extensions import TRANSACTION_STATUS_INERROR, QuotedString

from households.models import User

# Statements that write nothing or cannot stand behind another one.
WITHOUT = re.compile(
    r"[\s(]*(select|explain|show|declare|fetch|close|begin|start|commit|rollback|savepoint|release"
    r"|set|lock|vacuum|analyze|copy)\b",
    re.IGNORECASE,
)
LONGEST_REASON = 500


@dataclass(frozen=True, slots=True)
class Act:
    """What is told of the changes made within it.

    `user` is asked for at the moment of writing: a request knows its user only once it has
    been let in.
    """

    user: Callable[[], int | None]
    via: str
    request: uuid.UUID = field(default_factory=uuid.uuid4)
    reason: str = ""

    def told(self) -> str:
        said = {"user": self.user(), "via": self.via, "request": str(self.request)}
        return json.dumps(said | {"reason": self.reason}, ensure_ascii=False)


_act: ContextVar[Act | None] = ContextVar("act", default=None)


@contextmanager
def acting(
    user: User | None = None, via: str = "", request: uuid.UUID | None = None
) -> Iterator[None]:
    """All changes within the block are this person's, made in this way (a command, an import);
    `request` is what they are found by later."""
    pk = user.pk if user else None
    with _within(Act(lambda: pk, via, request or uuid.uuid4())):
        yield


@contextmanager
def because(reason: str) -> Iterator[None]:
    """All changes within the block have this reason, in words of whoever makes them."""
    outer = _act.get()
    with _within(replace(outer or Act(lambda: None, ""), reason=reason.strip()[:LONGEST_REASON])):
        yield
    if outer is None and connection.in_atomic_block:
        with connection.cursor() as cursor:  # or the rest of the transaction had it too
            cursor.execute("SELECT set_config('heating.who', '', true)")


@contextmanager
def _within(act: Act) -> Iterator[None]:
    outer = _act.get()
    token = _act.set(act)
    try:
        if outer is None:
            with connection.execute_wrapper(_tell):
                yield
        else:
            yield
    finally:
        _act.reset(token)


def tell() -> None:
    """Tell the database now, for the rest of the transaction: before COPY and the driver's own
    bulk statements, which no wrapper sees."""
    act = _act.get()
    if act is not None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('heating.who', %s, true)", [act.told()])


def _tell(
    execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]
) -> Any:
    act, cursor = _act.get(), context["cursor"]
    if act is None or not _takes_a_prefix(sql, cursor):
        return execute(sql, params, many, context)
    if many:
        tell()
        return execute(sql, params, many, context)
    return execute(_prefix(act, cursor, params is not None) + sql, params, many, context)


def _takes_a_prefix(sql: Any, cursor: Any) -> bool:
    if not isinstance(sql, str) or getattr(cursor, "name", None):
        return False
    status = cursor.connection.get_transaction_status()
    return status != TRANSACTION_STATUS_INERROR and not WITHOUT.match(sql) and bool(sql.strip())


def _prefix(act: Act, cursor: Any, with_parameters: bool) -> str:
    quoted = QuotedString(act.told())
    quoted.prepare(cursor.connection)
    literal = quoted.getquoted().decode()
    literal = literal.replace("%", "%%") if with_parameters else literal
    return f"SELECT set_config('heating.who', {literal}, true); "


class HistoryMiddleware:
    """Changes of a request are its user's; its way is method and path, never the query."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        via = f"{request.method} {request.path}"[:300]
        with _within(Act(lambda: _user_of(request), via)):
            return self.get_response(request)


def _user_of(request: HttpRequest) -> int | None:
    user = getattr(request, "user", None)
    return user.pk if user is not None else None
