"""Signed transactions read back from their bytes."""

from dataclasses import dataclass

from mintery.crypto.hashing import checksum_address, keccak
from mintery.domain.voucher import Address
from mintery.errors import MalformedInput
from mintery.units import Wei

_EIP_1559 = b"\x02"


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
    from eth_account.typed_transactions.typed_transaction import TypedTransaction  # noqa: PLC0415 -- half a second to import
    from hexbytes import HexBytes  # noqa: PLC0415 -- comes with it
    from rlp.exceptions import RLPException  # noqa: PLC0415 -- comes with it

    if raw[:1] != _EIP_1559:
        raise MalformedInput("these bytes are no EIP-1559 transaction: they do not begin with 0x02")
    try:
        fields = TypedTransaction.from_bytes(HexBytes(raw)).as_dict()
        to = bytes(fields["to"])
        return TransactionFields(
            nonce=fields["nonce"],
            gas=fields["gas"],
            max_fee=Wei(fields["maxFeePerGas"]),
            priority_fee=Wei(fields["maxPriorityFeePerGas"]),
            to=checksum_address(to) if to else None,
            value=Wei(fields["value"]),
            calldata=bytes(fields["data"]),
            hash="0x" + keccak(raw).hex(),
        )
    except (RLPException, KeyError, TypeError, ValueError) as error:
        raise MalformedInput(f"these bytes are no EIP-1559 transaction: {error}") from None
