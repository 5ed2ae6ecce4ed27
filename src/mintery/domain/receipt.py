"""The gateway's record of one request: who paid, for what, at which prices, and how the sum comes about."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import orjson

from mintery.domain.hold import RequestId
from mintery.domain.price import PriceState, Sku
from mintery.domain.quote import PricedLine, UsageSource, total_cost
from mintery.domain.voucher import AccountKey, Address, EscrowDomain, Kind
from mintery.errors import MalformedReceipt, ReceiptRefused
from mintery.units import BasisPoints, NanoCredits, Par, UsdWad, nanocredits_up

RECEIPT_FORMAT = "mintery-receipt-1"


@dataclass(frozen=True, slots=True)
class Receipt:
    """One captured request.

    Attributes:
        lines: what was used, at the prices pinned by the quote.
        cost: nanocredits charged: the lines with markup, rounded up once; less only where ``source`` is clamped.
        held: nanocredits that were set aside; cost <= held.
        backup: another than the first route was used.
        stream: it was answered as server-sent events.
        test: the provider is a stub that makes its answers up.
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
        "model": receipt.model,
        "route": {
            "provider": receipt.provider,
            "upstream_model": receipt.upstream,
            "backup": receipt.backup,
            "stream": receipt.stream,
            "test": receipt.test,
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
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise MalformedReceipt(f"{type(error).__name__}: {error}") from None
    if fields.get("format") != RECEIPT_FORMAT:
        raise MalformedReceipt(f"format is not {RECEIPT_FORMAT}")
    written = {name: value for name, value in fields.items() if name in receipt_facts(receipt)}
    if written != receipt_facts(receipt):
        raise MalformedReceipt("its fields contradict each other")
    return receipt


def _parse(fields: Mapping[str, Any]) -> Receipt:
    wallet, route = fields["wallet"], fields["route"]
    signature = fields.get("signature")
    return Receipt(
        id=RequestId(fields["id"]),
        domain=EscrowDomain(fields["chain_id"], Address(fields["escrow"])),
        account=AccountKey(wallet["token"], wallet["gateway"], wallet["holder"], wallet["signer"]),
        epoch=wallet["epoch"],
        model=fields["model"],
        provider=route["provider"],
        upstream=route["upstream_model"],
        kind=Kind(wallet["kind"]),
        backup=route["backup"],
        stream=route["stream"],
        test=route["test"],
        state=PriceState(fields["price_state"]),
        lines=tuple(parse_line(line) for line in fields["usage"]),
        source=UsageSource(fields["usage_source"]),
        par=Par(fields["par"]),
        markup=BasisPoints(fields["markup_bps"]),
        held=NanoCredits(int(fields["held_nanocredits"])),
        cost=NanoCredits(int(fields["cost_nanocredits"])),
        captured_at=datetime.fromisoformat(fields["captured_at"]),
        settler=Address(fields["settler"]),
        signature=None if signature is None else bytes.fromhex(signature.removeprefix("0x")),
    )


def parse_line(fields: Mapping[str, Any]) -> PricedLine:
    """Reads what ``line_facts`` wrote."""
    return PricedLine(
        Sku.parse(fields["sku"]),
        fields["sku_index"],
        fields["provider_id"],
        fields["price_version"],
        UsdWad(int(fields["unit_price_usd_wad"])),
        fields["quantity"],
    )
