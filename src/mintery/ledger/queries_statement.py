"""Reads of what became of accounts' credits over time: sums, groups, and every line in its order.

Lines come from two tables whose rows never change: ``receipts``, and those ``transfers`` that change what an account's
holder has left (available + held - uncovered). Each is read some hundred rows at a time, along an index, so that a year of
a million lines takes no more memory than a day. Instants are microseconds since 1970; ``end`` may be None for no end.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from heapq import merge
from operator import attrgetter
from typing import Any, NamedTuple

import orjson
from sqlalchemy import ColumnElement, Connection, Select, Table, TextClause, cast, func, literal_column, select, tuple_
from sqlalchemy.dialects.postgresql import JSONB

from mintery.domain.hold import RequestId
from mintery.domain.statement import Charge, LineKind, Mark, StatementLine, Sums, Use
from mintery.domain.voucher import AccountId, Address
from mintery.ledger.books import Book, Move, entry
from mintery.ledger.rows import exact_sum, whole
from mintery.ledger.schema import PAID_IN, PAID_OUT, accounts, receipts, requests, transfers
from mintery.ledger.work import instant_of, micros
from mintery.units import NanoCredits, UsdWad

_ACCOUNTS_AT_ONCE = 200
_QUARTER_HOUR = 900_000_000
"""Every zone's days begin at one."""
_KEY_DIGITS = 12
_LAST = 2**63 - 1


class _Flow(NamedTuple):
    """What a kind of transfer is to the holder. ``sign``: of its amount in the balance."""

    kind: LineKind
    sign: int
    undone: bool


_FLOWS: Mapping[str, _Flow] = {
    Move.DEPOSIT.kind: _Flow(LineKind.TOP_UP, 1, undone=False),
    Move.UNDO_DEPOSIT.kind: _Flow(LineKind.TOP_UP, -1, undone=True),
    Move.EXIT.kind: _Flow(LineKind.EXIT, -1, undone=False),
    Move.UNDO_EXIT.kind: _Flow(LineKind.EXIT, 1, undone=True),
    Move.RELEASED_ON_CHAIN.kind: _Flow(LineKind.RELEASE, -1, undone=False),
    Move.UNDO_RELEASED_ON_CHAIN.kind: _Flow(LineKind.RELEASE, 1, undone=True),
    Move.LOSS.kind: _Flow(LineKind.WAIVED, 1, undone=False),
    Move.UNDO_LOSS.kind: _Flow(LineKind.WAIVED, -1, undone=True),
}
_SIDES: tuple[tuple[ColumnElement[str], TextClause], ...] = (
    (transfers.c.credit, PAID_IN),
    (transfers.c.debit, PAID_OUT),
)


class Balance(NamedTuple):
    """As ``AccountStatement`` has them."""

    token: Address
    now: NanoCredits
    held: NanoCredits
    unsettled: NanoCredits


# ── sums ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def balances_of(connection: Connection, chosen: Sequence[AccountId]) -> dict[AccountId, Balance]:
    """Without those that are not known, or that were never deposited to."""
    found = {}
    for some in _in_parts(chosen):
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
    for some in _in_parts(chosen):
        charged = select(receipts.c.account, func.count(), *exact_sum(receipts.c.cost)).where(
            receipts.c.account.in_(some)
        )
        charged = _within(charged, receipts.c.captured_at, start, end).group_by(receipts.c.account)
        for account, count, *halves in connection.execute(charged):
            found[account].add(LineKind.USE, -whole(*halves), count)
        names = [name for account in some for name in _names(account)]
        for side, of_these in _SIDES:
            moved = select(side, transfers.c.kind, *exact_sum(transfers.c.amount)).where(of_these, side.in_(names))
            for name, kind, *halves in connection.execute(
                _within(moved, transfers.c.at, start, end).group_by(side, transfers.c.kind)
            ):
                flow = _FLOWS[kind]
                found[AccountId(name.partition(":")[2])].add(flow.kind, flow.sign * whole(*halves))
    return found


def charged_between(
    connection: Connection, account: AccountId, start: int, end: int | None, key: str | None
) -> tuple[NanoCredits, int]:
    """Cost and number of what was charged; of one gateway key alone where one is named."""
    query = select(func.count(), *exact_sum(receipts.c.cost)).where(receipts.c.account == account)
    if key is not None:
        query = query.where(_fact(connection, "key") == key)
    count, *halves = connection.execute(_within(query, receipts.c.captured_at, start, end)).one()
    return NanoCredits(whole(*halves)), count


def uses_between(connection: Connection, chosen: Sequence[AccountId], start: int, end: int | None) -> Iterator[Use]:
    """Charges by key, model and route; one key may come more than once."""
    key, asked, backup = (_fact(connection, *path) for path in (("key",), ("route", "asked"), ("route", "backup")))
    parts = (
        receipts.c.account, key, requests.c.credential, asked, receipts.c.model, receipts.c.provider, backup
    )  # fmt: skip
    labelled = [part.label(f"part{index}") for index, part in enumerate(parts)]
    for some in _in_parts(chosen):
        query = (
            select(*labelled, func.count(), *exact_sum(receipts.c.cost))
            .join_from(receipts, requests, requests.c.id == receipts.c.request)
            .where(receipts.c.account.in_(some))
            .group_by(*(literal_column(part.name) for part in labelled))
        )
        for account, of_key, credential, named, model, provider, stood_in, count, *halves in connection.execute(
            _within(query, receipts.c.captured_at, start, end)
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
    for some in _in_parts(chosen):
        query = (
            select(receipts.c.account, quarter, func.count(), *exact_sum(receipts.c.cost))
            .where(receipts.c.account.in_(some))
            .group_by(receipts.c.account, literal_column("quarter"))
        )
        for account, number, count, *halves in connection.execute(_within(query, receipts.c.captured_at, start, end)):
            yield AccountId(account), number * _QUARTER_HOUR, NanoCredits(whole(*halves)), count


def key_name(key: str | None, credential: bytes) -> str:
    """The id of a gateway key; of a voucher that is its own key, a name that tells it from others and opens nothing."""
    return f"mv1-{bytes(credential).hex()[:_KEY_DIGITS]}" if key is None else key


# ── lines ────────────────────────────────────────────────────────────────────────────────────────────────────────


def lines_between(
    connection: Connection,
    chosen: Sequence[AccountId],
    start: int,
    end: int | None,
    *,
    at_once: int,
    before: Mark | None = None,
    newest_first: bool = False,
) -> Iterator[StatementLine]:
    """In their order. ``at_once`` rows are in memory, of all accounts together; ``before``: only lines before that place."""
    each = max(at_once // (2 * len(chosen) or 1), 4)

    def read(source: "_Source") -> Iterator[StatementLine]:
        query = _within(source.query, source.at, start, end).limit(each)
        if before is not None:
            query = query.where(_before(source, before))
        return _read(connection, source, query, at_once=each, newest_first=newest_first)

    sources = [source for account in chosen for source in _sources(account)]
    return merge(*map(read, sources), key=attrgetter("mark"), reverse=newest_first)


class _Source(NamedTuple):
    """One run of rows, ordered by an index over (whose, at, seq)."""

    query: Select[Any]
    table: Table
    at: ColumnElement[int]
    charges: bool
    line: Callable[[Any], StatementLine]


def _sources(account: AccountId) -> Iterator[_Source]:
    charges = (
        select(
            receipts.c.seq,
            receipts.c.captured_at,
            receipts.c.request,
            receipts.c.cost,
            receipts.c.model,
            receipts.c.provider,
            receipts.c.facts,
            requests.c.credential,
        )
        .join_from(receipts, requests, requests.c.id == receipts.c.request)
        .where(receipts.c.account == account)
    )
    yield _Source(charges, receipts, receipts.c.captured_at, True, lambda row: _charge_line(account, row))
    columns = (transfers.c.seq, transfers.c.at, transfers.c.kind, transfers.c.amount, transfers.c.reference)
    for side, of_these in _SIDES:
        for name in _names(account):
            moved = select(*columns).where(of_these, side == name)
            yield _Source(moved, transfers, transfers.c.at, False, lambda row: _flow_line(account, row))


def _before(source: _Source, mark: Mark) -> ColumnElement[bool]:
    seq = mark.seq if source.charges == mark.charge else 0 if source.charges else _LAST
    return tuple_(source.at, source.table.c.seq) < tuple_(micros(mark.at), seq)


def _read(
    connection: Connection, source: _Source, query: Select[Any], *, at_once: int, newest_first: bool
) -> Iterator[StatementLine]:
    """Page by page, each from where the last one ended."""
    at, seq = source.at, source.table.c.seq
    query = query.order_by(at.desc(), seq.desc()) if newest_first else query.order_by(at, seq)
    page = query
    while rows := connection.execute(page).fetchall():
        yield from map(source.line, rows)
        if len(rows) < at_once:
            return
        here, last = tuple_(at, seq), tuple_(rows[-1][1], rows[-1][0])
        page = query.where(here < last if newest_first else here > last)


def _flow_line(account: AccountId, row: Any) -> StatementLine:
    seq, at, kind, amount, reference = row
    flow = _FLOWS[kind]
    return StatementLine(instant_of(at), flow.kind, account, flow.sign * amount, flow.undone, reference, seq)


def _charge_line(account: AccountId, row: Any) -> StatementLine:
    seq, at, request, cost, model, provider, text, credential = row
    facts = orjson.loads(text)
    route = facts["route"]
    charge = Charge(
        request=RequestId(request),
        key=key_name(facts.get("key"), credential),
        model=route.get("asked", model),
        route=model,
        provider=provider,
        backup=route["backup"],
        test=route["test"],
        usage=tuple((line["sku"].rpartition(":")[2], line["quantity"]) for line in facts["usage"]),
        usd=UsdWad(int(facts["cost_usd_wad"])),
    )
    return StatementLine(
        instant_of(at), LineKind.USE, account, -cost, undone=False, reference=request, seq=seq, charge=charge
    )


# ── what they share ──────────────────────────────────────────────────────────────────────────────────────────────


def _within(query: Select[Any], at: ColumnElement[int], start: int, end: int | None) -> Select[Any]:
    query = query.where(at >= start)
    return query if end is None else query.where(at < end)


def _names(account: AccountId) -> tuple[str, str]:
    """The entries that a holder's balance is made of and a transfer of ``_FLOWS`` can touch."""
    return entry(Book.AVAILABLE, account, ""), entry(Book.UNCOVERED, account, "")


def _in_parts(chosen: Sequence[AccountId]) -> Iterator[Sequence[AccountId]]:
    for first in range(0, len(chosen), _ACCOUNTS_AT_ONCE):
        yield chosen[first : first + _ACCOUNTS_AT_ONCE]


def _fact(connection: Connection, *path: str) -> ColumnElement[Any]:
    """A member of the receipt's facts, NULL where it is not there."""
    if connection.dialect.name == "sqlite":
        return func.json_extract(receipts.c.facts, "$." + ".".join(path))
    found: Any = cast(receipts.c.facts, JSONB)
    for name in path:
        found = found[name]
    return found.astext  # type: ignore[no-any-return]  # SQLAlchemy does not say of what type a path's text is
