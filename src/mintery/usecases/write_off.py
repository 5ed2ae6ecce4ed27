"""Give up a receipt that can never settle: the charge is the operator's loss, and the holder's credits are free again."""

from datetime import datetime

from mintery.domain.hold import RequestId
from mintery.errors import LedgerInconsistent, UnknownReceipt, WriteOffRefused
from mintery.ledger.commands import NotWritten, WriteOff
from mintery.ledger.reads import Ledger, WrittenOff


def write_off(ledger: Ledger, request: RequestId, reason: str, now: datetime) -> WrittenOff:
    """What is recorded of it; a receipt that was written off before keeps its first reason.

    Raises:
        UnknownReceipt
        WriteOffRefused: it charged nothing, or a batch has it.
    """
    if ledger.receipt(request) is None:
        raise UnknownReceipt(request)
    (result,) = ledger.commit([WriteOff(request, reason, now)])
    if isinstance(result, NotWritten):
        raise WriteOffRefused(request, result.why)
    record = ledger.receipt(request)
    if record is None or record.written_off is None:
        raise LedgerInconsistent(f"receipt {request} was written off and does not say so")
    return record.written_off
