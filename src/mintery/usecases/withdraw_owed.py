"""Pay a provider what the vault owes it."""

from dataclasses import dataclass

from mintery.chain.events import ProviderWithdrawn, events_of
from mintery.chain.rpc import TxReceipt
from mintery.chain.sender import Sender
from mintery.domain.voucher import Address
from mintery.units import AssetUnits
from mintery.usecases.onchain import OnChain


@dataclass(frozen=True, slots=True)
class PaidProvider:
    """``claim`` was reduced in full; ``assets`` is less only where the vault had lost some."""

    provider: int
    payout: Address
    claim: AssetUnits
    assets: AssetUnits
    tx: TxReceipt


def withdraw_owed(
    chain: OnChain, sender: Sender, provider: int, *, min_assets: AssetUnits | None = None
) -> PaidProvider:
    """Anyone may send it; it pays the payout address. Only the payee itself may accept less than the claim.

    Raises:
        TransactionReverted: NothingToWithdraw, PayoutBelowMinimum, UnknownProvider.
    """
    least = chain.vault.owed_to(provider) if min_assets is None else min_assets
    tx = chain.vault.withdraw_owed(sender, provider, min_assets=least)
    paid = next(events_of(tx.logs, chain.vault.address, ProviderWithdrawn))
    return PaidProvider(provider, paid.payout, paid.claim, paid.assets, tx)
