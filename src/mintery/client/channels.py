"""What an operator asks a gateway about its channels, and changes of them. ``key`` is the operator's.

``base_url`` ends in ``/v1``, as everywhere; ``said`` are the reason of a change, and who makes it (``reason``, ``by``).
Everything raises GatewayRefused and GatewayUnreachable.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

from mintery.client.calls import call

Said = Mapping[str, str]


def list_channels(base_url: str, key: str) -> dict[str, Any]:
    """Official channels and routes apart, with the providers' own settings."""
    return call("GET", _url(base_url), key)


def channel_history(base_url: str, key: str, name: str | None = None, *, limit: int = 100) -> dict[str, Any]:
    """Newest first; ``name`` of a channel, a provider or a shared name."""
    asked = {"limit": limit} | ({} if name is None else {"name": name})
    return call("GET", f"{_url(base_url)}/history?{urlencode(asked)}", key)


def discover_models(base_url: str, key: str, provider: str | None = None) -> dict[str, Any]:
    """What providers offer now, beside what is sold."""
    asked = "" if provider is None else f"?{urlencode({'provider': provider})}"
    return call("GET", f"{_url(base_url)}/discovered{asked}", key)


def add_channel(
    base_url: str, key: str, channel: str, said: Said, terms: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """``terms`` declare a model as a providers file does; None puts one back that the file declares."""
    return call("POST", _url(base_url), key, {**said, "channel": channel, "terms": terms})


def remove_channel(base_url: str, key: str, channel: str, said: Said) -> dict[str, Any]:
    return call("POST", _url(base_url, channel, "remove"), key, said)


def enable_channel(base_url: str, key: str, channel: str, said: Said, *, enabled: bool) -> dict[str, Any]:
    return call("PUT", _url(base_url, channel, "enabled"), key, {**said, "on": enabled})


def allow_own_key(base_url: str, key: str, channel: str, said: Said, *, allowed: bool) -> dict[str, Any]:
    return call("PUT", _url(base_url, channel, "own-key"), key, {**said, "on": allowed})


def set_multiplier(base_url: str, key: str, channel: str, said: Said, basis_points: int | None) -> dict[str, Any]:
    return call("PUT", _url(base_url, channel, "multiplier"), key, {**said, "basis_points": basis_points})


def make_primary(base_url: str, key: str, channel: str, said: Said, backups: Sequence[str]) -> dict[str, Any]:
    return call("PUT", _url(base_url, channel, "primary"), key, {**said, "backups": list(backups)})


def allow_resale(base_url: str, key: str, provider: str, said: Said, *, allowed: bool) -> dict[str, Any]:
    return call("PUT", _url(base_url, "providers", provider, "resale"), key, {**said, "on": allowed})


def _url(base_url: str, *steps: str) -> str:
    root = base_url.removesuffix("/").removesuffix("/v1")
    return "/".join((root, "admin", "channels", *(quote(step, safe="/") for step in steps)))
