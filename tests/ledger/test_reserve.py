"""What a project's reserve has been is kept once for each block, in its order."""

from tests.databases import Database
from tests.ledger.samples import IDENTITY

from mintery.domain.reserve import ReserveObservation
from mintery.domain.voucher import Address
from mintery.ledger.commands import ObserveReserve
from mintery.ledger.store import open_ledger
from mintery.units import AssetUnits, CreditUnits, UnixSeconds

TOKEN, OTHER = Address("0x" + "11" * 20), Address("0x" + "22" * 20)


def seen(block: int, *, token: Address = TOKEN, supply: int = 10**18) -> ReserveObservation:
    return ReserveObservation(token, block, UnixSeconds(block), CreditUnits(supply), AssetUnits(supply), AssetUnits(7))


def test_it_is_read_as_it_was_noted(database: Database) -> None:
    with open_ledger(database.url, IDENTITY) as ledger:
        ledger.commit(
            [ObserveReserve(seen(1)), ObserveReserve(seen(2, supply=2**62)), ObserveReserve(seen(3, token=OTHER))]
        )
        ledger.commit([ObserveReserve(seen(2, supply=1))])

        assert ledger.reserve_history(TOKEN, limit=10) == [seen(1), seen(2, supply=2**62)]
        assert ledger.reserve_history(TOKEN, limit=1) == [seen(2, supply=2**62)]
