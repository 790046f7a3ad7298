"""Which unit addresses of a line answer: bounded, one request each, at the declared width only.

A frame for a two-byte address is a valid frame for a one-byte reader too, so width 2 is scanned
only after listening to the line and a one-byte scan that found nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from devices.modbus import frames
from devices.modbus.line import POLL, Line
from devices.modbus.transports import Transport
from devices.modbus.troubles import ExceptionReply, ExchangeFailed, LineDown, NoAnswer, Trouble
from devices.modbus.wires import Wire, line_on
from devices.modbus.words import N_

LISTEN_S = 10.0
MOST = 4096
_NOT_REACHED = (10, 11)  # a gateway's own exceptions: nobody answered it


@dataclass(slots=True)
class Scan:
    """What a scan has found so far; it may be looked at while the scan runs.

    `found` maps addresses to `answered` or `exception:<code>`, which is an answer too; `noise`
    are addresses at which bytes came that were no frame: a wrong speed, or two units at once.
    Whoever sets `stopped` ends it before the next request.
    """

    asked: int = 0
    found: dict[int, str] = field(default_factory=dict)
    noise: list[int] = field(default_factory=list)
    stopped: bool = False


def addresses_of(width: int, order: frames.Order, first: int | None, last: int | None) -> list[int]:
    """The addresses of a range that may be tried; raises Trouble for a range that cannot be."""
    lowest, highest = (1, 247) if width == 1 else (0x0100, 0xFFFF)
    start = lowest if first is None else first
    end = min(highest, start + MOST - 1) if last is None else last
    if not lowest <= start <= end <= highest:
        raise Trouble(
            N_("扫描范围应在 %(lowest)d～%(highest)d 之内，且起始不大于终止"),
            lowest=lowest,
            highest=highest,
        )
    if end - start >= MOST:
        raise Trouble(N_("一次最多扫描 %(most)d 个地址，请缩小范围"), most=MOST)
    if width == 1:
        return list(range(start, end + 1))
    return [a for a in range(start, end + 1) if frames.is_safe_native(a, order)]


async def scan(
    line: Line, addresses: Iterable[int], request: frames.Request, scan: Scan, *, timeout: float
) -> None:
    """Ask each address once and note in `scan` who answers; a silent one costs one time-out.

    Commands of others go first, and their polls take turns with it. Who answered too late, or
    while a late one spoke, is asked once more at the end. Raises LineDown where the line is lost.
    """
    tried = []
    for address in addresses:
        if scan.stopped:
            return
        tried.append(address)
        scan.asked += 1
        await _ask(line, address, request, scan, timeout)
    again = [a for a in tried if a in scan.noise or line.unit(a).late_replies]
    for address in again:
        if scan.stopped:
            return
        if address not in scan.found:
            await _ask(line, address, request, scan, timeout)


async def _ask(
    line: Line, address: int, request: frames.Request, scan: Scan, timeout: float
) -> None:
    heard = False
    try:
        await line.exchange(address, request, timeout=timeout, priority=POLL)
        scan.found[address] = "answered"
    except ExceptionReply as exception:
        if exception.code not in _NOT_REACHED:
            scan.found[address] = f"exception:{exception.code}"
    except LineDown:
        raise
    except ExchangeFailed as failure:
        heard = isinstance(failure, NoAnswer) and failure.heard > 0
    if heard and address not in scan.noise:
        scan.noise.append(address)
    elif address in scan.found and address in scan.noise:
        scan.noise.remove(address)


async def make_sure_of_two_bytes(
    transport: Transport,
    wire: Wire,
    timeout: float,
    *,
    listen_s: float = LISTEN_S,
    one_byte: Iterable[int] = range(1, 248),
) -> None:
    """Listen, then try every one-byte address; raises Trouble if anything is heard."""
    before = transport.bytes_in
    await asyncio.sleep(listen_s)
    heard = transport.bytes_in - before
    if heard:
        raise Trouble(
            N_(
                "监听 %(seconds)g 秒内收到 %(heard)d 字节：线上有别的主站或设备，不能扫描双字节地址"
            ),
            seconds=listen_s,
            heard=heard,
        )
    narrow, found = replace(wire, width=1), Scan()
    line = line_on(transport, narrow, quiet_s=timeout, listen_s=0)
    await scan(line, one_byte, frames.read("holding", 0, 1), found, timeout=timeout)
    if found.found or found.noise:
        raise Trouble(
            N_("线上有单字节地址的设备（%(units)s），不能扫描双字节地址"),
            units="、".join(map(str, [*found.found, *found.noise])),
        )
