"""Where prices come from: the genai-prices package, and files that an operator writes.

A price list answers for one SKU at a time, with a price or with the reason why it has none. Each tier of a tiered price
and each window of a time-of-day price is a SKU of its own, so a list with several prices for one name has none for it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import orjson
from genai_prices.data_snapshot import DataSnapshot, get_snapshot
from genai_prices.types import ConditionalPrice, ModelInfo, ModelPrice, TieredPrices, TimeOfDateConstraint

from mintery.crypto.price_files import PRICE_FILE_FORMAT, price_file_signer
from mintery.domain.model import Unit
from mintery.domain.observation import NoPrice, SourceAnswer, SourcePrice
from mintery.domain.price import Sku
from mintery.domain.voucher import Address
from mintery.errors import InvalidSignature, MalformedAmount, MalformedFile, MalformedSku
from mintery.units import UsdWad, parse_usd, usd_per_unit

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
    except (OSError, orjson.JSONDecodeError, KeyError, TypeError, AttributeError, MalformedAmount) as error:
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


@dataclass(frozen=True, slots=True)
class _Measure:
    """How genai-prices names a unit, and for how many of it a price is."""

    key: str
    per: int


_MEASURES: Mapping[str, _Measure] = {
    Unit.INPUT_TOKEN: _Measure("input_mtok", 10**6),
    Unit.CACHED_INPUT_TOKEN: _Measure("cache_read_mtok", 10**6),
    Unit.OUTPUT_TOKEN: _Measure("output_mtok", 10**6),
    Unit.REQUEST: _Measure("requests_kcount", 10**3),
}


class GenaiPrices:
    """The prices that the genai-prices package ships; it asks no network."""

    name = "genai-prices"

    def __init__(self, snapshot: DataSnapshot | None = None) -> None:
        self._snapshot = snapshot or get_snapshot()

    def price_of(self, sku: str, now: datetime) -> SourceAnswer:
        try:
            named = Sku.parse(sku)
        except MalformedSku:
            return NoPrice(self.name, "not a model's SKU")
        measure, model = _MEASURES.get(named.unit), self._find(named)
        if measure is None or model is None:
            return NoPrice(self.name, "not listed")
        if _varies_by_hour(model):
            return NoPrice(self.name, "its price depends on the time of day")
        return self._in(model.get_prices(now), measure)

    def _in(self, prices: ModelPrice, measure: _Measure) -> SourceAnswer:
        price = getattr(prices, measure.key, None)
        if price is None:
            return NoPrice(self.name, f"no price by {measure.key}")
        if isinstance(price, TieredPrices):
            return NoPrice(self.name, "its price has tiers")
        usd = usd_per_unit(parse_usd(format(price, "f")), measure.per)
        if usd is None:
            return NoPrice(self.name, "its price is finer than 1e-18 USD")
        return SourcePrice(self.name, usd)

    def _find(self, sku: Sku) -> ModelInfo | None:
        """Exact ids only: a likeness of names is no price."""
        for provider in self._snapshot.providers:
            if provider.id == sku.provider:
                wanted = sku.model.partition("/")[2]
                return next((model for model in provider.models if model.id == wanted), None)
        return None


def _varies_by_hour(model: ModelInfo) -> bool:
    conditional = model.prices if isinstance(model.prices, list) else []
    return any(
        isinstance(price, ConditionalPrice) and isinstance(price.constraint, TimeOfDateConstraint)
        for price in conditional
    )
