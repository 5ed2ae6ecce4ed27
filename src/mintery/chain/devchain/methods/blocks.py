"""Identity of the chain, blocks, transactions, receipts."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from mintery.chain.devchain.blocks import MinedBlock
from mintery.chain.devchain.codec import BlockRef, parse_block_ref, parse_hash, parse_quantity, quantity
from mintery.chain.devchain.registry import Node, method
from mintery.chain.devchain.views import (
    block_view,
    log_view,
    mined_view,
    pending_view,
    receipt_view,
    transaction_view,
)


@method("eth_chainId")
def chain_id(node: Node) -> str:
    return quantity(node.engine.chain_id)


@method("net_version")
def net_version(node: Node) -> str:
    return str(node.engine.chain_id)


@method("net_listening")
def net_listening(_node: Node) -> bool:
    return True


@method("web3_clientVersion")
def client_version(_node: Node) -> str:
    names = ("mintery", "eth-tester", "py-evm")
    return "/".join(["devchain", *(f"{name}-v{version(name)}" for name in names)])


@method("eth_syncing")
def syncing(_node: Node) -> bool:
    return False


@method("eth_blockNumber")
def block_number(node: Node) -> str:
    return quantity(node.engine.head.number)


@method("eth_getBlockByNumber")
def block_by_number(node: Node, number: Any, full: bool = False) -> dict[str, Any] | None:  # noqa: FBT001, FBT002 - positional on the wire
    ref = parse_block_ref(number)
    if ref.tag == "pending":
        return pending_view(node.engine.next_header())
    block = node.engine.blocks.find(ref)
    return None if block is None else block_view(block, full=full)


@method("eth_getBlockByHash")
def block_by_hash(node: Node, block_hash: Any, full: bool = False) -> dict[str, Any] | None:  # noqa: FBT001, FBT002 - positional on the wire
    block = node.engine.blocks.with_hash(parse_hash(block_hash, "block hash"))
    return None if block is None else block_view(block, full=full)


@method("eth_getBlockTransactionCountByNumber")
def transaction_count_by_number(node: Node, number: Any) -> str | None:
    ref = parse_block_ref(number)
    return "0x0" if ref.tag == "pending" else _count(node.engine.blocks.find(ref))


@method("eth_getBlockTransactionCountByHash")
def transaction_count_by_hash(node: Node, block_hash: Any) -> str | None:
    return _count(node.engine.blocks.with_hash(parse_hash(block_hash, "block hash")))


@method("eth_getUncleCountByBlockNumber")
def uncle_count_by_number(node: Node, number: Any) -> str | None:
    return None if node.engine.blocks.find(parse_block_ref(number)) is None else "0x0"


@method("eth_getTransactionByHash")
def transaction_by_hash(node: Node, transaction_hash: Any) -> dict[str, Any] | None:
    wanted = parse_hash(transaction_hash, "transaction hash")
    block = node.engine.blocks.with_transaction(wanted)
    if block is not None and block.transaction is not None:
        return mined_view(block, block.transaction)
    queued = node.pool.find(wanted)
    return None if queued is None else transaction_view(*queued)


@method("eth_getTransactionByBlockNumberAndIndex")
def transaction_by_number_and_index(node: Node, number: Any, index: Any) -> dict[str, Any] | None:
    ref = parse_block_ref(number)
    return None if ref.tag == "pending" else _transaction_at(node.engine.blocks.find(ref), index)


@method("eth_getTransactionByBlockHashAndIndex")
def transaction_by_hash_and_index(node: Node, block_hash: Any, index: Any) -> dict[str, Any] | None:
    return _transaction_at(node.engine.blocks.with_hash(parse_hash(block_hash, "block hash")), index)


@method("eth_getTransactionReceipt")
def transaction_receipt(node: Node, transaction_hash: Any) -> dict[str, Any] | None:
    block = node.engine.blocks.with_transaction(parse_hash(transaction_hash, "transaction hash"))
    return None if block is None else _receipts(node, block)[0]


@method("eth_getBlockReceipts")
def block_receipts(node: Node, block: Any) -> list[dict[str, Any]] | None:
    ref: BlockRef = parse_block_ref(block)
    found = node.engine.blocks.find(ref)
    return None if found is None else _receipts(node, found)


def _receipts(node: Node, block: MinedBlock) -> list[dict[str, Any]]:
    if block.transaction is None:
        return []
    logs = [log_view(entry) for entry in node.engine.logs.of_block(block.number)]
    return [receipt_view(block, block.transaction, logs)]


def _count(block: MinedBlock | None) -> str | None:
    if block is None:
        return None
    return "0x0" if block.transaction is None else "0x1"


def _transaction_at(block: MinedBlock | None, index: Any) -> dict[str, Any] | None:
    if block is None or block.transaction is None or parse_quantity(index, "index") != 0:
        return None
    return mined_view(block, block.transaction)
