"""How holds end: captured with a receipt, or released; and what is kept of their answers."""

from collections.abc import Sequence

from sqlalchemy import bindparam, delete, select

from mintery.domain.attempt import RouteAttempt
from mintery.domain.hold import Capture, Ending, ReleaseReason
from mintery.domain.receipt import Receipt, canonical_facts
from mintery.ledger.alerts import reached
from mintery.ledger.books import Move
from mintery.ledger.commands import (
    CaptureHold,
    Done,
    DropAnswers,
    HoldNotEnding,
    HoldReleased,
    MarkDelivered,
    NotWritten,
    ReleaseHold,
)
from mintery.ledger.memory import AccountRow, RequestRow
from mintery.ledger.schema import answers, receipts
from mintery.ledger.sheet import CAPTURED, DELIVERED, RELEASED, Sheet
from mintery.ledger.work import Statement, Work, micros
from mintery.units import NanoCredits

_facts = Statement(select(receipts.c.facts).where(receipts.c.request == bindparam("request")))
_drop_answers = Statement(delete(answers).where(answers.c.kept_since < bindparam("before")))


def capture_hold(sheet: Sheet, command: CaptureHold) -> Capture | HoldNotEnding | NotWritten:
    """Charge the receipt's cost as far as the hold is still backed; what is not is owed (see ``books``)."""
    receipt = command.receipt
    if receipt.id != command.request:
        return NotWritten(f"the receipt is of {receipt.id}, not of {command.request}")
    row = sheet.requests.get(command.request)
    if row is None:
        return HoldNotEnding(command.request, "unknown")
    if row.ended_at is not None or row.dispatched_at is None or row.amount < receipt.cost:
        return _not_captured(sheet, row, receipt)

    account = sheet.accounts[row.account]
    if (why := _contradiction(receipt, row, account)) is not None:
        return NotWritten(why)
    at = micros(receipt.captured_at)
    covered = min(receipt.cost, row.backed)
    rest = row.backed - covered
    _end(sheet, row, account, covered=covered, at=at)
    row.captured = receipt.cost
    sheet.touch(row, CAPTURED)
    if covered:
        sheet.post(Move.CAPTURE, covered, row, "capture", at, resolves=True, rest=rest)
    else:
        sheet.post(Move.REST, rest, row, "rest", at, resolves=True)
    settles = receipt.cost
    if receipt.cost > covered and not _owe(sheet, row, account, receipt.cost - covered, at=at):
        settles = NanoCredits(0)
    sheet.uncount(row, _left(row, receipt, settles))
    for alert in reached(row.limits, sheet.used):
        sheet.alert(alert, at)
    _record_receipt(sheet, receipt, row)
    if command.attempts:
        _record_attempts(sheet, row, command.attempts)
    if (answer := command.answer) is not None:
        sheet.answers[row.id] = (at, row.id, answer.status, answer.content_type, answer.body)
    return Capture(row.id, receipt.cost, NanoCredits(row.amount - receipt.cost), receipt.captured_at)


def _left(row: RequestRow, receipt: Receipt, settles: NanoCredits) -> dict[str, int]:
    """What the captured request counts for, by when each of its limits ends; nothing where another model answered it."""
    left: dict[str, int] = {Ending.CAPTURE: 0, Ending.SETTLEMENT: settles, Ending.NEVER: receipt.cost}
    for limit in row.limits:
        ending, _, model = limit.until.partition(":")
        if model:
            left[limit.until] = left[ending] if model == receipt.model else 0
    return left


def _contradiction(receipt: Receipt, row: RequestRow, account: AccountRow) -> str | None:
    """Between what a receipt says of its hold and what the hold is."""
    said = (receipt.account.token, receipt.epoch, receipt.held)
    recorded = (account.token, row.epoch, row.amount)
    return None if said == recorded else f"the receipt of {row.id} says {said} of a hold of {recorded}"


def _end(sheet: Sheet, row: RequestRow, account: AccountRow, *, covered: int, at: int) -> None:
    """``covered`` of what backs the hold is charged, the rest is available again."""
    account.held -= row.backed
    account.captured += covered
    account.available += row.backed - covered
    row.backed, row.ended_at = 0, at
    sheet.touch_account(account)


def _owe(sheet: Sheet, row: RequestRow, account: AccountRow, owed: int, *, at: int) -> bool:
    """A chain event took what backed the hold. False: its epoch has ended, and nothing can be collected any more."""
    sheet.post(Move.OWE, owed, row, f"owe/{account.id}/0", at)
    if row.epoch != account.epoch:
        sheet.post(Move.LOSS, owed, row, f"owe/{account.id}/1", at)
        return False
    account.uncovered += owed
    return True


def _not_captured(sheet: Sheet, row: RequestRow, receipt: Receipt) -> Capture | HoldNotEnding | NotWritten:
    if row.captured == receipt.cost and _is_recorded(sheet, receipt):
        return Capture(row.id, receipt.cost, NanoCredits(row.amount - receipt.cost), receipt.captured_at)
    if row.ended_at is None and receipt.cost > row.amount:
        return NotWritten(f"hold {row.id} has {row.amount} nanocredits; the receipt's cost is {receipt.cost}")
    return HoldNotEnding(row.id, row.hold.status_at(receipt.captured_at).value)


def _is_recorded(sheet: Sheet, receipt: Receipt) -> bool:
    """Asked only of a capture that is repeated."""
    facts = canonical_facts(receipt).decode()
    if (new := sheet.receipts.get(receipt.id)) is not None:
        return facts in new
    found = sheet.work.row(_facts, request=receipt.id)
    return found is not None and bool(found[0] == facts)


def release_hold(sheet: Sheet, command: ReleaseHold) -> HoldReleased | HoldNotEnding | NotWritten:
    """NOT_DISPATCHED ends only what was never sent; UNRESOLVED only what was sent and whose lease has lapsed."""
    receipt = command.receipt
    if receipt is not None and (receipt.id != command.request or receipt.cost):
        return NotWritten(f"the receipt of the released request {command.request} must be its own and cost nothing")
    row, at = sheet.requests.get(command.request), micros(command.at)
    if row is None:
        return HoldNotEnding(command.request, "unknown")
    if row.ended_at is not None or not _may_release(row, command.reason, at):
        if row.released_for == command.reason.value:
            return HoldReleased(row.id, NanoCredits(row.amount))
        return HoldNotEnding(row.id, row.hold.status_at(command.at).value)

    account = sheet.accounts[row.account]
    if receipt is not None and (why := _contradiction(receipt, row, account)) is not None:
        return NotWritten(why)
    sheet.post(Move.RELEASE, row.backed, row, "release", at, resolves=True)
    _end(sheet, row, account, covered=0, at=at)
    row.released_for = command.reason.value
    sheet.touch(row, RELEASED)
    sheet.uncount(row, {limit.until: 0 for limit in row.limits})
    if receipt is not None:
        _record_receipt(sheet, receipt, row)
    if command.attempts:
        _record_attempts(sheet, row, command.attempts)
    return HoldReleased(row.id, NanoCredits(row.amount))


def _may_release(row: RequestRow, reason: ReleaseReason, at: int) -> bool:
    match reason:
        case ReleaseReason.PROVIDER_FAILED:
            return True
        case ReleaseReason.NOT_DISPATCHED:
            return row.dispatched_at is None
        case ReleaseReason.UNRESOLVED:
            return row.dispatched_at is not None and row.lease_until <= at


def _record_receipt(sheet: Sheet, receipt: Receipt, row: RequestRow) -> None:
    sheet.receipts[row.id] = (
        row.id,
        row.account,
        receipt.account.token,
        receipt.epoch,
        receipt.cost,
        receipt.held,
        receipt.model,
        receipt.provider,
        micros(receipt.captured_at),
        canonical_facts(receipt).decode(),
        receipt.signature,
    )


def _record_attempts(sheet: Sheet, row: RequestRow, attempts: Sequence[RouteAttempt]) -> None:
    sheet.attempts += [
        (
            row.id,
            position,
            each.route,
            each.provider,
            each.outcome.value,
            each.status,
            micros(each.began_at),
            micros(each.ended_at),
        )
        for position, each in enumerate(attempts)
    ]


def mark_delivered(sheet: Sheet, command: MarkDelivered) -> Done | NotWritten:
    row = sheet.requests.get(command.request)
    if row is None or (row.ended_at is None and not command.opened):
        return NotWritten(f"request {command.request} has no answer yet")
    if row.delivered_at is not None:
        return Done(0)
    row.delivered_at = micros(command.at)
    sheet.touch(row, DELIVERED)
    if row.idempotency_key is None and row.ended_at is not None:
        sheet.drop_answer(row.id, row.ended_at)
    return Done(1)


def drop_answers(work: Work, command: DropAnswers) -> Done:
    return Done(work.run(_drop_answers, before=micros(command.before)))
