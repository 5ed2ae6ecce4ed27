"""What no settlement may pass, kept for every process until it is cleared; what the last reconciliation found, and the sums of
the chain's events that it need not read again.
"""

from typing import Any

from sqlalchemy import bindparam, delete, select, update

from mintery.ledger.commands import ClearHalt, Done, KeepFlowSums, LiftHalt, RaiseHalt, RecordReconciliation
from mintery.ledger.schema import differences, flow_sums, halts, reconciliation
from mintery.ledger.work import Statement, Work, insert_of, micros

_STANDS = halts.c.cleared_at.is_(None)
_raise = Statement(
    insert_of(halts).on_conflict_do_nothing(index_elements=[halts.c.alarm, halts.c.subject], index_where=_STANDS)
)
_cleared: dict[str, Any] = {"cleared_at": bindparam("at"), "cleared_for": bindparam("reason")}
_lift = Statement(
    update(halts)
    .where(halts.c.alarm == bindparam("its_alarm"), halts.c.subject == bindparam("its_subject"), _STANDS)
    .values(_cleared)
)
_clear = Statement(update(halts).where(halts.c.seq == bindparam("halt"), _STANDS).values(_cleared))
_last = Statement(select(reconciliation.c.number).where(reconciliation.c.one == 1))
_insert_last = Statement(insert_of(reconciliation).on_conflict_do_nothing())
_update_last = Statement(
    update(reconciliation)
    .where(reconciliation.c.one == 1)
    .values(number=bindparam("block"), hash=bindparam("block_hash"), at=bindparam("now"))
)
_new_sums: dict[str, Any] = {name: bindparam(name) for name in ("one", "number", "hash", "sums", "anew")}
_keep_sums = Statement(
    insert_of(flow_sums)
    .values(_new_sums)
    .on_conflict_do_update(
        index_elements=[flow_sums.c.one], set_=_new_sums, where=flow_sums.c.anew <= bindparam("anew")
    )
)
_different = Statement(select(differences.c.what))
_insert_difference = Statement(insert_of(differences))
_update_difference = Statement(
    update(differences)
    .where(differences.c.what == bindparam("its_what"))
    .values(chain=bindparam("seen"), books=bindparam("ours"))
)
_drop_difference = Statement(delete(differences).where(differences.c.what == bindparam("its_what")))


def raise_halt(work: Work, command: RaiseHalt) -> Done:
    """Once while it stands: the first reason is kept, as what follows from it is only noise."""
    return Done(
        work.run(
            _raise,
            alarm=command.alarm,
            subject=command.subject,
            why=command.why,
            since=micros(command.at),
            cleared_at=None,
            cleared_for=None,
        )
    )


def lift_halt(work: Work, command: LiftHalt) -> Done:
    return Done(
        work.run(
            _lift,
            its_alarm=command.alarm,
            its_subject=command.subject,
            at=micros(command.at),
            reason=command.why,
        )
    )


def clear_halt(work: Work, command: ClearHalt) -> Done:
    return Done(work.run(_clear, halt=command.halt, at=micros(command.at), reason=command.reason))


def record_reconciliation(work: Work, command: RecordReconciliation) -> Done:
    """A difference that is new was last equal at the block of the reconciliation before this one."""
    before = work.row(_last)
    standing = {row[0] for row in work.rows(_different)}
    found = {difference.what: difference for difference in command.differences}
    for what in sorted(standing - found.keys()):
        work.run(_drop_difference, its_what=what)
    for what in sorted(found):
        chain, books = str(found[what].chain), str(found[what].books)
        if what in standing:
            work.run(_update_difference, its_what=what, seen=chain, ours=books)
        else:
            work.run(
                _insert_difference,
                what=what,
                chain=chain,
                books=books,
                last_equal=None if before is None else before[0],
                since=micros(command.at),
            )
    block, at = command.block, micros(command.at)
    if not work.run(_update_last, block=block.number, block_hash=block.hash, now=at):
        work.run(_insert_last, one=1, number=block.number, hash=block.hash, at=at)
    return Done(len(found))


def keep_flow_sums(work: Work, command: KeepFlowSums) -> Done:
    flows = command.flows
    kept = work.run(_keep_sums, one=1, number=flows.number, hash=flows.hash, sums=flows.sums, anew=flows.anew)
    return Done(kept)
