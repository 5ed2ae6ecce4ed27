"""The chain as its world turns it: transactions wait, blocks are replaced, fees leap."""

from dataclasses import dataclass, field
from typing import Any

from tests.faults.page import Page

from mintery.chain.devchain.blocks import MinedBlock
from mintery.chain.devchain.faults import RpcFault, refused
from mintery.chain.devchain.registry import Node


@dataclass(slots=True)
class Waiting:
    """A transaction in the pool. Amounts are wei per gas."""

    signed: Any
    hash: bytes
    sender: bytes
    nonce: int
    max_fee: int
    tip: int


@dataclass
class WorldChain:
    """``instant``: a transaction is in a block as it arrives, if its fee allows. ``fee_factor`` times the base fee is
    what blocks take and what is told.
    """

    node: Node
    page: Page
    instant: bool = True
    fee_factor: int = 1
    pool: dict[bytes, Waiting] = field(default_factory=dict)

    @property
    def head(self) -> MinedBlock:
        return self.node.engine.head

    @property
    def base_fee(self) -> int:
        return self.node.engine.next_base_fee() * self.fee_factor

    def nonce_of(self, sender: bytes) -> int:
        return int(self.node.engine.head_state().get_nonce(sender))

    def submit(self, raw: bytes) -> bytes:
        """As a node with a mempool does.

        Raises:
            RpcFault: with geth's words.
        """
        signed: Any = self.node.pool.decode(raw)
        new = Waiting(
            signed,
            bytes(signed.hash),
            bytes(signed.sender),
            signed.nonce,
            signed.max_fee_per_gas,
            signed.max_priority_fee_per_gas,
        )
        if new.hash in self.pool:
            raise refused("already known")
        if new.nonce < (next_nonce := self.nonce_of(new.sender)):
            raise refused(f"nonce too low: next nonce {next_nonce}, tx nonce {new.nonce}")
        rival = self._at_nonce(new.sender, new.nonce)
        if rival is not None:
            if new.max_fee * 10 < rival.max_fee * 11 or new.tip * 10 < rival.tip * 11:
                raise refused("replacement transaction underpriced")
            del self.pool[rival.hash]
        self.pool[new.hash] = new
        if self.instant:
            self.mine_waiting()
        return new.hash

    def mine_waiting(self) -> int:
        """Everything whose turn it is and whose fee suffices; how many."""
        mined = 0
        while (ready := self._next_ready()) is not None:
            del self.pool[ready.hash]
            self._mine(ready.signed)
            mined += 1
        return mined

    def mine_empty(self, count: int = 1) -> None:
        for _ in range(count):
            self.node.engine.mine()

    def pending_nonce(self, sender: bytes) -> int:
        nonce = self.nonce_of(sender)
        while self._at_nonce(sender, nonce) is not None:
            nonce += 1
        return nonce

    def reorganise(self, depth: int, fate: str) -> int:
        """Replace the last ``depth`` blocks by ``depth + 1`` others; how many transactions were in them.

        ``fate`` of those: ``kept`` (mined again, later than a new block), ``waiting`` (back in the pool), ``lost``.
        """
        engine = self.node.engine
        fork = max(0, self.head.number - depth)
        replaced = [
            block.transaction for block in engine.blocks.between(fork + 1, self.head.number) if block.transaction
        ]
        engine.revert(_snapshot_at(engine, fork))
        self.node.pool.clear()
        self.page.skip(1)
        self.mine_empty()
        for one in replaced:
            if fate == "kept":
                self._mine(one.signed)
            elif fate == "waiting":
                signed: Any = one.signed
                self.pool[one.hash] = Waiting(
                    signed,
                    one.hash,
                    bytes(one.sender),
                    signed.nonce,
                    signed.max_fee_per_gas,
                    signed.max_priority_fee_per_gas,
                )
        while self.head.number <= fork + depth:
            self.mine_empty()
        self._drop_stale()
        return len(replaced)

    def _next_ready(self) -> Waiting | None:
        self._drop_stale()
        base_fee = self.base_fee
        ready = [
            one for one in self.pool.values() if one.nonce == self.nonce_of(one.sender) and one.max_fee >= base_fee
        ]
        return max(ready, key=lambda one: one.tip, default=None)

    def _drop_stale(self) -> None:
        """What another transaction of its nonce has overtaken."""
        for one in [*self.pool.values()]:
            if one.nonce < self.nonce_of(one.sender):
                del self.pool[one.hash]

    def _mine(self, signed: Any) -> None:
        """Past the node's own pool, which would refuse what a replaced chain makes impossible."""
        try:
            self.node.pool.submit(signed)
        except RpcFault:
            return

    def _at_nonce(self, sender: bytes, nonce: int) -> Waiting | None:
        return next((one for one in self.pool.values() if (one.sender, one.nonce) == (sender, nonce)), None)


def _snapshot_at(engine: Any, number: int) -> int:
    """A snapshot as if it had been taken when ``number`` was the head."""
    taken: int = engine.snapshot()
    engine._snapshots[taken] = type(engine._snapshots[taken])(number, engine.clock.offset)
    return taken
