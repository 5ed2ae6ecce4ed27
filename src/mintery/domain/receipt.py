"""The gateway's record of one request: who paid, for what, at which prices, and how the sum comes about."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import orjson

from mintery.domain import fields as read
from mintery.domain.hold import RequestId
from mintery.domain.keys import KeyId
from mintery.domain.price import PriceState, Sku
from mintery.domain.quote import PricedLine, UsageSource, total_cost
from mintery.domain.voucher import AccountKey, Address, EscrowDomain, Kind
from mintery.errors import MalformedReceipt, MalformedSku, ReceiptRefused
from mintery.units import MAX_NANOCREDITS, MAX_PAR, MIN_PAR, BasisPoints, NanoCredits, Par, UsdWad, nanocredits_up

RECEIPT_FORMAT = "mintery-receipt-1"
_ID = re.compile(r"req_[0-9a-f]{32}", re.ASCII)
_KEY = re.compile(r"key_[0-9a-f]{16}", re.ASCII)
_MOST_EPOCH = 2**32 - 1
_FIRST_YEAR, _LAST_YEAR = 1971, 9998


@dataclass(frozen=True, slots=True)
class Receipt:
    """One captured request.

    Attributes:
        lines: what was used, at the prices pinned by the quote.
        cost: nanocredits charged: the lines with markup, rounded up once; less only where ``source`` is clamped.
        held: nanocredits that were set aside; cost <= held.
        backup: another than the first route was used, or one that its operator keeps to stand in.
        asked: the name that the request gave, where it is not the model's own: a shared one, or an intent.
        key: the gateway key that asked; None where a voucher did.
        stream: it was answered as server-sent events.
        test: the provider is a stub that makes its answers up.
        own_key: the caller's own key paid the provider: the lines are the gateway's fees alone.
        settler: the hot key that signs this receipt.
        signature: 64 bytes EIP-2098 over the receipt's digest; None until first read.
    """

    id: RequestId
    domain: EscrowDomain
    account: AccountKey
    epoch: int
    model: str
    provider: str
    upstream: str
    kind: Kind
    backup: bool
    stream: bool
    test: bool
    state: PriceState
    lines: tuple[PricedLine, ...]
    source: UsageSource
    par: Par
    markup: BasisPoints
    held: NanoCredits
    cost: NanoCredits
    captured_at: datetime
    settler: Address
    signature: bytes | None = None
    asked: str | None = None
    key: KeyId | None = None
    own_key: bool = False

    @property
    def usd(self) -> UsdWad:
        return total_cost(self.lines)

    def signed(self, signature: bytes) -> "Receipt":
        return replace(self, signature=signature)


def check_arithmetic(receipt: Receipt) -> None:
    """Whether the receipt's sum follows from its own lines.

    Raises:
        ReceiptRefused
    """
    exact = nanocredits_up(receipt.usd, receipt.par, receipt.markup)
    if receipt.cost > receipt.held:
        raise ReceiptRefused(f"it charges {receipt.cost} nanocredits of a hold of {receipt.held}")
    if receipt.source is UsageSource.CLAMPED:
        if receipt.cost > exact:
            raise ReceiptRefused(f"it charges {receipt.cost} nanocredits; its lines cost {exact}")
    elif receipt.cost != exact:
        raise ReceiptRefused(f"it charges {receipt.cost} nanocredits; its lines cost {exact}")
    if any(line.quantity <= 0 for line in receipt.lines):
        raise ReceiptRefused("a line has no quantity")


def receipt_facts(receipt: Receipt) -> dict[str, Any]:
    """The receipt as JSON values, without its signature. Amounts that can pass 2**53 are strings."""
    account = receipt.account
    return {
        "format": RECEIPT_FORMAT,
        "id": receipt.id,
        "chain_id": receipt.domain.chain_id,
        "escrow": receipt.domain.escrow,
        "wallet": {
            "token": account.token,
            "gateway": account.gateway,
            "holder": account.holder,
            "signer": account.signer,
            "epoch": receipt.epoch,
            "kind": receipt.kind.value,
        },
        **({} if receipt.key is None else {"key": receipt.key}),
        "model": receipt.model,
        "route": {
            "provider": receipt.provider,
            "upstream_model": receipt.upstream,
            "backup": receipt.backup,
            "stream": receipt.stream,
            "test": receipt.test,
            **({} if receipt.asked is None else {"asked": receipt.asked}),
            **({"own_key": True} if receipt.own_key else {}),
        },
        "price_state": receipt.state.value,
        "usage": [line_facts(line) for line in receipt.lines],
        "usage_source": receipt.source.value,
        "par": receipt.par,
        "markup_bps": receipt.markup,
        "held_nanocredits": str(receipt.held),
        "cost_nanocredits": str(receipt.cost),
        "cost_usd_wad": str(receipt.usd),
        "captured_at": receipt.captured_at.astimezone(UTC).isoformat(),
        "settler": receipt.settler,
    }


def line_facts(line: PricedLine) -> dict[str, Any]:
    return {
        "sku": str(line.sku),
        "sku_index": line.sku_index,
        "provider_id": line.provider_id,
        "price_version": line.price_version,
        "unit_price_usd_wad": str(line.unit_price),
        "quantity": line.quantity,
        "cost_usd_wad": str(line.cost),
    }


def canonical_facts(receipt: Receipt) -> bytes:
    """What the receipt's digest covers: its facts as JSON with sorted keys and no white space, UTF-8."""
    return orjson.dumps(receipt_facts(receipt), option=orjson.OPT_SORT_KEYS)


def receipt_json(receipt: Receipt) -> dict[str, Any]:
    """The facts with the signature, as people and programs receive them."""
    signature = None if receipt.signature is None else "0x" + receipt.signature.hex()
    return {**receipt_facts(receipt), "signature": signature}


def parse_receipt(fields: Mapping[str, Any]) -> Receipt:
    """Read what ``receipt_json`` wrote.

    Raises:
        MalformedReceipt: a field is missing, has another type, or contradicts another.
    """
    try:
        receipt = _parse(fields)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, MalformedSku) as error:
        raise MalformedReceipt(f"{type(error).__name__}: {error}") from None
    if fields.get("format") != RECEIPT_FORMAT:
        raise MalformedReceipt(f"format is not {RECEIPT_FORMAT}")
    facts = receipt_facts(receipt)
    if {name: value for name, value in fields.items() if name in facts} != facts:
        raise MalformedReceipt("its fields contradict each other")
    return receipt


def _parse(fields: Mapping[str, Any]) -> Receipt:
    wallet, route = read.mapping(fields, "wallet"), read.mapping(fields, "route")
    signature = None if fields.get("signature") is None else read.text(fields, "signature")
    if not _ID.fullmatch(request := read.text(fields, "id")):
        raise ValueError("id is no request's")
    if (epoch := read.whole(wallet, "epoch")) > _MOST_EPOCH:
        raise ValueError("epoch is out of range")
    cost = NanoCredits(read.digits(fields, "cost_nanocredits"))
    held = NanoCredits(read.digits(fields, "held_nanocredits"))
    if max(cost, held) > MAX_NANOCREDITS:
        raise ValueError("an amount is out of range")
    return Receipt(
        id=RequestId(request),
        domain=EscrowDomain(read.whole(fields, "chain_id"), read.address(fields, "escrow")),
        account=AccountKey(*(read.address(wallet, name) for name in ("token", "gateway", "holder", "signer"))),
        epoch=epoch,
        model=read.text(fields, "model"),
        provider=read.text(route, "provider"),
        upstream=read.text(route, "upstream_model"),
        kind=Kind(read.text(wallet, "kind")),
        backup=read.flag(route, "backup"),
        stream=read.flag(route, "stream"),
        test=read.flag(route, "test"),
        state=PriceState(read.text(fields, "price_state")),
        lines=tuple(parse_line(line) for line in read.mappings(fields, "usage")),
        source=UsageSource(read.text(fields, "usage_source")),
        par=_par(read.whole(fields, "par")),
        markup=BasisPoints(read.whole(fields, "markup_bps")),
        held=held,
        cost=cost,
        captured_at=_instant(read.text(fields, "captured_at")),
        settler=read.address(fields, "settler"),
        signature=None if signature is None else bytes.fromhex(signature.removeprefix("0x")),
        asked=None if route.get("asked") is None else read.text(route, "asked"),
        key=None if fields.get("key") is None else _key(read.text(fields, "key")),
        own_key="own_key" in route and read.flag(route, "own_key"),
    )


def _key(text: str) -> KeyId:
    if not _KEY.fullmatch(text):
        raise ValueError("key is no key's")
    return KeyId(text)


def _par(par: int) -> Par:
    if not MIN_PAR <= par <= MAX_PAR:
        raise ValueError("par is out of range")
    return Par(par)


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None or not _FIRST_YEAR <= instant.year <= _LAST_YEAR:
        raise ValueError("captured_at is no instant")
    return instant


def parse_line(fields: Mapping[str, Any]) -> PricedLine:
    """Reads what ``line_facts`` wrote. Raises KeyError, ValueError, MalformedSku."""
    return PricedLine(
        Sku.parse(read.text(fields, "sku")),
        read.whole(fields, "sku_index"),
        read.whole(fields, "provider_id"),
        read.whole(fields, "price_version"),
        UsdWad(read.digits(fields, "unit_price_usd_wad")),
        read.whole(fields, "quantity"),
    )
