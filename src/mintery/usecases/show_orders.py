"""Orders and lots as JSON values: what a page, a command and an API show of them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from mintery.domain.chain_call import CallKind, ChainCall
from mintery.domain.dispute import DisputeOutcome, OutsideRefund, RecordedDispute
from mintery.domain.order import Order, Refund
from mintery.domain.postponed import Postponed
from mintery.ledger.queries_lots import Lot, LotUse
from mintery.ledger.queries_orders import OrderEvent, OrderLedger
from mintery.ledger.queries_refunds import LotRefund
from mintery.units import AssetUnits, NanoCredits, format_assets, format_credits, format_nanocredits

_USED = frozenset({"capture", "recapture", "uncapture"})
"""How a lot's uses are named that requests made of it; every other one left the account."""


def order_json(order: Order, now: datetime) -> dict[str, Any]:
    """Amounts of money in USD as decimal text, beside asset base units."""
    payment = order.payment
    return {
        "object": "order",
        "id": order.id,
        "status": order.status_at(now).value,
        "rail": order.rail.value,
        "holder": order.account.holder,
        "token": order.account.token,
        "signer": order.account.signer,
        **_money("asked", order.assets),
        **({} if payment is None else _money("paid", payment.assets)),
        **_money("refunded", order.refunded),
        **_money("disputed", order.disputed),
        **_money("lost", order.lost),
        "refund_due": order.refund_due_at is not None and not order.refunded,
        "placed_at": order.placed_at.isoformat(),
        "expires_at": order.expires_at.isoformat(),
        "paid_at": None if payment is None else payment.at.isoformat(),
        "payment": None if payment is None else payment.id,
        "reference": order.reference,
        "page": order.page if order.payment is None and order.closed_at is None else None,
        "why": order.failed_why or order.refund_why or order.review_why,
        "decided_by": order.decided_by,
    }


def order_in_full(
    ledger: OrderLedger,
    order: Order,
    now: datetime,
    *,
    bank_details: str | None,
    card_hold: timedelta = timedelta(0),
) -> dict[str, Any]:
    """With what it brought: the credits, where they are or from when they are created, the lot, and what went back."""
    begins = None if order.accepted_at is None else order.credits_from(card_hold)
    calls = ledger.chain_calls.of(order.id)
    lot = next((found for call in calls if (found := _lot_of(ledger, call)) is not None), None)
    return {
        **order_json(order, now),
        "credits_from": None if begins is None else begins.isoformat(),
        "bank_details": bank_details if order.rail.value == "bank" else None,
        "on_chain": calls_json(ledger, calls),
        "next_try_at": None if (met := _met(ledger, order.id)) is None else met.next_at.isoformat(),
        "waits_for": None if met is None else met.why,
        "lot": None if lot is None else lot_json(lot),
        "disputes": [dispute_json(each) for each in ledger.disputes.of_order(order.id)],
        "refunds_by_hand": [_outside_json(each) for each in ledger.disputes.outside_refunds_of(order.id)],
        "taken_back": []
        if lot is None
        else [lot_refund_json(ledger, each) for each in ledger.lot_refunds.of_lot(lot.id)],
        "refunds": [refund_json(refund) for refund in ledger.orders.refunds_of(order.id)],
        "history": [event_json(event) for event in ledger.orders.events_of(order.id)],
    }


def calls_json(ledger: OrderLedger, calls: Sequence[ChainCall]) -> list[dict[str, Any]]:
    """Each with ``why``: what it met last, or why it was given up."""
    met = ledger.postponed.of([call.id for call in calls])
    return [_call_json(call, met.get(call.id)) for call in calls]


def _call_json(call: ChainCall, met: Postponed | None) -> dict[str, Any]:
    effect = call.effect
    status = "done" if effect is not None else "failed" if call.failed_at is not None else "under_way"
    return {
        "kind": call.kind.value,
        "status": status,
        "credits": None if effect is None else format_credits(effect.credits),
        "tx_hash": None if effect is None else effect.tx_hash,
        "why": call.failed_why or (None if met is None else met.why),
        "next_try_at": None if met is None else met.next_at.isoformat(),
    }


def given_up_json(call: ChainCall) -> dict[str, Any]:
    """``subject``: whose call it was, an order or a refund."""
    at = None if call.failed_at is None else call.failed_at.isoformat()
    return {"object": "given_up", "subject": call.subject, "kind": call.kind.value, "why": call.failed_why, "at": at}


def postponed_json(met: Postponed) -> dict[str, Any]:
    subject, _, kind = met.subject.partition("/")
    return {
        "object": "postponed",
        "subject": subject,
        "kind": kind or None,
        "why": met.why,
        "tries": met.tries,
        "since": met.since.isoformat(),
        "next_try_at": met.next_at.isoformat(),
    }


def refund_json(refund: Refund) -> dict[str, Any]:
    return {
        "object": "refund",
        "id": refund.id,
        "order": refund.order,
        "rail": refund.rail.value,
        "kind": refund.kind.value,
        "payment": refund.payment,
        **_money("refund", refund.assets),
        "why": refund.why,
        "due_at": refund.due_at.isoformat(),
        "done_at": None if refund.done_at is None else refund.done_at.isoformat(),
        "reference": refund.reference,
    }


def dispute_json(recorded: RecordedDispute) -> dict[str, Any]:
    """``status``: open, won or lost."""
    told = recorded.dispute
    return {
        "object": "dispute",
        "id": told.id,
        "order": recorded.order,
        "status": "open" if told.outcome is None else told.outcome.value,
        "reason": told.reason,
        "payment": told.payment,
        **_money("disputed", told.assets),
        "opened_at": told.opened_at.isoformat(),
        "ended_at": None if recorded.ended_at is None else recorded.ended_at.isoformat(),
    }


def dispute_in_full(ledger: OrderLedger, recorded: RecordedDispute) -> dict[str, Any]:
    """With where the credits of the disputed order are: what is lost is what the operator's treasury had paid for them."""
    order = ledger.orders.order(recorded.order)
    calls = () if order is None else ledger.chain_calls.of(order.id)
    lot = next((found for call in calls if (found := _lot_of(ledger, call)) is not None), None)
    uses = {} if lot is None else ledger.lots.taken_of(lot.id)
    used = sum(amount for kind, amount in uses.items() if kind in _USED)
    lost = recorded.dispute.assets if recorded.dispute.outcome is DisputeOutcome.LOST else AssetUnits(0)
    return {
        **dispute_json(recorded),
        **_money("lost", lost),
        "minted": order is not None and order.minting_at is not None,
        "lot": None if lot is None else lot.id,
        **_credits("bought", NanoCredits(0) if lot is None else lot.amount),
        **_credits("frozen", NanoCredits(0) if lot is None else lot.frozen),
        **_credits("used", NanoCredits(used)),
        **_credits("taken_out", NanoCredits(sum(uses.values()) - used)),
    }


def _outside_json(refund: OutsideRefund) -> dict[str, Any]:
    return {"id": refund.id, **_money("refund", refund.assets), "at": refund.at.isoformat()}


def event_json(event: OrderEvent) -> dict[str, Any]:
    return {"kind": event.kind, "by": event.actor, "at": event.at.isoformat(), "facts": event.facts}


def lot_json(lot: Lot) -> dict[str, Any]:
    return {
        "object": "lot",
        "id": lot.id,
        "account": lot.account,
        "token": lot.token,
        "order": lot.order,
        "at": lot.at.isoformat(),
        "undone": lot.undone_at is not None,
        **_credits("amount", lot.amount),
        **_credits("remaining", lot.remaining),
        **_credits("frozen", lot.frozen),
    }


def lot_refund_json(ledger: OrderLedger, refund: LotRefund) -> dict[str, Any]:
    """``status``: under_way, in_wallet (the holder redeems it), released and owed (on its way to the rail), not_collected (the
    credits stayed in the holder's wallet, to be redeemed there), or failed (they are in the account as before).
    """
    calls = ledger.chain_calls.of(refund.id)
    kept = next((each.failed_why for each in calls if each.kind is CallKind.COLLECT and each.failed_why), None)
    return {
        "object": "lot_refund",
        "id": refund.id,
        "lot": refund.lot,
        "way": refund.way,
        "status": "not_collected" if refund.status == "released" and kept is not None else refund.status,
        "asked_at": refund.asked_at.isoformat(),
        "why": refund.failed_why or kept,
        "on_chain": calls_json(ledger, calls),
        "refund": refund.refund,
        **_credits("refund", refund.amount),
    }


def use_json(use: LotUse) -> dict[str, Any]:
    return {
        "id": use.id,
        "lot": use.lot,
        "kind": use.kind,
        "request": use.request,
        "at": use.at.isoformat(),
        **_credits("used", use.amount),
    }


def _met(ledger: OrderLedger, subject: str) -> Postponed | None:
    return ledger.postponed.of([subject]).get(subject)


def _lot_of(ledger: OrderLedger, call: ChainCall) -> Lot | None:
    if call.effect is None or call.kind not in {CallKind.TOP_UP, CallKind.DEPOSIT}:
        return None
    return ledger.lots.of_reference(f"{call.effect.block_hash}/{call.effect.log_index}")


def _money(name: str, assets: AssetUnits) -> dict[str, str]:
    return {f"{name}_usd": format_assets(assets), f"{name}_assets": str(assets)}


def _credits(name: str, amount: NanoCredits) -> dict[str, str]:
    return {f"{name}_credits": format_nanocredits(amount), f"{name}_nanocredits": str(amount)}
