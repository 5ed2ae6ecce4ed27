"""Rows whose facts come one after the other, held to what was stated of them.

``stated_facts`` is sealed as the tables are that never change. What was stated of a row, put together in the order of its
statements, is the row: so a row that was changed, added or deleted by another hand is found. A fact is stated once, and what
an earlier version had written is stated when its ledger is brought up to date.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import orjson
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    DefaultClause,
    Select,
    and_,
    bindparam,
    func,
    or_,
    select,
    true,
)

from mintery.domain.order import Rail
from mintery.ledger.schema_calls import chain_calls
from mintery.ledger.schema_disputes import disputes, outside_refunds
from mintery.ledger.schema_orders import orders, payments, refunds
from mintery.ledger.schema_refunds import lot_refunds
from mintery.ledger.schema_stated import stated_facts
from mintery.ledger.work import Statement, Work, insert_of

_AT_ONCE = 1_000

_insert = Statement(insert_of(stated_facts))
_stated = Statement(
    select(stated_facts.c.facts)
    .where(stated_facts.c.of_table == bindparam("of_table"), stated_facts.c.row_id == bindparam("row_id"))
    .order_by(stated_facts.c.seq)
)


@dataclass(frozen=True)
class Stated:
    """A table, or the ``part`` of it, whose rows are held to what was stated of them.

    Attributes:
        name: how ``stated_facts`` names it.
        key: what tells its rows apart.
        changing: columns that are stated anew when they change; every other one is set once.
    """

    name: str
    key: Column[str]
    changing: frozenset[str] = frozenset()
    part: ColumnElement[bool] = field(default_factory=true)

    @property
    def columns(self) -> tuple[Column[Any], ...]:
        return tuple(self.key.table.columns)

    def unstated(self) -> dict[str, Any]:
        """What a column is while nothing is stated of it: nothing, or the number that it begins with."""
        defaults = ((str(column.name), column.server_default) for column in self.columns)
        return {
            name: int(str(default.arg)) if isinstance(default, DefaultClause) else None for name, default in defaults
        }

    def read(self) -> Statement:
        return Statement(select(*self.columns).where(self.key == bindparam("row_id"), self.part))


ORDERS = Stated("orders", orders.c.id, frozenset({"refunded", "disputed", "lost"}))
REFUNDS = Stated("refunds", refunds.c.id)
LOT_REFUNDS = Stated("lot_refunds", lot_refunds.c.id, frozenset({"released"}))
CHAIN_CALLS = Stated("chain_calls", chain_calls.c.id)
PAYMENTS = {rail: Stated(f"payments/{rail.value}", payments.c.id, part=payments.c.rail == rail.value) for rail in Rail}
DISPUTES = Stated("disputes", disputes.c.id)
OUTSIDE_REFUNDS = Stated("outside_refunds", outside_refunds.c.id)
STATED: Sequence[Stated] = (
    *(ORDERS, REFUNDS, LOT_REFUNDS, CHAIN_CALLS),
    *PAYMENTS.values(),
    *(DISPUTES, OUTSIDE_REFUNDS),
)
_READ: Mapping[str, Statement] = {each.name: each.read() for each in STATED}


def _unstated(of: Stated) -> Select[int, str]:
    """How many rows nothing was stated of, and the first."""
    its = and_(stated_facts.c.of_table == of.name, stated_facts.c.row_id == of.key)
    return select(func.count(), func.min(of.key)).where(of.part, ~select(stated_facts.c.seq).where(its).exists())


def _with_its_row(of: Stated) -> Select[Any]:
    """What was stated, in order, beside what is there now."""
    return (
        select(stated_facts.c.row_id, stated_facts.c.facts, *of.columns)
        .join_from(stated_facts, of.key.table, and_(of.key == stated_facts.c.row_id, of.part), isouter=True)
        .where(stated_facts.c.of_table == of.name)
        .order_by(stated_facts.c.row_id, stated_facts.c.seq)
        .execution_options(yield_per=_AT_ONCE)
    )


_UNSTATED = {of.name: _unstated(of) for of in STATED}
_COMPARED = {of.name: _with_its_row(of) for of in STATED}
_UNKNOWN = (
    select(stated_facts.c.seq).where(~or_(*(stated_facts.c.of_table == of.name for of in STATED))).limit(_AT_ONCE)
)


def state(work: Work, of: Stated, row_id: str) -> None:
    """To be called after every writing of such a row, in the same transaction: what is new in it is stated."""
    row = work.row(_READ[of.name], row_id=row_id)
    if row is None:
        raise LookupError(f"{of.name} {row_id}")
    before = _together(of, (facts for (facts,) in work.rows(_stated, of_table=of.name, row_id=row_id))).values
    new = {name: value for name, value in _shown(of, row).items() if value != before.get(name)}
    if new:
        facts = orjson.dumps(new, option=orjson.OPT_SORT_KEYS).decode()
        work.run(_insert, of_table=of.name, row_id=row_id, facts=facts)


@dataclass(slots=True)
class _Together:
    """What a row's statements come to; ``contradicts`` where one takes back what was set once."""

    values: dict[str, Any] = field(default_factory=dict)
    contradicts: bool = False


def _together(of: Stated, statements: Iterable[str]) -> _Together:
    begun = of.unstated()
    found = _Together(dict(begun))
    for facts in statements:
        for name, value in orjson.loads(facts).items():
            found.contradicts |= found.values.get(name) != begun.get(name) and name not in of.changing
            found.values[name] = value
    return found


def _shown(of: Stated, row: Sequence[Any]) -> dict[str, Any]:
    named = zip((str(column.name) for column in of.columns), row, strict=True)
    return {name: bytes(value).hex() if isinstance(value, bytes | memoryview) else value for name, value in named}


@dataclass(slots=True)
class Strays:
    """Rows that are not what was stated of them: how many, and the first that was found."""

    count: int = 0
    first: str | None = None

    def add(self, name: str, count: int = 1) -> None:
        self.count += count
        self.first = self.first or name


def find_strays(connection: Connection) -> Strays:
    """Compare every row with its statements, in constant memory."""
    strays = Strays()
    for of in STATED:
        for row_id, fits in _compared(connection, of):
            if not fits:
                strays.add(f"{of.name} {row_id}")
        count, first = connection.execute(_UNSTATED[of.name]).one()
        if count:
            strays.add(f"{of.name} {first}", count)
    for (seq,) in connection.execute(_UNKNOWN):
        strays.add(f"stated_facts {seq}")
    return strays


def _compared(connection: Connection, of: Stated) -> Iterator[tuple[str, bool]]:
    """Each row of which anything was stated, and whether it is what was stated."""
    rows = connection.execute(_COMPARED[of.name])
    for row_id, statements in groupby(rows, key=lambda row: row[0]):
        listed = list(statements)
        stated = _together(of, (facts for _, facts, *_ in listed))
        shown = _shown(of, listed[-1][2:])
        yield row_id, not stated.contradicts and shown[of.key.name] is not None and stated.values == shown


def check_stated(connection: Connection) -> Iterator[str]:
    strays = find_strays(connection)
    if strays.count:
        yield f"{strays.count} rows are not what was stated of them, the first of them {strays.first}"
