"""``mintery price``: what model units cost now, and a report by the reporters that run here."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from mintery.cli.money import price_text, time_text, usd_text
from mintery.cli.options import DeploymentFile, Json, RpcUrl
from mintery.cli.output import pairs, progress, show, table
from mintery.units import UsdWad, format_decimal, pro_rata_down

if TYPE_CHECKING:
    from rich.console import Console

    from mintery.chain.rpc import BlockRef
    from mintery.usecases.onchain import OnChain
    from mintery.usecases.read_price_history import PriceHistory

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


@app.command("history")
def history(
    sku: Annotated[str, typer.Argument(metavar="SKU", help="Like acme/small:input_token.")],
    *,
    last: Annotated[int, typer.Option("--last", min=1, max=10_000, help="So many versions at most, the newest.")] = 100,
    rpc: RpcUrl = None,
    deployment: DeploymentFile = None,
    as_json: Json = False,
) -> None:
    """Show what a SKU has cost, version by version, and plot it."""
    from mintery.cli.session import open_chain
    from mintery.usecases.read_price_history import read_price_history

    with progress("Reading the prices"):
        found = read_price_history(open_chain(rpc, deployment), sku, limit=last)
    facts = {
        "sku": found.sku,
        "index": found.index,
        "block": found.at.number,
        "versions": [
            {
                "version": number,
                "usd_wad": str(price.usd),
                "since": price.since,
                "superseded_at": price.superseded_at or None,
            }
            for number, price in found.versions
        ],
        "refreshed_at": found.refreshed_at,
        "queued_usd_wad": None if found.queued is None else str(found.queued.usd),
    }
    show(facts, lambda out: _plot(found, out), as_json=as_json)


def _plot(found: "PriceHistory", out: "Console") -> None:
    """A table of the versions, and their steps until the block that was read."""
    from rich.text import Text

    from mintery.cli.plot import step_plot

    unit = found.sku.rpartition(":")[2]
    rows = [
        (str(number), time_text(price.since), price_text(price.usd, unit), _change(found, place))
        for place, (number, price) in enumerate(found.versions)
    ]
    table(f"Prices of {found.sku}", ("version ", "in force since", "price", "change "), rows)(out)
    if found.queued is not None:
        out.print(Text(f"waiting since {time_text(found.queued.since)}: {price_text(found.queued.usd, unit)}"))
    if not found.versions:
        out.print(Text("none yet"))
        return
    prices = [price.usd for _, price in found.versions]
    for line in step_plot([(price.since, price.usd) for _, price in found.versions], found.at.timestamp):
        out.print(Text("  " + line))
    first, end = time_text(found.versions[0][1].since), time_text(found.at.timestamp)
    out.print(Text(f"  {first} to {end}", style="dim"))
    out.print(Text(f"  lowest {price_text(min(prices), unit)}, highest {price_text(max(prices), unit)}", style="dim"))


def _change(found: "PriceHistory", place: int) -> str:
    """From the version before, in percent with two digits, down to nought."""
    if place == 0:
        return ""
    now, before = found.versions[place][1].usd, found.versions[place - 1][1].usd
    hundredths = pro_rata_down(abs(now - before), 10_000, before)
    return f"{'+' if now > before else '-'}{format_decimal(hundredths, 2)} %"


@app.command("sources")
def sources(
    skus: Annotated[
        list[str] | None, typer.Argument(metavar="[SKU]...", help="Default: every SKU of the oracle.")
    ] = None,
    *,
    rpc: RpcUrl = None,
    deployment: DeploymentFile = None,
    as_json: Json = False,
) -> None:
    """Ask the price sources that are set here, and show what each says: the price that follows, or why there is none."""
    from mintery.bootstrap import look_at_sources
    from mintery.cli.session import settings_of
    from mintery.domain.observation import Observed, SourcePrice

    with progress("Asking the sources"):
        found = look_at_sources(settings_of(rpc_url=rpc, deployment=deployment), skus or ())
    facts = {
        "skus": [
            {
                "sku": seen.sku,
                "usd_wad": str(seen.usd) if isinstance(seen, Observed) else None,
                "why": None if isinstance(seen, Observed) else seen.why,
                "sources": [
                    {"source": each.source, "usd_wad": str(each.usd), "why": None}
                    if isinstance(each, SourcePrice)
                    else {"source": each.source, "usd_wad": None, "why": each.why}
                    for each in answers
                ],
            }
            for seen, answers in found
        ]
    }
    rows = []
    for seen, answers in found:
        unit = seen.sku.rpartition(":")[2]
        rows.append(
            (seen.sku, price_text(seen.usd, unit) if isinstance(seen, Observed) else f"not for sale: {seen.why}")
        )
        rows += [
            (f"  {each.source}", price_text(each.usd, unit) if isinstance(each, SourcePrice) else each.why)
            for each in answers
        ]
    show(facts, table("What the sources say", ("SKU and source", "price"), rows), as_json=as_json)


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
