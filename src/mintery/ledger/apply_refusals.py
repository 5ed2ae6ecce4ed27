"""Requests that were refused: the newest are kept, so that what was refused can be explained."""

from sqlalchemy import bindparam, delete, func, select

from mintery.ledger.bulk import Bulk
from mintery.ledger.commands import Done, RecordRefusals
from mintery.ledger.schema import refusals
from mintery.ledger.texts import json_text, without_nul
from mintery.ledger.work import Statement, Work, micros

KEPT = 100_000
"""Whoever sends what is refused makes a row of it; so many are kept, and no more."""

_NEW = Bulk("insert new", refusals, ("request", "account", "asked", "code", "message", "evidence", "at"))
_newest = select(func.max(refusals.c.seq)).scalar_subquery()
_trim = Statement(delete(refusals).where(refusals.c.seq <= _newest - bindparam("kept")))


def record_refusals(work: Work, command: RecordRefusals) -> Done:
    rows = [
        (
            each.request,
            each.account,
            without_nul(each.asked),
            each.code,
            without_nul(each.message),
            json_text(dict(each.evidence)).decode(),
            micros(each.at),
        )
        for each in command.refusals
    ]
    work.write_later([(_NEW, rows)])
    work.run(_trim, kept=KEPT)
    return Done(len(rows))
