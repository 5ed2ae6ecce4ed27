"""What a holder signs once so that a membership can be paid for so many months."""

from dataclasses import dataclass
from datetime import datetime

from mintery.domain.market import Market
from mintery.domain.membership import Period, month_after
from mintery.domain.project import Project
from mintery.domain.voucher import AccountKey
from mintery.errors import MalformedRequest
from mintery.units import NanoCredits
from mintery.usecases.offer_voucher import VoucherOffer, offer_voucher, spendable_by_keys
from mintery.usecases.parts import GatewayParts
from mintery.usecases.quote_request import quote_fee

MOST_MONTHS = 36


@dataclass(frozen=True, slots=True)
class MembershipOffer:
    """``month``: what one costs now."""

    voucher: VoucherOffer
    month: NanoCredits


def offer_membership(
    parts: GatewayParts,
    market: Market,
    account: AccountKey,
    project: Project,
    name: str,
    *,
    months: int,
) -> MembershipOffer:
    """The voucher allows ``months`` at today's price, beyond what the holder's keys may still spend: vouchers of one account share
    one counter, so one for the months alone would be used up by what the keys spend.

    Raises:
        UnknownMembership, MembershipNotSold, ModelNotCovered, NotAvailable
        MalformedRequest: too many months, or more than there can be.
        SignerNeeded: a contract was to sign.
    """
    if not 1 <= months <= MOST_MONTHS:
        raise MalformedRequest(f"a membership is signed for 1 to {MOST_MONTHS} months", field="months")
    month = quote_fee(parts, market, project, parts.standings.offers.fee(project.kind, name, Period.MONTH)).amount
    more = NanoCredits(months * month + spendable_by_keys(parts, account))
    # The last day of the last month is left out: no further month is charged by it.
    days = (_after(parts.clock(), months) - parts.clock()).days - 1
    offer = offer_voucher(parts, account.holder, account.token, more=more, days=days, signer=account.signer)
    return MembershipOffer(offer, month)


def _after(now: datetime, months: int) -> datetime:
    ends = now
    for _ in range(months):
        ends = month_after(ends, now.day)
    return ends
