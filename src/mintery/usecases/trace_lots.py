"""Which requests used which top-up, followed after what was recorded."""

from datetime import datetime

from mintery.ledger.commands import Done
from mintery.ledger.commands_lots import TraceLots
from mintery.ledger.reads import Ledger

AT_ONCE = 500
_ROUNDS = 20
"""One run follows ten thousand seals at most: the writer is everybody's."""


def trace_lots(ledger: Ledger, _now: datetime) -> int:
    """How many seals were followed."""
    followed = 0
    for _ in range(_ROUNDS):
        (result,) = ledger.commit([TraceLots(AT_ONCE)])
        if not isinstance(result, Done) or result.changed == 0:
            break
        followed += result.changed
    return followed
