"""What the ledger can be asked to write of lots."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TraceLots:
    """Follow up to ``limit`` more seals, and say which lots their transfers used; ``changed`` counts seals."""

    limit: int


LotCommand = TraceLots
