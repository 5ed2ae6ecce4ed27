"""What the ledger can be asked to write of signatures that were taken back."""

from dataclasses import dataclass
from datetime import datetime

from mintery.domain.chain_call import Authority


@dataclass(frozen=True, slots=True)
class WithdrawSignature:
    """Its holder does not want it sent any more."""

    authority: Authority
    at: datetime


WithdrawnCommand = WithdrawSignature
