"""How blocks, transactions, receipts and logs look in JSON-RPC (Ethereum execution API specification)."""

from __future__ import annotations

from typing import Any

import rlp

from mintery.chain.devchain.blocks import MinedBlock, MinedTransaction
from mintery.chain.devchain.codec import hex_bytes, quantity
from mintery.chain.devchain.logs import LogEntry

DYNAMIC_FEE_TYPE = 2
BLOOM_BYTES = 256


def block_view(block: MinedBlock, *, full: bool) -> dict[str, Any]:
    transactions: list[Any] = []
    if block.transaction is not None:
        transactions = [mined_view(block, block.transaction) if full else hex_bytes(block.transaction.hash)]
    view = header_view(block.header)
    view |= {"hash": hex_bytes(block.hash), "nonce": hex_bytes(block.header.nonce)}
    view |= {"size": quantity(len(rlp.encode(block.body))), "transactions": transactions}
    return view


def pending_view(header: Any) -> dict[str, Any]:
    """The block that would be made next: no hash yet, and no transactions, as each is mined on arrival."""
    view = header_view(header)
    view |= {"hash": None, "nonce": None, "logsBloom": None, "miner": None}
    view |= {"size": quantity(len(rlp.encode(header))), "transactions": []}
    return view


def header_view(header: Any) -> dict[str, Any]:
    return {
        "number": quantity(header.block_number),
        "parentHash": hex_bytes(header.parent_hash),
        "sha3Uncles": hex_bytes(header.uncles_hash),
        "miner": hex_bytes(header.coinbase),
        "stateRoot": hex_bytes(header.state_root),
        "transactionsRoot": hex_bytes(header.transaction_root),
        "receiptsRoot": hex_bytes(header.receipt_root),
        "logsBloom": _bloom(header.bloom),
        "difficulty": quantity(header.difficulty),
        "totalDifficulty": quantity(header.difficulty),
        "gasLimit": quantity(header.gas_limit),
        "gasUsed": quantity(header.gas_used),
        "timestamp": quantity(header.timestamp),
        "extraData": hex_bytes(header.extra_data),
        "mixHash": hex_bytes(header.mix_hash),
        "baseFeePerGas": quantity(header.base_fee_per_gas),
        "withdrawalsRoot": hex_bytes(header.withdrawals_root),
        "blobGasUsed": quantity(header.blob_gas_used),
        "excessBlobGas": quantity(header.excess_blob_gas),
        "parentBeaconBlockRoot": hex_bytes(header.parent_beacon_block_root),
        "uncles": [],
        "withdrawals": [],
    }


def mined_view(block: MinedBlock, transaction: MinedTransaction) -> dict[str, Any]:
    return transaction_view(transaction.signed, transaction.sender) | {
        "blockHash": hex_bytes(block.hash),
        "blockNumber": quantity(block.number),
        "blockTimestamp": quantity(block.timestamp),
        "transactionIndex": "0x0",
        "gasPrice": quantity(transaction.gas_price),
    }


def transaction_view(signed: Any, sender: bytes) -> dict[str, Any]:
    """A signed transaction that is in no block yet."""
    kind = signed.type_id or 0
    view: dict[str, Any] = {
        "blockHash": None,
        "blockNumber": None,
        "transactionIndex": None,
        "hash": hex_bytes(signed.hash),
        "type": quantity(kind),
        "nonce": quantity(signed.nonce),
        "from": hex_bytes(sender),
        "to": hex_bytes(signed.to) if signed.to else None,
        "value": quantity(signed.value),
        "gas": quantity(signed.gas),
        "gasPrice": quantity(signed.max_fee_per_gas),
        "input": hex_bytes(signed.data),
        "r": quantity(signed.r),
        "s": quantity(signed.s),
    }
    if kind == 0:
        return view | {"v": quantity(signed.v)} | _legacy_chain_id(signed)
    if kind == DYNAMIC_FEE_TYPE:
        view["maxFeePerGas"] = quantity(signed.max_fee_per_gas)
        view["maxPriorityFeePerGas"] = quantity(signed.max_priority_fee_per_gas)
    return view | {
        "chainId": quantity(signed.chain_id),
        "accessList": [
            {"address": hex_bytes(address), "storageKeys": [hex_bytes(slot.to_bytes(32, "big")) for slot in slots]}
            for address, slots in signed.access_list
        ],
        "v": quantity(signed.y_parity),
        "yParity": quantity(signed.y_parity),
    }


def receipt_view(block: MinedBlock, transaction: MinedTransaction, logs: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "blockHash": hex_bytes(block.hash),
        "blockNumber": quantity(block.number),
        "transactionHash": hex_bytes(transaction.hash),
        "transactionIndex": "0x0",
        "type": quantity(transaction.type),
        "from": hex_bytes(transaction.sender),
        "to": None if transaction.to is None else hex_bytes(transaction.to),
        "contractAddress": None if transaction.created is None else hex_bytes(transaction.created),
        "status": quantity(int.from_bytes(transaction.receipt.state_root, "big")),
        "gasUsed": quantity(transaction.gas_used),
        "cumulativeGasUsed": quantity(transaction.gas_used),
        "effectiveGasPrice": quantity(transaction.gas_price),
        "logs": logs,
        "logsBloom": _bloom(transaction.receipt.bloom),
    }


def log_view(entry: LogEntry) -> dict[str, Any]:
    return {
        "address": hex_bytes(entry.address),
        "topics": [hex_bytes(topic) for topic in entry.topics],
        "data": hex_bytes(entry.body),
        "blockNumber": quantity(entry.block_number),
        "blockHash": hex_bytes(entry.block_hash),
        "blockTimestamp": quantity(entry.block_time),
        "transactionHash": hex_bytes(entry.transaction_hash),
        "transactionIndex": "0x0",
        "logIndex": quantity(entry.index),
        "removed": False,
    }


def _bloom(bits: int) -> str:
    return hex_bytes(bits.to_bytes(BLOOM_BYTES, "big"))


def _legacy_chain_id(signed: Any) -> dict[str, Any]:
    """EIP-155 folds the chain id into ``v``; older signatures name no chain."""
    return {} if signed.chain_id is None else {"chainId": quantity(signed.chain_id)}
