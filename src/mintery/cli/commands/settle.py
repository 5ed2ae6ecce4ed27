"""``mintery settle``: burn what was charged and credit the providers, now."""

from mintery.cli.options import DeploymentFile, Json, LedgerFile, RpcUrl
from mintery.cli.output import progress, show, table


def settle(
    ledger: LedgerFile = None,
    rpc: RpcUrl = None,
    deployment: DeploymentFile = None,
    as_json: Json = False,
) -> None:
    """Settle everything that this gateway is owed, and wait until it is final. A running gateway does so by itself."""
    from mintery.bootstrap import build_gateway
    from mintery.cli.session import existing_ledger, settings_of, tx_facts

    with progress("Settling"):
        gateway = build_gateway(
            settings_of(ledger=existing_ledger(ledger), rpc_url=rpc, deployment=deployment), providers=()
        )
        try:
            settled = gateway.settle()
        finally:
            gateway.close()
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
    }
    rows = [
        (str(batch.batch_id), str(batch.receipts), str(batch.lines), f"{batch.tx.gas_used:,}", batch.tx.hash)
        for batch in settled.batches
    ]
    title = f"{len(rows)} batches settled" if rows else "Nothing to settle"
    show(facts, table(title, ("batch ", "receipts ", "lines ", "gas ", "transaction"), rows), as_json=as_json)
