"""How holds end: captured with a receipt, or released. The row count of one conditional update decides who ends it."""

from datetime import datetime
from typing import Any

from sqlalchemy import and_, bindparam, delete, or_, select, update

from mintery.domain.hold import Capture, Ending, ReleaseReason, RequestId
from mintery.domain.receipt import Receipt, canonical_facts
from mintery.domain.voucher import AccountId
from mintery.ledger.apply_holds import find_hold
from mintery.ledger.books import Move, OpenAccount, post
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
from mintery.ledger.schema import accounts, answers, counters, hold_limits, receipts, requests
from mintery.ledger.work import Statement, Work, insert_of, micros
from mintery.units import NanoCredits

_ENDED = (
    requests.c.account,
    requests.c.amount,
    requests.c.backed,
    requests.c.epoch,
    requests.c.limits,
)
# What was backed is read before it is set to nothing: RETURNING would give it as it is afterwards.
_open_hold = Statement(
    select(*_ENDED)
    .where(
        requests.c.id == bindparam("request"),
        requests.c.ended_at.is_(None),
    )
    .with_for_update()
)
_end_captured = Statement(
    update(requests)
    .where(
        requests.c.id == bindparam("request"),
        requests.c.ended_at.is_(None),
        requests.c.dispatched_at.is_not(None),
        requests.c.amount >= bindparam("cost"),
    )
    .values(captured=bindparam("cost"), ended_at=bindparam("at"), backed=0)
)
_end_released = Statement(
    update(requests)
    .where(
        requests.c.id == bindparam("request"),
        requests.c.ended_at.is_(None),
        or_(
            bindparam("reason") == ReleaseReason.PROVIDER_FAILED.value,
            and_(bindparam("reason") == ReleaseReason.NOT_DISPATCHED.value, requests.c.dispatched_at.is_(None)),
            and_(
                bindparam("reason") == ReleaseReason.UNRESOLVED.value,
                requests.c.dispatched_at.is_not(None),
                requests.c.lease_until <= bindparam("at"),
            ),
        ),
    )
    .values(released_for=bindparam("reason"), ended_at=bindparam("at"), backed=0)
)
_move_balances = Statement(
    update(accounts)
    .where(accounts.c.id == bindparam("account"))
    .values(
        held=accounts.c.held - bindparam("backed"),
        captured=accounts.c.captured + bindparam("covered"),
        available=accounts.c.available + bindparam("rest"),
    )
    .returning(accounts.c.token)
)
_limits = Statement(
    select(hold_limits.c.key, hold_limits.c.until, hold_limits.c.counted)
    .where(hold_limits.c.request == bindparam("request"))
    .order_by(hold_limits.c.key)
)
_set_counted = Statement(
    update(hold_limits)
    .where(hold_limits.c.request == bindparam("request_id"), hold_limits.c.key == bindparam("limit"))
    .values(counted=bindparam("left"))
)
_uncount = Statement(
    update(counters).where(counters.c.key == bindparam("counter")).values(used=counters.c.used - bindparam("freed"))
)
_insert_receipt = Statement(insert_of(receipts))
_insert_answer = Statement(insert_of(answers))
_delivered = Statement(
    update(requests)
    .where(
        requests.c.id == bindparam("request"),
        requests.c.ended_at.is_not(None),
        requests.c.delivered_at.is_(None),
    )
    .values(delivered_at=bindparam("at"))
    .returning(requests.c.idempotency_key)
)
_drop_answer = Statement(delete(answers).where(answers.c.request == bindparam("request")))
_drop_answers = Statement(delete(answers).where(answers.c.kept_since < bindparam("before")))


def capture_hold(work: Work, command: CaptureHold) -> Capture | HoldNotEnding | NotWritten:
    """Charge the receipt's cost as far as the hold is still backed; what is not is owed (see ``books``)."""
    receipt = command.receipt
    if receipt.id != command.request:
        return NotWritten(f"the receipt is of {receipt.id}, not of {command.request}")
    at = micros(receipt.captured_at)
    row = work.row(_open_hold, request=command.request)
    if row is None or not work.run(_end_captured, request=command.request, cost=receipt.cost, at=at):
        return _not_captured(work, command)
    account, amount, backed, epoch, limits = row

    covered = min(receipt.cost, backed)
    rest = backed - covered
    (token,) = _ending_row(work, account, backed=backed, covered=covered, rest=rest)
    books = {"account": account, "token": token, "reference": command.request, "at": at}
    pending = f"{command.request}/hold"
    post(work, Move.CAPTURE, covered, name=f"{command.request}/capture", pending=pending, **books)
    post(
        work,
        Move.REST,
        rest,
        name=f"{command.request}/rest",
        pending=None if covered else pending,
        **books,
    )
    settles = receipt.cost
    if receipt.cost > covered:
        owed = NanoCredits(receipt.cost - covered)
        settles = NanoCredits(settles if _owe(work, command.request, account, owed, epoch=epoch, at=at) else 0)
    if limits:
        free_limits(work, command.request, {Ending.CAPTURE: 0, Ending.SETTLEMENT: settles, Ending.NEVER: receipt.cost})
    _record_receipt(work, receipt, account)
    if command.answer is not None:
        work.run(
            _insert_answer,
            request=command.request,
            status=command.answer.status,
            content_type=command.answer.content_type,
            body=command.answer.body,
            kept_since=at,
        )
    return Capture(command.request, receipt.cost, NanoCredits(amount - receipt.cost), receipt.captured_at)


def _ending_row(work: Work, account: AccountId, *, backed: int, covered: int, rest: int) -> Any:
    return work.row(_move_balances, account=account, backed=backed, covered=covered, rest=rest)


def _owe(work: Work, request: RequestId, account: AccountId, owed: NanoCredits, *, epoch: int, at: int) -> bool:
    """A chain event took what backed the hold. False: its epoch has ended, and nothing can be collected any more."""
    opened = OpenAccount.lock(work, account, reference=f"{request}/owe", at=at)
    if opened is None:
        raise LookupError(account)
    opened.move(Move.OWE, owed)
    if ended := epoch != opened.epoch:
        opened.move(Move.LOSS, owed)
    opened.save()
    return not ended


def _not_captured(work: Work, command: CaptureHold) -> Capture | HoldNotEnding | NotWritten:
    receipt = command.receipt
    hold = find_hold(work, command.request)
    if hold is None:
        return HoldNotEnding(command.request, "unknown")
    if hold.captured == receipt.cost and receipt_is_recorded(work, receipt):
        return Capture(hold.id, receipt.cost, NanoCredits(hold.amount - receipt.cost), receipt.captured_at)
    if hold.captured is None and hold.released_for is None and receipt.cost > hold.amount:
        return NotWritten(f"hold {hold.id} has {hold.amount} nanocredits; the receipt's cost is {receipt.cost}")
    return HoldNotEnding(hold.id, hold.status_at(receipt.captured_at).value)


_facts = Statement(select(receipts.c.facts).where(receipts.c.request == bindparam("request")))


def receipt_is_recorded(work: Work, receipt: Receipt) -> bool:
    row = work.row(_facts, request=receipt.id)
    return row is not None and row[0] == canonical_facts(receipt).decode()


def release_hold(work: Work, command: ReleaseHold) -> HoldReleased | HoldNotEnding | NotWritten:
    """NOT_DISPATCHED ends only what was never sent; UNRESOLVED only what was sent and whose lease has lapsed."""
    if command.receipt is not None and (command.receipt.id != command.request or command.receipt.cost):
        return NotWritten(f"the receipt of the released request {command.request} must be its own and cost nothing")
    at = micros(command.at)
    row = work.row(_open_hold, request=command.request)
    if row is None or not work.run(_end_released, request=command.request, reason=command.reason.value, at=at):
        return _not_released(work, command.request, command.reason, command.at)
    account, amount, backed, _, limits = row

    (token,) = _ending_row(work, account, backed=backed, covered=0, rest=backed)
    post(
        work,
        Move.RELEASE,
        backed,
        account=account,
        token=token,
        name=f"{command.request}/release",
        reference=command.request,
        at=at,
        pending=f"{command.request}/hold",
    )
    if limits:
        free_limits(work, command.request, dict.fromkeys(Ending, 0))
    if command.receipt is not None:
        _record_receipt(work, command.receipt, account)
    return HoldReleased(command.request, amount)


def _not_released(work: Work, request: RequestId, reason: ReleaseReason, at: datetime) -> HoldReleased | HoldNotEnding:
    hold = find_hold(work, request)
    if hold is None:
        return HoldNotEnding(request, "unknown")
    if hold.released_for is reason:
        return HoldReleased(request, hold.amount)
    return HoldNotEnding(request, hold.status_at(at).value)


def free_limits(work: Work, request: RequestId | str, left: dict[Ending, int]) -> None:
    """Let the request count for ``left`` against its constraints, by when each ends; never for more than it did."""
    for key, until, counted in work.rows(_limits, request=request):
        stays = min(left.get(Ending(until), counted), counted)
        if stays != counted:
            work.run(_set_counted, request_id=request, limit=key, left=stays)
            work.run(_uncount, counter=key, freed=counted - stays)


def _record_receipt(work: Work, receipt: Receipt, account: AccountId) -> None:
    work.run(
        _insert_receipt,
        request=receipt.id,
        account=account,
        token=receipt.account.token,
        epoch=receipt.epoch,
        cost=receipt.cost,
        held=receipt.held,
        model=receipt.model,
        provider=receipt.provider,
        captured_at=micros(receipt.captured_at),
        facts=canonical_facts(receipt).decode(),
        signature=receipt.signature,
    )


def mark_delivered(work: Work, command: MarkDelivered) -> Done | NotWritten:
    row = work.row(_delivered, request=command.request, at=micros(command.at))
    if row is None:
        hold = find_hold(work, command.request)
        ended = hold is not None and (hold.captured is not None or hold.released_for is not None)
        return Done(0) if ended else NotWritten(f"request {command.request} has no answer yet")
    if row[0] is None:
        work.run(_drop_answer, request=command.request)
    return Done(1)


def drop_answers(work: Work, command: DropAnswers) -> Done:
    return Done(work.run(_drop_answers, before=micros(command.before)))
