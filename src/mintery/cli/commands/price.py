"""``mintery price``: what model units cost now, and a report by the reporters that run here."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from mintery.cli.money import price_text, time_text, usd_text
from mintery.cli.options import DeploymentFile, Json, RpcUrl
from mintery.cli.output import pairs, progress, show, table
from mintery.units import UsdWad

if TYPE_CHECKING:
    from mintery.chain.rpc import BlockRef
    from mintery.usecases.onchain import OnChain

app = typer.Typer(help="See prices; report them if you are a reporter.", no_args_is_help=True)


@app.command("show")
def show_(
    versions: Annotated[
        bool, typer.Option("--versions", help="Every version, to save for `mintery receipt verify --prices`.")
    ] = False,
    rpc: RpcUrl = None,
    deployment: DeploymentFile = None,
    as_json: Json = False,
) -> None:
    """Show every SKU's price in force, its version, and when a quorum last saw it."""
    from mintery.cli.session import open_chain
    from mintery.usecases.read_price_book import read_price_book
    from mintery.usecases.verify_receipt import price_book_json

    with progress("Reading the prices"):
        chain = open_chain(rpc, deployment)
        at = chain.rpc.block()
        found = _read_prices(chain, at)
        book = price_book_json(read_price_book(chain, at=at)) if versions else {}
    facts = {"block": at.number, "prices": found, **book}
    rows = [
        (
            entry["sku"],
            price_text(UsdWad(int(entry["usd_wad"])), entry["sku"].rpartition(":")[2])
            if entry["version"]
            else "none yet",
            str(entry["version"]),
            time_text(entry["refreshed_at"]) if entry["refreshed_at"] else "never",
            usd_text(UsdWad(int(entry["queued_usd_wad"]))) if entry["queued_usd_wad"] else "",
        )
        for entry in found
    ]
    columns = ("SKU", "price", "version ", "last seen", "waiting")
    show(facts, table("Prices in force", columns, rows), as_json=as_json)


def _read_prices(chain: "OnChain", at: "BlockRef") -> list[dict[str, Any]]:
    entries = []
    for index, name in enumerate(chain.oracle.sku_names(at=at)):
        version, usd = chain.oracle.current_price(index, at=at)
        queued = chain.oracle.queued_price_of(index, at=at)
        entries.append(
            {
                "sku": name,
                "index": index,
                "version": version,
                "usd_wad": str(usd),
                "refreshed_at": chain.oracle.refreshed_at(index, at=at),
                "queued_usd_wad": None if queued is None else str(queued.usd),
            }
        )
    return entries


@app.command("feed")
def feed(
    sku: Annotated[str, typer.Argument(metavar="SKU", help="Like acme/small:input_token.")],
    *,
    key: Annotated[
        str | None, typer.Option("--key", metavar="KEY", help="Deploy it, if it does not stand yet, by this key.")
    ] = None,
    rpc: RpcUrl = None,
    deployment: DeploymentFile = None,
    as_json: Json = False,
) -> None:
    """Show the contract that other contracts read this SKU's price from, as an AggregatorV3 feed.

    Its address follows from the oracle and the SKU. Whoever wants it deploys it: it holds nothing and decides nothing.
    """
    from mintery.chain.price_feed import find_feed, place_feed
    from mintery.cli.keys import read_key
    from mintery.cli.session import open_chain, tx_facts

    with progress("Looking for the feed"):
        chain = open_chain(rpc, deployment)
        index = chain.oracle.sku_of(sku)
        found, stands = find_feed(chain.rpc, chain.deployment, index)
        facts: dict[str, Any] = {"sku": sku, "index": index, "feed": found.address, "oracle": chain.oracle.address}
        if key is not None and not stands:
            sender = chain.sender(read_key(key, local=chain.rpc.is_local))
            facts |= tx_facts(place_feed(sender, chain.deployment, index))
            stands = True
    facts["stands"] = stands
    rows = [("SKU", sku), ("feed", found.address), ("stands", "yes" if stands else "no; deploy it with --key")]
    show(facts, pairs("Price feed", rows), as_json=as_json)


@app.command("report")
def report(
    everything: Annotated[
        bool,
        typer.Option("--everything", help="Fresh prices too, not only what changed or is due.", show_default=False),
    ] = False,
    *,
    rpc: RpcUrl = None,
    deployment: DeploymentFile = None,
    as_json: Json = False,
) -> None:
    """Look at the price sources, sign with the reporters' keys that are here, and send the report if a quorum is.

    A first price, and any large move, is in force after a second report, once the oracle's queue has passed.
    """
    from mintery.bootstrap import report_once
    from mintery.cli.session import settings_of, tx_facts

    with progress("Reporting prices"):
        outcome = report_once(settings_of(rpc_url=rpc, deployment=deployment), everything=everything)
    if isinstance(outcome, str):
        show({"reported": False, "why": outcome}, pairs("Nothing to report", [("why", outcome)]), as_json=as_json)
        return
    facts = {
        "reported": True,
        "epoch": outcome.epoch,
        "reports": outcome.reports,
        "in_force": {sku: str(usd) for sku, usd in outcome.in_force.items()},
        "queued": {sku: str(usd) for sku, usd in outcome.queued.items()},
        **tx_facts(outcome.tx),
    }
    rows = [("reporters", str(outcome.reports)), ("transaction", outcome.tx.hash)]
    rows += [("in force", f"{sku} {price_text(usd, sku.rpartition(':')[2])}") for sku, usd in outcome.in_force.items()]
    rows += [("waiting", f"{sku} {price_text(usd, sku.rpartition(':')[2])}") for sku, usd in outcome.queued.items()]
    show(facts, pairs("Prices reported", rows), as_json=as_json)
