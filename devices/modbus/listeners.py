"""Where transmitters dial in: `dialect@host:port`, and whose network that is."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import parse_qsl

from devices.modbus.registration import DIALECTS
from devices.modbus.troubles import UrlRefused
from devices.modbus.words import N_

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Listener:
    """Where transmitters of one dialect dial in.

    `sources` are the address ranges of the carrier's private network: who comes from there has
    proven that its card is ours.
    """

    dialect: str
    host: str
    port: int
    sources: tuple[Network, ...] = ()

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.dialect}@{host}:{self.port}"

    def is_private(self, peer: str) -> bool:
        """Whether an address lies in the private network of this listener."""
        if not self.sources or not peer:
            return False
        address = ipaddress.ip_address(peer.partition("%")[0])
        plain = getattr(address, "ipv4_mapped", None) or address
        return any(plain in network for network in self.sources)


def parse_listener(spec: str) -> Listener:
    """Read `dialect@host:port` (`auto` where no dialect is named), with `?source=10.0.0.0/8`, once
    or several times joined by `&`, where a private network ends; raises UrlRefused."""
    place, _, query = spec.strip().partition("?")
    dialect, at, where = place.rpartition("@")
    host, _, port = where.rpartition(":")
    if not at:
        dialect = "auto"
    if dialect not in DIALECTS:
        raise UrlRefused(
            N_("监听地址“%(spec)s”里的拨入方式不认识，应为 %(known)s 之一"),
            spec=spec,
            known=", ".join(DIALECTS),
        )
    if not host or not (port.isascii() and port.isdigit() and int(port) < 65536):
        raise UrlRefused(N_("监听地址“%(spec)s”应写成 方式@主机:端口"), spec=spec)
    return Listener(dialect, host.strip("[]"), int(port), _sources(spec, query))


def _sources(spec: str, query: str) -> tuple[Network, ...]:
    found = []
    for name, value in parse_qsl(query, keep_blank_values=True):
        try:
            if name != "source":
                raise ValueError(name)
            found.append(ipaddress.ip_network(value))
        except ValueError:
            raise UrlRefused(
                N_("监听地址“%(spec)s”里 ? 之后只能写专网的地址段，例如 source=10.0.0.0/8"),
                spec=spec,
            ) from None
    return tuple(found)
