"""Lock reserve and mint credits against it."""

from dataclasses import dataclass

from mintery.chain.events import Minted, events_of
from mintery.chain.rpc import TxReceipt
from mintery.chain.sender import Sender
from mintery.domain.voucher import Address
from mintery.units import AssetUnits, CreditUnits
from mintery.usecases.onchain import OnChain


@dataclass(frozen=True, slots=True)
class MintedCredits:
    """``assets`` were locked in the reserve for ``credits``."""

    credits: CreditUnits
    assets: AssetUnits
    tx: TxReceipt


def mint_credits(
    chain: OnChain,
    payer: Sender,
    token: Address,
    credits_: CreditUnits,
    *,
    to: Address,
    max_assets: AssetUnits | None = None,
) -> MintedCredits:
    """The vault takes the credits' par from the payer, rounded up; its approval is raised to exactly that if need be.

    ``max_assets``: the most that the payer accepts; by default what the vault quotes now.

    Raises:
        TransactionReverted: MintNotPublic, MintAboveCap, CostAboveMaximum, ProjectRetired, AssetDepegged,
            Undercollateralised, or the asset's own refusal when the payer has too little of it.
    """
    quoted = chain.vault.preview_mint(token, credits_)
    if chain.asset.allowance(payer.address, chain.vault.address) < quoted:
        chain.asset.approve(payer, chain.vault.address, quoted)
    tx = chain.vault.mint(payer, token, credits_, max_assets=quoted if max_assets is None else max_assets, to=to)
    minted = next(events_of(tx.logs, chain.vault.address, Minted))
    return MintedCredits(minted.credits, minted.assets, tx)
