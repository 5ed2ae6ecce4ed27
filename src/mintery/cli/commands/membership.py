"""``mintery membership``: what a gateway sells of itself by the month."""

import re
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mintery.cli.money import nanos_text
from mintery.cli.options import DEFAULT_URL, ApiKey, GatewayUrl, Json
from mintery.cli.output import pairs, progress, show, table
from mintery.errors import UnknownMembership
from mintery.units import NANO_DECIMALS, NanoCredits, parse_decimal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console

app = typer.Typer(help="See, begin and end memberships: models, rates and places in the queue.", no_args_is_help=True)
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
Name = Annotated[str, typer.Argument(metavar="NAME", help="As `mintery membership list` shows it.")]


@app.command("list")
def list_memberships(*, api_key: ApiKey, url: GatewayUrl = DEFAULT_URL, as_json: Json = False) -> None:
    """What is sold for this key's credits, and what its account has."""
    from mintery.client import memberships

    with progress("Asking what is sold"):
        told = memberships(url, api_key)
    show(told, lambda out: _print_list(out, told), as_json=as_json)


@app.command("begin")
def begin(
    name: Name,
    *,
    api_key: ApiKey,
    most: Annotated[
        str | None,
        typer.Option("--most", metavar="CREDITS", help="The most that a month may cost. Default: what it costs now."),
    ] = None,
    url: GatewayUrl = DEFAULT_URL,
    as_json: Json = False,
) -> None:
    """Pay a membership by the month, from now on: as long as the key's voucher allows, until you end it."""
    from mintery.client import begin_membership

    limit = None if most is None else parse_decimal(most, NANO_DECIMALS)
    with progress("Beginning the membership"):
        told = begin_membership(url, api_key, _checked(name), most=limit)
    show(told, lambda out: _print_one(out, told), as_json=as_json)


@app.command("end")
def end(name: Name, *, api_key: ApiKey, url: GatewayUrl = DEFAULT_URL, as_json: Json = False) -> None:
    """Charge no further month. The one that is paid runs to its end."""
    from mintery.client import end_membership

    with progress("Ending the membership"):
        told = end_membership(url, api_key, _checked(name))
    show(told, lambda out: _print_one(out, told), as_json=as_json)


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise UnknownMembership(name, ())
    return name


def _print_list(out: "Console", told: "Mapping[str, Any]") -> None:
    columns = ("membership", "a month ", "a request ", "requests/min ", "tokens/min ", "priority ", "models")
    table("For sale", columns, [_offer_row(each) for each in told["data"]])(out)
    for membership in told["memberships"]:
        _print_one(out, membership)
    standing = told["standing"]
    rows = [
        ("memberships", ", ".join(standing["memberships"]) or "none"),
        ("requests a minute", _limit(standing["requests_per_minute"])),
        ("tokens a minute", _limit(standing["tokens_per_minute"])),
    ]
    pairs("What this account may do now", rows)(out)


def _offer_row(offer: "Mapping[str, Any]") -> tuple[str, ...]:
    prices = {each["per"]: each for each in offer["prices"]}
    return (
        str(offer["membership"]),
        _price(prices.get("month")),
        _price(prices.get("request")),
        _limit(offer["requests_per_minute"]),
        _limit(offer["tokens_per_minute"]),
        str(offer["priority"]),
        ", ".join(offer["models"]),
    )


def _price(price: "Mapping[str, Any] | None") -> str:
    if price is None:
        return "not sold"
    return nanos_text(NanoCredits(int(price["nanocredits"]))) if price["available"] else f"not now: {price['code']}"


def _limit(limit: int | None) -> str:
    return "no limit" if limit is None else f"{limit:,}"


def _print_one(out: "Console", membership: "Mapping[str, Any]") -> None:
    rows = [
        ("status", str(membership["status"])),
        ("paid until", str(membership["paid_until"])),
        ("next charge", membership["next_charge_at"] or "none"),
        ("at most a month", nanos_text(NanoCredits(int(membership["most_nanocredits_a_month"])))),
        ("receipt", str(membership["receipt"])),
    ]
    pairs(f"Membership {membership['membership']}", rows)(out)
