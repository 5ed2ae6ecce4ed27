"""Reads of what the operator set of channels."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, func, select

from mintery.domain.channel import ChannelChange, Scope, Setting, Subject
from mintery.ledger.schema import channel_changes
from mintery.ledger.work import instant_of


def mark(connection: Connection) -> tuple[int, int]:
    """Rows of several writers do not become visible in their order: the count tells of one that came late."""
    count, last = connection.execute(select(func.count(), func.max(channel_changes.c.seq))).one()
    return count, last or 0


def settings(connection: Connection) -> Sequence[ChannelChange]:
    later = channel_changes.alias("later")
    newer = select(later.c.seq).where(
        later.c.scope == channel_changes.c.scope,
        later.c.subject == channel_changes.c.subject,
        later.c.setting == channel_changes.c.setting,
        later.c.revision > channel_changes.c.revision,
    )
    query = select(channel_changes).where(~newer.exists()).order_by(channel_changes.c.seq)
    return [_change(row) for row in connection.execute(query)]


def changes(connection: Connection, name: str | None, limit: int) -> Sequence[ChannelChange]:
    query = select(channel_changes).order_by(channel_changes.c.seq.desc()).limit(limit)
    if name is not None:
        query = query.where(channel_changes.c.subject == name)
    return [_change(row) for row in connection.execute(query)]


def _change(row: Any) -> ChannelChange:
    return ChannelChange(
        seq=row.seq,
        subject=Subject(Scope(row.scope), row.subject, Setting(row.setting)),
        revision=row.revision,
        earlier=row.earlier,
        value=row.value,
        changed_by=row.changed_by,
        reason=row.reason,
        at=instant_of(row.at),
    )
