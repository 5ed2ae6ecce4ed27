"""Charge the next month of every membership that stands, as far as its holder's voucher still allows."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from mintery.domain.market import Market
from mintery.domain.membership import RENEWAL_GRACE
from mintery.domain.voucher import check_usable
from mintery.errors import LedgerError, MinteryError
from mintery.ledger.commands import HoldRefused, NotWritten
from mintery.ledger.commands_memberships import EndMembership
from mintery.ledger.queries_memberships import Membership, Month
from mintery.usecases.charge_month import Agreed, charge_month
from mintery.usecases.meters import log_transition
from mintery.usecases.parts import GatewayParts

TRIED_FOR = timedelta(days=7)
"""An account without credits has so long to get some; then the membership ends."""
LAPSED = "lapsed"


@dataclass(frozen=True, slots=True)
class Renewed:
    """How many were charged, could not be charged now, and ended as they could not be for a week."""

    charged: int
    late: int
    lapsed: int


def renew_memberships(parts: GatewayParts, now: datetime) -> Renewed:
    """A month is charged once its last one is over, and in each calendar month at most once, whoever runs this, and however
    often. One that is charged late begins when it is charged: nobody pays for days that it did not last.
    """
    charged = late = lapsed = 0
    for membership in parts.ledger.memberships.due(now):
        if membership.last is None:
            continue
        month = _charge(parts, membership, membership.last, now)
        if month is not None:
            parts.standings.note([month.paid])
            charged += 1
        elif now - membership.last.paid.ends_at >= TRIED_FOR:
            parts.ledger.commit([EndMembership(membership.account, membership.name, LAPSED, now)])
            log_transition("membership_lapsed", account=membership.account, membership=membership.name)
            lapsed += 1
        else:
            late += 1
    return Renewed(charged, late, lapsed)


def _charge(parts: GatewayParts, membership: Membership, last: Month, now: datetime) -> Month | None:
    """None where it cannot be charged now."""
    try:
        market = parts.market()
        _check_voucher(parts, market, membership)
        agreed = Agreed(membership.account, membership.name, membership.signed, membership.digest, membership.most)
        result = charge_month(parts, market, agreed, _begins(last, now), begun=True)
    except LedgerError:
        raise
    except MinteryError as reason:
        why = type(reason).__name__
    else:
        if not isinstance(result, HoldRefused | NotWritten):
            log_transition("membership_renewed", account=membership.account, request=result.request)
            return result
        why = result.rule if isinstance(result, HoldRefused) else result.why
    log_transition("membership_late", account=membership.account, membership=membership.name, why=why)
    return None


def _begins(last: Month, now: datetime) -> tuple[datetime, int]:
    """Without a gap where it is in time."""
    ended = last.paid.ends_at
    return (ended, last.anchor) if now < ended + RENEWAL_GRACE else (now, now.day)


def _check_voucher(parts: GatewayParts, market: Market, membership: Membership) -> None:
    """Raises VoucherExpired. Its epoch and its room are the ledger's to judge, with the charge."""
    voucher = membership.signed.voucher
    check_usable(voucher, epoch=voucher.epoch, now=parts.chain_now(market), settle_seconds=parts.exit_delay)
