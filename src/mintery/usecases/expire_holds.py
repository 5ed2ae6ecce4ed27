"""End the holds that nobody else will: never sent, or sent and without evidence of their end."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from mintery.domain.hold import Hold, HoldStatus, ReleaseReason
from mintery.domain.market import Market
from mintery.domain.price import PriceState
from mintery.domain.quote import UsageSource
from mintery.domain.receipt import Receipt
from mintery.domain.voucher import Address, EscrowDomain
from mintery.ledger.commands import HoldReleased, ReleaseHold
from mintery.ledger.reads import Ledger
from mintery.units import NanoCredits

log = logging.getLogger(__name__)

EVIDENCE_SECONDS = 15 * 60
"""How long after its lease a dispatched hold waits for evidence of its end."""
UNRECORDED = "unrecorded"
"""What a receipt says of model and provider where the request died before they were recorded."""


@dataclass(frozen=True, slots=True)
class ExpiredHolds:
    """``released`` were never sent. ``lost`` were sent and end at the operator's loss. ``unresolved`` still wait."""

    released: int
    lost: int
    unresolved: int


def expire_holds(
    ledger: Ledger, market: Callable[[], Market], domain: EscrowDomain, settler: Address, now: datetime
) -> ExpiredHolds:
    """Release lapsed holds that were never dispatched, and unresolved ones after 15 minutes without evidence.

    The holder gets the whole hold back in both cases; the second leaves a receipt of cost 0 that ``settler`` signs.
    """
    lapsed = [hold for hold in ledger.open_holds() if hold.lease_until <= now]
    ends = []
    unresolved = 0
    for hold in lapsed:
        if hold.status_at(now) is HoldStatus.HELD:
            ends.append(ReleaseHold(hold.id, ReleaseReason.NOT_DISPATCHED, now))
        elif now - hold.lease_until >= timedelta(seconds=EVIDENCE_SECONDS):
            receipt = _loss(ledger, hold, market(), domain=domain, settler=settler, now=now)
            ends.append(ReleaseHold(hold.id, ReleaseReason.UNRESOLVED, now, receipt))
        else:
            unresolved += 1

    done = {result.request for result in ledger.commit(ends) if isinstance(result, HoldReleased)} if ends else set()
    for end in ends:
        log.info("hold released", extra={"request": end.request, "reason": end.reason, "ended": end.request in done})
    lost = sum(end.request in done for end in ends if end.reason is ReleaseReason.UNRESOLVED)
    return ExpiredHolds(released=len(done) - lost, lost=lost, unresolved=unresolved)


def _loss(
    ledger: Ledger, hold: Hold, market: Market, *, domain: EscrowDomain, settler: Address, now: datetime
) -> Receipt | None:
    """A receipt that charges nothing; None where the account's project is no longer known."""
    account = ledger.account(hold.account)
    if account is None or account.key.token not in market.projects:
        return None
    project = market.projects[account.key.token]
    return Receipt(
        id=hold.id,
        domain=domain,
        account=account.key,
        epoch=account.epoch,
        model=UNRECORDED,
        provider=UNRECORDED,
        upstream=UNRECORDED,
        kind=project.kind,
        backup=False,
        stream=False,
        test=False,
        state=PriceState.NORMAL,
        lines=(),
        source=UsageSource.ESTIMATED,
        par=project.par,
        markup=project.markup,
        held=hold.amount,
        cost=NanoCredits(0),
        captured_at=now,
        settler=settler,
    )
