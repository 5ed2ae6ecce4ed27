"""Receipts, to whoever paid and to the operator. Signed when read: the same receipt, the same signature."""

from typing import Any

from mintery.crypto.receipts import sign_receipt
from mintery.domain.attempt import RouteAttempt
from mintery.domain.hold import RequestId
from mintery.domain.receipt import receipt_json
from mintery.errors import UnknownReceipt
from mintery.ledger.reads import ReceiptRecord
from mintery.usecases.parts import GatewayParts
from mintery.usecases.verify_credential import Credential


def read_receipt(parts: GatewayParts, request: RequestId, reader: Credential | None) -> dict[str, Any]:
    """One receipt as JSON. ``reader`` None is the operator, or whoever was found to own it.

    Raises:
        UnknownReceipt: there is none, or it is another account's or key's, which is told the same.
    """
    record = parts.ledger.receipt(request)
    if record is None:
        raise UnknownReceipt(request)
    if reader is not None:
        owned = parts.ledger.request(request)
        if owned is None or not reader.may_read(owned.hold.account, owned.quoted.key):
            raise UnknownReceipt(request)
    return _signed(parts, record)


def list_receipts(parts: GatewayParts, reader: Credential | None, limit: int) -> list[dict[str, Any]]:
    """Newest first; all accounts' for the operator (``reader`` None)."""
    if reader is None:
        found = parts.ledger.receipts(limit=limit)
    else:
        found = parts.ledger.receipts(account=reader.account, key=reader.key_id, limit=limit)
    return [_signed(parts, record) for record in found]


def _signed(parts: GatewayParts, record: ReceiptRecord) -> dict[str, Any]:
    receipt = record.receipt
    for key in (parts.settler, *parts.former_settlers):
        if key.address == receipt.settler:
            receipt = sign_receipt(receipt, key)
            break
    given_up = record.written_off
    written_off = None if given_up is None else {"reason": given_up.reason, "at": given_up.at.isoformat()}
    settlement = {"batch_id": record.batch_id, "tx_hash": record.tx_hash, "written_off": written_off}
    attempts = [attempt_json(each) for each in parts.ledger.attempts(receipt.id)] if receipt.backup else []
    return receipt_json(receipt) | {"settlement": settlement, "attempts": attempts}


def attempt_json(attempt: RouteAttempt) -> dict[str, Any]:
    """One call of a route, as JSON values."""
    return {
        "route": attempt.route,
        "provider": attempt.provider,
        "outcome": attempt.outcome.value,
        "status": attempt.status,
        "began_at": attempt.began_at.isoformat(),
        "ended_at": attempt.ended_at.isoformat(),
    }
