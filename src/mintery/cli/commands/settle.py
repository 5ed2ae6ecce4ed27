"""``mintery settle``: burn what was charged and credit the providers, now."""

from typing import Annotated

import typer

from mintery.cli.options import DeploymentFile, Json, LedgerFile, RpcUrl
from mintery.cli.output import pairs, progress, show, table


def settle(
    ledger: LedgerFile = None,
    rpc: RpcUrl = None,
    deployment: DeploymentFile = None,
    only_show: Annotated[
        bool, typer.Option("--show", help="Send nothing; show what is under way and why it waits.", show_default=False)
    ] = False,
    as_json: Json = False,
) -> None:
    """Settle everything that this gateway is owed, and wait until it is final. A running gateway does so by itself.

    With --show: the open batches, their attempts with nonce and fee, why each waits, and what halts settlement.
    """
    from mintery.bootstrap import build_gateway
    from mintery.cli.session import existing_ledger, settings_of, tx_facts
    from mintery.cli.settlement_state import state_facts, state_rows
    from mintery.usecases.show_settlement import show_settlement

    with progress("Settling"):
        gateway = build_gateway(
            settings_of(ledger=existing_ledger(ledger), rpc_url=rpc, deployment=deployment), providers=()
        )
        try:
            settled = None if only_show else gateway.settle()
            state = show_settlement(gateway.settlement)
        finally:
            gateway.close()
    if settled is None:
        count = len(state.batches)
        title = f"{count} batches under way" if count else "No batch is under way"
        show(state_facts(state), pairs(title, state_rows(state)), as_json=as_json)
        return
    facts = {
        "batches": [
            {
                "batch_id": batch.batch_id,
                "lines": batch.lines,
                "receipts": batch.receipts,
                "skipped": batch.skipped,
                **tx_facts(batch.tx),
            }
            for batch in settled.batches
        ],
        "left_out": [{"receipt": left.receipt, "why": left.why} for left in settled.left_out],
        **state_facts(state),
    }
    rows = [
        (str(batch.batch_id), str(batch.receipts), str(batch.lines), f"{batch.tx.gas_used:,}", batch.tx.hash)
        for batch in settled.batches
    ]
    title = f"{len(rows)} batches settled" if rows else "Nothing to settle"
    show(facts, table(title, ("batch ", "receipts ", "lines ", "gas ", "transaction"), rows), as_json=as_json)
