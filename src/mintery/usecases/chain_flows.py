"""What the contracts' own events say has flowed since the deployment: summed once, then carried on block by block."""

import json
from collections import defaultdict
from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass, field, fields
from typing import Self

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
from mintery.ledger.commands import FlowSums, KeepFlowSums
from mintery.ledger.reads import Ledger
from mintery.usecases.onchain import OnChain

BLOCKS_AT_ONCE = 500
KEPT_EVERY = 1_000
"""Final blocks: a process that starts reads so many again at most."""
_FORM = 1
"""Of the kept sums. Others are not read, and the chain is."""


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

    def as_text(self) -> str:
        tokens = {
            token: {each.name: getattr(flows, each.name) for each in fields(flows)}
            for token, flows in sorted(self.tokens.items())
        }
        return json.dumps({"form": _FORM, "tokens": tokens, "owed": dict(sorted(self.owed.items()))})

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """None where it is of another form."""
        kept = json.loads(text)
        if kept["form"] != _FORM:
            return None
        flows = cls()
        for token, sums in kept["tokens"].items():
            flows.tokens[token] = TokenFlows(**{**sums, "burned_for": defaultdict(int, sums["burned_for"])})
        flows.owed.update({int(provider): owed for provider, owed in kept["owed"].items()})
        return flows

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

    Final blocks are summed once and forgotten; those above are kept apart, so that a reorganisation takes back its own. The
    ledger keeps the sums of final blocks, and another process begins with them where the chain still has their last block.
    Sums that one process made anew are the beginning of all others' too, with their next call.
    """

    def __init__(self, chain: OnChain) -> None:
        self._chain = chain
        self._anew = False
        self._times_anew = 0
        """Of the kept sums, as far as this process knows."""
        self._drop()

    def forget(self) -> None:
        """The next call sums everything anew, whatever is kept, and keeps that."""
        self._drop()
        self._anew = True

    def _drop(self) -> None:
        self._final = Flows()
        self._last_final: _Read | None = None
        self._recent: list[_Read] = []
        self._kept_at = self._chain.deployment.first_block - 1

    def up_to(self, block: BlockRef, ledger: Ledger) -> Flows:
        """Sums of all blocks up to ``block``, which is none below the last final one.

        Raises:
            BlockReplaced: the chain left a block that was final; the next call sums anew.
        """
        final = min(self._chain.finalized_block().number, block.number)
        self._forget_replaced()
        self._begin(ledger, final)
        self._sum_final(final)
        last = self._recent[-1] if self._recent else self._last_final
        first = self._chain.deployment.first_block if last is None else last.number + 1
        for blocks in read_ranges(self._chain.rpc, self._chain.deployment, first, block.number, at_once=BLOCKS_AT_ONCE):
            self._recent += [_Read(read.number, read.hash, self._of_the_vault(read.events)) for read in blocks]
            self._sum_final(final)
            self._keep(ledger)
        if self._anew:
            self._keep_anew(ledger)
        flows = deepcopy(self._final)
        for recent in self._recent:
            if recent.number <= block.number:
                flows.add_all(recent.events)
        return flows

    def _begin(self, ledger: Ledger, final: int) -> None:
        if self._anew:
            return
        kept = ledger.flow_sums()
        if kept is not None and kept.anew != self._times_anew:
            self._drop()
            self._times_anew = kept.anew
        if self._recent or self._last_final is not None:
            return
        if kept is None or kept.number > final or self._chain.rpc.block(kept.number).hash != kept.hash:
            return
        if (flows := Flows.parse(kept.sums)) is not None:
            self._final, self._last_final = flows, _Read(kept.number, kept.hash, ())
            self._kept_at = kept.number

    def _keep(self, ledger: Ledger) -> None:
        last = self._last_final
        if not self._anew and last is not None and last.number - self._kept_at >= KEPT_EVERY:
            self._write(ledger, last)

    def _keep_anew(self, ledger: Ledger) -> None:
        """However few blocks they are: others go on with the former sums until they see these."""
        if (last := self._last_final) is None:
            return  # nothing is final, so nobody keeps anything
        kept = ledger.flow_sums()
        self._times_anew = 1 + (0 if kept is None else kept.anew)
        self._write(ledger, last)
        self._anew = False

    def _write(self, ledger: Ledger, last: _Read) -> None:
        sums = FlowSums(last.number, last.hash, self._final.as_text(), self._times_anew)
        ledger.commit([KeepFlowSums(sums)])
        self._kept_at = last.number

    def _forget_replaced(self) -> None:
        while self._recent:
            if self._connected(self._recent[-1]) == self._recent[-1].hash:
                return
            self._recent.pop()
        last = self._last_final
        if last is not None and (connected := self._connected(last)) != last.hash:
            self.forget()
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
