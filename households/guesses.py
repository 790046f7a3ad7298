"""Holding up whoever tries codes at a public page, and nobody else.

Only wrong codes count. A right one is answered whoever asks and however often: who holds the paper
is never refused because somebody else guesses behind the same router.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address

from django.db import connection, transaction
from django.utils.crypto import salted_hmac

from households import clock
from households.models import Guesses

KEPT = timedelta(hours=1)
_COUNT = """
    INSERT INTO households_guesses AS own (page, visitor, minute, count) VALUES (%s, %s, %s, 1)
    ON CONFLICT (page, visitor, minute) DO UPDATE SET count = own.count + 1 RETURNING count"""


def too_many(page: str, visitor: str | None, limit: int) -> bool:
    """Count one wrong code of `visitor` (a network address) at `page`, and answer whether there
    were more than `limit` within this minute."""
    minute = clock.now().replace(second=0, microsecond=0)
    with transaction.atomic(), connection.cursor() as cursor:
        # A count lost with a crashed server is no loss: the answer need not wait for the disk.
        cursor.execute("SET LOCAL synchronous_commit TO off")
        cursor.execute(_COUNT, [page, _hashed(visitor), minute])
        count = cursor.fetchone()[0]
    if count == 1:
        _forget(minute)
    return bool(count > limit)


def _hashed(visitor: str | None) -> str:
    """One who has an IPv6 address has 2^64 of them: they count as one."""
    try:
        found = ip_address(visitor or "")
    except ValueError:
        network = "?"
    else:
        is_wide = isinstance(found, IPv6Address)
        network = str(int(found) >> 64) if is_wide else str(found)
    return salted_hmac("households.guesses", network, algorithm="sha256").hexdigest()


def _forget(now: datetime) -> None:
    Guesses.objects.filter(minute__lt=now - KEPT).delete()
