"""``mintery receipt``: what one request cost and why, and whether that holds."""

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mintery.cli.money import nanos_text, price_text, unit_text, usd_text
from mintery.cli.options import DEFAULT_URL, ApiKey, DeploymentFile, GatewayUrl, Json, RpcUrl
from mintery.cli.output import pairs, progress, show
from mintery.domain.fields import parse_json
from mintery.domain.receipt import parse_receipt, receipt_json
from mintery.errors import FileMissing, MalformedReceipt, UnknownReceipt

if TYPE_CHECKING:
    from rich.console import Console

    from mintery.domain.receipt import Receipt

app = typer.Typer(help="See what a request cost and why; check that a receipt holds.", no_args_is_help=True)
_ID = re.compile(r"[\w-]+")


@app.command("show")
def show_(
    request_id: Annotated[str, typer.Argument(metavar="ID", help="The request's id (req_…), from its x-request-id.")],
    api_key: ApiKey,
    url: GatewayUrl = DEFAULT_URL,
    as_json: Json = False,
) -> None:
    """Fetch a receipt from the gateway and show it. Save the --json form to check it later, offline."""
    from mintery.client import read_receipt

    if not _ID.fullmatch(request_id):
        raise UnknownReceipt(request_id)
    with progress("Fetching the receipt"):
        receipt = read_receipt(url, api_key, request_id)
    show(receipt_json(receipt), lambda out: print_receipt(out, receipt), as_json=as_json)


@app.command("verify")
def verify(
    file: Annotated[Path, typer.Argument(help="The receipt as JSON, or - for standard input.")],
    prices: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Price versions saved by `mintery price show --json`, to check without a chain."
        ),
    ] = None,
    rpc: RpcUrl = None,
    deployment: DeploymentFile = None,
    as_json: Json = False,
) -> None:
    """Check a receipt: its sum, its signature, its contracts, and its prices against the oracle's versions.

    Ends with code 1 if anything does not hold.
    """
    from mintery.cli.checks import check_receipt

    with progress("Checking the receipt"):
        receipt = parse_receipt(_read_json(file))
        found = check_receipt(receipt, prices=prices, rpc=rpc, deployment=deployment)
    facts: dict[str, Any] = {"id": receipt.id, "holds": True, "checked": found}
    show(facts, pairs("The receipt holds", [("checked", line) for line in found]), as_json=as_json)


def _read_json(file: Path) -> dict[str, Any]:
    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
        fields = parse_json(text)
    except FileNotFoundError:
        raise FileMissing(str(file)) from None
    except (ValueError, UnicodeDecodeError):
        raise MalformedReceipt("it is not JSON, or a name stands in it twice") from None
    if not isinstance(fields, dict):
        raise MalformedReceipt("it is not a JSON object")
    return fields


def print_receipt(out: "Console", receipt: "Receipt") -> None:
    """For people: who paid, for what, and how the sum comes about."""
    rows = [
        ("model", receipt.model + (" (TEST: a stub made this answer up)" if receipt.test else "")),
        ("answered by", receipt.provider + (" (backup)" if receipt.backup else " (primary)")),
        *([("asked for", receipt.asked)] if receipt.asked is not None else []),
        ("paid from", f"{receipt.account.holder} ({receipt.kind.value})"),
        ("at", receipt.captured_at.strftime("%Y-%m-%d %H:%M:%S UTC")),
    ]
    rows += [
        (unit_text(line.sku.unit, many=True), f"{line.quantity} at {price_text(line.unit_price, line.sku.unit)}")
        for line in receipt.lines
    ]
    rows += [
        ("cost", usd_text(receipt.usd) + (f" + {receipt.markup / 100:g} % markup" if receipt.markup else "")),
        ("charged", nanos_text(receipt.cost) + f" of {nanos_text(receipt.held, '')}held".replace("  ", " ")),
        ("usage by", receipt.source.value),
    ]
    pairs(f"Receipt {receipt.id}", rows)(out)
