"""Placing holds, and what may be changed of them while they are open. All of it is decided on a sheet of the books."""

from mintery.domain.hold import Constraint
from mintery.domain.rates import RatesLeft, RateUse, after, excess, gauge
from mintery.ledger.alerts import exhausted
from mintery.ledger.books import Move
from mintery.ledger.commands import (
    DispatchHold,
    Done,
    ExtendLease,
    HoldPlaced,
    HoldRefused,
    NotWritten,
    PlaceHold,
    RateReached,
    RequestKnown,
)
from mintery.ledger.limits import Limit
from mintery.ledger.memory import AccountRow, RequestRow
from mintery.ledger.sheet import DISPATCHED, LEASED, Sheet
from mintery.ledger.work import micros
from mintery.units import MAX_NANOCREDITS, NanoCredits


def place_hold(sheet: Sheet, command: PlaceHold) -> HoldPlaced | HoldRefused | RateReached | RequestKnown | NotWritten:
    """Admit the hold by every rule, or change nothing.

    A request that is there already is answered first: by its hold as it stands, so that a repeated command finds what
    became of it.
    """
    answer = _admitted(sheet, command)
    if isinstance(answer, HoldPlaced) or sheet.is_new_after_all(command.request):
        return answer
    return _already(sheet, command) or answer


def _admitted(sheet: Sheet, command: PlaceHold) -> HoldPlaced | HoldRefused | RateReached | RequestKnown | NotWritten:
    if (known := _already(sheet, command)) is not None:
        return known
    account = sheet.accounts.get(command.account)
    if account is None or account.token is None:
        return HoldRefused("account", command.amount, NanoCredits(0))
    if account.authority != command.authority:
        return HoldRefused("authority", command.amount, NanoCredits(0))
    refusal = _refusal(account, command) or _over_limit(sheet, command)
    if refusal is not None:
        return refusal
    if command.rate is None:
        return _place(sheet, account, command, None)
    left = _count_rates(sheet, account, command.rate, micros(command.placed_at))
    return left if isinstance(left, RateReached) else _place(sheet, account, command, left)


def _already(sheet: Sheet, command: PlaceHold) -> HoldPlaced | RequestKnown | NotWritten | None:
    row = sheet.requests.get(command.request)
    if row is not None:
        asked = (command.account, command.amount, micros(command.placed_at))
        if (row.account, row.amount, row.placed_at) == asked:
            return HoldPlaced(row.hold)
        return NotWritten(f"request {row.id} was placed with another account or amount")
    key = command.key
    if key.idempotency_key is not None:
        known = sheet.by_key.get((key.credential, key.idempotency_key))
        if known is not None:
            return RequestKnown(known.request, "idempotency_key", known.body)
    if key.raised is not None:
        known = sheet.by_raised.get((command.account, key.raised))
        if known is not None:
            return RequestKnown(known.request, "raised", known.body)
    return _repeated(sheet, command)


def _repeated(sheet: Sheet, command: PlaceHold) -> RequestKnown | None:
    """What a request that was sent before would join, had it been recorded when the retry was first looked at."""
    key = command.key
    if key.idempotency_key is not None:
        return None
    known = sheet.undelivered.get((key.credential, key.body, key.raised))
    if known is None or command.repeats_since is None or known.placed_at < micros(command.repeats_since):
        return _overtaken(sheet, command)
    row = sheet.requests.get(known.request)
    if row is not None and (row.delivered_at is not None or row.released_for is not None):
        return _overtaken(sheet, command)
    return RequestKnown(known.request, "retry", known.body)


def _overtaken(sheet: Sheet, command: PlaceHold) -> RequestKnown | None:
    """The request's own retry, where that came later and was placed first, by another process say: whoever sent both waits
    for the answer of the retry alone, and pays once.
    """
    key = command.key
    known = sheet.retries.get((key.credential, key.body, key.raised))
    if known is None or known.placed_at < micros(command.placed_at):
        return None
    row = sheet.requests.get(known.request)
    if row is not None and row.released_for is not None:
        return None
    return RequestKnown(known.request, "retry", known.body)


def _refusal(account: AccountRow, command: PlaceHold) -> HoldRefused | None:
    """Which rule of the account refuses, and what it would still have admitted."""
    voucher, amount = command.signed.voucher, command.amount
    if account.epoch != voucher.epoch:
        return HoldRefused("epoch", amount, NanoCredits(0))
    available = 0 if account.closing else account.available - account.exiting
    if account.closing or available < amount:
        return HoldRefused("balance", amount, NanoCredits(max(available, 0)))
    spent_or_held = account.spent_settled + account.captured + account.uncovered + account.held
    room = min(voucher.max_nanocredits, MAX_NANOCREDITS) - spent_or_held
    if room < amount:
        return HoldRefused("voucher", amount, NanoCredits(max(room, 0)))
    return None


def _over_limit(sheet: Sheet, command: PlaceHold) -> HoldRefused | None:
    for constraint in sorted(command.constraints, key=lambda each: each.key):
        room = min(constraint.ceiling, MAX_NANOCREDITS) - sheet.used.get(constraint.key, 0)
        if room < command.amount:
            if (alert := exhausted(constraint.key, command.amount, constraint.ceiling)) is not None:
                sheet.alert(alert, micros(command.placed_at))
            return HoldRefused(constraint.key, command.amount, NanoCredits(max(room, 0)))
    return None


def _count_rates(sheet: Sheet, account: AccountRow, use: RateUse, now: int) -> RatesLeft | RateReached:
    """Counted against both rates, or against neither."""
    requests = _counted(account.requests_until, 1, use.rates.requests, now)
    tokens = _counted(account.tokens_until, use.tokens, use.rates.tokens, now)
    for by, units, limit, until in (
        ("requests", 1, use.rates.requests, requests),
        ("tokens", use.tokens, use.rates.tokens, tokens),
    ):
        if limit is not None and (over := excess(until or 0, now)):
            return RateReached(by, _left(account, use, now), None if units > limit else over)
    account.requests_until, account.tokens_until = requests, tokens
    sheet.touch_rates(account)
    return _left(account, use, now)


def _counted(until: int | None, units: int, limit: int | None, now: int) -> int | None:
    return until if limit is None else after(until, units, limit, now)


def _left(account: AccountRow, use: RateUse, now: int) -> RatesLeft:
    rates = use.rates
    return RatesLeft(gauge(account.requests_until, rates.requests, now), gauge(account.tokens_until, rates.tokens, now))


def _place(sheet: Sheet, account: AccountRow, command: PlaceHold, left: RatesLeft | None) -> HoldPlaced:
    at, amount = micros(command.placed_at), command.amount
    row = RequestRow(
        id=command.request,
        account=account.id,
        epoch=account.epoch,
        amount=amount,
        backed=amount,
        limits=[
            Limit(each.key, _until(each), amount, min(each.ceiling, MAX_NANOCREDITS))
            for each in sorted(command.constraints, key=lambda each: each.key)
        ],
        placed_at=at,
        lease_until=micros(command.lease_until),
        dispatched_at=at if command.dispatch else None,
        captured=None,
        released_for=None,
        ended_at=None,
        delivered_at=None,
        idempotency_key=command.key.idempotency_key,
    )
    sheet.add(row, command)
    for constraint in command.constraints:
        sheet.count(constraint.key, amount)
    account.available -= amount
    account.held += amount
    sheet.touch_account(account)
    sheet.post(Move.HOLD, amount, row, "hold", at)
    return HoldPlaced(row.hold, left)


def _until(constraint: Constraint) -> str:
    until = constraint.until.value
    return until if constraint.model is None else f"{until}:{constraint.model}"


def dispatch_hold(sheet: Sheet, command: DispatchHold) -> Done | NotWritten:
    """Refused once the hold has ended or its lease has lapsed: the sweeper may be releasing it."""
    row, at = sheet.requests.get(command.request), micros(command.at)
    if row is None:
        return NotWritten(f"hold {command.request} is unknown")
    if row.dispatched_at is None and row.ended_at is None and row.lease_until > at:
        row.dispatched_at = at
        sheet.touch(row, DISPATCHED)
        return Done(1)
    if row.dispatched_at == at:
        return Done(0)
    return NotWritten(f"hold {command.request} is {row.hold.status_at(command.at).value}")


def extend_lease(sheet: Sheet, command: ExtendLease) -> Done | NotWritten:
    """Never shortens it."""
    row, until = sheet.requests.get(command.request), micros(command.lease_until)
    if row is None:
        return NotWritten(f"hold {command.request} is unknown")
    if row.ended_at is not None:
        return NotWritten(f"hold {command.request} has ended")
    if row.lease_until >= until:
        return Done(0)
    row.lease_until = until
    sheet.touch(row, LEASED)
    return Done(1)
