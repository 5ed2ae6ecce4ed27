"""Check a receipt with a chain, or offline with saved price versions."""

from pathlib import Path
from typing import TYPE_CHECKING

from mintery.errors import FileMissing, MalformedFile, ReceiptRefused

if TYPE_CHECKING:
    from mintery.domain.receipt import Receipt
    from mintery.usecases.verify_receipt import PriceBook


def check_receipt(
    receipt: "Receipt", *, prices: Path | None, rpc: str | None, deployment: Path | None
) -> tuple[str, ...]:
    """What was checked, a line each. ``prices`` names a saved price book; without it the chain is asked, and says too
    whether the settler was appointed.

    Raises:
        ReceiptRefused: the first thing that does not hold.
    """
    from mintery.usecases.verify_receipt import verify_receipt

    if prices is not None:
        return verify_receipt(receipt, _read_book(prices))

    from mintery.cli.session import open_chain
    from mintery.units import UnixSeconds
    from mintery.usecases.find_settlers import was_settler
    from mintery.usecases.read_price_book import read_price_book

    chain = open_chain(rpc, deployment)
    checked = verify_receipt(receipt, read_price_book(chain))
    gateway, settler = receipt.account.gateway, receipt.settler
    if chain.escrow.is_settler(gateway, settler):
        return (*checked, f"its settler acts for gateway {gateway}")
    if was_settler(chain, gateway, settler, UnixSeconds(int(receipt.captured_at.timestamp()))):
        return (*checked, f"its settler acted for gateway {gateway} when it was made, and was revoked since")
    raise ReceiptRefused(f"{settler} was no settler of gateway {gateway} when it was made")


def _read_book(path: Path) -> "PriceBook":
    from mintery.domain.fields import parse_json
    from mintery.usecases.verify_receipt import parse_price_book

    try:
        return parse_price_book(parse_json(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise FileMissing(str(path)) from None
    except ValueError:
        raise MalformedFile(str(path), "it is not JSON, or a name stands in it twice") from None
