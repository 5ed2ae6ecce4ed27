import pytest
from hypothesis import given
from hypothesis import strategies as st

from mintery.chain.packing import (
    LINE_BYTES,
    USAGE_BYTES,
    ascending,
    pack_changed,
    pack_lines,
    pack_unchanged,
    pack_usage,
    unpack_changed,
    unpack_outcomes,
    unpack_unchanged,
    unpack_usage,
)
from mintery.crypto.hashing import checksum_address
from mintery.domain.batch import LineOutcome, LineStatus, SettlementLine, UsageEntry
from mintery.domain.voucher import SignedVoucher, Voucher
from mintery.errors import MalformedInput, NotWholeNanocredits
from mintery.units import MAX_NANOCREDITS, CreditUnits, NanoCredits, UnixSeconds, UsdWad, credit_units

U32 = st.integers(0, 2**32 - 1)
addresses = st.binary(min_size=20, max_size=20).map(checksum_address)
words = st.binary(min_size=32, max_size=32)
credit_amounts = st.integers(0, 2**96 - 1).map(CreditUnits)
vouchers = st.builds(
    Voucher,
    token=addresses,
    gateway=addresses,
    holder=addresses,
    epoch=U32,
    max_spend=credit_amounts,
    deadline=st.integers(0, 2**40 - 1).map(UnixSeconds),
    key_hash=st.binary(min_size=16, max_size=16),
)
lines = st.builds(
    SettlementLine,
    signed=st.builds(SignedVoucher, chain_id=st.just(31337), voucher=vouchers, signer=addresses, r=words, vs=words),
    spent_after=credit_amounts,
)
usage = st.builds(UsageEntry, U32, U32, U32, st.integers(0, 2**128 - 1))


@given(st.lists(lines, max_size=5))
def test_lines_are_133_bytes_with_each_field_in_its_place(batch: list[SettlementLine]):
    packed = pack_lines(batch)

    assert LINE_BYTES == 133
    assert len(packed) == 133 * len(batch)
    for index, line in enumerate(batch):
        row = packed[133 * index : 133 * (index + 1)]
        voucher = line.signed.voucher
        assert checksum_address(row[:20]) == voucher.holder
        assert int.from_bytes(row[20:32]) == voucher.max_spend
        assert int.from_bytes(row[32:44]) == line.spent_after
        assert int.from_bytes(row[44:49]) == voucher.deadline
        assert int.from_bytes(row[49:53]) == voucher.epoch
        assert row[53:69] == voucher.key_hash
        assert row[69:133] == line.signed.r + line.signed.vs


@given(st.lists(usage, max_size=5))
def test_usage_comes_back_as_it_was_packed(entries: list[UsageEntry]):
    packed = pack_usage(entries)

    assert len(packed) == USAGE_BYTES * len(entries) == 28 * len(entries)
    assert unpack_usage(packed) == tuple(entries)


@given(st.lists(st.tuples(st.sampled_from(LineStatus), st.integers(0, MAX_NANOCREDITS)), max_size=5))
def test_outcomes_are_read_in_nanocredits(outcomes: list[tuple[LineStatus, int]]):
    packed = b"".join(bytes([status]) + credit_units(NanoCredits(burned)).to_bytes(12) for status, burned in outcomes)

    assert unpack_outcomes(packed) == tuple(LineOutcome(status, NanoCredits(burned)) for status, burned in outcomes)


def test_outcomes_that_no_release_of_ours_writes_are_refused():
    with pytest.raises(MalformedInput, match="no whole records of 13"):
        unpack_outcomes(bytes(14))
    with pytest.raises(MalformedInput, match="200 is no status"):
        unpack_outcomes(bytes([200]) + bytes(12))
    with pytest.raises(NotWholeNanocredits):
        unpack_outcomes(bytes(12) + b"\x01")


@given(st.dictionaries(U32, st.integers(1, 2**128 - 1).map(UsdWad)))
def test_changed_prices_come_back_and_ascend(prices: dict[int, UsdWad]):
    packed = pack_changed(prices)

    assert unpack_changed(packed) == prices
    skus = [int.from_bytes(packed[start : start + 4]) for start in range(0, len(packed), 20)]
    assert skus == sorted(prices)


@given(st.frozensets(st.integers(0, 300)))
def test_unchanged_bitmaps_come_back_and_carry_no_empty_bytes(skus: frozenset[int]):
    packed = pack_unchanged(skus)

    assert unpack_unchanged(packed) == skus
    assert packed == b"" or packed[-1] != 0


def test_the_least_significant_bit_of_byte_0_is_sku_0():
    assert pack_unchanged([0]) == b"\x01"
    assert pack_unchanged([8]) == b"\x00\x01"


@given(st.lists(addresses))
def test_addresses_ascend_by_number_whatever_their_checksum(listed: list[str]):
    assert [int(address, 16) for address in ascending(listed)] == sorted(int(address, 16) for address in listed)
