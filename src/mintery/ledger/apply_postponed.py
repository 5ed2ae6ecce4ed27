"""What could not go on, and when it is tried again."""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import bindparam, delete, select, update

from mintery.domain.postponed import pause_after
from mintery.ledger.commands import Done
from mintery.ledger.commands_postponed import GoOn, Postpone
from mintery.ledger.schema_postponed import postponed
from mintery.ledger.work import Statement, Work, insert_of, micros

_tries = Statement(select(postponed.c.tries).where(postponed.c.subject == bindparam("subject")).with_for_update())
_insert = Statement(insert_of(postponed).on_conflict_do_nothing())
_again = Statement(
    update(postponed)
    .where(postponed.c.subject == bindparam("its_subject"))
    .values(tries=bindparam("new_tries"), why=bindparam("new_why"), next_at=bindparam("at"))
)
_delete = Statement(delete(postponed).where(postponed.c.subject == bindparam("its_subject")))


def postpone(work: Work, command: Postpone) -> Done:
    first = {
        "subject": command.subject,
        "tries": 1,
        "why": command.why,
        "since": micros(command.at),
        "next_at": micros(command.at + pause_after(1)),
    }
    if work.run(_insert, **first):
        return Done(1)
    row = work.row(_tries, subject=command.subject)
    tries = 1 if row is None else row[0] + 1
    at = micros(command.at + pause_after(tries))
    return Done(work.run(_again, its_subject=command.subject, new_tries=tries, new_why=command.why, at=at))


def go_on(work: Work, command: GoOn) -> Done:
    return Done(sum(work.run(_delete, its_subject=subject) for subject in sorted(set(command.subjects))))


POSTPONED_WRITERS: Mapping[type, Callable[[Work, Any], Done]] = {Postpone: postpone, GoOn: go_on}
