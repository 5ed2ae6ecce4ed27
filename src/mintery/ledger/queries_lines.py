"""Reads of the lines of a statement, in their order and page by page.

Lines come from two tables whose rows never change: ``receipts``, and those ``transfers`` that change what an account's
holder has left. Each is read some hundred rows at a time, along an index, so that a year of a million lines takes no more
memory than a day. Instants are microseconds since 1970; ``end`` may be None for no end.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from heapq import merge
from operator import attrgetter
from typing import Any, NamedTuple

import orjson
from sqlalchemy import ColumnElement, Connection, Select, Table, select, true, tuple_

from mintery.domain.hold import RequestId
from mintery.domain.statement import Charge, LineKind, Mark, StatementLine
from mintery.domain.voucher import AccountId
from mintery.ledger.queries_statement import FLOWS, SIDES, in_parts, key_name, names_of
from mintery.ledger.reads_statement import OpenRequest
from mintery.ledger.schema import receipts, requests, transfers
from mintery.ledger.schema_calls import chain_calls
from mintery.ledger.work import instant_of, micros
from mintery.units import NanoCredits, UsdWad

_LAST = 2**63 - 1


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

    span = _Span(start, end, before, newest_first)
    sources = [source for account in chosen for source in _sources(account)]
    runs = [_read(connection, source, span, at_once=each) for source in sources]
    return merge(*runs, key=attrgetter("mark"), reverse=newest_first)


def open_requests(connection: Connection, accounts: Sequence[AccountId], limit: int) -> list[OpenRequest]:
    """Newest first."""
    found = []
    for some in in_parts(accounts):
        query = (
            select(
                requests.c.id,
                requests.c.account,
                requests.c.amount,
                requests.c.placed_at,
                requests.c.credential,
                requests.c.quoted,
            )
            .where(requests.c.account.in_(some), requests.c.ended_at.is_(None))
            .order_by(requests.c.placed_at.desc(), requests.c.id)
            .limit(limit)
        )
        found += [_open_request(row) for row in connection.execute(query)]
    return sorted(found, key=lambda each: (each.placed_at, each.id), reverse=True)[:limit]


def _open_request(row: Any) -> OpenRequest:
    request, account, amount, placed_at, credential, text = row
    quoted = orjson.loads(text)
    return OpenRequest(
        id=RequestId(request),
        account=AccountId(account),
        amount=NanoCredits(amount),
        placed_at=instant_of(placed_at),
        key=key_name(quoted.get("key"), credential),
        asked=quoted.get("asked", quoted["model"]),
    )


class _Source(NamedTuple):
    """One run of rows, ordered by an index over (whose, at, seq)."""

    query: Select[Any]
    table: Table
    at: ColumnElement[int]
    charges: bool
    lines: Callable[[Connection, Sequence[Any]], Iterator[StatementLine]]


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
    yield _Source(charges, receipts, receipts.c.captured_at, True, partial(_charge_lines, account))
    columns = (transfers.c.seq, transfers.c.at, transfers.c.kind, transfers.c.amount, transfers.c.reference)
    for side, of_these in SIDES:
        for name in names_of(account):
            moved = select(*columns).where(of_these, side == name)
            yield _Source(moved, transfers, transfers.c.at, False, partial(_flow_lines, account))


class _Span(NamedTuple):
    """What is wanted of each run of rows, and from which end."""

    start: int
    end: int | None
    before: Mark | None
    newest_first: bool


def _read(connection: Connection, source: _Source, span: _Span, *, at_once: int) -> Iterator[StatementLine]:
    """Page by page, each from where the last one ended. That place stands instead of the bound it lies beyond, never beside it:
    a database that is given both begins at the bound, and reads all that was read before again.
    """
    at, seq = source.at, source.table.c.seq
    here = tuple_(at, seq)
    backwards = span.newest_first
    query = source.query.order_by(at.desc(), seq.desc()) if backwards else source.query.order_by(at, seq)
    query = query.limit(at_once)
    upper = _upper(source, span)
    lower = at >= span.start
    page = query.where(lower, upper)
    while rows := connection.execute(page).fetchall():
        yield from source.lines(connection, rows)
        if len(rows) < at_once:
            return
        last = tuple_(rows[-1][1], rows[-1][0])
        page = query.where(lower, here < last) if backwards else query.where(here > last, upper)


def _upper(source: _Source, span: _Span) -> ColumnElement[bool]:
    """The end, or the mark before it. Of two tables at one instant, the transfers come first."""
    if (mark := span.before) is not None:
        seq = mark.seq if source.charges == mark.charge else 0 if source.charges else _LAST
        return tuple_(source.at, source.table.c.seq) < tuple_(micros(mark.at), seq)
    return true() if span.end is None else source.at < span.end


def _flow_lines(account: AccountId, connection: Connection, rows: Sequence[Any]) -> Iterator[StatementLine]:
    subjects = _subjects(connection, [row[-1] for row in rows])
    for seq, at, kind, amount, reference in rows:
        flow = FLOWS[kind]
        yield StatementLine(
            instant_of(at),
            flow.kind,
            account,
            flow.sign * amount,
            flow.undone,
            reference,
            seq,
            subject=subjects.get(reference),
        )


def _subjects(connection: Connection, references: Sequence[str]) -> dict[str, str]:
    """The orders and refunds whose calls had these effects, by the place of each: block hash and log index."""
    blocks = {reference.partition("/")[0] for reference in references}
    query = select(chain_calls.c.block_hash, chain_calls.c.log_index, chain_calls.c.subject).where(
        chain_calls.c.tx_hash.is_not(None), chain_calls.c.block_hash.in_(blocks)
    )
    return {f"{block}/{index}": subject for block, index, subject in connection.execute(query)}


def _charge_lines(account: AccountId, _connection: Connection, rows: Sequence[Any]) -> Iterator[StatementLine]:
    return (_charge_line(account, row) for row in rows)


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
