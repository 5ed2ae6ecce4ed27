"""What the ledger can be asked to write of what the relayer's key pays for holders. Amounts are gwei, 1e-9 ether."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from mintery.domain.voucher import Address

MOVES, SPENT = "the holder's moves of the day", "what the key spends in a day"
RelayBound = Literal["the holder's moves of the day", "what the key spends in a day"]
"""Why (``NotWritten.why``) a move is not reserved for."""


@dataclass(frozen=True, slots=True)
class ReserveRelay:
    """One more move of ``holder`` that may cost ``gwei``. Refused (NotWritten, a RelayBound) where the holder had ``most_moves``
    that day, or the relayer would spend more than ``most_gwei``.
    """

    relayer: Address
    holder: Address
    day: date
    gwei: int
    most_gwei: int
    most_moves: int


@dataclass(frozen=True, slots=True)
class SettleRelay:
    """It cost ``gwei`` and not the ``reserved``; ``moved`` False: it never left, and counts for nothing."""

    relayer: Address
    holder: Address
    day: date
    reserved: int
    gwei: int
    moved: bool


RelayedCommand = ReserveRelay | SettleRelay
