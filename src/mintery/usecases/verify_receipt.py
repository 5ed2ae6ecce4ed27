"""Check a receipt against what is public: the deployment and the oracle's price versions. Needs no gateway."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mintery.crypto.receipts import check_receipt_signature
from mintery.domain import fields as read
from mintery.domain.receipt import Receipt, check_arithmetic
from mintery.domain.voucher import Address
from mintery.errors import MalformedReceipt, ReceiptRefused
from mintery.units import UsdWad

PRICE_BOOK_FORMAT = "mintery-price-book-1"


@dataclass(frozen=True, slots=True)
class PriceBook:
    """Every version of every SKU of one oracle, so that receipts can be checked without a chain.

    Attributes:
        prices: (SKU's number, version) to 1e-18 USD per unit.
        names: each SKU's number to its name.
    """

    chain_id: int
    escrow: Address
    names: Mapping[int, str]
    prices: Mapping[tuple[int, int], UsdWad]


def verify_receipt(receipt: Receipt, book: PriceBook) -> tuple[str, ...]:
    """What was checked, a line each.

    Raises:
        ReceiptRefused: the first thing that does not hold.
    """
    check_arithmetic(receipt)
    check_receipt_signature(receipt)
    if (receipt.domain.chain_id, receipt.domain.escrow) != (book.chain_id, book.escrow):
        raise ReceiptRefused(
            f"it is of escrow {receipt.domain.escrow} on chain {receipt.domain.chain_id}, "
            f"not of {book.escrow} on chain {book.chain_id}"
        )
    for line in receipt.lines:
        _check_price(line.sku_index, str(line.sku), line.price_version, line.unit_price, book)
    return (
        "its sum follows from its lines",
        f"signed by the settler it names, {receipt.settler}",
        f"made for escrow {receipt.domain.escrow} on chain {receipt.domain.chain_id}",
        *(f"{line.sku} had this price in version {line.price_version}" for line in receipt.lines),
    )


def _check_price(index: int, name: str, version: int, price: UsdWad, book: PriceBook) -> None:
    if book.names.get(index) != name:
        raise ReceiptRefused(f"the oracle's SKU {index} is {book.names.get(index)!r}, not {name!r}")
    actual = book.prices.get((index, version))
    if actual is None:
        raise ReceiptRefused(f"the oracle has no version {version} of {name}")
    if actual != price:
        raise ReceiptRefused(f"version {version} of {name} was {actual} (1e-18 USD), not {price}")


def price_book_json(book: PriceBook) -> dict[str, Any]:
    return {
        "format": PRICE_BOOK_FORMAT,
        "chain_id": book.chain_id,
        "escrow": book.escrow,
        "skus": [
            {
                "index": index,
                "name": name,
                "versions": [
                    {"version": version, "usd_wad": str(price)}
                    for (sku, version), price in sorted(book.prices.items())
                    if sku == index
                ],
            }
            for index, name in sorted(book.names.items())
        ],
    }


def parse_price_book(fields: Mapping[str, Any]) -> PriceBook:
    """Reads what ``price_book_json`` wrote.

    Raises:
        MalformedReceipt
    """
    try:
        if fields["format"] != PRICE_BOOK_FORMAT:
            raise MalformedReceipt(f"the price book's format is not {PRICE_BOOK_FORMAT}")
        skus = read.mappings(fields, "skus")
        return PriceBook(
            chain_id=read.whole(fields, "chain_id"),
            escrow=read.address(fields, "escrow"),
            names={read.whole(sku, "index"): read.text(sku, "name") for sku in skus},
            prices={
                (read.whole(sku, "index"), read.whole(entry, "version")): UsdWad(read.digits(entry, "usd_wad"))
                for sku in skus
                for entry in read.mappings(sku, "versions")
            },
        )
    except (KeyError, TypeError, ValueError) as error:
        raise MalformedReceipt(f"the price book cannot be read: {type(error).__name__}") from None
