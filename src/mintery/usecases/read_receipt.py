"""Receipts, to the account that paid and to the operator. Signed when read: the same receipt, the same signature."""

from typing import Any

from mintery.crypto.receipts import sign_receipt
from mintery.domain.attempt import RouteAttempt
from mintery.domain.hold import RequestId
from mintery.domain.receipt import receipt_json
from mintery.domain.voucher import AccountId
from mintery.errors import UnknownReceipt
from mintery.ledger.reads import ReceiptRecord
from mintery.usecases.parts import GatewayParts


def read_receipt(parts: GatewayParts, request: RequestId, reader: AccountId | None) -> dict[str, Any]:
    """One receipt as JSON. ``reader`` None is the operator.

    Raises:
        UnknownReceipt: there is none, or it is another account's, which is told the same.
    """
    record = parts.ledger.receipt(request)
    if record is None:
        raise UnknownReceipt(request)
    if reader is not None:
        owned = parts.ledger.request(request)
        if owned is None or owned.hold.account != reader:
            raise UnknownReceipt(request)
    return _signed(parts, record)


def list_receipts(parts: GatewayParts, account: AccountId | None, limit: int) -> list[dict[str, Any]]:
    """Newest first; all accounts' for the operator (``account`` None)."""
    return [_signed(parts, record) for record in parts.ledger.receipts(account=account, limit=limit)]


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
