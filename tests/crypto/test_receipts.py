import dataclasses
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mintery.crypto.hashing import keccak
from mintery.crypto.keys import PrivateKey
from mintery.crypto.receipts import check_receipt_signature, merkle_root, receipt_digest, sign_receipt
from mintery.domain.hold import RequestId
from mintery.domain.price import PriceState, Sku
from mintery.domain.quote import PricedLine, UsageSource
from mintery.domain.receipt import Receipt, check_arithmetic, parse_receipt, receipt_json
from mintery.domain.voucher import AccountKey, EscrowDomain, Kind
from mintery.errors import MalformedReceipt, ReceiptRefused
from mintery.units import BasisPoints, NanoCredits, Par, UsdWad, nanocredits_up

SETTLER = PrivateKey.from_bytes(b"\x55" * 32)


def a_receipt(**changes: object) -> Receipt:
    lines = (
        PricedLine(Sku("acme/small", "input_token"), 1, 1, 2, UsdWad(150_000_000_000), 1_234),
        PricedLine(Sku("acme/small", "output_token"), 2, 1, 1, UsdWad(600_000_000_000), 77),
    )
    par, markup = Par(10**6), BasisPoints(500)
    cost = nanocredits_up(UsdWad(sum(line.cost for line in lines)), par, markup)
    receipt = Receipt(
        id=RequestId("req_" + "ab" * 16),
        domain=EscrowDomain(31337, SETTLER.address),
        account=AccountKey(SETTLER.address, SETTLER.address, SETTLER.address, SETTLER.address),
        epoch=0,
        model="acme/small",
        provider="acme",
        upstream="small-1",
        kind=Kind.ROUTED,
        backup=False,
        stream=False,
        test=True,
        state=PriceState.NORMAL,
        lines=lines,
        source=UsageSource.PROVIDER,
        par=par,
        markup=markup,
        held=NanoCredits(cost + 1000),
        cost=cost,
        captured_at=datetime(2026, 11, 21, 12, 0, 0, 123456, tzinfo=UTC),
        settler=SETTLER.address,
    )
    return dataclasses.replace(receipt, **changes)


def test_a_receipt_reads_back_from_its_json():
    receipt = sign_receipt(a_receipt(), SETTLER)

    assert parse_receipt(json.loads(json.dumps(receipt_json(receipt)))) == receipt


def test_the_signature_is_deterministic_and_the_settlers():
    receipt = sign_receipt(a_receipt(), SETTLER)

    assert sign_receipt(a_receipt(), SETTLER) == receipt
    check_receipt_signature(receipt)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("cost_nanocredits", "1"),
        ("held_nanocredits", "999999999"),
        ("model", "acme/large"),
        ("captured_at", "2026-11-21T12:00:01.123456+00:00"),
        ("markup_bps", 501),
        ("settler", PrivateKey.from_bytes(b"\x66" * 32).address),
    ],
)
def test_no_field_can_be_changed_afterwards(field: str, value: object):
    written = receipt_json(sign_receipt(a_receipt(), SETTLER)) | {field: value}

    with pytest.raises((ReceiptRefused, MalformedReceipt)):
        check_receipt_signature(parse_receipt(written))


def test_a_line_that_contradicts_its_own_sum_is_malformed():
    written = receipt_json(sign_receipt(a_receipt(), SETTLER))
    written["usage"][0]["cost_usd_wad"] = "1"

    with pytest.raises(MalformedReceipt):
        parse_receipt(written)


@pytest.mark.parametrize("missing", ["id", "wallet", "usage", "cost_nanocredits", "format"])
def test_a_receipt_without_a_field_is_malformed(missing: str):
    written = receipt_json(a_receipt())
    del written[missing]

    with pytest.raises(MalformedReceipt):
        parse_receipt(written)


@given(st.integers(-5, 5))
def test_the_sum_follows_from_the_lines(off: int):
    receipt = a_receipt()
    changed = dataclasses.replace(receipt, cost=NanoCredits(receipt.cost + off))

    if off == 0:
        check_arithmetic(changed)
    else:
        with pytest.raises(ReceiptRefused):
            check_arithmetic(changed)


def test_a_clamped_receipt_may_charge_less_but_never_more():
    receipt = a_receipt(source=UsageSource.CLAMPED)

    check_arithmetic(dataclasses.replace(receipt, cost=NanoCredits(receipt.cost - 1)))
    with pytest.raises(ReceiptRefused):
        check_arithmetic(dataclasses.replace(receipt, cost=NanoCredits(receipt.cost + 1)))


@given(st.lists(st.binary(min_size=32, max_size=32), unique=True, min_size=1, max_size=33))
def test_the_root_depends_on_the_set_and_on_every_member(digests: list[bytes]):
    root = merkle_root(digests)
    shuffled = sorted(digests, key=keccak)

    assert merkle_root(shuffled) == root
    assert merkle_root([*digests[:-1], keccak(digests[-1])]) != root
    assert merkle_root(digests[:-1]) != root


def test_the_digest_covers_the_facts():
    assert receipt_digest(a_receipt()) != receipt_digest(a_receipt(backup=True))
