"""What the relayer's key pays for holders, each day."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from sqlalchemy import bindparam, select, update

from mintery.domain.voucher import Address
from mintery.ledger.commands import Done, NotWritten
from mintery.ledger.commands_relayed import MOVES, SPENT, ReserveRelay, SettleRelay
from mintery.ledger.schema_relayed import relayed
from mintery.ledger.work import Statement, Work, insert_of

_WHOLE_DAY = ""
_insert = Statement(insert_of(relayed).on_conflict_do_nothing())
_day = (relayed.c.relayer == bindparam("its_relayer"), relayed.c.day == bindparam("its_day"))
_lock = Statement(
    select(relayed.c.moves, relayed.c.gwei).where(*_day, relayed.c.holder == bindparam("its_holder")).with_for_update()
)
_add = Statement(
    update(relayed)
    .where(*_day, relayed.c.holder == bindparam("its_holder"))
    .values(moves=relayed.c.moves + bindparam("more_moves"), gwei=relayed.c.gwei + bindparam("more_gwei"))
)


def reserve_relay(work: Work, command: ReserveRelay) -> Done | NotWritten:
    """The whole day's row is locked first, whoever's move it is: so no two of them pass the bound together."""
    _, spent = _locked(work, command.relayer, command.day, _WHOLE_DAY)
    moves, _ = _locked(work, command.relayer, command.day, command.holder)
    if moves >= command.most_moves:
        return NotWritten(MOVES)
    if spent + command.gwei > command.most_gwei:
        return NotWritten(SPENT)
    _count(work, command.relayer, command.day, command.holder, moves=1, gwei=command.gwei)
    return Done(1)


def settle_relay(work: Work, command: SettleRelay) -> Done:
    more = command.gwei - command.reserved
    _count(work, command.relayer, command.day, command.holder, moves=0 if command.moved else -1, gwei=more)
    return Done(1)


def _locked(work: Work, relayer: Address, day: date, holder: str) -> tuple[int, int]:
    work.run(_insert, relayer=relayer, day=day.toordinal(), holder=holder, moves=0, gwei=0)
    row = work.row(_lock, its_relayer=relayer, its_day=day.toordinal(), its_holder=holder)
    return (0, 0) if row is None else (row[0], row[1])


def _count(work: Work, relayer: Address, day: date, holder: Address, *, moves: int, gwei: int) -> None:
    for whose in (_WHOLE_DAY, holder):
        change = {"more_moves": moves, "more_gwei": gwei}
        work.run(_add, its_relayer=relayer, its_day=day.toordinal(), its_holder=whose, **change)


RELAYED_WRITERS: Mapping[type, Callable[[Work, Any], Done | NotWritten]] = {
    ReserveRelay: reserve_relay,
    SettleRelay: settle_relay,
}
