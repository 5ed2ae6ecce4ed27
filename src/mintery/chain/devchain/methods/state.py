"""Balances, code, storage, calls and estimates."""

from __future__ import annotations

from typing import Any

from eth.abc import StateAPI

from mintery.chain.devchain.codec import (
    LATEST,
    PENDING,
    BlockRef,
    hex_bytes,
    parse_address,
    parse_block_ref,
    parse_slot,
    quantity,
    word,
)
from mintery.chain.devchain.execution import estimate, output_of, run
from mintery.chain.devchain.registry import Node, method
from mintery.chain.devchain.requests import parse_message


@method("eth_getBalance")
def balance(node: Node, address: Any, block: Any = None) -> str:
    account = parse_address(address)
    return quantity(_state(node, parse_block_ref(block)).get_balance(account))


@method("eth_getTransactionCount")
def transaction_count(node: Node, address: Any, block: Any = None) -> str:
    account = parse_address(address)
    return quantity(_state(node, parse_block_ref(block)).get_nonce(account))


@method("eth_getCode")
def code(node: Node, address: Any, block: Any = None) -> str:
    account = parse_address(address)
    return hex_bytes(_state(node, parse_block_ref(block)).get_code(account))


@method("eth_getStorageAt")
def storage_at(node: Node, address: Any, slot: Any, block: Any = None) -> str:
    account = parse_address(address)
    return hex_bytes(word(_state(node, parse_block_ref(block)).get_storage(account, parse_slot(slot))))


@method("eth_call")
def call(node: Node, request: Any, block: Any = None) -> str:
    message = parse_message(request)
    ref = parse_block_ref(block)
    state = _fresh_state(node, ref)
    return hex_bytes(output_of(run(node.engine.transaction_builder, state, message)))


@method("eth_estimateGas")
def estimate_gas(node: Node, request: Any, block: Any = None) -> str:
    """For the head, this runs in the next block's context: that is where the transaction would be."""
    message = parse_message(request)
    ref = parse_block_ref(block, PENDING)
    if ref == LATEST:
        ref = PENDING
    return quantity(estimate(node.engine.transaction_builder, _fresh_state(node, ref), message))


def _state(node: Node, ref: BlockRef) -> StateAPI:
    """A state to read from. Transactions are mined on arrival, so pending is the head."""
    block = node.engine.blocks.require(ref)
    return node.engine.head_state() if block is node.engine.head else node.engine.state_at(block.header)


def _fresh_state(node: Node, ref: BlockRef) -> StateAPI:
    """A state to execute on, in the named block's context, or in the next block's for ``pending``."""
    if ref.tag == "pending":
        return node.engine.state_at(node.engine.next_header())
    return node.engine.state_at(node.engine.blocks.require(ref).header)
