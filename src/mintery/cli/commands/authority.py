"""``mintery authority``: everything that may act for a holder without asking again; ``mintery sign-in``."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from mintery.cli.options import DEFAULT_URL, GatewayUrl, Json
from mintery.cli.output import pairs, printable, progress, show
from mintery.cli.signing_in import HolderKey, ask, holder_key

if TYPE_CHECKING:
    from rich.console import Console

app = typer.Typer(help="See everything that may spend without asking again, and end it.", no_args_is_help=True)


@app.command("list")
def list_(key: HolderKey, url: GatewayUrl = DEFAULT_URL, as_json: Json = False) -> None:
    """List keys and budgets, memberships, vouchers, signatures of what is not done yet, and sign-ins that stand."""
    with progress("Reading what stands"):
        told = ask("GET", url, "/authorities", key)
    show(told, lambda out: _print(out, told["data"]), as_json=as_json)


def _print(out: "Console", standing: list[dict[str, Any]]) -> None:
    """An id has more digits than a column has room for, and must be copied whole."""
    for each in standing:
        spends = " ".join(filter(None, (each.get("most_credits"), each["symbol"], *each["terms"])))
        until = f"until {each['until'][:19].replace('T', ' ')} UTC" if each["until"] else "until revoked"
        what = ", ".join(filter(None, (each["label"], f"may spend {spends}" if spends else "", until)))
        out.print(printable(f"{each['kind'].replace('_', ' ')}: {what}"), markup=False)
        print(f"  {printable(each['id'])}")
    if not standing:
        out.print("Nothing stands: no key, voucher, budget or sign-in.")


@app.command("revoke")
def revoke(
    authority_id: Annotated[str, typer.Argument(metavar="ID", help="As `mintery authority list` shows it.")],
    *,
    key: HolderKey,
    url: GatewayUrl = DEFAULT_URL,
    as_json: Json = False,
) -> None:
    """End one of them, from the next request on."""
    with progress("Revoking"):
        told = ask("DELETE", url, f"/authorities/{authority_id}", key)
    show(told, pairs("Revoked", [("kind", told["kind"]), ("what", told["label"])]), as_json=as_json)


def sign_in(key: HolderKey, url: GatewayUrl = DEFAULT_URL, as_json: Json = False) -> None:
    """Sign in with a holder's key and print a token for twelve hours, for programs that ask as the holder."""
    from mintery.client.wallet import sign_in as begin

    with progress("Signing in"):
        holder = holder_key(url, key)
        facts = {"token": begin(url, holder), "holder": holder.address}
    # Printed raw: a token that was wrapped to the terminal's width could not be copied.
    show(facts, lambda _out: print(facts["token"]), as_json=as_json)
