"""Gas prices, in wei per gas."""

from __future__ import annotations

from typing import Any

from mintery.chain.devchain.blocks import MinedBlock
from mintery.chain.devchain.codec import parse_block_ref, parse_quantity, quantity
from mintery.chain.devchain.faults import invalid_params
from mintery.chain.devchain.registry import Node, method

TIP_WEI = 10**9
MAX_HISTORY = 1024


@method("eth_maxPriorityFeePerGas")
def max_priority_fee(_node: Node) -> str:
    return quantity(TIP_WEI)


@method("eth_gasPrice")
def gas_price(node: Node) -> str:
    return quantity(node.engine.next_base_fee() + TIP_WEI)


@method("eth_feeHistory")
def fee_history(node: Node, count: Any, newest: Any, percentiles: Any = None) -> dict[str, Any]:
    """Base fees have one entry more than blocks: the last is the next block's."""
    wanted = parse_quantity(count, "blockCount")
    last = node.engine.blocks.require(parse_block_ref(newest)).number
    first = max(0, last - min(wanted, MAX_HISTORY) + 1)
    blocks = list(node.engine.blocks.between(first, last))
    following = node.engine.blocks.at(last + 1)
    next_fee = node.engine.next_base_fee() if following is None else following.base_fee
    history: dict[str, Any] = {
        "oldestBlock": quantity(first),
        "baseFeePerGas": [quantity(fee) for fee in (*(block.base_fee for block in blocks), next_fee)],
        "gasUsedRatio": [block.header.gas_used / block.header.gas_limit for block in blocks],
        "blobGasUsedRatio": [0 for _ in blocks],
        "baseFeePerBlobGas": ["0x1" for _ in range(len(blocks) + 1)],
    }
    if percentiles:
        if not isinstance(percentiles, list):
            raise invalid_params("invalid rewardPercentiles: expected a list")
        history["reward"] = [[_tip(block)] * len(percentiles) for block in blocks]
    return history


def _tip(block: MinedBlock) -> str:
    """A block holds one transaction at most, so every percentile is its tip."""
    return quantity(0 if block.transaction is None else block.transaction.gas_price - block.base_fee)
