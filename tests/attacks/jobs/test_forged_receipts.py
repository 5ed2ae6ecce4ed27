"""A receipt and a price book are files from strangers: whatever is in them, the answer is a refusal, never a crash."""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.ledger.samples import DOMAIN, receipt, wallet

from mintery.crypto.keys import PrivateKey
from mintery.crypto.receipts import sign_receipt
from mintery.domain.fields import parse_json
from mintery.domain.receipt import Receipt, parse_receipt, receipt_json
from mintery.errors import MalformedReceipt, ReceiptRefused
from mintery.units import NanoCredits, nanocredits_up
from mintery.usecases.verify_receipt import PriceBook, parse_price_book, price_book_json, verify_receipt

SETTLER = PrivateKey.from_bytes(b"\x22" * 32)


def honest() -> Receipt:
    made = receipt(1, wallet(), 5, 10**9)
    cost = nanocredits_up(made.usd, made.par, made.markup)
    return sign_receipt(replace(made, settler=SETTLER.address, cost=NanoCredits(cost)), SETTLER)


def book_of(made: Receipt) -> PriceBook:
    (line,) = made.lines
    prices = {(line.sku_index, line.price_version): line.unit_price}
    return PriceBook(DOMAIN.chain_id, DOMAIN.escrow, {line.sku_index: str(line.sku)}, prices)


RECEIPT, BOOK = receipt_json(honest()), price_book_json(book_of(honest()))


def places(within: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    names = within if isinstance(within, dict) else range(len(within)) if isinstance(within, list) else ()
    for name in names:
        yield (*path, name)
        yield from places(within[name], (*path, name))


def planted(original: dict[str, Any], path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    forged = deepcopy(original)
    within = forged
    for name in path[:-1]:
        within = within[name]
    within[path[-1]] = value
    return forged


odd = st.one_of(
    st.sampled_from([1.0, True, None, -1, 2**63, 2**300, "", "-1", "1e3", " 1", "\u0967", "0x00", [], {}, [1], [[]]]),
    st.sampled_from([float("nan"), float("inf"), "req_zz", "9" * 61, "x" * 31, "2026-01-01T00:00:00"]),
    st.sampled_from(["9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59", "acme", "0x" + "g" * 40]),
    st.integers(),
    st.floats(),
    st.text(max_size=40),
)


@given(st.sampled_from(list(places(RECEIPT))), odd)
def test_no_changed_field_passes_or_crashes(path: tuple[Any, ...], value: Any):
    forged = planted(RECEIPT, path, value)
    if repr(forged) == repr(RECEIPT):
        return
    with pytest.raises((MalformedReceipt, ReceiptRefused)):
        verify_receipt(parse_receipt(forged), book_of(honest()))


@given(st.sampled_from(list(places(BOOK))), odd)
def test_no_changed_price_book_crashes(path: tuple[Any, ...], value: Any):
    forged = planted(BOOK, path, value)
    try:
        checked = verify_receipt(honest(), parse_price_book(forged))
    except (MalformedReceipt, ReceiptRefused):
        return
    assert checked
    assert parse_price_book(forged) == book_of(honest())


def test_a_name_that_stands_twice_is_refused():
    with pytest.raises(ValueError, match="twice"):
        parse_json('{"cost_nanocredits": "1", "cost_nanocredits": "2"}')
