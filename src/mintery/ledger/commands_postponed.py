"""What the ledger can be asked to write of what could not go on."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Postpone:
    """``subject`` met ``why``: it is tried again after a pause, a longer one each time."""

    subject: str
    why: str
    at: datetime


@dataclass(frozen=True, slots=True)
class GoOn:
    """Nothing holds these up any more, or somebody wants them tried at once."""

    subjects: tuple[str, ...]


PostponedCommand = Postpone | GoOn
