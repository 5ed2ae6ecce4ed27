"""What the contracts' own events say has flowed since the deployment: summed once, then carried on block by block."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from mintery.chain.blocks import ChainEvent, read_blocks
from mintery.chain.events import (
    Event,
    MarginWithdrawn,
    Minted,
    ProviderCredited,
    ProviderWithdrawn,
    Redeemed,
    Settled,
)
from mintery.chain.rpc import BlockRef
from mintery.domain.voucher import Address
from mintery.errors import BlockReplaced
from mintery.usecases.onchain import OnChain

BLOCKS_AT_ONCE = 500


@dataclass(slots=True)
class TokenFlows:
    """One project's sums since its opening. Credits in base units, assets in base units.

    ``burned_for``: credits burned by settlement, for each gateway; ``backing`` of them, ``paid`` to providers and left as
    ``margin``. ``credited`` is what the providers' own events add up to.
    """

    minted: int = 0
    redeemed: int = 0
    burned_for: defaultdict[Address, int] = field(default_factory=lambda: defaultdict(int))
    backing: int = 0
    paid: int = 0
    margin: int = 0
    credited: int = 0
    margin_withdrawn: int = 0

    @property
    def burned(self) -> int:
        return sum(self.burned_for.values())


@dataclass(slots=True)
class Flows:
    """``owed``: what each provider was credited less what it withdrew, asset base units."""

    tokens: defaultdict[Address, TokenFlows] = field(default_factory=lambda: defaultdict(TokenFlows))
    owed: defaultdict[int, int] = field(default_factory=lambda: defaultdict(int))

    def add(self, event: Event) -> None:
        match event:
            case Minted(token=token, credits=credits_):
                self.tokens[token].minted += credits_
            case Redeemed(token=token, credits=credits_):
                self.tokens[token].redeemed += credits_
            case Settled(token, gateway, _, burned, backing, paid, margin):
                flows = self.tokens[token]
                flows.burned_for[gateway] += burned
                flows.backing += backing
                flows.paid += paid
                flows.margin += margin
            case ProviderCredited(provider=provider, token=token, assets=assets):
                self.tokens[token].credited += assets
                self.owed[provider] += assets
            case ProviderWithdrawn(provider=provider, claim=claim):
                self.owed[provider] -= claim
            case MarginWithdrawn(token=token, claim=claim):
                self.tokens[token].margin_withdrawn += claim
            case _:
                return


@dataclass(frozen=True, slots=True)
class _Summed:
    """The newest block whose events are in the sums."""

    number: int
    hash: str


class FlowLedger:
    """Sums up to a block, carried on from where the last call stopped."""

    def __init__(self, chain: OnChain) -> None:
        self._chain = chain
        self._flows = Flows()
        self._last: _Summed | None = None

    def up_to(self, block: BlockRef) -> Flows:
        """Sums of all blocks up to ``block``, which is not before that of the last call.

        Raises:
            BlockReplaced: the chain left a block that was summed already; the next call sums anew.
        """
        first = self._chain.deployment.first_block
        if self._last is not None:
            connected = self._chain.rpc.block(self._last.number)
            if connected.hash != self._last.hash:
                replaced = BlockReplaced(self._last.number, recorded=self._last.hash, connected=connected.hash)
                self._flows, self._last = Flows(), None
                raise replaced
            first = self._last.number + 1
        for low in range(first, block.number + 1, BLOCKS_AT_ONCE):
            high = min(low + BLOCKS_AT_ONCE - 1, block.number)
            for read in read_blocks(self._chain.rpc, self._chain.deployment, low, high):
                self._add(read.events)
                # At once, as the rpc may fail before the rest is read: nothing is summed twice.
                self._last = _Summed(read.number, read.hash)
        return self._flows

    def _add(self, events: Iterable[ChainEvent]) -> None:
        for seen in events:
            if seen.contract == self._chain.vault.address:
                self._flows.add(seen.event)
