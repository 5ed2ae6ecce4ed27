"""JSON-RPC hex in both directions: quantities without leading zeros, byte strings of even length."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from eth_typing import Address

from mintery.chain.devchain.faults import invalid_params

_QUANTITY = re.compile(r"0x(0|[1-9a-fA-F][0-9a-fA-F]*)\Z")
_HEX = re.compile(r"0x(?:[0-9a-fA-F]{2})*\Z")
_LOOSE_HEX = re.compile(r"0[xX][0-9a-fA-F]{1,64}\Z")
UINT256_MAX = 2**256 - 1
TAGS = frozenset({"latest", "pending", "safe", "finalized", "earliest"})


def quantity(number: int) -> str:
    """``0x41`` for 65, ``0x0`` for 0: as the Ethereum JSON-RPC specification wants it."""
    return hex(number)


def hex_bytes(raw: bytes) -> str:
    return "0x" + raw.hex()


def word(number: int) -> bytes:
    """The 32-byte big-endian word of a number."""
    return number.to_bytes(32, "big")


def parse_quantity(value: Any, name: str = "quantity") -> int:
    """A JSON-RPC quantity below 2^256; plain JSON integers pass too, as test tools send them."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= UINT256_MAX:
        return value
    if not isinstance(value, str) or not _QUANTITY.match(value):
        raise invalid_params(f"invalid {name}: {value!r} is not a hex quantity without leading zeros")
    number = int(value, 16)
    if number > UINT256_MAX:
        raise invalid_params(f"invalid {name}: {value} does not fit in 256 bits")
    return number


def parse_bytes(value: Any, name: str, length: int | None = None) -> bytes:
    """A byte string, of exactly ``length`` bytes where one is given."""
    if not isinstance(value, str) or not _HEX.match(value):
        raise invalid_params(f"invalid {name}: {value!r} is not 0x-prefixed hex of even length")
    raw = bytes.fromhex(value[2:])
    if length is not None and len(raw) != length:
        raise invalid_params(f"invalid {name}: expected {length} bytes, got {len(raw)}")
    return raw


def parse_address(value: Any, name: str = "address") -> Address:
    """The 20 bytes of an address, in any case."""
    return Address(parse_bytes(value, name, 20))


def parse_hash(value: Any, name: str = "hash") -> bytes:
    return parse_bytes(value, name, 32)


def parse_slot(value: Any) -> int:
    """A storage slot; clients send it as a quantity or as a padded word, and nodes take both."""
    if not isinstance(value, str) or not _LOOSE_HEX.match(value):
        raise invalid_params(f"invalid storage slot: {value!r}")
    return int(value, 16)


@dataclass(frozen=True, slots=True)
class BlockRef:
    """Which block a request means: exactly one of the three is set."""

    tag: str | None = None
    number: int | None = None
    hash: bytes | None = None


LATEST = BlockRef(tag="latest")
PENDING = BlockRef(tag="pending")


def parse_block_ref(value: Any, default: BlockRef = LATEST) -> BlockRef:
    """A tag, a number, a block hash, or an EIP-1898 object; ``null`` means ``default``."""
    if value is None:
        return default
    if isinstance(value, dict):
        if value.get("blockHash") is not None:
            if value.get("blockNumber") is not None:
                raise invalid_params("cannot specify both blockHash and blockNumber, choose one or the other")
            return BlockRef(hash=parse_hash(value["blockHash"], "blockHash"))
        if value.get("blockNumber") is not None:
            return parse_block_ref(value["blockNumber"])
        raise invalid_params("expected blockHash or blockNumber")
    if isinstance(value, str):
        if value in TAGS:
            return BlockRef(tag=value)
        if len(value) == 66:
            return BlockRef(hash=parse_hash(value, "block hash"))
    return BlockRef(number=parse_quantity(value, "block number"))
