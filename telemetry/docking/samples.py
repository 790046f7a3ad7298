"""A maker's sample at the bench: which line it hangs on, and at which addresses.

A sample is a unit without an installation. Its line is trusted, since whoever connects it has it
before him; a transmitter that dials in must prove itself besides, by its private registration text
or by the carrier's private network, before anything is written to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from devices import connecting
from devices.docking.applications import AT_BENCH
from devices.modbus.troubles import UrlRefused
from devices.models import DockingApplication, Gateway, Unit
from households import clock
from households.models import User
from telemetry.models import DockingTest


class NotConnected(Exception):
    """The sample cannot be put there; `sentence` says why and what to do."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


@dataclass(frozen=True)
class Connected:
    """The units at the bench. `secret` is the private registration text of a transmitter that had
    none: to be shown this once."""

    sample: Unit
    second: Unit | None
    secret: str = ""


@transaction.atomic
def connect(
    application: DockingApplication,
    by: User,
    *,
    address: int,
    transmitter: str = "",
    line: str = "",
    second_address: int | None = None,
    module: int | None = None,
    line_worker: str = "",
) -> Connected:
    """Put the application's sample on a line, and a second unit beside it.

    `transmitter` is the number of one that dials in; else `line` is the URL of a serial port or
    converter. What hung there before at these addresses for a test that is over is taken off.
    Raises NotConnected.
    """
    _refuse(application, by)
    url = f"dial://{quote(transmitter.strip(), safe='')}" if transmitter.strip() else line.strip()
    _clear(application, url)
    place = connecting.Place(
        url=url,
        address=address,
        module=module,
        network_address=_free_network_address(),
        line_worker=line_worker,
        trusted=True,
    )
    application.sample = _put(application, place)
    application.second_sample = None
    if second_address is not None:
        application.second_sample = _put(application, _beside(place, second_address))
    application.save(update_fields=["sample", "second_sample"])
    secret = _secret(application.sample.gateway)
    return Connected(application.sample, application.second_sample, secret)


def _refuse(application: DockingApplication, by: User) -> None:
    if not by.tests_docking:
        raise NotConnected(_("只有平台服务单位可以接入样机"))
    if application.state not in AT_BENCH:
        raise NotConnected(
            _("申请现在是“%(state)s”：收到样品后才能接入样机")
            % {"state": application.get_state_display()}
        )
    if _open_tests(application.sample).exists():
        raise NotConnected(_("样机正在测试：判定之后才能改接"))


def _open_tests(unit: Unit | None) -> QuerySet[DockingTest]:
    return DockingTest.objects.filter(judged_at=None, sample=unit)


def _clear(application: DockingApplication, url: str) -> None:
    """Take off the line, and off this application, what is not tested any more."""
    lines = Gateway.objects.filter(url__in=[url, f"{url}?framing=mbap"])
    if Unit.objects.installed().filter(gateway__in=lines).exists():
        raise NotConnected(_("这条通信链路上有住户的机组：样机请用另外的传输装置或线路"))
    old = Unit.objects.filter(retired_at=None, installations=None)
    busy = DockingTest.objects.filter(judged_at=None).values("sample")
    mine = old.filter(pk__in=[application.sample_id, application.second_sample_id])
    there = old.filter(gateway__in=lines).exclude(pk__in=busy)
    for unit in mine | there:
        unit.retired_at = clock.now()
        unit.save(update_fields=["retired_at"])


def _put(application: DockingApplication, place: connecting.Place) -> Unit:
    try:
        return connecting.put(place, application.register_map)
    except connecting.NotConnected as refusal:
        raise NotConnected(str(refusal)) from None
    except UrlRefused as refusal:
        sentence = refusal.sentence
        raise NotConnected(_(sentence.template) % sentence.params) from None


def _beside(place: connecting.Place, address: int) -> connecting.Place:
    return connecting.Place(
        url=place.url,
        address=address,
        network_address=_free_network_address(),
        line_worker=place.line_worker,
        trusted=True,
    )


def _free_network_address() -> int:
    """The highest that no unit in service has: samples keep out of the households' way."""
    rows = Unit.objects.filter(retired_at=None, network_address__isnull=False)
    taken = set(rows.values_list("network_address", flat=True))
    free = range(connecting.LAST_NETWORK_ADDRESS, 0, -1)
    number = next((n for n in free if n not in taken), None)
    if number is None:
        raise NotConnected(_("网络地址已用完"))
    return number


def _secret(gateway: Gateway) -> str:
    """A private registration text for a transmitter that cannot prove itself yet."""
    if gateway.kind != Gateway.Kind.DIAL or gateway.secret_hash or gateway.proven_by:
        return ""
    return gateway.new_secret()
