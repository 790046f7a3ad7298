"""Another transmitter or another card behind a gateway: a recorded act that keeps the units."""

from __future__ import annotations

import re
from datetime import datetime
from urllib.parse import quote

from django.db import transaction
from django.utils.translation import gettext as _

from devices.models import Gateway, Transmitter
from households import clock
from households.models import User


class NotChanged(Exception):
    """The change is not taken; the message says why."""


@transaction.atomic
def change(
    gateway: Gateway,
    *,
    by: User | None,
    why: str = "",
    identity: str | None = None,
    imei: str | None = None,
    iccid: str | None = None,
    number: str | None = None,
    since: datetime | None = None,
) -> Transmitter:
    """Record what stands behind a dial-in gateway from `since` (now) on; None leaves as it was.

    Another transmitter (id or IMEI) has to have its identity confirmed anew and loses the private
    registration text of the one before; another card changes nothing of that. The first record of
    a gateway says what was there all the time. Raises NotChanged.
    """
    gateway = Gateway.objects.select_for_update().get(pk=gateway.pk)
    if gateway.kind != Gateway.Kind.DIAL:
        raise NotChanged(_("%(line)s 不是拨入的无线数据传输装置") % {"line": gateway})
    before = gateway.transmitters.first()
    row = Transmitter(
        gateway=gateway,
        since=since or clock.now(),
        identity=_kept(identity, gateway.transmitter),
        imei=_digits(_kept(imei, before.imei if before else ""), "IMEI", r"\d{15}"),
        iccid=_digits(_kept(iccid, before.iccid if before else ""), "ICCID", "[0-9A-F]{19,20}"),
        number=_digits(
            _kept(number, before.number if before else ""), _("流量卡号码"), r"\d{5,20}"
        ),
        why=why.strip()[:200],
        recorded_by=by,
        recorded_at=clock.now(),
    )
    _check_time(row, before)
    row.save()
    if row.identity != gateway.transmitter or (before and before.imei and before.imei != row.imei):
        _replace(gateway, row.identity)
    row.gateway = gateway
    return row


def _kept(said: str | None, before: str) -> str:
    return before if said is None else said.strip()


def _digits(text: str, name: str, form: str) -> str:
    text = re.sub(r"[\s-]", "", text).upper()
    if text and not re.fullmatch(form, text):
        raise NotChanged(_("%(name)s“%(text)s”写法不对") % {"name": name, "text": text})
    return text


def _check_time(row: Transmitter, before: Transmitter | None) -> None:
    if row.since > clock.now():
        raise NotChanged(_("更换时间不能在将来"))
    if before and row.since <= before.since:
        raise NotChanged(_("更换时间应在上一次登记之后"))


def _replace(gateway: Gateway, identity: str) -> None:
    """Another device: it dials in under its own id and has proven nothing yet."""
    if not identity:
        raise NotChanged(_("没有写明传输装置的编号"))
    query = gateway.url.partition("?")[2]
    url = f"dial://{quote(identity, safe='')}" + (f"?{query}" if query else "")
    if Gateway.objects.filter(url=url).exclude(pk=gateway.pk).exists():
        raise NotChanged(_("编号 %(id)s 已由另一条通信链路使用") % {"id": identity})
    gateway.url = url
    gateway.trusted, gateway.secret_hash, gateway.proven_by = False, "", ""
    gateway.save()
