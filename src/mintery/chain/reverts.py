"""Revert bytes to the contracts' named errors."""

from functools import cache
from typing import Any

from eth_abi.exceptions import DecodingError

from mintery.chain.abi import SELECTOR, Signature
from mintery.chain.artifact import CONTRACTS, load_artifact
from mintery.errors import ChainError, RpcRefused, TransactionReverted

_BUILT_IN = (
    {"name": "Error", "inputs": ({"name": "message", "type": "string"},)},
    {"name": "Panic", "inputs": ({"name": "code", "type": "uint256"},)},
)


@cache
def _known_errors() -> dict[bytes, Signature]:
    known = {signature.selector: signature for signature in map(Signature.of, _BUILT_IN)}
    for name in CONTRACTS:
        known |= load_artifact(name).abi.errors
    return known


def decode_revert(action: str, fault: RpcRefused) -> ChainError:
    """The error to raise for a refused call: what the contract said, or the rpc's own words if no contract spoke."""
    reverted = _revert_bytes(fault.payload)
    if reverted is None and "revert" not in fault.message.lower():
        return fault
    return name_revert(action, reverted or b"")


def name_revert(action: str, reverted: bytes) -> TransactionReverted:
    """``Unnamed`` with the raw bytes where no contract of ours has such an error."""
    signature = _known_errors().get(reverted[:SELECTOR])
    if signature is None:
        return TransactionReverted(action, "Unnamed", {"revert": "0x" + reverted.hex()})
    try:
        arguments = signature.decode_inputs(reverted[SELECTOR:])
    except DecodingError:
        return TransactionReverted(action, signature.name, {"revert": "0x" + reverted.hex()})
    return TransactionReverted(action, signature.name, arguments)


def _revert_bytes(payload: Any) -> bytes | None:
    if not isinstance(payload, str) or not payload.startswith("0x"):
        return None
    try:
        return bytes.fromhex(payload[2:])
    except ValueError:
        return None
