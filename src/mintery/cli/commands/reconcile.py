"""``mintery reconcile``: do chain and ledger say the same, to the last unit?"""

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from mintery.cli.options import DeploymentFile, Json, LedgerFile, RpcUrl
from mintery.cli.output import progress, show, table

if TYPE_CHECKING:
    from mintery.usecases.reconciliation import Reconciliation

_LONG_HEX = re.compile(r"0x[0-9a-fA-F]{12,}")


def reconcile(
    ledger: LedgerFile = None,
    rpc: RpcUrl = None,
    deployment: DeploymentFile = None,
    anew: Annotated[
        bool,
        typer.Option(
            "--anew",
            help="Add up the contracts' events from the first block again; gateways that run go on from there.",
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Compare reserve, supply, escrow, owed and ledger at one block. Ends with code 1 if anything differs."""
    from mintery.bootstrap import build_gateway
    from mintery.cli.session import existing_ledger, settings_of

    with progress("Comparing chain and ledger"):
        gateway = build_gateway(
            settings_of(ledger=existing_ledger(ledger), rpc_url=rpc, deployment=deployment), providers=()
        )
        try:
            gateway.sync()
            result = gateway.reconciler.reconcile(datetime.now(UTC), anew=anew)
        finally:
            gateway.close()
    facts = {
        "block": result.block.number,
        "agrees": not result.differences,
        "checks": [
            {
                "what": check.what,
                "rule": check.rule.value,
                "chain": str(check.left),
                "books": str(check.right),
                "holds": check.holds,
                "difference": str(check.difference),
                "last_equal_block": _last_equal(result, check.what),
            }
            for check in result.checks
        ],
    }
    shown = result.differences or result.checks
    rows = [
        (
            _short(check.what),
            str(check.left),
            str(check.right),
            "yes"
            if check.holds
            else f"NO, {check.difference:+}, equal at {_last_equal(result, check.what) or 'no block'}",
        )
        for check in shown
    ]
    count = len(result.differences)
    title = f"{count} of {len(result.checks)} differ" if count else f"All {len(rows)} checks hold"
    columns = ("what, in base units", "chain ", "books ", "holds")
    show(facts, table(f"{title}, at block {result.block.number}", columns, rows), as_json=as_json)
    if result.differences:
        raise typer.Exit(1)


def _last_equal(result: "Reconciliation", what: str) -> int | None:
    known = result.standing.get(what)
    return None if known is None else known.last_equal


def _short(what: str) -> str:
    """Addresses and account ids, which --json shows whole, in eleven characters."""
    return _LONG_HEX.sub(lambda found: f"{found[0][:6]}…{found[0][-4:]}", what)
