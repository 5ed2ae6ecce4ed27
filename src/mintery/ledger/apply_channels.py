"""Channel settings, changed one revision after the other; what was set before is never forgotten."""

from sqlalchemy import bindparam, select

from mintery.ledger.commands import ChangeChannel, Done, NotWritten
from mintery.ledger.schema import channel_changes
from mintery.ledger.work import Statement, Work, insert_of, micros

_OF = (
    channel_changes.c.scope == bindparam("its_scope"),
    channel_changes.c.subject == bindparam("its_subject"),
    channel_changes.c.setting == bindparam("its_setting"),
)
_last = Statement(
    select(
        channel_changes.c.revision,
        channel_changes.c.value,
        channel_changes.c.changed_by,
        channel_changes.c.reason,
        channel_changes.c.at,
    )
    .where(*_OF)
    .order_by(channel_changes.c.revision.desc())
    .limit(1)
)
# Two processes may write the same revision at once: the database keeps one of them, and the other has changed nothing.
_insert = Statement(insert_of(channel_changes).on_conflict_do_nothing())


def change_channel(work: Work, command: ChangeChannel) -> Done | NotWritten:
    scope, name, setting = command.subject
    last = work.row(_last, its_scope=scope.value, its_subject=name, its_setting=setting.value)
    revision, earlier = (0, None) if last is None else last[:2]
    at = micros(command.at)
    if last is not None and last == (command.revision, command.value, command.changed_by, command.reason, at):
        return Done(0)
    written = command.revision == revision + 1 and work.run(
        _insert,
        scope=scope.value,
        subject=name,
        setting=setting.value,
        revision=command.revision,
        earlier=earlier,
        value=command.value,
        changed_by=command.changed_by,
        reason=command.reason,
        at=at,
    )
    return Done(1) if written else NotWritten(f"{setting} of {name} was changed meanwhile")
