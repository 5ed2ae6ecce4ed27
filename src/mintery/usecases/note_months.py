"""What other processes have sold meanwhile, for a process that reads no ledger while it answers."""

from datetime import datetime, timedelta

from mintery.domain.membership import RENEWAL_GRACE
from mintery.usecases.parts import GatewayParts

LATE = timedelta(minutes=10)
"""A month may be committed so long after the time that it says it was paid at."""


def note_months(parts: GatewayParts, now: datetime) -> None:
    """The first time all that run, then those that were paid since the last time."""
    standings = parts.standings
    since = standings.noted_at
    paid_at = datetime.fromtimestamp(0, now.tzinfo) if since is None else since - LATE
    standings.note(parts.ledger.memberships.paid_since(paid_at, running_at=now - RENEWAL_GRACE))
    standings.noted_at = now
    standings.forget_before(now)
