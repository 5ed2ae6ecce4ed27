"""Whether requests can be sold now, and what stands in the way."""

from typing import Any

from mintery.domain.gateway_state import GatewayState, state_of, state_of_project
from mintery.domain.price import PriceState
from mintery.errors import ChainError, NotAvailable
from mintery.usecases.attempts import Attempts
from mintery.usecases.list_channels import closed_channels
from mintery.usecases.list_models import price_states, priced_states
from mintery.usecases.parts import GatewayParts

OK, DEGRADED, DOWN = "ok", "degraded", "down"
SELLABLE = {PriceState.NORMAL.value, PriceState.SOFT_STALE.value}


def report_health(parts: GatewayParts, attempts: Attempts) -> dict[str, Any]:
    """``status``: ``ok`` when everything sells, ``down`` when nothing does, ``degraded`` between. ``state``: the worst that
    holds (``GatewayState``), and each project's; ``skus``: each price's, and ``why`` for those that its sources have none of;
    ``closed``: channels that take no new requests, each with the reason.
    """
    unread = {"status": DOWN, "state": GatewayState.UNREAD.value, "skus": {}}
    try:
        market = parts.market()
    except NotAvailable as error:
        return unread | {"reasons": [str(error)]}
    except ChainError:  # its message may name an rpc with its key
        return unread | {"reasons": ["the chain cannot be read"]}
    now = parts.chain_now(market)
    reasons = []
    if attempts.draining:
        reasons.append("the gateway is stopping")
    if not parts.models:
        reasons.append("no channel is for sale")
    if market.depegged:
        reasons.append("the reserve asset does not hold its par")
    if market.assets < market.claims:
        reasons.append("the vault holds less than its claims")
    if market.paused_until > now:
        reasons.append("settlement is paused")
    prices = [price for model in parts.models.values() for price in price_states(parts, market, model)]
    skus = {price["sku"]: price["state"] for price in prices}
    sellable = [state in SELLABLE for state in skus.values()]
    selling = DEGRADED if any(sellable) else DOWN
    status = DOWN if reasons else OK if all(sellable) else selling
    return {
        "status": status,
        "state": state_of(market, priced_states(parts, market), now).value,
        "reasons": reasons,
        "skus": skus,
        "closed": closed_channels(parts, market),
        "why": {price["sku"]: price["why"] for price in prices if "why" in price},
        "projects": {
            token: {"symbol": project.symbol, "state": state_of_project(market, project, now).value}
            for token, project in market.projects.items()
        },
        "block": {"number": market.block_number, "hash": market.block_hash, "time": market.block_time},
    }


def report_status(parts: GatewayParts, attempts: Attempts) -> dict[str, Any]:
    """What the operator sees: health, the ledger's sums, what is open."""
    ledger = parts.ledger
    last = ledger.last_block()
    return {
        "health": report_health(parts, attempts),
        "running": len(attempts),
        "draining": attempts.draining,
        "process": parts.process,
        "leaders": dict(parts.leaders()),
        "alarms": [
            {
                "alarm": standing.alarm.value,
                "subject": standing.subject,
                "why": standing.why,
                "since": standing.since.isoformat(),
                "halt": standing.halt,
            }
            for standing in parts.alarms()
        ],
        "gateway": parts.gateway,
        "settler": parts.settler.address,
        "chain_id": parts.domain.chain_id,
        "escrow": parts.domain.escrow,
        "synced_block": None if last is None else last.number,
        "open_holds": [
            {"request": hold.id, "amount_nanocredits": str(hold.amount), "status": hold.status_at(parts.clock()).value}
            for hold in ledger.open_holds()
        ],
        "open_batches": [record.batch.batch_id for record in ledger.open_batches()],
        "totals": [
            {
                "token": totals.token,
                "deposited_nanocredits": str(totals.deposited),
                "exited_nanocredits": str(totals.exited),
                "burned_nanocredits": str(totals.burned),
                "available_nanocredits": str(totals.available),
                "held_nanocredits": str(totals.held),
                "captured_nanocredits": str(totals.captured),
                "receipts_nanocredits": str(totals.receipts),
                "losses_nanocredits": str(totals.losses),
            }
            for totals in ledger.totals()
        ],
    }
