"""A key of the gateway's that pays for putting what holders signed on chain, and what their own wallets hold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mintery.chain.rpc import BlockRef, Call, TxReceipt
from mintery.chain.sender import Sender
from mintery.crypto.keys import PrivateKey
from mintery.domain.voucher import Address
from mintery.errors import RelayMissing
from mintery.units import CreditUnits, UnixSeconds
from mintery.usecases.onchain import OnChain
from mintery.usecases.relay_bounds import RelayBounds

WAIT_SECONDS = 20
"""For a transaction to be in a block, before its sender is told that it is on its way."""


@dataclass(frozen=True, slots=True)
class Relay:
    """``sender`` None: what holders sign is theirs to send. Without ``bounds`` nothing is sent for them either."""

    chain: OnChain
    sender: Sender | None
    bounds: RelayBounds | None = None

    @classmethod
    def of(cls, chain: OnChain, key: PrivateKey | None, bounds: RelayBounds) -> "Relay":
        return cls(chain, None if key is None else Sender(chain.rpc, key, wait_seconds=WAIT_SECONDS), bounds)

    def carry_out(self, holder: Address, call: Call) -> TxReceipt:
        """Send what ``holder`` signed, at the gateway's cost.

        Raises:
            RelayMissing, TooManyMoves, RelayerSpent
            TransactionReverted, TransactionMissing, RpcUnavailable
        """
        if self.sender is None or self.bounds is None:
            raise RelayMissing
        with self.bounds.turn(holder):
            return self.bounds.send(self.sender, holder, call)

    def in_wallets(self, holder: Address, tokens: Sequence[Address], at: BlockRef) -> Mapping[Address, CreditUnits]:
        """What the holder has of each token outside of every account, in one round trip.

        Raises:
            RpcUnavailable, RpcRefused
        """
        contracts = [self.chain.token(token) for token in tokens]
        answers = self.chain.rpc.call_all([each.call("balanceOf", holder) for each in contracts], at=at)
        decoded = (each.decode("balanceOf", answer) for each, answer in zip(contracts, answers, strict=True))
        return {token: CreditUnits(amount) for token, amount in zip(tokens, decoded, strict=True)}

    def until(self, seconds: int) -> UnixSeconds:
        """So many seconds from now by the chain's time."""
        return UnixSeconds(self.chain.next_time() + seconds)
