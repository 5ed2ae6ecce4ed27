"""What JSON-RPC carries, as our types. Hashes are lower-case ``0x`` hex."""

from dataclasses import dataclass
from typing import Any

from mintery.crypto.hashing import checksum_address, keccak
from mintery.domain.voucher import Address
from mintery.units import UnixSeconds, Wei

_BLOOM_BITS = 2_048


@dataclass(frozen=True, slots=True)
class BlockRef:
    """A block that reads can be pinned to. ``bloom`` tells who may have emitted events; 0 where the endpoint gives none."""

    number: int
    hash: str
    parent: str
    timestamp: UnixSeconds
    base_fee: Wei
    bloom: int = 0
    gas_limit: int = 0

    def may_hold_events_of(self, address: Address) -> bool:
        """False is certain, where there is a bloom at all."""
        return self._may_hold(bytes.fromhex(address[2:]))

    def may_hold_topic(self, topic: bytes) -> bool:
        """Likewise, of an event with that topic, whoever emitted it."""
        return self._may_hold(topic)

    def _may_hold(self, value: bytes) -> bool:
        digest = keccak(value)
        bits = (int.from_bytes(digest[at : at + 2]) % _BLOOM_BITS for at in (0, 2, 4))
        return all(self.bloom >> bit & 1 for bit in bits)


@dataclass(frozen=True, slots=True)
class Call:
    """What to execute: ``calldata`` at ``to``, or a contract's creation where ``to`` is None. ``action`` names it in errors."""

    action: str
    to: Address | None
    calldata: bytes
    value: Wei = Wei(0)


@dataclass(frozen=True, slots=True)
class Log:
    """One event as the chain keeps it."""

    address: Address
    topics: tuple[bytes, ...]
    payload: bytes
    block: int
    block_hash: str
    tx_hash: str
    index: int


@dataclass(frozen=True, slots=True)
class TxReceipt:
    """What a transaction did. ``gas_price`` is wei per gas, as paid; ``created`` is the contract it made."""

    hash: str
    block: int
    block_hash: str
    gas_used: int
    gas_price: Wei
    succeeded: bool
    created: Address | None
    logs: tuple[Log, ...]


def write_pin(at: BlockRef | None) -> str | dict[str, Any]:
    """EIP-1898: by hash, so that a reorganisation makes the read fail and not lie."""
    return "latest" if at is None else {"blockHash": at.hash, "requireCanonical": True}


def write_call(call: Call, sender: Address | None) -> dict[str, str]:
    fields = {"data": "0x" + call.calldata.hex()}
    if call.to is not None:
        fields["to"] = call.to
    if sender is not None:
        fields["from"] = sender
    if call.value:
        fields["value"] = hex(call.value)
    return fields


def _address(text: str) -> Address:
    return checksum_address(bytes.fromhex(text[2:]))


def parse_block(fields: dict[str, Any]) -> BlockRef:
    return BlockRef(
        number=int(fields["number"], 16),
        hash=fields["hash"],
        parent=fields["parentHash"],
        timestamp=UnixSeconds(int(fields["timestamp"], 16)),
        base_fee=Wei(int(fields.get("baseFeePerGas", "0x0"), 16)),
        bloom=int(fields.get("logsBloom") or "0x0", 16),
        gas_limit=int(fields.get("gasLimit") or "0x0", 16),
    )


def parse_log(fields: dict[str, Any]) -> Log:
    return Log(
        address=_address(fields["address"]),
        topics=tuple(bytes.fromhex(topic[2:]) for topic in fields["topics"]),
        payload=bytes.fromhex(fields["data"][2:]),
        block=int(fields["blockNumber"], 16),
        block_hash=fields["blockHash"],
        tx_hash=fields["transactionHash"],
        index=int(fields["logIndex"], 16),
    )


def parse_receipt(fields: dict[str, Any]) -> TxReceipt:
    created = fields.get("contractAddress")
    return TxReceipt(
        hash=fields["transactionHash"],
        block=int(fields["blockNumber"], 16),
        block_hash=fields["blockHash"],
        gas_used=int(fields["gasUsed"], 16),
        gas_price=Wei(int(fields["effectiveGasPrice"], 16)),
        succeeded=fields["status"] == "0x1",
        created=None if created is None else _address(created),
        logs=tuple(parse_log(log) for log in fields["logs"]),
    )
