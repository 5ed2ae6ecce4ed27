"""Channels, their changes and what providers offer, in words."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mintery.cli.output import pairs, show, table

if TYPE_CHECKING:
    from rich.console import Console

_MARKUP = "project's markup"


def show_change(told: Mapping[str, Any], *, as_json: bool) -> None:
    channel, change = told["channel"], told["change"]
    rows = [("changed", "no: it was so before")] if change is None else [("setting", change["setting"])]
    if change is not None:
        rows += [(when, setting_text(change, when)) for when in ("before", "after")]
    if channel is not None:
        rows += [("state", _state(channel)), ("asks over its provider's price", _multiplier(channel))]
    title = "Removed" if channel is None else str(channel["channel"])
    show(told, pairs(title, rows), as_json=as_json)


def print_channels(out: "Console", told: Mapping[str, Any]) -> None:
    columns = ("channel", "goes by", "place", "state", "over price ", "own key")
    for title, kind in (("Official channels", "official"), ("Ordinary routes", "routed")):
        table(f"{len(told[kind])} {title.lower()}", columns, [_row(each) for each in told[kind]])(out)
    providers = [
        (each["provider"], each["kind"], _resale(each), ", ".join(each["forbidden_by"]) or _switched_off(each))
        for each in told["providers"]
    ]
    table("Providers", ("provider", "kind", "sold on", "stopped by"), providers)(out)
    if told["removed"]:
        pairs("Removed", [(name, "") for name in told["removed"]])(out)
    if told["unusable"]:
        pairs("Added, and not usable here", sorted(told["unusable"].items()))(out)


def print_discovered(out: "Console", providers: Sequence[Mapping[str, Any]]) -> None:
    for each in providers:
        rows = [
            ("offers", each["error"] or f"{each['offered']} models"),
            ("new", _listed(each["new"])),
            ("gone", _listed(each["gone"])),
            ("without a price", _listed(each["unpriced"])),
        ]
        pairs(each["provider"], rows)(out)


def _resale(provider: Mapping[str, Any]) -> str:
    if provider["resale"] is None:
        return "its own"
    return "yes" if provider["resale"] else "no"


def _switched_off(provider: Mapping[str, Any]) -> str:
    return "switched off on chain" if provider["switched_off"] else ""


def _row(channel: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        channel["channel"] + (" (TEST)" if channel["test"] else ""),
        channel["serves"] or "",
        channel["role"] or "",
        channel["state"].replace("_", " "),
        _multiplier(channel),
        "yes" if channel["own_key"] else "",
    )


def _state(channel: Mapping[str, Any]) -> str:
    return "for sale" if channel["why"] is None else str(channel["why"])


def _multiplier(channel: Mapping[str, Any]) -> str:
    bps = channel["multiplier_bps"]
    return _MARKUP if bps is None else f"{bps} bps"


def who(change: Mapping[str, Any]) -> str:
    return f"{change['by']}: {change['reason']}"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "none"


def setting_text(change: Mapping[str, Any], when: str) -> str:
    """What a setting was or is, ``before`` or ``after`` its change. Nothing set: as the providers file has it, which has no
    multipliers.
    """
    import orjson

    value = change[when]
    if value is None:
        return _MARKUP if change["setting"] == "multiplier" else "as the file"
    return value if isinstance(value, str) else orjson.dumps(value).decode()[:200]
