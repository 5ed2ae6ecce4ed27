"""Credits back into the asset."""

from dataclasses import dataclass

from mintery.chain.events import Redeemed, events_of
from mintery.chain.rpc import TxReceipt
from mintery.chain.sender import Sender
from mintery.domain.voucher import Address
from mintery.units import AssetUnits, CreditUnits
from mintery.usecases.onchain import OnChain


@dataclass(frozen=True, slots=True)
class RedeemedCredits:
    credits: CreditUnits
    assets: AssetUnits
    tx: TxReceipt


def redeem_credits(
    chain: OnChain,
    holder: Sender,
    token: Address,
    credits_: CreditUnits,
    *,
    receiver: Address | None = None,
    min_assets: AssetUnits | None = None,
) -> RedeemedCredits:
    """Burn the holder's credits and pay their par, rounded down, to ``receiver`` (by default the holder).

    ``min_assets``: the least that the holder accepts; by default what the vault quotes now.

    Raises:
        TransactionReverted: PayoutBelowMinimum, ZeroCredits, ERC20InsufficientBalance.
    """
    least = chain.vault.preview_redeem(token, credits_) if min_assets is None else min_assets
    tx = chain.vault.redeem(holder, token, credits_, min_assets=least, receiver=receiver or holder.address)
    redeemed = next(events_of(tx.logs, chain.vault.address, Redeemed))
    return RedeemedCredits(redeemed.credits, redeemed.assets, tx)
