"""Whom a call came from, as far as no caller can choose it: what tries are counted by.

Behind proxies every connection comes from one of them. Those that the operator names are believed about whom they had it from,
in the one header that they write; what stands further left than the last of them was written by whoever called, and counts for
nothing.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Network = IPv4Network | IPv6Network
_Ip = IPv4Address | IPv6Address

MOST_HOPS = 16
"""Of a header, from the right. A longer chain ends at the last one that was looked at."""
SUBSCRIBER_BITS = 64
"""Of an IPv6 address, what one subscriber has; the rest of it is for its own devices to choose, anew each second if they like."""
SITE_BITS = 48
"""What one site may have: 65,536 times as much."""

_WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_PAIR = rf'({_WORD})=(?:({_WORD})|"([^"\\]*)")'
_PAIRS = re.compile(_PAIR, re.ASCII)
_ELEMENT = re.compile(rf"{_PAIR}(?:;{_PAIR})*", re.ASCII)
_BRACKETED = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::[0-9]{1,5})?", re.ASCII)
_PORTED = re.compile(r"([0-9.]+)(?::[0-9]{1,5})?", re.ASCII)


class ForwardedHeader(StrEnum):
    """The header that the operator's proxies write, and do not pass on as a caller sent it."""

    X_FORWARDED_FOR = "x-forwarded-for"
    FORWARDED = "forwarded"
    """RFC 7239."""


@dataclass(frozen=True, slots=True)
class Peer:
    """Attributes:
    near: what one subscriber has: an IPv4 address, or 64 bits of an IPv6 one.
    wide: what one site may have, which is counted beside it: 48 bits of an IPv6 address; None for IPv4.
    """

    near: str
    wide: str | None = None


@dataclass(frozen=True, slots=True)
class TrustedProxies:
    """The operator's proxies, and where they say whom a call came from. None: nobody is believed."""

    networks: tuple[Network, ...] = ()
    header: ForwardedHeader = ForwardedHeader.X_FORWARDED_FOR

    def peer(self, connected: str, lines: Sequence[str]) -> Peer:
        """``connected``: the other end of the connection; ``lines``: all that came of ``header``, in their order."""
        nearest = _ip(connected)
        if nearest is None:
            return Peer(connected)
        left, hops = ",".join(lines), 0
        while self._trusts(nearest) and left and hops < MOST_HOPS:
            left, _, said = left.rpartition(",")
            before = self._said(said.strip())
            if before is None:
                break
            nearest, hops = before, hops + 1
        return _peer(nearest)

    def _trusts(self, ip: _Ip) -> bool:
        return any(ip in network for network in self.networks if network.version == ip.version)

    def _said(self, element: str) -> _Ip | None:
        """None where it names no address. Read strictly: no quote or comma that a caller had written into it moves its ends."""
        if self.header is ForwardedHeader.FORWARDED:
            pairs = _PAIRS.findall(element) if _ELEMENT.fullmatch(element) else []
            named = [plain or quoted for name, plain, quoted in pairs if name.lower() == "for"]
            if len(named) != 1:
                return None
            element = named[0]
        if (found := _BRACKETED.fullmatch(element) or _PORTED.fullmatch(element)) is not None:
            return _ip(found[1])
        return _ip(element)


def _ip(text: str) -> _Ip | None:
    """IPv4 in IPv6's writing is IPv4; a zone, which is this machine's own word, is left out."""
    try:
        ip = ip_address(text)
    except ValueError:
        return None
    if isinstance(ip, IPv6Address):
        return ip.ipv4_mapped or IPv6Address(int(ip))
    return ip


def _peer(ip: _Ip) -> Peer:
    if isinstance(ip, IPv4Address):
        return Peer(str(ip))
    near, wide = (IPv6Network((ip, bits), strict=False) for bits in (SUBSCRIBER_BITS, SITE_BITS))
    return Peer(str(near), str(wide))
