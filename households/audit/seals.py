"""The chain that seals the history: whoever changes what was written is found out.

Every few minutes a link is added over all changes since the last. It keeps the SHA-256 of each
change and a head: the SHA-256 over the previous head, its own figures and those digests. So a
changed, removed or inserted change is named by `findings`; a changed or removed link breaks the
chain; and a chain that was built anew as a whole is found by any head that was exported before.

A link holds the changes of an unbroken range of ids. Ids are given before a transaction ends, so
the range is closed only when every transaction that was writing at its closing has ended.
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta

from django.db import connection, transaction
from django.utils.translation import gettext as _

from households import clock
from households.models import HistorySeal

log = logging.getLogger(__name__)

FIRST, LOWEST = "0" * 64, -(2**63)  # what stands before the first link: head and id
DIGEST = 32  # bytes
LOCK = 0x7365616C  # one link at a time
PATIENCE_S = 20.0
OVERDUE_AFTER = timedelta(hours=2)  # a change that old should be sealed
AT_ONCE = 5000  # rows

# One line of JSON for a change, the same whatever the session's settings.
CANONICAL = """
    jsonb_build_array(id, (extract(epoch FROM at) * 1000000)::bigint, table_name, row_id,
                      household_id, kind, before, after, user_id, via, request, reason, role,
                      program)::text
"""


class StillWriting(Exception):
    """Transactions go on that began before; the link is left to the next time."""


@dataclass(frozen=True, slots=True)
class Head:
    """The end of the chain at some time, as it is exported, printed and compared with."""

    number: int
    head: str
    made_at: str
    last_id: int
    changes: int

    @classmethod
    def of(cls, seal: HistorySeal) -> Head:
        made_at = seal.made_at.astimezone(clock.SHANGHAI).isoformat(timespec="seconds")
        return cls(seal.number, seal.head, made_at, seal.last_id, len(seal.ids))

    def to_json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False)


def seal(patience: float = PATIENCE_S) -> HistorySeal | None:
    """Add a link over all changes since the last one; None where nothing changed.

    Raises StillWriting where a transaction does not end within `patience` seconds.
    """
    newest_id = _newest_id()
    _wait_for(_writing(), patience)
    with transaction.atomic():
        _alone()
        last = HistorySeal.objects.order_by("-number").first()
        after = last.last_id if last else LOWEST
        ids, leaves = _leaves(after, newest_id)
        if not ids:
            return None
        link = HistorySeal(
            number=last.number + 1 if last else 1,
            after_id=after,
            last_id=newest_id,
            made_at=clock.now(),
            ids=ids,
            leaves=leaves,
            previous=last.head if last else FIRST,
        )
        link.head = _head(link)
        link.save(force_insert=True)
    log.info("history sealed: link %s, %s changes, head %s", link.number, len(ids), link.head)
    return link


def _head(link: HistorySeal) -> str:
    """SHA-256 over the link; `made_at` belongs to it, so that nobody can date it back."""
    figures = [
        link.number,
        link.after_id,
        link.last_id,
        link.made_at.astimezone(UTC).isoformat(),
        link.ids,
    ]
    text = json.dumps([link.previous, *figures])
    return hashlib.sha256(text.encode() + bytes(link.leaves)).hexdigest()


def _newest_id() -> int:
    """The last id that was given to a change, committed or not."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM households_change_id_seq"
        )
        return int(cursor.fetchone()[0])


def _writing() -> set[str]:
    """Transactions of other sessions of this database that have written and not ended."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT l.transactionid::text FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid)"
            " WHERE l.locktype = 'transactionid' AND l.mode = 'ExclusiveLock' AND l.granted"
            " AND a.datname = current_database() AND pid <> pg_backend_pid()"
        )
        return {row[0] for row in cursor.fetchall()}


def _wait_for(writing: set[str], patience: float) -> None:
    give_up = time.monotonic() + patience
    while writing & _writing():
        if time.monotonic() > give_up:
            raise StillWriting
        time.sleep(0.1)


def _alone() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])


def _digests(after: int, last: int) -> Iterator[tuple[int, bytes]]:
    """(id, SHA-256) of the changes that lie in the range now, by id."""
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT id, {CANONICAL} FROM households_change"
                " WHERE id > %s AND id <= %s ORDER BY id LIMIT %s",
                [after, last, AT_ONCE],
            )
            rows = cursor.fetchall()
        for pk, text in rows:
            yield pk, hashlib.sha256(text.encode()).digest()
        if len(rows) < AT_ONCE:
            return
        after = rows[-1][0]


def _leaves(after: int, last: int) -> tuple[list[int], bytes]:
    ids, digests = [], bytearray()
    for pk, digest in _digests(after, last):
        ids.append(pk)
        digests += digest
    return ids, bytes(digests)


def head_of(day: date) -> Head | None:
    """The newest link at the end of that day; None before the first."""
    midnight = datetime.combine(day + timedelta(days=1), datetime.min.time(), clock.SHANGHAI)
    found = HistorySeal.objects.filter(made_at__lt=midnight).order_by("-number").first()
    return Head.of(found) if found else None


# -- verifying -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that was tampered with: what it is, in words, and which change or link."""

    words: str
    change: int | None = None
    link: int | None = None

    def __str__(self) -> str:
        change = _("变更 %(n)d") % {"n": self.change} if self.change is not None else ""
        link = _("封存 %(n)d") % {"n": self.link} if self.link is not None else ""
        return "　".join(filter(None, [link, change, self.words]))


def findings(heads: list[Head] | None = None) -> Iterator[Finding]:
    """All that does not fit: changes, links, heads exported before, changes long unsealed."""
    before, after = FIRST, LOWEST
    exported = {head.number: head for head in heads or []}
    number = 0
    for link in HistorySeal.objects.order_by("number").iterator(chunk_size=20):
        number += 1
        yield from _of_link(link, number, before, after)
        yield from _of_changes(link)
        if (head := exported.pop(link.number, None)) and head.head != link.head:
            yield Finding(_("封存链被重建：与导出的链头不符"), link=link.number)
        number, before, after = link.number, link.head, link.last_id
    for head in exported.values():
        yield Finding(_("封存已被删除：导出的链头不在链上"), link=head.number)
    yield from _overdue(after)


def _of_link(link: HistorySeal, number: int, before: str, after: int) -> Iterator[Finding]:
    if link.number != number:
        yield Finding(_("封存缺失"), link=number)
    elif link.previous != before or link.after_id != after:
        yield Finding(_("封存与前一条不相接"), link=link.number)
    if link.head != _head(link):
        yield Finding(_("封存内容被改动"), link=link.number)


def _of_changes(link: HistorySeal) -> Iterator[Finding]:
    leaves = bytes(link.leaves)
    sealed = {pk: leaves[n * DIGEST : (n + 1) * DIGEST] for n, pk in enumerate(link.ids)}
    for pk, digest in _digests(link.after_id, link.last_id):
        was = sealed.pop(pk, None)
        if was is None:
            yield Finding(_("变更记录是后来插入的"), pk, link.number)
        elif was != digest:
            yield Finding(_("变更记录被改动"), pk, link.number)
    for pk in sealed:
        yield Finding(_("变更记录被删除"), pk, link.number)


def _overdue(after: int) -> Iterator[Finding]:
    """What lies unsealed for long: sealing stands still, or the last links were taken away."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT min(id), count(*) FROM households_change WHERE id > %s AND at < %s",
            [after, clock.now() - OVERDUE_AFTER],
        )
        first, count = cursor.fetchone()
    if count:
        words = _("有 %(n)d 条变更两小时以上没有封存：封存停了，或最后的封存被删除")
        yield Finding(words % {"n": count}, first)
