"""Reads of what could not go on."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Select, select

from mintery.domain.postponed import Postponed
from mintery.ledger.schema_postponed import postponed
from mintery.ledger.work import instant_of, micros

_AT_ONCE = 100


class PostponedReads:
    """``read`` runs a query on a connection of the ledger's readers."""

    def __init__(self, read: Callable[..., Any]) -> None:
        self._read = read

    def of(self, subjects: Sequence[str]) -> Mapping[str, Postponed]:
        found = self._postponed(select(postponed).where(postponed.c.subject.in_(list(subjects))))
        return {each.subject: each for each in found}

    def longest(self, *, limit: int = _AT_ONCE) -> Sequence[Postponed]:
        """Those that wait the longest first."""
        return self._postponed(select(postponed).order_by(postponed.c.since, postponed.c.subject).limit(limit))

    def _postponed(self, query: Select[Any]) -> Sequence[Postponed]:
        rows = self._read(_all, query)
        return [
            Postponed(row.subject, row.tries, row.why, instant_of(row.since), instant_of(row.next_at)) for row in rows
        ]


def is_due(subject: Column[Any], now: datetime) -> ColumnElement[bool]:
    """Whether nothing holds the row of ``subject`` up, or its pause is over."""
    return ~(
        select(postponed.c.subject).where(postponed.c.subject == subject, postponed.c.next_at > micros(now)).exists()
    )


def _all(connection: Connection, query: Select[Any]) -> Sequence[Any]:
    return connection.execute(query).all()
