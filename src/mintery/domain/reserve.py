"""What a project's reserve was at one block, and what its supply needed."""

from dataclasses import dataclass

from mintery.domain.voucher import Address
from mintery.units import AssetUnits, CreditUnits, UnixSeconds


@dataclass(frozen=True, slots=True)
class ReserveObservation:
    """Read at a final block, so that no reorganisation takes it back. ``needed``: the backing of ``supply``, rounded up (S1)."""

    token: Address
    block: int
    block_time: UnixSeconds
    supply: CreditUnits
    reserve: AssetUnits
    needed: AssetUnits

    def same_figures(self, other: "ReserveObservation") -> bool:
        return (self.supply, self.reserve) == (other.supply, other.reserve)
