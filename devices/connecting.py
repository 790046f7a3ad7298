"""Putting a unit on a line: what `manage.py unit add` checks before anything is stored."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from devices.modbus import pointmap, wires
from devices.modbus.mapsettings import Settings
from devices.modbus.urls import LineUrl, parse_url
from devices.models import DeviceKind, DeviceModel, Gateway, RegisterMap, Supplier, Unit
from households import clock

LAST_ADDRESS = {1: 247, 2: 65_535}  # by bytes of the address on the wire
LAST_NETWORK_ADDRESS = 65_535  # Annex 2 item 3


class NotConnected(Exception):
    """The unit cannot be put there; the message says why and what to do."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a unit hangs: its line, and its addresses."""

    url: str
    address: int
    module: int | None = None
    network_address: int | None = None
    factory_number: str = ""
    line_worker: str = ""
    trusted: bool = False


@dataclass(frozen=True, kw_only=True)
class Wish(Place):
    """A unit as somebody wants it connected; what is empty is taken from the register map."""

    map_data: bytes
    map_name: str
    supplier: str = ""
    model: str = ""
    device_name: str = ""
    kind: str = ""
    medium: str = ""


@transaction.atomic
def connect(wish: Wish) -> Unit:
    """Store gateway, model, map and unit, as far as they are not there yet.

    Raises NotConnected, UrlRefused or pointmap.MapRefused; nothing is stored then.
    """
    points = pointmap.load(wish.map_data, wish.map_name)
    model = _model(wish, points.settings)
    return put(wish, RegisterMap.objects.add(model, wish.map_data, wish.map_name))


@transaction.atomic
def put(place: Place, version: RegisterMap) -> Unit:
    """Store a unit that speaks by this version of a map, and its gateway if it is not there yet.

    Raises NotConnected or UrlRefused; nothing is stored then.
    """
    settings = version.parsed().settings
    _check_wire(place.url, settings)
    _check_addresses(place, settings)
    gateway = _gateway(place)
    _check_neighbours(gateway, place, settings)
    version.mark_used()
    return Unit.objects.create(
        gateway=gateway,
        address=place.address,
        network_address=place.network_address,
        model=version.model,
        register_map=version,
        module=place.module,
        factory_number=place.factory_number,
        in_service_since=clock.now(),
    )


def _check_wire(url: str, settings: Settings) -> None:
    """What the URL says of the serial port must be what the unit speaks."""
    said = parse_url(url)
    for name in ("baud", "parity", "stop_bits"):
        asked, spoken = getattr(said, name), getattr(settings, name)
        if asked not in (None, spoken):
            told = {"name": name, "asked": asked, "spoken": spoken}
            raise NotConnected(
                _("地址里的 %(name)s=%(asked)s 与点表的 @%(name)s=%(spoken)s 不一致：请改正其一")
                % told
            )


def _check_addresses(place: Place, settings: Settings) -> None:
    last = LAST_ADDRESS[settings.address_width]
    if not 1 <= place.address <= last:
        raise NotConnected(_("线上地址应为 1～%(last)s 的整数") % {"last": last})
    if place.module is not None and settings.module_stride is None:
        raise NotConnected(_("点表没有 @module_stride，不能指定模块号"))
    number = place.network_address
    if number is None:
        return
    if not 1 <= number <= LAST_NETWORK_ADDRESS:
        raise NotConnected(_("网络地址应为 1～%(last)s 的整数") % {"last": LAST_NETWORK_ADDRESS})
    other = Unit.objects.filter(network_address=number, retired_at=None).first()
    if other:
        told = {"number": number, "unit": other, "id": other.pk}
        raise NotConnected(_("网络地址 %(number)s 已由设备 %(id)s（%(unit)s）使用") % told)


def _gateway(place: Place) -> Gateway:
    """The line that the URL leads to, however it was written; made where there is none."""
    there = parse_url(place.url)
    for gateway in Gateway.objects.select_for_update().filter(kind=there.scheme):
        here = parse_url(gateway.url)
        if _spot(here) == _spot(there):
            if here.framing != there.framing:
                raise NotConnected(
                    _("通信链路 %(line)s 已按另一种报文格式登记") % {"line": gateway}
                )
            return _same_gateway(gateway, place)
    url = place.url.strip()
    return Gateway.objects.create(
        url=_dial_url(url, there) if there.scheme == "dial" else url,
        kind=there.scheme,
        line_worker=place.line_worker or _usual_worker(),
        trusted=place.trusted,
    )


def _usual_worker() -> str:
    """The line worker with the most lines; `main` before there is any line."""
    names = list(Gateway.objects.order_by().values_list("line_worker", flat=True))
    return max(sorted(set(names)), key=names.count, default="main")


def _dial_url(url: str, there: LineUrl) -> str:
    """What belongs to the gateway, without what the shell needs to listen by itself."""
    return url.partition("?")[0] + ("?framing=mbap" if there.framing == "mbap" else "")


def _spot(url: LineUrl) -> tuple[object, ...]:
    return url.scheme, url.host, url.port, url.device, url.transmitter


def _same_gateway(gateway: Gateway, place: Place) -> Gateway:
    if place.line_worker not in ("", gateway.line_worker):
        raise NotConnected(
            _("通信链路 %(line)s 由采集进程 %(name)s 负责，一条链路只能有一个采集进程")
            % {"line": gateway, "name": gateway.line_worker}
        )
    if place.trusted and not gateway.trusted:
        gateway.trusted = True
        gateway.save()
    return gateway


def _check_neighbours(gateway: Gateway, place: Place, settings: Settings) -> None:
    """Units of one line have different addresses and speak alike."""
    mine = speech(gateway.url, settings)
    for other in gateway.units.filter(retired_at=None).select_related("register_map"):
        if (other.address, other.module) == (place.address, place.module):
            told = {"address": place.address, "id": other.pk, "unit": other}
            raise NotConnected(
                _("线上地址 %(address)s 已由设备 %(id)s（%(unit)s）使用：请换地址或先停用它") % told
            )
        theirs = speech(gateway.url, other.register_map.parsed().settings)
        if mine != theirs:
            told = {"id": other.pk, "mine": mine, "theirs": theirs}
            raise NotConnected(
                _(
                    "点表的通信参数（%(mine)s）与同一通信链路上设备 %(id)s 的（%(theirs)s）不一致："
                    "一条链路上的设备须用相同的速率、校验和地址长度"
                )
                % told
            )


def speech(url: str, settings: Settings) -> str:
    """Speed, parity, stop bits and form of the address, as `9600 N1 1 big`."""
    wire = wires.wire_of(url, settings)
    return f"{wire.url.baud} {wire.url.parity}{wire.url.stop_bits} {wire.width} {wire.order}"


def _model(wish: Wish, settings: Settings) -> DeviceModel:
    supplier, _new = Supplier.objects.get_or_create(name=wish.supplier or settings.maker)
    kind, medium = wish.kind or settings.kind, wish.medium or settings.medium
    model, new = DeviceModel.objects.get_or_create(
        supplier=supplier,
        code=wish.model or settings.model,
        defaults={
            "kind": kind,
            "medium": medium,
            "name": wish.device_name or str(DeviceKind(kind).label),
        },
    )
    if not new and (model.kind, model.medium) != (kind, medium):
        told = {"model": model, "kind": model.kind, "medium": model.medium}
        raise NotConnected(
            _("型号 %(model)s 已登记为 %(kind)s、%(medium)s，与这次的不一致：请核对点表或型号")
            % told
        )
    return model
