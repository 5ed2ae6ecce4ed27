"""How rows of orders and refunds become the domain's values, and back."""

from datetime import datetime
from typing import Any

from mintery.crypto.vouchers import account_id
from mintery.domain.order import Decision, Order, OrderId, Payment, Rail, Refund, RefundKind
from mintery.domain.voucher import AccountKey, Address
from mintery.ledger.schema_orders import orders, refunds
from mintery.ledger.work import instant_of, micros
from mintery.units import AssetUnits

ORDER_COLUMNS = tuple(orders.columns)
_ORDER_NAMES = tuple(column.name for column in ORDER_COLUMNS)
REFUND_COLUMNS = tuple(refunds.columns)
_REFUND_NAMES = tuple(column.name for column in REFUND_COLUMNS)
_INSTANTS = (
    *("placed_at", "expires_at", "closed_at", "payment_seen_at", "review_at", "decided_at", "accepted_at"),
    *("failed_at", "minting_at", "refund_due_at"),
)
_AS_THEY_ARE = ("reference", "page", "signed", "idempotency_key", "review_why", "decided_by", "decided_why")
_MORE_AS_THEY_ARE = ("failed_why", "refund_why")


def order_of(row: Any) -> Order:
    """From ``ORDER_COLUMNS``."""
    stored = dict(zip(_ORDER_NAMES, row, strict=True))
    payment = None
    if stored["payment"] is not None:
        payment = Payment(stored["payment"], AssetUnits(stored["paid_assets"]), instant_of(stored["paid_at"]))
    key = AccountKey(
        Address(stored["token"]), Address(stored["gateway"]), Address(stored["holder"]), Address(stored["signer"])
    )
    return Order(
        id=OrderId(stored["id"]),
        account=key,
        rail=Rail(stored["rail"]),
        assets=AssetUnits(stored["assets"]),
        payment=payment,
        decision=None if stored["decision"] is None else Decision(stored["decision"]),
        refunded=AssetUnits(stored["refunded"]),
        disputed=AssetUnits(stored["disputed"]),
        lost=AssetUnits(stored["lost"]),
        **{name: stored[name] for name in (*_AS_THEY_ARE, *_MORE_AS_THEY_ARE)},
        **{name: _instant(stored[name]) for name in _INSTANTS},
    )


def order_row(order: Order) -> dict[str, Any]:
    """A value for each of ``ORDER_COLUMNS``, by name."""
    key, payment = order.account, order.payment
    return {
        "id": order.id,
        "account": account_id(key),
        "token": key.token,
        "gateway": key.gateway,
        "holder": key.holder,
        "signer": key.signer,
        "rail": order.rail.value,
        "assets": order.assets,
        "payment": None if payment is None else payment.id,
        "paid_assets": None if payment is None else payment.assets,
        "paid_at": None if payment is None else micros(payment.at),
        "decision": None if order.decision is None else order.decision.value,
        "refunded": order.refunded,
        "disputed": order.disputed,
        "lost": order.lost,
        **{name: getattr(order, name) for name in (*_AS_THEY_ARE, *_MORE_AS_THEY_ARE)},
        **{name: _stored(getattr(order, name)) for name in _INSTANTS},
    }


def refund_of(row: Any) -> Refund:
    """From ``REFUND_COLUMNS``."""
    stored = dict(zip(_REFUND_NAMES, row, strict=True))
    return Refund(
        id=stored["id"],
        order=OrderId(stored["order_id"]),
        rail=Rail(stored["rail"]),
        payment=stored["payment"],
        kind=RefundKind(stored["kind"]),
        why=stored["why"],
        assets=AssetUnits(stored["assets"]),
        due_at=instant_of(stored["due_at"]),
        reference=stored["reference"],
        done_at=_instant(stored["done_at"]),
    )


def refund_row(refund: Refund) -> dict[str, Any]:
    return {
        "id": refund.id,
        "order_id": refund.order,
        "rail": refund.rail.value,
        "payment": refund.payment,
        "kind": refund.kind.value,
        "why": refund.why,
        "assets": refund.assets,
        "due_at": micros(refund.due_at),
        "reference": refund.reference,
        "done_at": _stored(refund.done_at),
    }


def _instant(stored: int | None) -> Any:
    return None if stored is None else instant_of(stored)


def _stored(instant: datetime | None) -> int | None:
    return None if instant is None else micros(instant)
