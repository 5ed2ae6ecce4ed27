"""``mintery statement``: what became of a wallet's credits in a month."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mintery.cli.money import nanos_text
from mintery.cli.options import DEFAULT_URL, GatewayUrl, Json
from mintery.cli.output import pairs, progress, show, table
from mintery.units import NanoCredits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console

_TERMS = (
    ("at the start", "opening"),
    ("topped up", "top_ups"),
    ("used", "use"),
    ("not charged after all", "waived"),
    ("paid back", "paid_back"),
    ("at the end", "closing"),
)


class Form(StrEnum):
    JSON = "json"
    CSV = "csv"
    HTML = "html"
    PDF = "pdf"


def statement(
    month: Annotated[str | None, typer.Argument(metavar="[MONTH]", help="2026-11; this month by default.")] = None,
    *,
    api_key: Annotated[
        str,
        typer.Option(
            "--api-key",
            metavar="KEY",
            help="A key of the account (mv1.…), or the token of a sign-in for all of a holder's accounts.",
            envvar="MINTERY_API_KEY",
        ),
    ],
    to: Annotated[str | None, typer.Option("--to", metavar="MONTH", help="The last month, for more than one.")] = None,
    time_zone: Annotated[
        str, typer.Option("--time-zone", metavar="ZONE", help="Whose months: an IANA name, like Europe/Berlin.")
    ] = "UTC",
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Save the whole statement, with every line.")
    ] = None,
    form: Annotated[Form | None, typer.Option("--format", help="Of --out; by default as the file's name ends.")] = None,
    url: GatewayUrl = DEFAULT_URL,
    as_json: Json = False,
) -> None:
    """Show what a wallet had, got, used and was paid back in a month, by app, model and route; or save it with every line.

    At the start + topped up - used + not charged after all - paid back = at the end, to the last unit.
    """
    from mintery.client import statement as read_statement

    query = {
        "time_zone": time_zone,
        **({} if month is None else {"month": month}),
        **({} if to is None else {"to": to}),
    }
    if out is not None:
        _save(out, form, url, api_key, query, as_json=as_json)
        return
    with progress("Reading the statement"):
        told = read_statement(url, api_key, query)
    show(told, lambda screen: _print(screen, told), as_json=as_json)


def _save(out: Path, form: Form | None, url: str, api_key: str, query: dict[str, str], *, as_json: bool) -> None:
    """Beside its name first, so that half a statement never passes for one."""
    from mintery.client import save_statement

    ending = out.suffix.lstrip(".").lower()
    chosen = form or next((each for each in Form if each.value == ending), Form.CSV)
    beside = out.with_name(f"{out.name}.part")
    try:
        with progress("Saving the statement"), beside.open("wb") as file:
            size = save_statement(url, api_key, chosen.value, file, query)
        beside.replace(out)
    finally:
        beside.unlink(missing_ok=True)
    facts = {"file": str(out), "format": chosen.value, "bytes": size}
    show(facts, pairs("The statement is saved", [(name, str(value)) for name, value in facts.items()]), as_json=as_json)


def _print(out: "Console", told: "Mapping[str, Any]") -> None:
    period = told["period"]
    if not told["wallets"]:
        pairs(f"Statement {period['name']}: nothing was ever paid in", [])(out)
    for wallet in told["wallets"]:
        title = f"Statement {period['name']} ({period['time_zone']}): {wallet['kind'] or 'unknown'} {wallet['symbol']}"
        rows = [
            (words, _amount(wallet, name))
            for words, name in _TERMS
            if name != "waived" or wallet["waived_credits"] != "0"
        ]
        pairs(title, [*rows, ("requests", str(wallet["requests"]))])(out)
        for part, heading in (("key", "app or key"), ("model", "model"), ("route", "answered by")):
            groups = [
                (each.get("label", each[part]), str(each["requests"]), _amount(each, "use"))
                for each in wallet[f"by_{part}"]
            ]
            if groups:
                table(f"By {heading}", (heading, "requests ", "used "), groups)(out)


def _amount(facts: "Mapping[str, Any]", name: str) -> str:
    usd = facts[f"{name}_usd"]
    shown = nanos_text(NanoCredits(int(facts[f"{name}_nanocredits"])))
    return shown if usd is None else f"{shown} ({usd} USD)"
