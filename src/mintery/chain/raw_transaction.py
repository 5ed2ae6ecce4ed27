"""A signed transaction read back from its bytes, so that an outbox can send it again after a crash."""

from typing import Any

import rlp

from mintery.chain.rpc import Call
from mintery.chain.sender import SignedTransaction
from mintery.crypto.hashing import checksum_address, keccak
from mintery.errors import MalformedInput
from mintery.units import Wei

_EIP_1559 = 0x02
_FIELDS = 12


def parse_raw(raw: bytes, *, action: str) -> SignedTransaction:
    """An EIP-1559 transaction as ``Sender.sign`` made it; ``action`` names its call in errors.

    Raises:
        MalformedInput: it is no EIP-1559 transaction.
    """
    if not raw or raw[0] != _EIP_1559:
        raise MalformedInput("the saved transaction is not of type 2")
    try:
        fields: list[Any] = rlp.decode(raw[1:])
    except rlp.DecodingError as error:
        raise MalformedInput(f"the saved transaction cannot be read: {error}") from None
    if len(fields) != _FIELDS:
        raise MalformedInput(f"the saved transaction has {len(fields)} fields, not {_FIELDS}")
    _, nonce, priority_fee, max_fee, gas, to, value, calldata = fields[:8]
    number = int.from_bytes
    call = Call(action, checksum_address(to) if to else None, calldata, Wei(number(value)))
    return SignedTransaction(
        call=call,
        nonce=number(nonce),
        gas=number(gas),
        max_fee=Wei(number(max_fee)),
        priority_fee=Wei(number(priority_fee)),
        raw=raw,
        hash="0x" + keccak(raw).hex(),
    )
