"""What a reporter accepts of another: only what that one signed, for this oracle as it is now."""

from collections.abc import Callable
from dataclasses import replace

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mintery.chain.packing import pack_changed, pack_unchanged
from mintery.chain.price_oracle import PriceVector, SignedReport
from mintery.crypto.keys import PrivateKey
from mintery.crypto.reports import report_digest
from mintery.domain.voucher import Address
from mintery.errors import MalformedReport, ReportForOtherConfig
from mintery.units import UnixSeconds, UsdWad
from mintery.usecases.exchange_reports import ReportTerms, prices_in, read_report, report_json

KEY = PrivateKey.from_bytes(b"\x07" * 32)
STRANGER = PrivateKey.from_bytes(b"\x08" * 32)
TERMS = ReportTerms(31_337, Address("0x" + "ab" * 20), b"\x01" * 32, epoch_length=600, sku_count=10)
VECTOR = PriceVector(TERMS.config, 5, UnixSeconds(3_007), pack_changed({2: UsdWad(7)}), pack_unchanged([0, 9]))


def signed(vector: PriceVector = VECTOR, terms: ReportTerms = TERMS, key: PrivateKey = KEY) -> SignedReport:
    digest = report_digest(
        chain_id=terms.chain_id,
        oracle=terms.oracle,
        config=vector.config,
        epoch=vector.epoch,
        observed_at=vector.observed_at,
        changed=vector.changed,
        unchanged=vector.unchanged,
    )
    return SignedReport(KEY.address, vector, key.sign_digest(digest))


def test_a_report_is_read_back():
    assert read_report(report_json(signed(), TERMS), TERMS, KEY.address) == signed()
    assert prices_in(VECTOR, {0: UsdWad(3), 9: UsdWad(0)}) == {0: 3, 2: 7}


@pytest.mark.parametrize(
    ("terms", "why"),
    [
        (replace(TERMS, chain_id=1), "it is for chain 1, not 31337"),
        (replace(TERMS, oracle=Address("0x" + "cd" * 20)), "it is for the oracle 0xcd"),
    ],
)
def test_a_report_for_elsewhere_says_so_and_does_not_count_when_it_says_otherwise(terms: ReportTerms, why: str):
    elsewhere = signed(terms=terms)
    with pytest.raises(MalformedReport, match=why):
        read_report(report_json(elsewhere, terms), TERMS, KEY.address)
    with pytest.raises(MalformedReport, match="it was signed by 0x"):
        read_report(report_json(elsewhere, TERMS), TERMS, KEY.address)


def test_a_report_for_another_configuration_does_not_count_either_way():
    other = signed(replace(VECTOR, config=b"\x02" * 32))
    with pytest.raises(ReportForOtherConfig, match="other SKUs"):
        read_report(report_json(other, TERMS), TERMS, KEY.address)
    fields = orjson.loads(report_json(other, TERMS)) | {"config": "0x" + TERMS.config.hex()}
    with pytest.raises(MalformedReport, match="it was signed by 0x"):
        read_report(orjson.dumps(fields), TERMS, KEY.address)


@pytest.mark.parametrize(("epoch", "observed_at"), [(2**32, 600 * 2**32), (2**40 // 600, 2**40), (2**50, 600 * 2**50)])
def test_a_time_that_the_oracle_cannot_count_is_refused(epoch: int, observed_at: int):
    fields = orjson.loads(report_json(signed(), TERMS)) | {"epoch": epoch, "observed_at": observed_at}
    with pytest.raises(MalformedReport):
        read_report(orjson.dumps(fields), TERMS, KEY.address)


def test_another_reporters_report_is_not_this_ones():
    with pytest.raises(MalformedReport, match=f"it was signed by {STRANGER.address}"):
        read_report(report_json(signed(key=STRANGER), TERMS), TERMS, KEY.address)


@pytest.mark.parametrize(
    ("vector", "why"),
    [
        (replace(VECTOR, epoch=6), "observed in epoch 5"),
        (replace(VECTOR, changed=b"\x00" * 19), "no whole records"),
        (replace(VECTOR, changed=pack_changed({2: UsdWad(0)})), "zero"),
        (replace(VECTOR, changed=pack_changed({2: UsdWad(1)}) * 2), "twice"),
        (replace(VECTOR, changed=pack_changed({3: UsdWad(1)}) + pack_changed({2: UsdWad(1)})), "out of order"),
        (replace(VECTOR, changed=pack_changed({9: UsdWad(1)})), "twice"),
        (replace(VECTOR, changed=pack_changed({10: UsdWad(1)})), "does not have"),
        (replace(VECTOR, unchanged=pack_unchanged([10])), "does not have"),
        (replace(VECTOR, unchanged=b"\x01\x00\x00"), "longer"),
        (replace(VECTOR, unchanged=b"\x00" * 100_000), "longer"),
    ],
)
def test_a_vector_that_the_oracle_would_refuse_never_reaches_it(vector: PriceVector, why: str):
    """One such vector would revert the reports of all."""
    with pytest.raises(MalformedReport, match=why):
        read_report(report_json(signed(vector), TERMS), TERMS, KEY.address)


@pytest.mark.parametrize(
    "change",
    [
        lambda fields: fields.clear(),
        lambda fields: fields.update(format="mintery-prices-1"),
        lambda fields: fields.update(epoch="5"),
        lambda fields: fields.update(epoch=True),
        lambda fields: fields.update(epoch=-5),
        lambda fields: fields.update(observed_at=1e400),
        lambda fields: fields.update(changed="0xzz"),
        lambda fields: fields.update(signature="0x"),
        lambda fields: fields.update(signature="0x" + "00" * 64),
        lambda fields: fields.update(signature="0x" + "ff" * 64),
        lambda fields: fields.update(changed="0x" + pack_changed({2: UsdWad(8)}).hex()),
    ],
)
def test_what_was_written_otherwise_is_no_report(change: Callable[[dict[str, object]], object]):
    fields = orjson.loads(report_json(signed(), TERMS))
    change(fields)
    with pytest.raises(MalformedReport):
        read_report(orjson.dumps(fields), TERMS, KEY.address)


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"[" * 100_000, b"\xff"])
def test_what_is_no_object_is_no_report(body: bytes):
    with pytest.raises(MalformedReport):
        read_report(body, TERMS, KEY.address)


def test_the_largest_report_fits_the_bound():
    prices = {sku: UsdWad(2**128 - 1) for sku in range(10)}
    vector = replace(VECTOR, changed=pack_changed(prices), unchanged=b"")
    assert len(report_json(signed(vector), TERMS)) <= TERMS.most_bytes


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=4,
)
names = st.sampled_from(sorted(orjson.loads(report_json(signed(), TERMS))))


@given(names, json_values | st.binary(max_size=80).map(lambda content: "0x" + content.hex()))
def test_no_field_however_written_is_more_than_a_malformed_report(name: str, value: object):
    fields = orjson.loads(report_json(signed(), TERMS)) | {name: value}
    try:
        found = read_report(orjson.dumps(fields), TERMS, KEY.address)
    except MalformedReport:
        return
    assert found.vector == VECTOR or name == "reporter"


@given(st.binary(max_size=200))
def test_no_bytes_are_more_than_a_malformed_report(body: bytes):
    with pytest.raises(MalformedReport):
        read_report(body, TERMS, KEY.address)
