"""A saved transaction is read back as it was signed."""

import eth_account  # noqa: F401 -- it raises the limit of recursion when it is imported, which no test of hypothesis may do
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mintery.crypto.keys import dev_key, sign_transaction
from mintery.crypto.transactions import read_transaction, sender_of
from mintery.errors import MalformedInput
from mintery.units import Wei

numbers = st.integers(0, 2**63)


@given(nonce=numbers, gas=numbers, fees=st.tuples(numbers, numbers), value=numbers, calldata=st.binary(max_size=200))
def test_what_was_signed_is_read_back(nonce: int, gas: int, fees: tuple[int, int], value: int, calldata: bytes):
    to = dev_key(1).address
    priority_fee, max_fee = sorted(fees)
    raw, tx_hash = sign_transaction(
        dev_key(0),
        {
            "type": 2,
            "chainId": 31_337,
            "nonce": nonce,
            "to": to,
            "value": value,
            "data": calldata,
            "gas": gas,
            "maxFeePerGas": max_fee,
            "maxPriorityFeePerGas": priority_fee,
        },
    )

    read = read_transaction(raw)

    assert (read.nonce, read.gas, read.max_fee, read.priority_fee) == (nonce, gas, Wei(max_fee), Wei(priority_fee))
    assert (read.to, read.value, read.calldata) == (to, value, calldata)
    assert read.hash == "0x" + tx_hash.hex()
    assert sender_of(raw) == dev_key(0).address


@pytest.mark.parametrize("raw", [b"", b"\x01\xc0", b"\x02", b"\x02\xc0", b"\x02\xff\xff"])
def test_anything_else_is_refused(raw: bytes):
    with pytest.raises(MalformedInput):
        read_transaction(raw)
