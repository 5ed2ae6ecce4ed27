"""What holders do with memberships: begin one, and end it."""

from datetime import datetime

from mintery.domain.market import Market
from mintery.domain.voucher import AccountId
from mintery.errors import KeyMayNot, MalformedRequest, MembershipEnded
from mintery.ledger.commands import HoldRefused, NotWritten
from mintery.ledger.commands_memberships import EndMembership
from mintery.ledger.queries_memberships import Membership, Month
from mintery.units import NanoCredits
from mintery.usecases.charge_month import Agreed, charge_month, quote_month
from mintery.usecases.explain_refusal import explain_refusal
from mintery.usecases.meters import log_transition
from mintery.usecases.parts import GatewayParts
from mintery.usecases.verify_credential import Credential, check_may_spend, refresh_credential

CANCELLED = "cancelled"


def begin_membership(
    parts: GatewayParts,
    market: Market,
    credential: Credential,
    name: str,
    most: NanoCredits | None,
    *,
    only_of: bytes | None,
) -> Month:
    """Agree to pay ``name`` by the month with the credential's voucher, at ``most`` nanocredits each (None: what it costs now),
    and pay the first month. One that is paid already runs on, and nothing is charged before its end.

    ``only_of`` is the hash of the voucher key that asks, which replaces only what it agreed to itself; None for the holder, who
    signed in.

    Raises:
        MonthAboveAgreed, OutOfFunds, WrongEpoch, VoucherExpired, UnknownMembership, MembershipNotSold, ModelNotCovered,
        NotAvailable, MalformedRequest, VoucherRevoked, KeyMayNot: nothing was charged.
    """
    if credential.raised is not None:
        raise MalformedRequest("a raised voucher admits one request; a membership asks for the key alone")
    if credential.key is not None:
        raise KeyMayNot("a gateway key pays for requests; begin a membership with a voucher key, or signed in", name)
    credential = refresh_credential(parts, market, credential)
    check_may_spend(parts, market, credential)
    price = quote_month(parts, market, credential.signed, name).amount
    agreed = Agreed(
        credential.account, name, credential.signed, credential.digest, price if most is None else most, only_of
    )
    now = parts.clock()
    months = parts.ledger.memberships.months_of(credential.account, name)
    if months and now < months[0].paid.ends_at:
        [done] = parts.ledger.commit([agreed.command(now)])
        if isinstance(done, NotWritten):
            raise _of_another_key(name)
        return months[0]

    charged = charge_month(parts, market, agreed, (now, now.day), begun=False)
    if isinstance(charged, HoldRefused):
        raise explain_refusal(parts, market, credential, charged)
    if isinstance(charged, NotWritten):
        raise _of_another_key(name)
    parts.standings.note([charged.paid])
    log_transition("membership_begun", account=agreed.account, membership=name, request=charged.request)
    return charged


def check_may_end(credential: Credential, name: str) -> None:
    """Raises KeyMayNot: what an app's key cannot begin it does not end."""
    if credential.key is not None:
        raise KeyMayNot("a gateway key pays for requests; end a membership with a voucher key, or signed in", name)


def _of_another_key(name: str) -> KeyMayNot:
    return KeyMayNot(
        "another key of this account agreed to it; only that key or its holder, signed in, changes it", name
    )


def end_membership(parts: GatewayParts, account: AccountId, name: str, *, only_of: bytes | None) -> Membership:
    """No further month is charged; the one that is paid runs to its end. ``only_of`` as of ``begin_membership``.

    Raises:
        KeyMayNot: another key agreed to it.
        MembershipEnded: the account has none of this name that stands.
    """
    [done] = parts.ledger.commit([EndMembership(account, name, CANCELLED, parts.clock(), only_of)])
    if isinstance(done, NotWritten):
        raise _of_another_key(name)
    if not getattr(done, "changed", 0):
        raise MembershipEnded(name)
    log_transition("membership_ended", account=account, membership=name)
    return next(each for each in parts.ledger.memberships.of(account=account) if each.name == name)


def renews(membership: Membership, revoked: frozenset[tuple[AccountId, bytes]]) -> bool:
    """Whether a month may ever be charged: not where its holder ended it, agreed to pay nothing, or revoked its voucher."""
    voucher = (membership.account, membership.signed.voucher.key_hash)
    return membership.ended_at is None and membership.most > 0 and voucher not in revoked


def status_of(membership: Membership, now: datetime, *, renews: bool) -> str:
    """``renewing``; ``late``, while the next month could not be charged; ``ending``, with a paid month still to run; ``ended``."""
    paid = membership.last is not None and now < membership.last.paid.ends_at
    if paid:
        return "renewing" if renews else "ending"
    return "late" if membership.ended_at is None else "ended"
