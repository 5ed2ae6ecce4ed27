"""The chain's own record of its blocks: every look-up is a dictionary or a list access, whatever the history."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from eth.abc import BlockAPI, ReceiptAPI, SignedTransactionAPI
from eth_typing import Address

from mintery.chain.devchain.codec import BlockRef
from mintery.chain.devchain.faults import refused


@dataclass(frozen=True, slots=True)
class MinedTransaction:
    """A transaction and what became of it. ``to`` is None for a contract creation; fees are in wei per gas."""

    signed: SignedTransactionAPI
    receipt: ReceiptAPI
    hash: bytes
    type: int
    sender: Address
    to: bytes | None
    created: bytes | None
    gas_used: int
    gas_price: int


@dataclass(frozen=True, slots=True)
class MinedBlock:
    """One block. The chain mines each transaction at once, so it holds one transaction, or none."""

    number: int
    hash: bytes
    header: Any
    body: BlockAPI
    transaction: MinedTransaction | None

    @property
    def timestamp(self) -> int:
        return int(self.header.timestamp)

    @property
    def base_fee(self) -> int:
        return int(self.header.base_fee_per_gas)


class BlockIndex:
    """Blocks by number, by hash and by their transaction's hash. Holds the canonical chain only."""

    def __init__(self, genesis: MinedBlock) -> None:
        self._blocks = [genesis]
        self._by_hash = {genesis.hash: genesis}
        self._by_transaction: dict[bytes, MinedBlock] = {}

    @property
    def genesis(self) -> MinedBlock:
        return self._blocks[0]

    @property
    def head(self) -> MinedBlock:
        return self._blocks[-1]

    def append(self, block: MinedBlock) -> None:
        self._blocks.append(block)
        self._by_hash[block.hash] = block
        if block.transaction is not None:
            self._by_transaction[block.transaction.hash] = block

    def truncate(self, head_number: int) -> None:
        """Forget every block after ``head_number``."""
        while self.head.number > head_number:
            block = self._blocks.pop()
            del self._by_hash[block.hash]
            if block.transaction is not None:
                del self._by_transaction[block.transaction.hash]

    def at(self, number: int) -> MinedBlock | None:
        return self._blocks[number] if number < len(self._blocks) else None

    def with_hash(self, block_hash: bytes) -> MinedBlock | None:
        return self._by_hash.get(block_hash)

    def with_transaction(self, transaction_hash: bytes) -> MinedBlock | None:
        return self._by_transaction.get(transaction_hash)

    def between(self, first: int, last: int) -> Iterator[MinedBlock]:
        return iter(self._blocks[first : last + 1])

    def find(self, ref: BlockRef) -> MinedBlock | None:
        """The mined block a request names. Every block is final as soon as it is made: nothing competes with it."""
        if ref.hash is not None:
            return self.with_hash(ref.hash)
        if ref.number is not None:
            return self.at(ref.number)
        return self.genesis if ref.tag == "earliest" else self.head

    def require(self, ref: BlockRef) -> MinedBlock:
        """Like ``find``; an unknown block is geth's ``header not found``."""
        block = self.find(ref)
        if block is None:
            raise refused("header not found" if ref.hash is None else "header for hash not found")
        return block


def created_address(signed: Any, computation: Any) -> bytes | None:
    """Where a creation put its contract; None for a plain call."""
    return None if signed.to else bytes(computation.msg.storage_address)
