"""One month of a membership: priced, held, captured and recorded in one commit; a receipt like any other, without a provider."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from mintery.domain.hold import Capture, Constraint, Ending
from mintery.domain.limits import UTC_ZONE
from mintery.domain.market import Market
from mintery.domain.membership import PaidMonth, Period, calendar_month, month_after
from mintery.domain.period import zone_of
from mintery.domain.quote import Quote, UsageSource
from mintery.domain.quoted import Quoted
from mintery.domain.receipt import Receipt
from mintery.domain.voucher import AccountId, SignedVoucher
from mintery.errors import MonthAboveAgreed, VoucherRevoked
from mintery.ledger.commands import CaptureHold, HoldRefused, NotWritten, PlaceHold, RequestKey, RequestKnown
from mintery.ledger.commands_memberships import AgreeMembership, ChargeMonth
from mintery.ledger.queries_memberships import Month
from mintery.ledger.reads_wallet import Allowance
from mintery.units import NanoCredits, nanocredits_of_assets_down
from mintery.usecases.limits_in_force import constraints_of
from mintery.usecases.parts import GatewayParts
from mintery.usecases.pay_for_request import PAYOUT_CONSTRAINT
from mintery.usecases.quote_request import quote_fee


@dataclass(frozen=True, slots=True)
class Agreed:
    """By which voucher months are charged, and at most how much each; ``only_of`` as of ``AgreeMembership``."""

    account: AccountId
    name: str
    signed: SignedVoucher
    digest: bytes
    most: NanoCredits
    only_of: bytes | None = None

    def command(self, at: datetime) -> AgreeMembership:
        return AgreeMembership(self.account, self.name, self.signed, self.digest, self.most, at, self.only_of)


Charged = Month | HoldRefused | NotWritten
"""Refused by the account's own rules; or nothing was agreed to any more."""


def quote_month(parts: GatewayParts, market: Market, signed: SignedVoucher, name: str) -> Quote:
    """What a month costs these credits now.

    Raises:
        UnknownMembership, MembershipNotSold, ModelNotCovered, NotAvailable
    """
    project = market.projects[signed.voucher.token]
    fee = parts.standings.offers.fee(project.kind, name, Period.MONTH)
    return quote_fee(parts, market, project, fee)


def charge_month(
    parts: GatewayParts, market: Market, agreed: Agreed, begins: tuple[datetime, int], *, begun: bool
) -> Charged:
    """Charge the month that ``begins`` at an instant, in a membership whose months begin on a day of the month. ``begun``: the
    agreement stands in the ledger; else it begins with the charge.

    Raises:
        MonthAboveAgreed: the price is above what was agreed to.
        VoucherRevoked
        UnknownMembership, MembershipNotSold, ModelNotCovered, NotAvailable
    """
    quoted = quote_month(parts, market, agreed.signed, agreed.name)
    if quoted.amount > agreed.most:
        raise MonthAboveAgreed(agreed.name, actual=quoted.amount, limit=agreed.most)
    starts_at, anchor = begins
    hold = _hold(parts, market, agreed, quoted, calendar_month(starts_at), standing=standing_of(parts, agreed))
    command = ChargeMonth(
        name=agreed.name,
        month=calendar_month(starts_at),
        starts_at=starts_at,
        ends_at=month_after(starts_at, anchor),
        anchor=anchor,
        hold=hold,
        capture=CaptureHold(hold.request, _receipt(parts, agreed, quoted, hold), None),
        agrees=None if begun else agreed.command(hold.placed_at),
    )
    [result] = parts.ledger.commit([command])
    match result:
        case Capture():
            paid = PaidMonth(agreed.account, agreed.name, starts_at, command.ends_at)
            return Month(paid, hold.request, anchor)
        case RequestKnown(request):
            return _known(parts, agreed, request)
        case HoldRefused(rule="authority"):  # its holder changed something meanwhile
            return charge_month(parts, market, agreed, begins, begun=begun)
        case HoldRefused() | NotWritten():
            return result
        case _:
            raise TypeError(result)


def _known(parts: GatewayParts, agreed: Agreed, request: str) -> Month:
    months = parts.ledger.memberships.months_of(agreed.account, agreed.name)
    return next(month for month in months if month.request == request)


def standing_of(parts: GatewayParts, agreed: Agreed) -> Allowance:
    """What the holder allows now.

    Raises:
        VoucherRevoked
    """
    voucher = agreed.signed.voucher
    standing = parts.ledger.standing(agreed.account, voucher.holder, voucher.token)
    if voucher.key_hash in standing.revoked:
        raise VoucherRevoked
    return standing


def _hold(
    parts: GatewayParts, market: Market, agreed: Agreed, quoted: Quote, month: str, *, standing: Allowance
) -> PlaceHold:
    """Limits of all that the wallet spends count it; those of a key, a model or an intent do not."""
    limits = [limit for limit in standing.limits if limit.key is None and limit.binds((quoted.model.id,), "")]
    zone = UTC_ZONE if standing.time_zone is None else zone_of(standing.time_zone)
    token, now = agreed.signed.voucher.token, parts.clock()
    room = nanocredits_of_assets_down(market.payouts[token].room, quoted.par)
    return PlaceHold(
        request=parts.new_request_id(),
        key=_key(agreed, month),
        account=agreed.account,
        signed=agreed.signed,
        digest=agreed.digest,
        quoted=Quoted.of(quoted, stream=False),
        amount=quoted.amount,
        placed_at=now,
        lease_until=now + timedelta(seconds=parts.limits.grace_seconds),
        constraints=(
            Constraint(PAYOUT_CONSTRAINT + token, room, Ending.SETTLEMENT),
            *constraints_of(parts, limits, zone),
        ),
        authority=standing.authority,
    )


def _key(agreed: Agreed, month: str) -> RequestKey:
    """One a month and no more, as the ledger holds of every idempotency key."""
    named = f"{agreed.name}/{month}"
    return RequestKey(
        credential=hashlib.sha256(b"membership\n" + agreed.account.encode()).digest(),
        body=hashlib.sha256(named.encode()).digest(),
        idempotency_key=named,
    )


def _receipt(parts: GatewayParts, agreed: Agreed, quoted: Quote, hold: PlaceHold) -> Receipt:
    fee = quoted.model
    return Receipt(
        id=hold.request,
        domain=parts.domain,
        account=agreed.signed.account,
        epoch=agreed.signed.voucher.epoch,
        model=fee.id,
        provider=fee.provider,
        upstream=fee.upstream,
        kind=fee.kind,
        backup=False,
        stream=False,
        test=fee.test,
        state=quoted.state,
        lines=quoted.lines,
        source=UsageSource.COUNTED,
        par=quoted.par,
        markup=quoted.markup,
        held=quoted.amount,
        cost=quoted.amount,
        captured_at=hold.placed_at,
        settler=parts.settler.address,
    )
