"""What callers send: the fields of a transaction object and of a log query."""

from __future__ import annotations

from typing import Any

from eth_typing import Address

from mintery.chain.devchain.accounts import BLOCK_GAS_LIMIT
from mintery.chain.devchain.blocks import BlockIndex
from mintery.chain.devchain.codec import (
    BlockRef,
    parse_address,
    parse_block_ref,
    parse_bytes,
    parse_hash,
    parse_quantity,
)
from mintery.chain.devchain.execution import Message
from mintery.chain.devchain.faults import invalid_params, refused
from mintery.chain.devchain.logs import LogQuery

ZERO_ADDRESS = Address(bytes(20))
MAX_TOPICS = 4
AccessList = tuple[tuple[bytes, tuple[int, ...]], ...]


def parse_object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise invalid_params(f"expected an object, got {type(value).__name__}")
    return {name: field for name, field in value.items() if field is not None}


def parse_list(value: Any, name: str) -> list[Any]:
    if not isinstance(value, list):
        raise invalid_params(f"invalid {name}: expected a list")
    return value


def parse_message(value: Any) -> Message:
    """A call object. Fees and nonce are ignored, as a call pays nothing; without ``from`` the zero address calls."""
    fields = parse_object(value)
    return Message(
        sender=parse_address(fields["from"], "from") if "from" in fields else ZERO_ADDRESS,
        to=parse_to(fields),
        value=parse_quantity(fields.get("value", 0), "value"),
        body=parse_body(fields),
        gas=min(parse_quantity(fields.get("gas", BLOCK_GAS_LIMIT), "gas"), BLOCK_GAS_LIMIT),
        access_list=parse_access_list(fields.get("accessList", [])),
    )


def parse_to(fields: dict[str, Any]) -> Address | None:
    """The recipient; missing, null or empty creates a contract."""
    return parse_address(fields["to"], "to") if fields.get("to", "0x") != "0x" else None


def parse_body(fields: dict[str, Any]) -> bytes:
    """The calldata under its new name ``input`` or its old name ``data``; both must agree."""
    bodies = {parse_bytes(fields[name], name) for name in ("input", "data") if name in fields}
    if len(bodies) > 1:
        raise invalid_params('both "data" and "input" are set and not equal. Please use "input"')
    return bodies.pop() if bodies else b""


def parse_access_list(value: Any) -> AccessList:
    entries = [parse_object(entry) for entry in parse_list(value, "accessList")]
    return tuple(
        (
            parse_address(entry.get("address"), "accessList address"),
            tuple(
                int.from_bytes(parse_hash(key, "storage key"), "big")
                for key in parse_list(entry.get("storageKeys", []), "storageKeys")
            ),
        )
        for entry in entries
    )


def parse_log_query(value: Any, blocks: BlockIndex) -> LogQuery:
    """A filter object: a block hash, or a range that defaults to the head alone.

    Raises:
        RpcFault: malformed, an unknown block hash, or a range that runs backwards.
    """
    fields = parse_object(value)
    head = blocks.head.number
    if "blockHash" in fields:
        if "fromBlock" in fields or "toBlock" in fields:
            raise invalid_params("cannot specify both BlockHash and FromBlock/ToBlock, choose one or the other")
        block = blocks.with_hash(parse_hash(fields["blockHash"], "blockHash"))
        if block is None:
            raise refused("unknown block")
        first = last = block.number
    else:
        first = _bound(parse_block_ref(fields.get("fromBlock")), head)
        last = _bound(parse_block_ref(fields.get("toBlock")), head)
        if first > last and "fromBlock" in fields and "toBlock" in fields:
            raise invalid_params("invalid block range params")
    return LogQuery(first, last, _addresses(fields.get("address", [])), _topics(fields.get("topics", [])))


def _bound(ref: BlockRef, head: int) -> int:
    if ref.hash is not None:
        raise invalid_params("fromBlock and toBlock are numbers or tags")
    if ref.number is not None:
        return ref.number
    return 0 if ref.tag == "earliest" else head


def _addresses(value: Any) -> frozenset[bytes]:
    return frozenset(parse_address(address) for address in (value if isinstance(value, list) else [value]))


def _topics(value: Any) -> tuple[frozenset[bytes], ...]:
    if not isinstance(value, list) or len(value) > MAX_TOPICS:
        raise invalid_params(f"invalid topics: expected a list of at most {MAX_TOPICS}")
    return tuple(_alternatives(position) for position in value)


def _alternatives(position: Any) -> frozenset[bytes]:
    """One topic, a list of acceptable ones, or null for any; a null among the alternatives also means any."""
    if position is None:
        return frozenset()
    wanted = position if isinstance(position, list) else [position]
    return frozenset() if None in wanted else frozenset(parse_hash(topic, "topic") for topic in wanted)
