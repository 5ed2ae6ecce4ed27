"""What only a development chain can do: move time, make empty blocks, go back."""

from __future__ import annotations

from typing import Any

from mintery.chain.devchain.codec import parse_quantity, quantity
from mintery.chain.devchain.registry import Node, method


@method("evm_increaseTime")
def increase_time(node: Node, seconds: Any) -> int:
    """Returns the seconds the chain is now ahead of the wall clock."""
    return node.engine.clock.advance(parse_quantity(seconds, "seconds"))


@method("evm_setNextBlockTimestamp")
def set_next_block_timestamp(node: Node, timestamp: Any) -> None:
    node.engine.clock.set_next(parse_quantity(timestamp, "timestamp"), node.engine.head.timestamp)


@method("evm_mine")
def mine(node: Node, timestamp: Any = None) -> str:
    """One empty block, at ``timestamp`` if given."""
    if timestamp is not None:
        set_next_block_timestamp(node, timestamp)
    node.engine.mine()
    return "0x0"


@method("evm_snapshot")
def snapshot(node: Node) -> str:
    return quantity(node.engine.snapshot())


@method("evm_revert")
def revert(node: Node, snapshot_id: Any) -> bool:
    """Also drops transactions that wait for a nonce."""
    reverted = node.engine.revert(parse_quantity(snapshot_id, "snapshot id"))
    if reverted:
        node.pool.clear()
        node.filters.rewind()
    return reverted
