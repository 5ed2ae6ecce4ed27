"""``mintery key``: what apps present instead of a voucher."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from mintery.cli.options import DEFAULT_URL, GatewayUrl, Json, Token
from mintery.cli.output import pairs, progress, show, table
from mintery.cli.signing_in import Credits, HolderKey, Usd, amount_of, ask, find_project, holder_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console

app = typer.Typer(help="Make, rotate and revoke gateway keys (mk_…) for apps.", no_args_is_help=True)
_KeyId = Annotated[str, typer.Argument(metavar="ID", help="The key's id (key_…), from `mintery key list`.")]
_Models = Annotated[
    list[str] | None, typer.Option("--model", metavar="MODEL", help="Only this model. Repeat. Default: any.")
]
_Intents = Annotated[
    list[str] | None,
    typer.Option("--intent", metavar="INTENT", help="Only asked so: best, cheapest, … or named. Repeat. Default: any."),
]
_Expires = Annotated[
    str | None, typer.Option("--expires", metavar="TIME", help="When it ends: 2026-12-31T00:00:00Z. Default: never.")
]


@app.command("create")
def create(
    label: Annotated[str, typer.Argument(help="What you know the app by.")],
    *,
    key: HolderKey,
    usd: Usd = None,
    credits_: Credits = None,
    days: Annotated[int, typer.Option(min=1, help="How long the one signature lasts.")] = 365,
    beside: Annotated[
        str | None, typer.Option("--beside", metavar="ID", help="Share another key's signature instead of a new one.")
    ] = None,
    daily: Annotated[str | None, typer.Option(metavar="DOLLARS", help="At most so much a day.")] = None,
    weekly: Annotated[str | None, typer.Option(metavar="DOLLARS", help="At most so much a week.")] = None,
    monthly: Annotated[str | None, typer.Option(metavar="DOLLARS", help="At most so much a month: a budget.")] = None,
    model: _Models = None,
    intent: _Intents = None,
    expires: _Expires = None,
    token: Token = None,
    url: GatewayUrl = DEFAULT_URL,
    as_json: Json = False,
) -> None:
    """Make a key and print it, this once. One signature covers all that it may ever spend (--usd or --credits)."""
    from mintery.client.calls import call
    from mintery.client.wallet import sign_in, standing_voucher

    limits = [
        {"period": period, "usd": most}
        for period, most in (("day", daily), ("week", weekly), ("month", monthly))
        if most is not None
    ]
    body: dict[str, Any] = {
        "label": label,
        "models": model or None,
        "intents": intent or None,
        "expires_at": expires,
        "limits": limits,
    }
    with progress("Making the key"):
        signer = holder_key(url, key)
        signed_in = sign_in(url, signer)
        if beside is None:
            project = find_project(url, signed_in, token)
            amount = amount_of(usd, credits_)
            body["voucher"] = standing_voucher(url, signed_in, signer, project=project, amount=amount, days=days)
        else:
            body["beside"] = beside
        told = call("POST", f"{url}/wallet/keys", signed_in, body)
    show(told, lambda out: _print_made(out, told), as_json=as_json)


@app.command("list")
def list_(key: HolderKey, url: GatewayUrl = DEFAULT_URL, as_json: Json = False) -> None:
    """List the keys, the newest first. Their texts are not kept."""
    with progress("Reading the keys"):
        told = ask("GET", url, "/keys", key)
    rows = [
        (each["id"], each["label"], each["status"], f"…{each['hint']}", each["symbol"] or each["token"], _rules(each))
        for each in told["data"]
    ]
    show(told, table("Keys", ("id", "label", "status", "ends in", "spends", "only"), rows), as_json=as_json)


@app.command("rotate")
def rotate(
    key_id: _KeyId,
    *,
    key: HolderKey,
    overlap: Annotated[int, typer.Option(min=0, metavar="SECONDS", help="How long the old text opens it too.")] = 3_600,
    url: GatewayUrl = DEFAULT_URL,
    as_json: Json = False,
) -> None:
    """Give a key a new text, and print it, this once."""
    with progress("Rotating the key"):
        told = ask("POST", url, f"/keys/{key_id}/rotate", key, {"overlap_seconds": overlap})
    show(told, lambda out: _print_made(out, told), as_json=as_json)


@app.command("change")
def change(
    key_id: _KeyId,
    *,
    key: HolderKey,
    label: Annotated[str | None, typer.Option(help="Another label.")] = None,
    model: _Models = None,
    any_model: Annotated[bool, typer.Option("--any-model", help="Any model again.", show_default=False)] = False,
    intent: _Intents = None,
    any_intent: Annotated[bool, typer.Option("--any-intent", help="Any intent again.", show_default=False)] = False,
    expires: _Expires = None,
    url: GatewayUrl = DEFAULT_URL,
    as_json: Json = False,
) -> None:
    """Change what a key may be used for, from the next request on; its text stays."""
    body: dict[str, Any] = {} if label is None else {"label": label}
    for name, wanted, anything in (("models", model, any_model), ("intents", intent, any_intent)):
        if wanted or anything:
            body[name] = wanted or None
    if expires is not None:
        body["expires_at"] = expires
    with progress("Changing the key"):
        told = ask("PATCH", url, f"/keys/{key_id}", key, body)
    show(told, pairs("Key changed", _rows(told)), as_json=as_json)


@app.command("revoke")
def revoke(key_id: _KeyId, *, key: HolderKey, url: GatewayUrl = DEFAULT_URL, as_json: Json = False) -> None:
    """End a key for good, from the next request on."""
    with progress("Revoking the key"):
        told = ask("DELETE", url, f"/keys/{key_id}", key)
    show(told, pairs("Key revoked", _rows(told)), as_json=as_json)


def _print_made(out: "Console", told: "Mapping[str, Any]") -> None:
    pairs("Keep the key secret: it spends. It is shown this once.", _rows(told))(out)
    # Printed raw: a key that was wrapped to the terminal's width could not be copied.
    print(f"\n{told['api_key']}")


def _rows(told: "Mapping[str, Any]") -> list[tuple[str, str]]:
    return [
        ("id", told["id"]),
        ("label", told["label"]),
        ("status", told["status"]),
        ("spends", f"{told['symbol'] or told['token']}, {told['voucher']['max_credits']} in all"),
        ("only", _rules(told)),
    ]


def _rules(told: "Mapping[str, Any]") -> str:
    return ", ".join((*(told["models"] or ()), *(told["intents"] or ()))) or "anything"
