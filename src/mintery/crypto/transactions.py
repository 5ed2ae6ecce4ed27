"""Signed transactions read back from their bytes."""

from dataclasses import dataclass
from typing import Any

from mintery.crypto.hashing import checksum_address, keccak
from mintery.domain.voucher import Address
from mintery.errors import MalformedInput
from mintery.units import Wei

_EIP_1559 = b"\x02"
_AFTER_CALLDATA = 4
"""Access list, and the three parts of the signature."""


@dataclass(frozen=True, slots=True)
class TransactionFields:
    """An EIP-1559 transaction. Fees are wei per gas; ``to`` is None where it creates a contract."""

    nonce: int
    gas: int
    max_fee: Wei
    priority_fee: Wei
    to: Address | None
    value: Wei
    calldata: bytes
    hash: str


def sender_of(raw: bytes) -> Address:
    """Who signed a transaction. Raises MalformedInput."""
    from eth_account import Account  # noqa: PLC0415 -- half a second to import

    try:
        return Address(Account.recover_transaction(raw))
    except (TypeError, ValueError) as error:
        raise MalformedInput(f"these bytes are no signed transaction: {error}") from None


def read_transaction(raw: bytes) -> TransactionFields:
    """Raises MalformedInput for bytes that are no EIP-1559 transaction."""
    import rlp  # noqa: PLC0415 -- only outboxes read what they saved

    if raw[:1] != _EIP_1559:
        raise MalformedInput("these bytes are no EIP-1559 transaction: they do not begin with 0x02")
    try:
        fields: list[Any] = rlp.decode(raw[1:])
        _, nonce, priority_fee, max_fee, gas, to, value, calldata, *rest = fields
        if len(rest) != _AFTER_CALLDATA:
            raise MalformedInput(f"these bytes are no EIP-1559 transaction: they have {len(fields)} fields")
        number = int.from_bytes
        return TransactionFields(
            nonce=number(nonce),
            gas=number(gas),
            max_fee=Wei(number(max_fee)),
            priority_fee=Wei(number(priority_fee)),
            to=checksum_address(to) if to else None,
            value=Wei(number(value)),
            calldata=bytes(calldata),
            hash="0x" + keccak(raw).hex(),
        )
    except (rlp.DecodingError, TypeError, ValueError) as error:
        raise MalformedInput(f"these bytes are no EIP-1559 transaction: {error}") from None
