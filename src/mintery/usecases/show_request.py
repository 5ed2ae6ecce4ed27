"""One request as its holder sees it: what it could cost at most, and what it did."""

from collections.abc import Mapping
from datetime import tzinfo
from typing import Any

from mintery.domain.hold import RequestId
from mintery.domain.keys import KeyId
from mintery.domain.market import Market
from mintery.domain.quote import total_cost
from mintery.domain.receipt import line_facts
from mintery.domain.voucher import AccountId
from mintery.errors import UnknownReceipt
from mintery.ledger.reads import RequestRecord
from mintery.units import format_usd
from mintery.usecases.name_wallet import Wallet, amount_facts, wallet_facts, wallet_named
from mintery.usecases.parts import GatewayParts
from mintery.usecases.read_receipt import read_receipt


def show_request(
    parts: GatewayParts,
    market: Market,
    request: RequestId,
    accounts: tuple[AccountId, ...],
    *,
    key: KeyId | None = None,
    zone: tzinfo,
    labels: Mapping[str, str],
) -> dict[str, Any]:
    """``before``: what was set aside, at which prices; ``after``: the signed receipt, None while there is none.

    Raises:
        UnknownReceipt: there is no such request of ``accounts``, or, where ``key`` is named, of that key.
    """
    record = parts.ledger.request(request)
    if record is None or record.hold.account not in accounts or key not in {None, record.quoted.key}:
        raise UnknownReceipt(request)
    account = parts.ledger.account(record.hold.account)
    if account is None:
        raise UnknownReceipt(request)
    wallet = wallet_named(market, account.key.token)
    receipt = _receipt(parts, request)
    charged = {} if receipt is None else amount_facts("charged", int(receipt["cost_nanocredits"]), wallet.par)
    asked_by = record.quoted.key
    return {
        "object": "request",
        "request": request,
        "status": record.hold.status_at(parts.clock()).value,
        "at": record.hold.placed_at.astimezone(zone).isoformat(),
        **wallet_facts(wallet),
        "key": asked_by,
        "label": None if asked_by is None else labels.get(asked_by, asked_by),
        "before": _before(record, wallet),
        **charged,
        "after": receipt,
    }


def _receipt(parts: GatewayParts, request: RequestId) -> dict[str, Any] | None:
    try:
        return read_receipt(parts, request, None)
    except UnknownReceipt:
        return None


def _before(record: RequestRecord, wallet: Wallet) -> dict[str, Any]:
    """What was promised before anything was sent: the request never costs more."""
    quoted = record.quoted
    return {
        **amount_facts("most", record.hold.amount, wallet.par),
        "model": quoted.model if quoted.asked is None else quoted.asked,
        "route": quoted.model,
        "provider": quoted.provider,
        "price_state": quoted.state.value,
        "most_used": [line_facts(line) for line in quoted.lines],
        "cost_usd": format_usd(total_cost(quoted.lines)),
        "markup_bps": quoted.markup,
    }
