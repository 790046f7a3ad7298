"""The URL of a line.

serial:///dev/ttyUSB0?baud=9600&parity=N&stop_bits=1   opened exclusively
serial:///dev/ttyS1?rs485=on                           the driver switches the direction (RTS)
tcp://host:port                                        RTU frames over TCP
mbap://host:port                                       Modbus TCP
dial://ID                                              a transmitter at the switchboard
dial://ID?framing=mbap                                 one that converts to Modbus TCP itself
dial://ID?listen=host:port&dialect=auto&wait=90        for the shell, which listens itself
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast
from urllib.parse import parse_qsl, unquote, urlsplit

from devices.modbus.troubles import UrlRefused
from devices.modbus.words import N_


@dataclass(frozen=True, slots=True)
class LineUrl:
    """A parsed URL; fields that its scheme does not have keep their defaults.

    baud, parity and stop_bits are None where the URL does not say them.
    """

    scheme: Literal["serial", "tcp", "mbap", "dial"]
    host: str = ""
    port: int = 0
    device: str = ""
    baud: int | None = None
    parity: Literal["N", "E", "O"] | None = None
    stop_bits: int | None = None
    rs485: bool = False
    echo: Literal["auto", "on", "off"] = "auto"
    transmitter: str = ""
    framing: Literal["rtu", "mbap"] = "rtu"
    listen: str = ""
    dialect: str = "auto"
    wait_s: float = 90.0


_PARAMETERS = {
    "serial": {"baud", "parity", "stop_bits", "rs485", "echo"},
    "tcp": {"echo"},
    "mbap": set[str](),
    "dial": {"listen", "dialect", "wait", "framing", "echo"},
}


def parse_url(url: str) -> LineUrl:
    """Read a line's URL; raises UrlRefused with what is wrong and what to write instead."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port if parts.scheme in ("tcp", "mbap") else None
    except ValueError:
        raise UrlRefused(N_("地址“%(url)s”写法不对：端口应为 1～65535 的数字"), url=url) from None
    refuse_meters(parts.scheme)
    if parts.scheme not in _PARAMETERS:
        raise UrlRefused(
            N_(
                "地址“%(url)s”写法不对：应以 serial://、tcp://、mbap:// 或 dial:// 开头，"
                "例如 tcp://192.168.1.10:502"
            ),
            url=url,
        )
    query = _query(url, parts.query, _PARAMETERS[parts.scheme])
    if parts.scheme == "serial":
        return _serial_url(url, unquote(parts.netloc + parts.path), query)
    if parts.scheme == "dial":
        return _dial_url(url, unquote(parts.netloc), query)
    if not parts.hostname or not port or parts.path not in ("", "/"):
        raise UrlRefused(
            N_("地址“%(url)s”写法不对：应为 %(scheme)s://主机:端口"), url=url, scheme=parts.scheme
        )
    scheme = cast(Literal["tcp", "mbap"], parts.scheme)
    return LineUrl(scheme, host=parts.hostname, port=port, echo=_echo(url, query))


def _query(url: str, text: str, allowed: set[str]) -> dict[str, str]:
    query = dict(parse_qsl(text, keep_blank_values=True))
    for name in query:
        if name not in allowed:
            raise UrlRefused(N_("地址“%(url)s”里的参数 %(name)s 不认识"), url=url, name=name)
    return query


def _serial_url(url: str, device: str, query: dict[str, str]) -> LineUrl:
    if not device.strip("/"):
        raise UrlRefused(
            N_("地址“%(url)s”没有写明串口，例如 serial:///dev/ttyUSB0?baud=9600&parity=N"), url=url
        )
    parity = query.get("parity", "").upper() or None
    if parity not in (None, "N", "E", "O"):
        raise UrlRefused(N_("地址“%(url)s”里的 parity 应为 N、E 或 O"), url=url)
    baud = _whole(url, query, "baud", 300, 4_000_000)
    stop_bits = _whole(url, query, "stop_bits", 1, 2)
    return LineUrl(
        "serial",
        device=device,
        baud=baud,
        parity=cast(Literal["N", "E", "O"] | None, parity),
        stop_bits=stop_bits,
        rs485=_one_of(url, query, "rs485", ("off", "on")) == "on",
        echo=_echo(url, query),
    )


def _dial_url(url: str, transmitter: str, query: dict[str, str]) -> LineUrl:
    if not transmitter:
        raise UrlRefused(N_("地址“%(url)s”没有写明传输装置的编号，例如 dial://1001"), url=url)
    wait = _whole(url, query, "wait", 1, 3600)
    return LineUrl(
        "dial",
        transmitter=transmitter,
        framing=cast(Literal["rtu", "mbap"], _one_of(url, query, "framing", ("rtu", "mbap"))),
        echo=_echo(url, query),
        listen=query.get("listen", ""),
        dialect=query.get("dialect", "auto"),
        wait_s=90 if wait is None else wait,
    )


def _echo(url: str, query: dict[str, str]) -> Literal["auto", "on", "off"]:
    """Whether the line gives back what is sent to it."""
    word = _one_of(url, query, "echo", ("auto", "on", "off"))
    return cast(Literal["auto", "on", "off"], word)


def _one_of(url: str, query: dict[str, str], name: str, words: tuple[str, ...]) -> str:
    """The word that a parameter says; the first of them where it is left out."""
    word = query.get(name, words[0]).lower()
    refuse_meters(word)
    if word not in words:
        raise UrlRefused(
            N_("地址“%(url)s”里的 %(name)s 应为 %(known)s 之一"),
            url=url,
            name=name,
            known=", ".join(words),
        )
    return word


def refuse_meters(protocol: str) -> None:
    """Energy meters and heat meters often speak what this platform does not; raises UrlRefused."""
    bare = "".join(filter(str.isalnum, protocol.casefold()))
    for name, number in (("DL/T 645", "645"), ("CJ/T 188", "188")):
        if bare.startswith((f"dlt{number}", f"cjt{number}", number)):
            raise UrlRefused(
                N_("%(name)s 表计的规约目前不支持：只能接 Modbus 的设备和表计"), name=name
            )


def _whole(url: str, query: dict[str, str], name: str, least: int, most: int) -> int | None:
    text = query.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
        raise UrlRefused(
            N_("地址“%(url)s”里的 %(name)s 应为 %(least)d～%(most)d 的整数"),
            url=url,
            name=name,
            least=least,
            most=most,
        )
    return int(text)
