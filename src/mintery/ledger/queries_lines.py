"""Reads of the lines of a statement, in their order and page by page.

Lines come from two tables whose rows never change: ``receipts``, and those ``transfers`` that change what an account's
holder has left. Each is read some hundred rows at a time, along an index, so that a year of a million lines takes no more
memory than a day. Instants are microseconds since 1970; ``end`` may be None for no end.
"""

from collections.abc import Callable, Iterator, Sequence
from heapq import merge
from operator import attrgetter
from typing import Any, NamedTuple

import orjson
from sqlalchemy import ColumnElement, Connection, Select, Table, select, tuple_

from mintery.domain.hold import RequestId
from mintery.domain.statement import Charge, LineKind, Mark, StatementLine
from mintery.domain.voucher import AccountId
from mintery.ledger.queries_statement import FLOWS, SIDES, in_parts, key_name, names_of, within
from mintery.ledger.reads_statement import OpenRequest
from mintery.ledger.schema import receipts, requests, transfers
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

    def read(source: "_Source") -> Iterator[StatementLine]:
        query = within(source.query, source.at, start, end).limit(each)
        if before is not None:
            query = query.where(_before(source, before))
        return _read(connection, source, query, at_once=each, newest_first=newest_first)

    sources = [source for account in chosen for source in _sources(account)]
    return merge(*map(read, sources), key=attrgetter("mark"), reverse=newest_first)


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
    for side, of_these in SIDES:
        for name in names_of(account):
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
    flow = FLOWS[kind]
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
