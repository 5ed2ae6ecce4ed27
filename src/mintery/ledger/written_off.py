"""Which receipts are given up, now: written off, and not settled by the chain after all since."""

from sqlalchemy import ColumnElement, and_, exists, or_

from mintery.ledger.schema import undone_write_offs, write_offs


def is_written_off(request: ColumnElement[str]) -> ColumnElement[bool]:
    return exists().where(write_offs.c.request == request, is_standing())


def is_standing() -> ColumnElement[bool]:
    """Of a row of ``write_offs``."""
    return ~exists().where(undoes())


def undoes() -> ColumnElement[bool]:
    """Whether a row of ``undone_write_offs`` undoes one of ``write_offs``."""
    earlier = write_offs.alias("earlier_write_offs")
    is_first = ~exists().where(earlier.c.request == write_offs.c.request, earlier.c.seq < write_offs.c.seq)
    its_first = and_(
        undone_write_offs.c.write_off.is_(None), undone_write_offs.c.request == write_offs.c.request, is_first
    )
    return or_(undone_write_offs.c.write_off == write_offs.c.seq, its_first)
