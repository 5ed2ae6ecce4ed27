"""End the holds that nobody else will: never sent, or sent and without evidence of their end."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from mintery.domain.hold import Hold, HoldStatus, ReleaseReason, RequestId
from mintery.domain.quote import UsageSource
from mintery.domain.quoted import Quoted
from mintery.domain.receipt import Receipt
from mintery.domain.voucher import Address, EscrowDomain
from mintery.errors import LedgerInconsistent
from mintery.ledger.commands import HoldReleased, ReleaseHold
from mintery.ledger.reads import AccountBalance, Ledger, RequestRecord
from mintery.units import NanoCredits

log = logging.getLogger(__name__)

EVIDENCE_SECONDS = 15 * 60
"""How long after its lease a dispatched hold waits for evidence of its end."""


@dataclass(frozen=True, slots=True)
class ExpiredHolds:
    """``released`` were never sent. ``lost`` were sent and end at the operator's loss. ``unresolved`` still wait."""

    released: int
    lost: int
    unresolved: int


def expire_holds(
    ledger: Ledger,
    domain: EscrowDomain,
    settler: Address,
    now: datetime,
    *,
    is_stale: Callable[[Quoted], bool] = lambda _quoted: False,
) -> ExpiredHolds:
    """Release lapsed holds that were never dispatched, and unresolved ones after 15 minutes without evidence; one that was
    not dispatched yet at once, where a price of its quote ``is_stale``.

    The holder gets the whole hold back in all cases; an unresolved one leaves a receipt of cost 0 that ``settler`` signs.
    """
    ends = []
    unresolved = 0
    followed: frozenset[RequestId] | None = None
    for hold in ledger.open_holds():
        is_unused = hold.status_at(now) is HoldStatus.HELD
        if hold.lease_until > now and not (is_unused and is_stale(_record(ledger, hold).quoted)):
            continue
        if is_unused:
            ends.append(ReleaseHold(hold.id, ReleaseReason.NOT_DISPATCHED, now))
            continue
        if followed is None:
            followed = frozenset(job.id for job in ledger.open_long_jobs())
        if hold.id in followed:
            unresolved += 1  # whoever follows it looks once more before it is given up
        elif now - hold.lease_until >= timedelta(seconds=EVIDENCE_SECONDS):
            receipt = _loss_of(ledger, hold, domain=domain, settler=settler, now=now)
            ends.append(ReleaseHold(hold.id, ReleaseReason.UNRESOLVED, now, receipt))
        else:
            unresolved += 1

    done = {result.request for result in ledger.commit(ends) if isinstance(result, HoldReleased)} if ends else set()
    for end in ends:
        log.info("hold released", extra={"request": end.request, "reason": end.reason, "ended": end.request in done})
    lost = sum(end.request in done for end in ends if end.reason is ReleaseReason.UNRESOLVED)
    return ExpiredHolds(released=len(done) - lost, lost=lost, unresolved=unresolved)


def _loss_of(ledger: Ledger, hold: Hold, *, domain: EscrowDomain, settler: Address, now: datetime) -> Receipt:
    account = ledger.account(hold.account)
    if account is None:
        raise LedgerInconsistent(f"hold {hold.id} is open and its account is not there")
    return _loss(_record(ledger, hold), account, domain=domain, settler=settler, now=now)


def _record(ledger: Ledger, hold: Hold) -> RequestRecord:
    record = ledger.request(hold.id)
    if record is None:
        raise LedgerInconsistent(f"hold {hold.id} is open and its request is not there")
    return record


def _loss(
    record: RequestRecord, account: AccountBalance, *, domain: EscrowDomain, settler: Address, now: datetime
) -> Receipt:
    """A receipt that charges nothing: of what was quoted, nobody knows what was used."""
    quoted = record.quoted
    return Receipt(
        id=record.id,
        domain=domain,
        account=account.key,
        epoch=record.epoch,
        model=quoted.model,
        provider=quoted.provider,
        upstream=quoted.upstream,
        kind=quoted.kind,
        backup=False,
        stream=quoted.stream,
        test=quoted.test,
        state=quoted.state,
        lines=(),
        source=UsageSource.ESTIMATED,
        par=quoted.par,
        markup=quoted.markup,
        held=record.hold.amount,
        cost=NanoCredits(0),
        captured_at=now,
        settler=settler,
        asked=quoted.asked,
        key=quoted.key,
        own_key=quoted.own_key,
    )
