"""Adds to what each project's reserve has been."""

from mintery.ledger.commands import Done, ObserveReserve
from mintery.ledger.schema_reserve import reserve_observations
from mintery.ledger.work import Statement, Work, insert_of

_observe = Statement(insert_of(reserve_observations).on_conflict_do_nothing())


def observe_reserve(work: Work, command: ObserveReserve) -> Done:
    """Once for each project and block."""
    seen = command.seen
    return Done(
        work.run(
            _observe,
            token=seen.token,
            block=seen.block,
            block_time=seen.block_time,
            supply=str(seen.supply),
            reserve=seen.reserve,
            needed=seen.needed,
        )
    )
