"""The ledger refused, or is not what it must be."""

from mintery.errors.base import MinteryError


class LedgerError(MinteryError):
    """The ledger refused or cannot go on."""


class HoldNotOpen(LedgerError):
    def __init__(self, hold: str, status: str) -> None:
        super().__init__(f"hold {hold} is {status}")
        self.hold = hold
        self.status = status


class CaptureExceedsHold(LedgerError):
    """Amounts are nanocredits."""

    def __init__(self, hold: str, *, cost: int, held: int) -> None:
        super().__init__(f"hold {hold} has {held} nanocredits; the cost is {cost}")
        self.hold = hold
        self.cost = cost
        self.held = held


class LedgerClosed(LedgerError):
    def __init__(self) -> None:
        super().__init__("the ledger is closed")


class LedgerUnavailable(LedgerError):
    """The database cannot be used now: locked, full, or out of reach. It may be again.

    What was to be written was not, or, where the connection was lost in the middle of it, nobody knows: to ask for it
    again with the same ids is safe.
    """

    def __init__(self, why: str) -> None:
        super().__init__(f"the ledger cannot be used now: {why}")
        self.why = why


class LedgerRefused(LedgerError):
    """The database refused what it was asked for, as by a rule of its tables. Nothing of it was written."""

    def __init__(self, why: str) -> None:
        super().__init__(f"the ledger's database refused: {why}")
        self.why = why


class LongJobUnreadable(LedgerError):
    """What is kept of a long job cannot be read: it is not followed, and its hold ends as one of a process that is gone."""

    def __init__(self, request: str, why: str) -> None:
        super().__init__(f"what is kept of job {request} cannot be read: {why}")
        self.request = request
        self.why = why


class LeadershipLost(LedgerError):
    """Another process may lead this job by now; what was not written yet must not be."""

    def __init__(self, job: str) -> None:
        super().__init__(f"this process does not lead the job {job}")
        self.job = job


class LedgerInconsistent(LedgerError):
    """An account of the ledger contradicts its transfers or the chain. Never plugged."""
