"""Reads of what became of accounts' credits over time, added up: what a holder has left (available + held - uncovered of the
books), and what changed it. Instants are microseconds since 1970; ``end`` may be None for no end.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, TextClause, func, literal_column, select

from mintery.domain.statement import LineKind, Sums, Use
from mintery.domain.voucher import AccountId, Address
from mintery.ledger.books import Book, Move, entry
from mintery.ledger.rows import exact_sum, member_of, whole
from mintery.ledger.schema import PAID_IN, PAID_OUT, accounts, receipts, requests, transfers
from mintery.units import NanoCredits

_ACCOUNTS_AT_ONCE = 200
_QUARTER_HOUR = 900_000_000
"""Every zone's days begin at one."""
_KEY_DIGITS = 12


class Flow(NamedTuple):
    """What a kind of transfer is to the holder. ``sign``: of its amount in the balance."""

    kind: LineKind
    sign: int
    undone: bool


FLOWS: Mapping[str, Flow] = {
    Move.DEPOSIT.kind: Flow(LineKind.TOP_UP, 1, undone=False),
    Move.UNDO_DEPOSIT.kind: Flow(LineKind.TOP_UP, -1, undone=True),
    Move.EXIT.kind: Flow(LineKind.EXIT, -1, undone=False),
    Move.UNDO_EXIT.kind: Flow(LineKind.EXIT, 1, undone=True),
    Move.RELEASED_ON_CHAIN.kind: Flow(LineKind.RELEASE, -1, undone=False),
    Move.UNDO_RELEASED_ON_CHAIN.kind: Flow(LineKind.RELEASE, 1, undone=True),
    Move.LOSS.kind: Flow(LineKind.WAIVED, 1, undone=False),
    Move.UNDO_LOSS.kind: Flow(LineKind.WAIVED, -1, undone=True),
}
SIDES: tuple[tuple[ColumnElement[str], TextClause], ...] = (
    (transfers.c.credit, PAID_IN),
    (transfers.c.debit, PAID_OUT),
)


class Balance(NamedTuple):
    """As ``AccountStatement`` has them."""

    token: Address
    now: NanoCredits
    held: NanoCredits
    unsettled: NanoCredits


def balances_of(connection: Connection, chosen: Sequence[AccountId]) -> dict[AccountId, Balance]:
    """Without those that are not known, or that were never deposited to."""
    found = {}
    for some in in_parts(chosen):
        for row in connection.execute(select(accounts).where(accounts.c.id.in_(some), accounts.c.token.is_not(None))):
            found[AccountId(row.id)] = Balance(
                Address(row.token),
                NanoCredits(row.available + row.held - row.uncovered),
                NanoCredits(row.held),
                NanoCredits(row.captured + row.uncovered),
            )
    return found


def sums_between(
    connection: Connection, chosen: Sequence[AccountId], start: int, end: int | None
) -> dict[AccountId, Sums]:
    """Of every account, also those of which there is nothing to say."""
    found = {account: Sums() for account in chosen}
    for some in in_parts(chosen):
        charged = select(receipts.c.account, func.count(), *exact_sum(receipts.c.cost)).where(
            receipts.c.account.in_(some)
        )
        charged = within(charged, receipts.c.captured_at, start, end).group_by(receipts.c.account)
        for account, count, *halves in connection.execute(charged):
            found[account].add(LineKind.USE, -whole(*halves), count)
        names = [name for account in some for name in names_of(account)]
        for side, of_these in SIDES:
            moved = select(side, transfers.c.kind, *exact_sum(transfers.c.amount)).where(of_these, side.in_(names))
            for name, kind, *halves in connection.execute(
                within(moved, transfers.c.at, start, end).group_by(side, transfers.c.kind)
            ):
                flow = FLOWS[kind]
                found[AccountId(name.partition(":")[2])].add(flow.kind, flow.sign * whole(*halves))
    return found


def charged_between(
    connection: Connection, account: AccountId, start: int, end: int | None, key: str | None
) -> tuple[NanoCredits, int]:
    """Cost and number of what was charged; of one gateway key alone where one is named."""
    columns: tuple[Any, ...] = (func.count(), *exact_sum(receipts.c.cost))
    query = select(*columns).where(receipts.c.account == account)
    if key is not None:
        query = query.where(_fact(connection, "key") == key)
    count, *halves = connection.execute(within(query, receipts.c.captured_at, start, end)).one()
    return NanoCredits(whole(*halves)), count


def uses_between(connection: Connection, chosen: Sequence[AccountId], start: int, end: int | None) -> Iterator[Use]:
    """Charges by key, model and route; one key may come more than once."""
    key, asked, backup = (_fact(connection, *path) for path in (("key",), ("route", "asked"), ("route", "backup")))
    parts = (
        receipts.c.account, key, requests.c.credential, asked, receipts.c.model, receipts.c.provider, backup
    )  # fmt: skip
    labelled = [part.label(f"part{index}") for index, part in enumerate(parts)]
    for some in in_parts(chosen):
        query = (
            select(*labelled, func.count(), *exact_sum(receipts.c.cost))
            .join_from(receipts, requests, requests.c.id == receipts.c.request)
            .where(receipts.c.account.in_(some))
            .group_by(*(literal_column(part.name) for part in labelled))
        )
        for account, of_key, credential, named, model, provider, stood_in, count, *halves in connection.execute(
            within(query, receipts.c.captured_at, start, end)
        ):
            yield Use(
                AccountId(account),
                key_name(of_key, credential),
                model if named is None else named,
                model,
                provider,
                stood_in in {1, "true"},
                NanoCredits(whole(*halves)),
                count,
            )


def quarter_hours_between(
    connection: Connection, chosen: Sequence[AccountId], start: int, end: int | None
) -> Iterator[tuple[AccountId, int, NanoCredits, int]]:
    """Account, begin of a quarter of an hour, cost and number of what was charged in it."""
    quarter = (receipts.c.captured_at // _QUARTER_HOUR).label("quarter")
    for some in in_parts(chosen):
        query = (
            select(receipts.c.account, quarter, func.count(), *exact_sum(receipts.c.cost))
            .where(receipts.c.account.in_(some))
            .group_by(receipts.c.account, literal_column("quarter"))
        )
        for account, number, count, *halves in connection.execute(within(query, receipts.c.captured_at, start, end)):
            yield AccountId(account), number * _QUARTER_HOUR, NanoCredits(whole(*halves)), count


def key_name(key: str | None, credential: bytes) -> str:
    """The id of a gateway key; of a voucher that is its own key, a name that tells it from others and opens nothing."""
    return f"mv1-{bytes(credential).hex()[:_KEY_DIGITS]}" if key is None else key


def within(query: Select[Any], at: ColumnElement[int], start: int, end: int | None) -> Select[Any]:
    query = query.where(at >= start)
    return query if end is None else query.where(at < end)


def names_of(account: AccountId) -> tuple[str, str]:
    """The entries that a holder's balance is made of and a transfer of ``FLOWS`` can touch."""
    return entry(Book.AVAILABLE, account, ""), entry(Book.UNCOVERED, account, "")


def in_parts(chosen: Sequence[AccountId]) -> Iterator[Sequence[AccountId]]:
    for first in range(0, len(chosen), _ACCOUNTS_AT_ONCE):
        yield chosen[first : first + _ACCOUNTS_AT_ONCE]


def _fact(connection: Connection, *path: str) -> ColumnElement[Any]:
    return member_of(connection, receipts.c.facts, *path)
