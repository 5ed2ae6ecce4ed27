"""Reads of memberships. Each call is one snapshot."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, func, or_, select

from mintery.domain.hold import RequestId
from mintery.domain.membership import PaidMonth
from mintery.domain.voucher import AccountId, AccountKey, Address, SignedVoucher
from mintery.ledger.rows import VOUCHER_COLUMNS, signed_voucher_of
from mintery.ledger.schema import accounts, vouchers
from mintery.ledger.schema_memberships import membership_months, memberships
from mintery.ledger.work import instant_of, micros
from mintery.units import NanoCredits

Read = Callable[..., Any]
_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Month:
    """One paid month and the request whose receipt charged it; ``anchor`` is the day on which months begin."""

    paid: PaidMonth
    request: RequestId
    anchor: int


@dataclass(frozen=True, slots=True)
class Membership:
    """What an account agreed to, and the last month that it paid of it.

    Attributes:
        signed, digest: the voucher that charges it.
        most: nanocredits a month.
        ended_at: None while it stands; ``ended_for`` says why.
    """

    account: AccountId
    key: AccountKey
    name: str
    signed: SignedVoucher
    digest: bytes
    most: NanoCredits
    agreed_at: datetime
    ended_at: datetime | None
    ended_for: str | None
    last: Month | None


class MembershipReads:
    """``read`` runs a query on a connection of the ledger's readers."""

    def __init__(self, read: Read) -> None:
        self._read = read

    def of(self, *, account: AccountId | None = None, holder: Address | None = None) -> Sequence[Membership]:
        """The newest agreement of each name, of an account or of all of a holder's; of everybody where neither is given."""
        return self._memberships(_newest(account, holder))

    def due(self, now: datetime, *, at_once: int = _AT_ONCE) -> Iterator[Membership]:
        """All that stand and whose last month is over, longest ago first; each ``at_once`` of them are one snapshot. Those that
        stay due, as they cannot be charged, keep nobody behind them waiting.
        """
        after = (0, 0)
        while page := self._read(_due, now, after, at_once):
            yield from (membership for _, membership in page)
            after = page[-1][0]

    def months_of(self, account: AccountId, name: str) -> Sequence[Month]:
        """Newest first."""
        months = membership_months
        query = select(months).where(months.c.account == account, months.c.name == name)
        found: Sequence[Month] = self._read(_months, query.order_by(months.c.ends_at.desc()))
        return found

    def paid_since(self, paid_at: datetime, *, running_at: datetime) -> Sequence[PaidMonth]:
        """Months that were paid since then and are not over."""
        months = membership_months
        query = select(months).where(months.c.paid_at >= micros(paid_at), months.c.ends_at > micros(running_at))
        return [month.paid for month in self._read(_months, query)]

    def _memberships(self, found: Any) -> Sequence[Membership]:
        """``found`` selects their numbers, in order."""
        return list(self._read(_memberships, found))


def _last_end() -> Any:
    months = membership_months
    ends = select(func.max(months.c.ends_at)).where(
        months.c.account == memberships.c.account, months.c.name == memberships.c.name
    )
    return ends.correlate(memberships).scalar_subquery()


def _newest(account: AccountId | None, holder: Address | None) -> Any:
    newest = select(func.max(memberships.c.seq).label("seq")).group_by(memberships.c.account, memberships.c.name)
    if account is not None:
        newest = newest.where(memberships.c.account == account)
    if holder is not None:
        newest = newest.join(accounts, accounts.c.id == memberships.c.account).where(accounts.c.holder == holder)
    return newest.order_by("seq")


def _memberships(connection: Connection, found: Any) -> list[Membership]:
    return _numbered(connection, [row[0] for row in connection.execute(found)])


def _due(
    connection: Connection, now: datetime, after: tuple[int, int], at_once: int
) -> list[tuple[tuple[int, int], Membership]]:
    """Each with its place: the end of its last month, in microseconds since 1970, and its number."""
    ends_at, number = _last_end(), memberships.c.seq
    behind = or_(ends_at > after[0], and_(ends_at == after[0], number > after[1]))
    query = select(ends_at, number).where(memberships.c.ended_at.is_(None), ends_at <= micros(now), behind)
    places = [(row[0], row[1]) for row in connection.execute(query.order_by(ends_at, number).limit(at_once))]
    return list(zip(places, _numbered(connection, [place[1] for place in places]), strict=True))


def _numbered(connection: Connection, numbers: list[int]) -> list[Membership]:
    rows = connection.execute(
        select(memberships, accounts.c.token, accounts.c.gateway, accounts.c.holder, accounts.c.signer)
        .join(accounts, accounts.c.id == memberships.c.account)
        .where(memberships.c.seq.in_(numbers))
    )
    by_number = {row.seq: row for row in rows}
    return [_membership(connection, by_number[number]) for number in numbers]


def _membership(connection: Connection, row: Any) -> Membership:
    voucher = connection.execute(
        select(*VOUCHER_COLUMNS)
        .join(accounts, accounts.c.id == vouchers.c.account)
        .where(vouchers.c.account == row.account, vouchers.c.digest == row.voucher)
    ).one()
    months = membership_months
    query = select(months).where(months.c.account == row.account, months.c.name == row.name)
    last = _months(connection, query.order_by(months.c.ends_at.desc()).limit(1))
    return Membership(
        account=AccountId(row.account),
        key=AccountKey(*(Address(each) for each in (row.token, row.gateway, row.holder, row.signer))),
        name=row.name,
        signed=signed_voucher_of(voucher),
        digest=bytes(row.voucher),
        most=NanoCredits(row.most),
        agreed_at=instant_of(row.agreed_at),
        ended_at=None if row.ended_at is None else instant_of(row.ended_at),
        ended_for=row.ended_for,
        last=last[0] if last else None,
    )


def _months(connection: Connection, query: Any) -> list[Month]:
    return [
        Month(
            PaidMonth(AccountId(row.account), row.name, instant_of(row.starts_at), instant_of(row.ends_at)),
            RequestId(row.request),
            row.anchor,
        )
        for row in connection.execute(query)
    ]
