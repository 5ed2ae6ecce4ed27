from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mintery.chain.devchain.codec import (
    UINT256_MAX,
    BlockRef,
    hex_bytes,
    parse_address,
    parse_block_ref,
    parse_bytes,
    parse_quantity,
    parse_slot,
    quantity,
)
from mintery.chain.devchain.faults import INVALID_PARAMS, RpcFault

HASH = "0x" + "ab" * 32


@given(st.integers(0, UINT256_MAX))
def test_quantities_round_trip_without_leading_zeros(number: int):
    text = quantity(number)
    assert text == "0x0" or not text.startswith("0x0")
    assert parse_quantity(text) == number


@given(st.binary(max_size=100))
def test_bytes_round_trip(raw: bytes):
    assert parse_bytes(hex_bytes(raw), "bytes") == raw


@pytest.mark.parametrize(
    "text", ["0x", "0x01", "0x00", "1", "", "0xg", "0x1\n", -1, True, None, 1.0, hex(UINT256_MAX + 1)]
)
def test_what_is_no_quantity_is_refused(text: Any):
    with pytest.raises(RpcFault) as caught:
        parse_quantity(text)
    assert caught.value.code == INVALID_PARAMS


@pytest.mark.parametrize("text", ["0x1", "ab", "0xzz", None, 5, "0xab\n"])
def test_what_is_no_byte_string_is_refused(text: Any):
    with pytest.raises(RpcFault):
        parse_bytes(text, "bytes")


def test_an_address_has_twenty_bytes():
    assert parse_address("0x" + "Ab" * 20) == b"\xab" * 20
    with pytest.raises(RpcFault, match="expected 20 bytes, got 19"):
        parse_address("0x" + "ab" * 19)


@pytest.mark.parametrize(
    ("value", "ref"),
    [
        (None, BlockRef(tag="latest")),
        ("pending", BlockRef(tag="pending")),
        ("0x10", BlockRef(number=16)),
        (HASH, BlockRef(hash=b"\xab" * 32)),
        ({"blockHash": HASH, "requireCanonical": True}, BlockRef(hash=b"\xab" * 32)),
        ({"blockNumber": "0x2"}, BlockRef(number=2)),
    ],
)
def test_a_block_is_named_by_tag_number_hash_or_object(value: Any, ref: BlockRef):
    assert parse_block_ref(value) == ref


@pytest.mark.parametrize("value", ["newest", {}, {"blockHash": HASH, "blockNumber": "0x1"}, "0x01", [], -1])
def test_what_names_no_block_is_refused(value: Any):
    with pytest.raises(RpcFault):
        parse_block_ref(value)


def test_a_slot_may_be_padded():
    assert parse_slot("0x0") == parse_slot("0x" + "00" * 32) == 0
    assert parse_slot("0x0a") == 10
