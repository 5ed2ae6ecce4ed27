"""Check a receipt without asking the gateway: its sum, its signature, its settler and every unit price."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from mintery.chain.artifact import load_artifact
from mintery.chain.events import PriceInForce, SettlerAppointed, events_of
from mintery.crypto.receipts import check_receipt_signature
from mintery.domain.quote import PricedLine
from mintery.domain.receipt import Receipt, check_arithmetic
from mintery.domain.voucher import Address, EscrowDomain
from mintery.errors import MalformedFile, ReceiptRefused
from mintery.units import UsdWad
from mintery.usecases.find_projects import BLOCKS_AT_ONCE
from mintery.usecases.onchain import OnChain

EVIDENCE_FORMAT = "mintery-evidence-1"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a receipt is held against: public facts of one deployment, from the chain or from a file.

    Attributes:
        skus: names by their numbers.
        prices: 1e-18 USD per unit by (SKU number, version), superseded versions included.
        providers: names by their numbers in the registry.
        settlers: (gateway, settler) pairs that were ever appointed.
    """

    domain: EscrowDomain
    skus: Mapping[int, str]
    prices: Mapping[tuple[int, int], UsdWad]
    providers: Mapping[int, str]
    settlers: frozenset[tuple[Address, Address]]


@dataclass(frozen=True, slots=True)
class VerifiedReceipt:
    """``checks`` says in words what was found right."""

    receipt: Receipt
    checks: tuple[str, ...]


def verify_receipt(receipt: Receipt, evidence: Evidence) -> VerifiedReceipt:
    """Raises ReceiptRefused with the first thing that does not hold."""
    if receipt.domain != evidence.domain:
        raise ReceiptRefused(
            f"it is of chain {receipt.domain.chain_id}, escrow {receipt.domain.escrow}; "
            f"the deployment is chain {evidence.domain.chain_id}, escrow {evidence.domain.escrow}"
        )
    check_receipt_signature(receipt)
    gateway = receipt.account.gateway
    if (gateway, receipt.settler) not in evidence.settlers:
        raise ReceiptRefused(f"gateway {gateway} never appointed the settler {receipt.settler}")
    for line in receipt.lines:
        _check_price(line, evidence)
    check_arithmetic(receipt)
    return VerifiedReceipt(
        receipt,
        (
            "it belongs to this deployment",
            "the settler it names signed it",
            "its gateway appointed that settler",
            "every unit price is the oracle's of its version",
            "its cost follows from its lines",
        ),
    )


def _check_price(line: PricedLine, evidence: Evidence) -> None:
    if (name := evidence.skus.get(line.sku_index)) != str(line.sku):
        raise ReceiptRefused(f"SKU {line.sku_index} is {name or 'unknown'} in the oracle, not {line.sku}")
    if (provider := evidence.providers.get(line.provider_id)) != line.sku.provider:
        raise ReceiptRefused(f"provider {line.provider_id} is {provider or 'unknown'} in the registry")
    price = evidence.prices.get((line.sku_index, line.price_version))
    if price is None:
        raise ReceiptRefused(f"the oracle never had version {line.price_version} of {line.sku}")
    if price != line.unit_price:
        raise ReceiptRefused(f"{line.sku} cost {price} in version {line.price_version}, not {line.unit_price}")


def gather_evidence(chain: OnChain) -> Evidence:
    """Read it from the chain, from the deployment's first block to the newest."""
    oracle, escrow = chain.oracle, chain.escrow
    topics = [
        topic
        for contract in ("PriceOracle", "SpendEscrow")
        for topic, event in load_artifact(contract).abi.events.items()
        if event.name in {"PriceInForce", "SettlerAppointed"}
    ]
    prices: dict[tuple[int, int], UsdWad] = {}
    settlers: set[tuple[Address, Address]] = set()
    end = chain.rpc.block().number
    for low in range(chain.deployment.first_block, end + 1, BLOCKS_AT_ONCE):
        logs = chain.rpc.logs(low, min(low + BLOCKS_AT_ONCE - 1, end), [oracle.address, escrow.address], topics)
        prices |= {(seen.sku, seen.version): seen.usd_wad for seen in events_of(logs, oracle.address, PriceInForce)}
        settlers |= {(seen.gateway, seen.settler) for seen in events_of(logs, escrow.address, SettlerAppointed)}
    return Evidence(
        domain=chain.domain,
        skus=dict(enumerate(oracle.sku_names())),
        prices=prices,
        providers={provider.id: provider.name for provider in chain.registry.providers()},
        settlers=frozenset(settlers),
    )


def evidence_json(evidence: Evidence) -> dict[str, Any]:
    """As a file keeps it, so that a receipt can be checked with no chain at hand."""
    return {
        "format": EVIDENCE_FORMAT,
        "chain_id": evidence.domain.chain_id,
        "escrow": evidence.domain.escrow,
        "skus": {str(index): name for index, name in evidence.skus.items()},
        "prices": [
            {"sku": sku, "version": version, "usd_wad": str(usd)}
            for (sku, version), usd in sorted(evidence.prices.items())
        ],
        "providers": {str(number): name for number, name in evidence.providers.items()},
        "settlers": [{"gateway": gateway, "settler": settler} for gateway, settler in sorted(evidence.settlers)],
    }


def read_evidence(path: Path) -> Evidence:
    """Raises MalformedFile."""
    try:
        fields = orjson.loads(path.read_bytes())
        if fields["format"] != EVIDENCE_FORMAT:
            raise MalformedFile(str(path), f"its format is not {EVIDENCE_FORMAT}")
        return Evidence(
            domain=EscrowDomain(fields["chain_id"], Address(fields["escrow"])),
            skus={int(index): name for index, name in fields["skus"].items()},
            prices={(entry["sku"], entry["version"]): UsdWad(int(entry["usd_wad"])) for entry in fields["prices"]},
            providers={int(number): name for number, name in fields["providers"].items()},
            settlers=frozenset((entry["gateway"], entry["settler"]) for entry in fields["settlers"]),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise MalformedFile(str(path), f"{type(error).__name__}: {error}") from None
