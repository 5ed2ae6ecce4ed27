"""Which receipts are given up, now: written off, and not settled by the chain after all."""

from sqlalchemy import ColumnElement, exists

from mintery.ledger.schema import undone_write_offs, write_offs


def is_written_off(request: ColumnElement[str]) -> ColumnElement[bool]:
    return exists().where(write_offs.c.request == request, is_standing())


def is_standing() -> ColumnElement[bool]:
    """Of a row of ``write_offs``."""
    return ~exists().where(undone_write_offs.c.request == write_offs.c.request)
