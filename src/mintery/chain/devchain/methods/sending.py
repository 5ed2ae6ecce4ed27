"""Sending transactions, signed by the caller or by a development account."""

from __future__ import annotations

from typing import Any

from eth_typing import Address

from mintery.chain.devchain.codec import hex_bytes, parse_address, parse_bytes, parse_quantity
from mintery.chain.devchain.execution import estimate
from mintery.chain.devchain.faults import invalid_params, refused
from mintery.chain.devchain.methods.fees import TIP_WEI
from mintery.chain.devchain.registry import Node, method
from mintery.chain.devchain.requests import (
    parse_access_list,
    parse_body,
    parse_message,
    parse_object,
    parse_to,
)


@method("eth_accounts")
def accounts(node: Node) -> list[str]:
    return [hex_bytes(address) for address in node.engine.dev_addresses]


@method("eth_sendRawTransaction")
def send_raw_transaction(node: Node, raw: Any) -> str:
    return hex_bytes(node.pool.submit(node.pool.decode(parse_bytes(raw, "raw transaction"))))


@method("eth_sendTransaction")
def send_transaction(node: Node, request: Any) -> str:
    """Fill in what is missing as a node with keys does, sign and submit. The nonce is taken inside the chain's one
    thread, so callers in several processes never get the same one.
    """
    fields = parse_object(request)
    sender = parse_address(fields.get("from"), "from")
    if sender not in node.engine.dev_addresses:
        raise refused("unknown account")
    if parse_quantity(fields.get("chainId", node.engine.chain_id), "chainId") != node.engine.chain_id:
        raise refused(f"chainId does not match node's (have={fields['chainId']}, want={node.engine.chain_id})")
    unsigned = _unsigned(node, sender, fields)
    return hex_bytes(node.pool.submit(node.engine.sign(sender, unsigned)))


def _unsigned(node: Node, sender: Address, fields: dict[str, Any]) -> Any:
    common: dict[str, Any] = {
        "nonce": parse_quantity(fields["nonce"], "nonce")
        if "nonce" in fields
        else node.engine.head_state().get_nonce(sender),
        "gas": parse_quantity(fields["gas"], "gas") if "gas" in fields else _needed_gas(node, fields),
        "to": parse_to(fields) or b"",
        "value": parse_quantity(fields.get("value", 0), "value"),
        "data": parse_body(fields),
    }
    builder = node.engine.transaction_builder
    if "gasPrice" in fields:
        if "maxFeePerGas" in fields or "maxPriorityFeePerGas" in fields:
            raise invalid_params("both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified")
        common["gas_price"] = parse_quantity(fields["gasPrice"], "gasPrice")
        if "accessList" not in fields:
            return builder.create_unsigned_transaction(**common)
        listed = parse_access_list(fields["accessList"])
        return builder.new_unsigned_access_list_transaction(**common, chain_id=node.engine.chain_id, access_list=listed)
    tip = parse_quantity(fields.get("maxPriorityFeePerGas", TIP_WEI), "maxPriorityFeePerGas")
    ceiling = tip + 2 * node.engine.next_base_fee()
    return builder.new_unsigned_dynamic_fee_transaction(
        **common,
        chain_id=node.engine.chain_id,
        max_priority_fee_per_gas=tip,
        max_fee_per_gas=parse_quantity(fields.get("maxFeePerGas", ceiling), "maxFeePerGas"),
        access_list=parse_access_list(fields.get("accessList", [])),
    )


def _needed_gas(node: Node, fields: dict[str, Any]) -> int:
    state = node.engine.state_at(node.engine.next_header())
    return estimate(node.engine.transaction_builder, state, parse_message(fields))
