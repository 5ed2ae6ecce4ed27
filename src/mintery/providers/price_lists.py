"""Where prices come from: here, files that an operator writes. A list answers for one SKU at a time, with a price or with
the reason why it has none.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import orjson

from mintery.crypto.price_files import PRICE_FILE_FORMAT, price_file_signer
from mintery.domain.observation import NoPrice, SourceAnswer, SourcePrice
from mintery.domain.voucher import Address
from mintery.errors import InvalidSignature, MalformedAmount, MalformedFile
from mintery.units import UsdWad, parse_usd

log = logging.getLogger(__name__)

SIGNATURE_BYTES = 64


class PriceList(Protocol):
    """One source of prices."""

    @property
    def name(self) -> str: ...

    def price_of(self, sku: str, now: datetime) -> SourceAnswer:
        """The price of a SKU at ``now``, or why there is none."""


@dataclass(frozen=True, slots=True)
class OperatorFile:
    """Prices that an operator wrote down: USD per unit by SKU, until ``valid_until`` (unix seconds, None for ever)."""

    name: str
    prices: Mapping[str, UsdWad]
    valid_until: int | None

    def price_of(self, sku: str, now: datetime) -> SourceAnswer:
        if self.valid_until is not None and now.timestamp() >= self.valid_until:
            return NoPrice(self.name, "its validity has ended")
        if (usd := self.prices.get(sku)) is None:
            return NoPrice(self.name, "not listed")
        return SourcePrice(self.name, usd)


def read_price_file(path: Path, *, signers: Iterable[Address] = ()) -> OperatorFile:
    """JSON: ``{"format": "mintery-prices-1", "prices": {"test/chat:input_token": "0.000002"}}``, USD as text.

    Where ``signers`` are named, ``valid_until`` (unix seconds) and ``signature`` (0x hex, EIP-2098) of one of them must
    be there.

    Raises:
        MalformedFile
    """
    trusted = frozenset(signers)
    try:
        fields: dict[str, Any] = orjson.loads(path.read_bytes())
        if fields["format"] != PRICE_FILE_FORMAT:
            raise MalformedFile(str(path), f"its format is not {PRICE_FILE_FORMAT}")
        texts: dict[str, str] = fields["prices"]
        valid_until: int | None = fields.get("valid_until")
        if valid_until is not None and type(valid_until) is not int:
            raise MalformedFile(str(path), "valid_until is no whole number of unix seconds")
        if trusted:
            _check_signer(path, texts, fields, trusted)
        prices = {sku: parse_usd(text) for sku, text in texts.items()}
    except OSError as error:
        raise MalformedFile(str(path), f"cannot be read: {error.strerror}") from None
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError, MalformedAmount) as error:
        raise MalformedFile(str(path), f"{type(error).__name__}: {error}") from None
    return OperatorFile(path.name, prices, valid_until)


def _check_signer(path: Path, texts: dict[str, str], fields: dict[str, Any], trusted: frozenset[Address]) -> None:
    try:
        signature = bytes.fromhex(fields["signature"].removeprefix("0x"))
        valid_until = int(fields["valid_until"])
        if len(signature) != SIGNATURE_BYTES:
            raise MalformedFile(str(path), f"its signature has {len(signature)} bytes, not {SIGNATURE_BYTES}")
        signer = price_file_signer(texts, valid_until, signature)
    except (ValueError, KeyError, InvalidSignature) as error:
        raise MalformedFile(str(path), f"it carries no good signature: {error}") from None
    if signer not in trusted:
        raise MalformedFile(str(path), f"it was signed by {signer}, who is not trusted, or changed afterwards")


class Renewed:
    """A list in a file that may be written anew while we run. One that cannot be read any more has no price, and says why."""

    def __init__(self, path: Path, read: Callable[[Path], PriceList]) -> None:
        """Raises MalformedFile: a file that is wrong from the start is a mistake of whoever named it."""
        self.name = path.name
        self._path = path
        self._read = read
        self._seen = file_mark(path)
        self._found: PriceList | str = read(path)

    def price_of(self, sku: str, now: datetime) -> SourceAnswer:
        if (mark := file_mark(self._path)) != self._seen:
            self._seen = mark
            try:
                self._found = self._read(self._path)
            except MalformedFile as error:
                self._found = error.why
            except Exception as error:  # the edge to what others wrote: what was there before is no answer any more
                log.exception("file unread", extra={"source": self.name})
                self._found = f"cannot be read: {type(error).__name__}"
        return NoPrice(self.name, self._found) if isinstance(self._found, str) else self._found.price_of(sku, now)


def file_mark(path: Path) -> tuple[int, int, int] | None:
    """Changes whenever the file does, and where another takes its place."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size, stat.st_ino
