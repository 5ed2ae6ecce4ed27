"""Walks the seals and computes them again from the rows: in constant memory, and one snapshot of the whole ledger."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, and_, bindparam, exists, func, select

from mintery.domain.voucher import Address, EscrowDomain
from mintery.errors import LedgerInconsistent
from mintery.ledger.schema import identity, seal_gaps, seal_marks, seals
from mintery.ledger.sealing import SEALED, Source, covered, first_hash, seal_hash
from mintery.ledger.stating import find_strays

_CHUNK = 5_000


@dataclass(frozen=True, slots=True)
class Seal:
    """One place in the chain; ``hash`` is 64 hex digits. Noted elsewhere, it holds all that was sealed up to there."""

    position: int
    hash: str

    def __str__(self) -> str:
        return f"{self.position}:{self.hash}"


@dataclass(frozen=True, slots=True)
class Misfit:
    """A place where chain and rows part. ``row`` names it as table and sequence number."""

    position: int
    row: str
    expected: str
    found: str


@dataclass(frozen=True, slots=True)
class SealReport:
    """What walking the chain found.

    Attributes:
        checked: seals whose rows were read and hashed again.
        head: the last seal, None while there is none.
        misfits: how many do not fit; ``first`` is the first of them.
        waiting: rows that are not sealed yet, as they are new.
        unsealed: rows that were passed over, or whose seals are gone; ``first_unsealed`` names one.
        strayed: orders, payments, refunds and calls that are not what is stated of them; ``first_strayed`` names one.
    """

    checked: int
    head: Seal | None
    misfits: int
    first: Misfit | None
    waiting: int
    unsealed: int
    first_unsealed: str | None
    strayed: int = 0
    first_strayed: str | None = None

    @property
    def holds(self) -> bool:
        return not self.misfits and not self.unsealed and not self.strayed


def verify(connection: Connection, start: int, noted: Seal | None) -> SealReport:
    """Check the seals from position ``start`` on, that ``noted`` still stands where it did, and that every row whose facts are
    sealed as they are stated is what was stated of it.
    """
    walk = _Walk(connection, start)
    walk.run()
    if noted is not None:
        walk.compare(noted)
    waiting, unsealed, first_unsealed = _without_seals(connection)
    strays = find_strays(connection)
    return SealReport(
        checked=walk.checked,
        head=walk.head,
        misfits=walk.misfits,
        first=walk.first,
        waiting=waiting,
        unsealed=unsealed,
        first_unsealed=first_unsealed,
        strayed=strays.count,
        first_strayed=strays.first,
    )


class _Walk:
    """One pass. Each seal is computed on what its predecessor says of itself, so one changed row is one misfit."""

    def __init__(self, connection: Connection, start: int) -> None:
        self._connection = connection
        self._expected = start
        self._before = _hash_before(connection, start)
        self.checked = 0
        self.misfits = 0
        self.first: Misfit | None = None
        self.head: Seal | None = None

    def run(self) -> None:
        while rows := self._connection.execute(_chunk, {"start": self._expected}).fetchall():
            for row in rows:
                self._check(row)

    def compare(self, noted: Seal) -> None:
        found = self._connection.scalar(select(seals.c.hash).where(seals.c.position == noted.position))
        shown = "no seal" if found is None else bytes(found).hex()
        if shown != noted.hash:
            self._report(Misfit(noted.position, "the noted head", noted.hash, shown))

    def _check(self, row: Any) -> None:
        position, code, version, seq, stored = row[:5]
        found = bytes(stored)
        if position != self._expected:
            gone = f"seals {self._expected} to {position - 1}"
            self._report(Misfit(self._expected, gone, f"{position - self._expected} seals", "none"))
            self._before = None
        self._expected = position + 1
        self.head = Seal(position, found.hex())
        self.checked += 1
        before, self._before = self._before, found
        if code not in SEALED:
            self._report(Misfit(position, f"table {code}", "a table that is sealed", f"table {code}"))
            return
        source = Source(code)
        if (most := covered(version, source)) is None:
            newest = f"version {SEALED[source].version}"
            self._report(Misfit(position, SEALED[source].name, newest, f"version {version}"))
            return
        name = f"{SEALED[source].name} {seq}"
        columns = row[_FROM[source] : _FROM[source] + len(SEALED[source].columns)]
        if columns[0] is None:
            self._report(Misfit(position, name, found.hex(), "no such row"))
        elif any(column is not None for column in columns[most:]):
            self._report(Misfit(position, name, found.hex(), f"more than version {version} covers"))
        elif before is not None and (computed := seal_hash(before, source, columns[:most], version)) != found:
            self._report(Misfit(position, name, found.hex(), computed.hex()))

    def _report(self, misfit: Misfit) -> None:
        self.misfits += 1
        if self.first is None or misfit.position < self.first.position:
            self.first = misfit


def _hash_before(connection: Connection, start: int) -> bytes | None:
    """What the seal at ``start`` stands on; None when that one is gone."""
    if start > 1:
        found = connection.scalar(select(seals.c.hash).where(seals.c.position == start - 1))
        return None if found is None else bytes(found)
    row = connection.execute(select(identity.c.chain_id, identity.c.escrow)).one_or_none()
    if row is None:
        raise LedgerInconsistent("the ledger does not say whose it is")
    return first_hash(EscrowDomain(row[0], Address(row[1])))


def _chunk_query() -> tuple[Select[Any], dict[Source, int]]:
    """Seals with the columns of whichever row each seals, and where each table's begin."""
    columns: list[Any] = [seals.c.position, seals.c.source, seals.c.version, seals.c.row_seq, seals.c.hash]
    joined: Any = seals
    begins: dict[Source, int] = {}
    for source, sealed in SEALED.items():
        begins[source] = len(columns)
        columns += [sealed.table.c[name].label(f"{sealed.name}_{name}") for name in sealed.columns]
        its_row = and_(seals.c.source == int(source), seals.c.row_seq == sealed.table.c.seq)
        joined = joined.outerjoin(sealed.table, its_row)
    query = select(*columns).select_from(joined)
    return query.where(seals.c.position >= bindparam("start")).order_by(seals.c.position).limit(_CHUNK), begins


_chunk, _FROM = _chunk_query()


def _without_seals(connection: Connection) -> tuple[int, int, str | None]:
    """Rows that wait for their seals, rows that will never get one, and the name of one of those."""
    marks = {
        Source(source): mark for source, mark in connection.execute(select(seal_marks.c.source, seal_marks.c.through))
    }
    waiting, lost, name = 0, 0, None
    for source, sealed in SEALED.items():
        seq, mark = sealed.table.c.seq, marks.get(source, 0)
        in_gap = exists().where(seal_gaps.c.source == int(source), seal_gaps.c.first <= seq, seal_gaps.c.last >= seq)
        has_seal = exists().where(seals.c.source == int(source), seals.c.row_seq == seq)
        behind = connection.execute(select(func.count(), func.min(seq)).where(seq <= mark, ~has_seal, ~in_gap)).one()
        ahead = connection.scalar(select(func.count()).where((seq > mark) | ((seq <= mark) & in_gap & ~has_seal)))
        waiting += ahead or 0
        lost += behind[0]
        if behind[1] is not None and name is None:
            name = f"{sealed.name} {behind[1]}"
    return waiting, lost, name
