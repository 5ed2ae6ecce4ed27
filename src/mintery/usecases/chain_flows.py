"""What the contracts' own events say has flowed since the deployment: summed once, then carried on block by block."""

from collections import defaultdict
from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import chain

from mintery.chain.blocks import ChainEvent, read_ranges
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

    def add_all(self, events: Iterable[Event]) -> None:
        for event in events:
            self.add(event)

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
class _Read:
    """A block that was read, with the vault's events in it."""

    number: int
    hash: str
    events: tuple[Event, ...]


class FlowLedger:
    """Sums up to a block, carried on from where the last call stopped.

    Final blocks are summed once and forgotten; those above are kept apart, so that a reorganisation takes back its own.
    """

    def __init__(self, chain: OnChain) -> None:
        self._chain = chain
        self._final = Flows()
        self._last_final: _Read | None = None
        self._recent: list[_Read] = []

    def up_to(self, block: BlockRef) -> Flows:
        """Sums of all blocks up to ``block``, which is none below the last final one.

        Raises:
            BlockReplaced: the chain left a block that was final; the next call sums anew.
        """
        self._forget_replaced()
        last = self._recent[-1] if self._recent else self._last_final
        first = self._chain.deployment.first_block if last is None else last.number + 1
        ranges = read_ranges(self._chain.rpc, self._chain.deployment, first, block.number, at_once=BLOCKS_AT_ONCE)
        for read in chain.from_iterable(ranges):
            self._recent.append(_Read(read.number, read.hash, self._of_the_vault(read.events)))
        self._sum_final(min(self._chain.finalized_block().number, block.number))
        flows = deepcopy(self._final)
        for recent in self._recent:
            if recent.number <= block.number:
                flows.add_all(recent.events)
        return flows

    def _forget_replaced(self) -> None:
        while self._recent:
            if self._connected(self._recent[-1]) == self._recent[-1].hash:
                return
            self._recent.pop()
        last = self._last_final
        if last is not None and (connected := self._connected(last)) != last.hash:
            self._final, self._last_final = Flows(), None
            raise BlockReplaced(last.number, recorded=last.hash, connected=connected)

    def _connected(self, read: _Read) -> str:
        """The hash that the chain has at that number."""
        if read.number > self._chain.rpc.block().number:
            return "no block yet"
        return self._chain.rpc.block(read.number).hash

    def _sum_final(self, number: int) -> None:
        final = [read for read in self._recent if read.number <= number]
        for read in final:
            self._final.add_all(read.events)
            self._last_final = read
        del self._recent[: len(final)]

    def _of_the_vault(self, events: Iterable[ChainEvent]) -> tuple[Event, ...]:
        return tuple(seen.event for seen in events if seen.contract == self._chain.vault.address)
