"""``mintery limit``: how much may be spent in a day, a week, a month."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mintery.cli.options import DEFAULT_URL, GatewayUrl, Json, Token
from mintery.cli.output import pairs, progress, show, table
from mintery.cli.signing_in import Credits, HolderKey, Usd, amount_of, ask, find_project, holder_key

if TYPE_CHECKING:
    from collections.abc import Mapping

app = typer.Typer(help="Limit what is spent in a day, a week or a month.", no_args_is_help=True)
_LimitId = Annotated[str, typer.Argument(metavar="ID", help="The limit's id (lim_…), from `mintery limit list`.")]


class Every(StrEnum):
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@app.command("list")
def list_(key: HolderKey, url: GatewayUrl = DEFAULT_URL, as_json: Json = False) -> None:
    """List the limits with what each has counted. What is set aside for requests under way counts."""
    with progress("Reading the limits"):
        told = ask("GET", url, "/limits", key)
    rows = [(each["id"], _scope(each), _used(each), _alerts(each), each["resets_at"]) for each in told["data"]]
    show(told, table("Limits", ("id", "of", "used", "told at", "begins anew"), rows), as_json=as_json)


@app.command("set")
def set_(
    every: Annotated[Every, typer.Argument(help="In each day, week or month, where you live (see time-zone).")],
    *,
    key: HolderKey,
    usd: Usd = None,
    credits_: Credits = None,
    of_key: Annotated[str | None, typer.Option("--of-key", metavar="ID", help="Only what this key spends.")] = None,
    model: Annotated[str | None, typer.Option("--model", metavar="MODEL", help="Only what this model answers.")] = None,
    intent: Annotated[str | None, typer.Option("--intent", metavar="INTENT", help="Only what is asked so.")] = None,
    token: Token = None,
    url: GatewayUrl = DEFAULT_URL,
    as_json: Json = False,
) -> None:
    """Set a limit. It counts from now on, and no number of requests at once passes it."""
    from mintery.client.calls import call
    from mintery.client.wallet import sign_in

    with progress("Setting the limit"):
        signed_in = sign_in(url, holder_key(url, key))
        body = {
            "token": find_project(url, signed_in, token),
            "period": every.value,
            "key": of_key,
            "model": model,
            "intent": intent,
            **amount_of(usd, credits_),
        }
        told = call("POST", f"{url}/wallet/limits", signed_in, body)
    show(told, pairs("Limit set", _rows(told)), as_json=as_json)


@app.command("change")
def change(
    limit_id: _LimitId,
    *,
    key: HolderKey,
    usd: Usd = None,
    credits_: Credits = None,
    url: GatewayUrl = DEFAULT_URL,
    as_json: Json = False,
) -> None:
    """Raise or lower a limit, from the next request on. What its period has counted stays."""
    with progress("Changing the limit"):
        told = ask("PATCH", url, f"/limits/{limit_id}", key, amount_of(usd, credits_))
    show(told, pairs("Limit changed", _rows(told)), as_json=as_json)


@app.command("end")
def end(limit_id: _LimitId, *, key: HolderKey, url: GatewayUrl = DEFAULT_URL, as_json: Json = False) -> None:
    """End a limit."""
    with progress("Ending the limit"):
        told = ask("DELETE", url, f"/limits/{limit_id}", key)
    show(told, pairs("Limit ended", _rows(told)), as_json=as_json)


@app.command("time-zone")
def time_zone(
    zone: Annotated[str | None, typer.Argument(metavar="[ZONE]", help="An IANA name, like Europe/Berlin.")] = None,
    *,
    key: HolderKey,
    url: GatewayUrl = DEFAULT_URL,
    as_json: Json = False,
) -> None:
    """Show where your days, weeks and months begin, or say where."""
    with progress("Asking the gateway"):
        if zone is None:
            told = ask("GET", url, "/time-zone", key)
        else:
            told = ask("PUT", url, "/time-zone", key, {"time_zone": zone})
    show(told, pairs("Time zone", [("zone", told["time_zone"] or "UTC, as nobody has said")]), as_json=as_json)


def _rows(told: "Mapping[str, Any]") -> list[tuple[str, str]]:
    return [
        ("id", told["id"]),
        ("of", _scope(told)),
        ("used", _used(told)),
        ("begins anew", told["resets_at"]),
    ]


def _scope(told: "Mapping[str, Any]") -> str:
    narrowed = [told[name] for name in ("key", "model", "intent") if told[name] is not None]
    return f"{told['symbol'] or told['token']} a {told['period']}" + (f", {', '.join(narrowed)}" if narrowed else "")


def _used(told: "Mapping[str, Any]") -> str:
    return f"{told['used_credits']} of {told['ceiling_credits']}"


def _alerts(told: "Mapping[str, Any]") -> str:
    return ", ".join(f"{each['percent']} %" for each in reversed(told["alerts"]))
