"""Placing holds: every rule in a conditional statement, so that no two requests can be admitted by the same credits."""

from typing import Any

from sqlalchemy import bindparam, case, func, literal, or_, select, update
from sqlalchemy.dialects.postgresql import Insert

from mintery.domain.hold import Constraint, Hold, RequestId
from mintery.domain.quoted import quoted_text
from mintery.ledger.books import Move, post
from mintery.ledger.commands import (
    DispatchHold,
    Done,
    ExtendLease,
    HoldPlaced,
    HoldRefused,
    NotWritten,
    PlaceHold,
    RequestKnown,
)
from mintery.ledger.rows import HOLD_COLUMNS, hold_of, voucher_row
from mintery.ledger.schema import accounts, counters, hold_limits, requests, vouchers
from mintery.ledger.work import Statement, Work, insert_of, micros
from mintery.units import MAX_NANOCREDITS, NanoCredits

_spent_or_held = accounts.c.spent_settled + accounts.c.captured + accounts.c.uncovered + accounts.c.held
_set_aside = Statement(
    update(accounts)
    .where(
        accounts.c.id == bindparam("account"),
        accounts.c.token.is_not(None),
        accounts.c.epoch == bindparam("wanted_epoch"),
        accounts.c.closing == 0,
        accounts.c.available - accounts.c.exiting >= bindparam("amount"),
        bindparam("most") - _spent_or_held >= bindparam("amount"),
    )
    .values(available=accounts.c.available - bindparam("amount"), held=accounts.c.held + bindparam("amount"))
    .returning(accounts.c.token)
)
_room = Statement(
    select(
        accounts.c.epoch,
        case((accounts.c.closing == 1, 0), else_=accounts.c.available - accounts.c.exiting),
        _spent_or_held,
    ).where(accounts.c.id == bindparam("account"), accounts.c.token.is_not(None))
)
_insert_voucher = Statement(insert_of(vouchers).on_conflict_do_nothing())
_insert_request = Statement(insert_of(requests).on_conflict_do_nothing())
_known = Statement(
    select(*HOLD_COLUMNS, requests.c.credential, requests.c.idempotency_key, requests.c.raised, requests.c.body)
    .where(
        or_(
            requests.c.id == bindparam("request"),
            (requests.c.credential == bindparam("credential"))
            & (requests.c.idempotency_key == bindparam("idempotency_key")),
            (requests.c.account == bindparam("account")) & (requests.c.raised == bindparam("raised")),
        )
    )
    .order_by(case((requests.c.id == bindparam("request"), 0), else_=1), requests.c.placed_at)
)
_new_counter = Insert(counters).values(key=bindparam("key"), used=literal(0, counters.c.used.type))
_open_counter = Statement(_new_counter.on_conflict_do_nothing())
_count = Statement(
    update(counters)
    .where(counters.c.key == bindparam("counter"), counters.c.used + bindparam("amount") <= bindparam("ceiling"))
    .values(used=counters.c.used + bindparam("amount"))
)
_used = Statement(select(func.max(counters.c.used)).where(counters.c.key == bindparam("counter")))
_insert_limit = Statement(insert_of(hold_limits))
_dispatch = Statement(
    update(requests)
    .where(
        requests.c.id == bindparam("request"),
        requests.c.dispatched_at.is_(None),
        requests.c.ended_at.is_(None),
        requests.c.lease_until > bindparam("at"),
    )
    .values(dispatched_at=bindparam("at"))
)
_extend = Statement(
    update(requests)
    .where(
        requests.c.id == bindparam("request"),
        requests.c.ended_at.is_(None),
        requests.c.lease_until < bindparam("until"),
    )
    .values(lease_until=bindparam("until"))
)
_hold = Statement(select(*HOLD_COLUMNS).where(requests.c.id == bindparam("request")))


def find_hold(work: Work, request: RequestId) -> Hold | None:
    row = work.row(_hold, request=request)
    return None if row is None else hold_of(row)


def place_hold(work: Work, command: PlaceHold) -> HoldPlaced | HoldRefused | RequestKnown | NotWritten:
    """Admit the hold by every rule, or change nothing.

    A request that is there already is answered first: by its hold as it stands, so that a repeated command finds what
    became of it.
    """
    with work.undoable() as undo:
        refusal = _admit(work, command)
        if refusal is not None:
            undo.undo()
            return _already(work, command) or refusal
    work.known_vouchers.add((command.account, command.digest))
    return HoldPlaced(
        Hold(
            id=command.request,
            account=command.account,
            amount=command.amount,
            placed_at=command.placed_at,
            lease_until=command.lease_until,
            dispatched_at=command.placed_at if command.dispatch else None,
        )
    )


def _admit(work: Work, command: PlaceHold) -> HoldRefused | NotWritten | None:
    voucher = command.signed.voucher
    row = work.row(
        _set_aside,
        account=command.account,
        wanted_epoch=voucher.epoch,
        amount=command.amount,
        most=min(voucher.max_nanocredits, MAX_NANOCREDITS),
    )
    if row is None:
        return _refusal(work, command)
    for constraint in sorted(command.constraints, key=lambda each: each.key):
        if (refused := _count_hold(work, constraint, command.amount)) is not None:
            return refused
    return _record(work, command, token=row[0])


def _record(work: Work, command: PlaceHold, *, token: Any) -> NotWritten | None:
    if (command.account, command.digest) not in work.known_vouchers:
        work.run(_insert_voucher, **voucher_row(command.signed, command.digest, command.account))
    at = micros(command.placed_at)
    inserted = work.run(
        _insert_request,
        id=command.request,
        credential=command.key.credential,
        body=command.key.body,
        idempotency_key=command.key.idempotency_key,
        raised=command.key.raised,
        account=command.account,
        epoch=command.signed.voucher.epoch,
        voucher=command.digest,
        quoted=quoted_text(command.quoted),
        amount=command.amount,
        backed=command.amount,
        limits=len(command.constraints),
        placed_at=at,
        lease_until=micros(command.lease_until),
        dispatched_at=at if command.dispatch else None,
        captured=None,
        released_for=None,
        ended_at=None,
        delivered_at=None,
        batch=None,
    )
    if not inserted:
        return NotWritten(f"request {command.request} is recorded already")
    for limit in command.constraints:
        work.run(
            _insert_limit,
            request=command.request,
            key=limit.key,
            ceiling=min(limit.ceiling, MAX_NANOCREDITS),
            until=limit.until.value,
            counted=command.amount,
        )
    post(
        work,
        Move.HOLD,
        command.amount,
        account=command.account,
        token=token,
        name=f"{command.request}/hold",
        reference=command.request,
        at=at,
    )
    return None


def _count_hold(work: Work, constraint: Constraint, amount: NanoCredits) -> HoldRefused | None:
    work.run(_open_counter, key=constraint.key)
    ceiling = min(constraint.ceiling, MAX_NANOCREDITS)
    if work.run(_count, counter=constraint.key, amount=amount, ceiling=ceiling):
        return None
    used = work.row(_used, counter=constraint.key)
    return HoldRefused(constraint.key, amount, NanoCredits(max(ceiling - (used[0] if used else 0), 0)))


def _refusal(work: Work, command: PlaceHold) -> HoldRefused:
    """Which rule of the account refused, and what it would still have admitted."""
    row = work.row(_room, account=command.account)
    if row is None:
        return HoldRefused("account", command.amount, NanoCredits(0))
    epoch, available, spent_or_held = row
    if epoch != command.signed.voucher.epoch:
        return HoldRefused("epoch", command.amount, NanoCredits(0))
    if available < command.amount:
        return HoldRefused("balance", command.amount, NanoCredits(max(available, 0)))
    room = min(command.signed.voucher.max_nanocredits, MAX_NANOCREDITS) - spent_or_held
    return HoldRefused("voucher", command.amount, NanoCredits(max(room, 0)))


def _already(work: Work, command: PlaceHold) -> HoldPlaced | RequestKnown | NotWritten | None:
    key = command.key
    found = work.rows(
        _known,
        request=command.request,
        account=command.account,
        credential=key.credential,
        idempotency_key=key.idempotency_key,
        raised=key.raised,
    )
    if not found:
        return None
    hold = hold_of(found[0])
    if hold.id == command.request:
        same = (hold.account, hold.amount, hold.placed_at) == (command.account, command.amount, command.placed_at)
        return HoldPlaced(hold) if same else NotWritten(f"request {hold.id} was placed with another account or amount")
    for row in found:
        request, (credential, idempotency_key, _, body) = row[0], row[len(HOLD_COLUMNS) :]
        if key.idempotency_key is not None and (credential, idempotency_key) == (key.credential, key.idempotency_key):
            return RequestKnown(RequestId(request), "idempotency_key", body)
    return RequestKnown(RequestId(found[0][0]), "raised", found[0][-1])


def dispatch_hold(work: Work, command: DispatchHold) -> Done | NotWritten:
    """Refused once the hold has ended or its lease has lapsed: the sweeper may be releasing it."""
    if changed := work.run(_dispatch, request=command.request, at=micros(command.at)):
        return Done(changed)
    hold = find_hold(work, command.request)
    if hold is not None and hold.dispatched_at == command.at:
        return Done(0)
    return NotWritten(f"hold {command.request} is {'unknown' if hold is None else hold.status_at(command.at).value}")


def extend_lease(work: Work, command: ExtendLease) -> Done | NotWritten:
    """Never shortens it."""
    if changed := work.run(_extend, request=command.request, until=micros(command.lease_until)):
        return Done(changed)
    hold = find_hold(work, command.request)
    if hold is None:
        return NotWritten(f"hold {command.request} is unknown")
    ended = hold.captured is not None or hold.released_for is not None
    return NotWritten(f"hold {command.request} has ended") if ended else Done(0)
