"""Send credits to another wallet."""

from mintery.chain.rpc import TxReceipt
from mintery.chain.sender import Sender
from mintery.domain.voucher import Address
from mintery.units import CreditUnits
from mintery.usecases.onchain import OnChain


def transfer_credits(chain: OnChain, holder: Sender, token: Address, to: Address, credits_: CreditUnits) -> TxReceipt:
    """Raises TransactionReverted: ERC20InsufficientBalance, TransferNotAllowed where the project keeps a list."""
    return chain.token(token).transfer(holder, to, credits_)
