"""Pay a project's margin to its fee recipient."""

from dataclasses import dataclass

from mintery.chain.events import MarginWithdrawn, events_of
from mintery.chain.rpc import TxReceipt
from mintery.chain.sender import Sender
from mintery.domain.voucher import Address
from mintery.units import AssetUnits
from mintery.usecases.onchain import OnChain


@dataclass(frozen=True, slots=True)
class PaidMargin:
    """``claim`` was reduced in full; ``assets`` is less only where the vault had lost some."""

    token: Address
    fee_recipient: Address
    claim: AssetUnits
    assets: AssetUnits
    tx: TxReceipt


def withdraw_margin(
    chain: OnChain, fee_recipient: Sender, token: Address, *, min_assets: AssetUnits | None = None
) -> PaidMargin:
    """The fee recipient alone may send it.

    Raises:
        TransactionReverted: NotFeeRecipient, NothingToWithdraw, PayoutBelowMinimum.
    """
    least = chain.vault.project_of(token).margin if min_assets is None else min_assets
    tx = chain.vault.withdraw_margin(fee_recipient, token, min_assets=least)
    paid = next(events_of(tx.logs, chain.vault.address, MarginWithdrawn))
    return PaidMargin(token, paid.fee_recipient, paid.claim, paid.assets, tx)
