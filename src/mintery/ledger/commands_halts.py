"""What the ledger can be asked to write of what stands out of order, and of what the chain was found to be."""

from dataclasses import dataclass
from datetime import datetime

from mintery.domain.reserve import ReserveObservation
from mintery.ledger.commands_chain import Block


@dataclass(frozen=True, slots=True)
class RaiseHalt:
    """No process on this ledger settles any more. Done(0) where one of this alarm and subject stands."""

    alarm: str
    subject: str
    why: str
    at: datetime


@dataclass(frozen=True, slots=True)
class LiftHalt:
    """The check that raised it passes again."""

    alarm: str
    subject: str
    why: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ClearHalt:
    """The operator's decision, with its reason. Done(0) where no such halt stands."""

    halt: int
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Difference:
    """``what`` names the figure, and the account where it is one's; base units of credit or asset."""

    what: str
    chain: int
    books: int


@dataclass(frozen=True, slots=True)
class ObserveReserve:
    """What a project's reserve was at a final block; kept once for each block."""

    seen: ReserveObservation


@dataclass(frozen=True, slots=True)
class RecordReconciliation:
    """All figures were compared at ``block``, and these differ; ``changed`` counts them."""

    block: Block
    differences: tuple[Difference, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class FlowSums:
    """What the contracts' events add up to, from the deployment to a final block: ``sums`` as whoever adds them writes it.
    ``anew``: how often they had been made anew, from the first event, when their last block was added.
    """

    number: int
    hash: str
    sums: str
    anew: int = 0


@dataclass(frozen=True, slots=True)
class KeepFlowSums:
    """In place of those kept before, unless these were made anew since, which ``changed`` 0 says. They say nothing that the
    chain does not: whoever loses them reads it again.
    """

    flows: FlowSums
