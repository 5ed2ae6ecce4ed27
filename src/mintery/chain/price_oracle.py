"""PriceOracle: what one unit of each SKU costs, by quorum."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mintery.chain.contract import Contract
from mintery.chain.packing import ascending, pack_changed, pack_unchanged
from mintery.chain.rpc import BlockRef, Call, Rpc, TxReceipt
from mintery.chain.sender import Sender
from mintery.crypto.hashing import address_bytes
from mintery.crypto.keys import PrivateKey, Signature
from mintery.crypto.reports import report_digest
from mintery.domain.price import PriceInForce, Sku
from mintery.domain.voucher import Address
from mintery.errors import UnknownSku
from mintery.units import UnixSeconds, UsdWad

ASSET_SKU = 0
"""`asset:usd`, the reserve asset itself."""


@dataclass(frozen=True, slots=True)
class Price:
    """One version of a SKU's price, 1e-18 USD per unit. ``superseded_at`` is 0 while it is in force."""

    usd: UsdWad
    since: UnixSeconds
    superseded_at: UnixSeconds


@dataclass(frozen=True, slots=True)
class QueuedPrice:
    """A price that waits for confirmation by a later epoch than ``epoch``."""

    usd: UsdWad
    since: UnixSeconds
    epoch: int


@dataclass(frozen=True, slots=True)
class PriceVector:
    """What one reporter saw in one epoch, packed for the oracle: prices that changed, and a bitmap of those that did not."""

    config: bytes
    epoch: int
    observed_at: UnixSeconds
    changed: bytes
    unchanged: bytes


@dataclass(frozen=True, slots=True)
class SignedReport:
    reporter: Address
    vector: PriceVector
    signature: Signature


class PriceOracle(Contract):
    """SKUs are numbered from 0, their versions from 1."""

    def __init__(self, rpc: Rpc, address: Address) -> None:
        super().__init__(rpc, "PriceOracle", address)
        self._named: tuple[bytes, tuple[str, ...]] = (b"", ())
        self._immutable: dict[str, int] = {}

    def epoch_length(self) -> int:
        """Seconds."""
        return self._read_once("EPOCH_LENGTH")

    def epoch_at(self, instant: UnixSeconds) -> int:
        """The number of the epoch that ``instant`` lies in."""
        return instant // self.epoch_length()

    def queue_delay(self) -> int:
        """Seconds."""
        return self._read_once("QUEUE_DELAY")

    def _read_once(self, constant: str) -> int:
        if (known := self._immutable.get(constant)) is None:
            known = self._immutable[constant] = int(self.read(constant))
        return known

    def last_epoch(self, *, at: BlockRef | None = None) -> int:
        return int(self.read("lastEpoch", at=at))

    def config_digest(self, *, at: BlockRef | None = None) -> bytes:
        digest: bytes = self.read("configDigest", at=at)
        return digest

    def current_price(self, sku: int, *, at: BlockRef | None = None) -> tuple[int, UsdWad]:
        """The version in force and its price; version 0 when there is none."""
        version, usd = self.read("currentPrice", sku, at=at)
        return int(version), UsdWad(usd)

    def settlement_price(self, sku: int, version: int, *, at: BlockRef | None = None) -> UsdWad:
        """Raises TransactionReverted (PriceVersionExpired, UnknownPriceVersion)."""
        return UsdWad(self.read("settlementPrice", sku, version, at=at))

    def price_of(self, sku: int, version: int, *, at: BlockRef | None = None) -> Price:
        return _price(self.read("priceOf", sku, version, at=at))

    def prices_of(self, sku: int, versions: Iterable[int], *, at: BlockRef) -> list[Price]:
        """Several versions in one round trip. Raises TransactionReverted (UnknownPriceVersion)."""
        answers = self.rpc.call_all([self.call("priceOf", sku, version) for version in versions], at=at)
        return [_price(self.decode("priceOf", answer)) for answer in answers]

    def queued_price_of(self, sku: int, *, at: BlockRef | None = None) -> QueuedPrice | None:
        fields = self.read("queuedPriceOf", sku, at=at)
        if not fields["usdWad"]:
            return None
        return QueuedPrice(UsdWad(fields["usdWad"]), UnixSeconds(fields["since"]), fields["epoch"])

    def prices_in_force(self, *, at: BlockRef) -> list[PriceInForce]:
        """Every SKU that has a price in force, but the asset's own, in three round trips."""
        names = self.sku_names(at=at)
        skus = range(ASSET_SKU + 1, len(names))
        current = self.read_each("currentPrice", skus, at=at)
        refreshed = self.read_each("refreshedAt", skus, at=at)
        queued = self.read_each("queuedPriceOf", skus, at=at)
        return [
            PriceInForce(
                sku=Sku.parse(names[sku]),
                index=sku,
                version=version,
                usd=UsdWad(usd),
                refreshed_at=UnixSeconds(seen),
                queued=waiting["usdWad"] != 0,
            )
            for sku, (version, usd), seen, waiting in zip(skus, current, refreshed, queued, strict=True)
            if version
        ]

    def refreshed_at(self, sku: int, *, at: BlockRef | None = None) -> UnixSeconds:
        """When a quorum last saw the price; 0 for never."""
        return UnixSeconds(self.read("refreshedAt", sku, at=at))

    def depegged(self, *, at: BlockRef | None = None) -> bool:
        return bool(self.read("depegged", at=at))

    def sku_count(self, *, at: BlockRef | None = None) -> int:
        return int(self.read("skuCount", at=at))

    def sku_name(self, sku: int, *, at: BlockRef | None = None) -> str:
        return str(self.read("skuName", sku, at=at))

    def sku_names(self, *, at: BlockRef | None = None) -> tuple[str, ...]:
        """All of them by number. The config digest covers the names, so they are read again only when it changes."""
        pinned = at or self.rpc.block()
        digest = self.config_digest(at=pinned)
        if self._named[0] != digest:
            skus = range(self.sku_count(at=pinned))
            self._named = (digest, tuple(self.read_each("skuName", skus, at=pinned)))
        return self._named[1]

    def find_sku(self, name: str, *, at: BlockRef | None = None) -> int | None:
        found, sku = self.read("skuOf", name, at=at)
        return int(sku) if found else None

    def sku_of(self, name: str, *, at: BlockRef | None = None) -> int:
        """Raises UnknownSku for a name that was never added."""
        sku = self.find_sku(name, at=at)
        if sku is None:
            raise UnknownSku(name)
        return sku

    def reporters(self, *, at: BlockRef | None = None) -> tuple[Address, ...]:
        return tuple(self.read("reporters", at=at))

    def quorum(self, *, at: BlockRef | None = None) -> int:
        return int(self.read("quorum", at=at))

    def add_sku_call(self, name: str) -> Call:
        """To be sent through the AccessManager by the admin."""
        return self.call("addSku", name)

    def set_reporters_call(self, reporters: Sequence[Address], quorum: int) -> Call:
        return self.call("setReporters", ascending(reporters), quorum)

    def vector_of(self, seen: Mapping[int, UsdWad], at: BlockRef) -> PriceVector:
        """A vector of the prices ``seen`` by SKU, observed at the time of ``at`` and compared with those in force there."""
        in_force = dict(zip(seen, self.read_each("currentPrice", seen, at=at), strict=True))
        changed = {sku: usd for sku, usd in seen.items() if usd != in_force[sku][1]}
        return PriceVector(
            config=self.config_digest(at=at),
            epoch=divmod(at.timestamp, self.epoch_length())[0],
            observed_at=at.timestamp,
            changed=pack_changed(changed),
            unchanged=pack_unchanged(seen.keys() - changed.keys()),
        )

    def sign_report(self, reporter: PrivateKey, vector: PriceVector) -> SignedReport:
        digest = report_digest(
            chain_id=self.rpc.chain_id,
            oracle=self.address,
            config=vector.config,
            epoch=vector.epoch,
            observed_at=vector.observed_at,
            changed=vector.changed,
            unchanged=vector.unchanged,
        )
        return SignedReport(reporter.address, vector, reporter.sign_digest(digest))

    def report_call(self, reports: Iterable[SignedReport]) -> Call:
        """Sorts by reporter, as the oracle wants it."""
        ordered = sorted(reports, key=lambda report: address_bytes(report.reporter))
        return self.call("report", [_as_tuple(report) for report in ordered])

    def report(self, sender: Sender, reports: Iterable[SignedReport]) -> TxReceipt:
        return sender.send(self.report_call(reports))

    def veto_price(self, guardian: Sender, sku: int) -> TxReceipt:
        return guardian.send(self.call("vetoPrice", sku))

    def declare_depeg(self, guardian: Sender) -> TxReceipt:
        return guardian.send(self.call("declareDepeg"))

    def withdraw_depeg(self, sender: Sender) -> TxReceipt:
        return sender.send(self.call("withdrawDepeg"))


def _price(fields: Mapping[str, int]) -> Price:
    return Price(UsdWad(fields["usdWad"]), UnixSeconds(fields["since"]), UnixSeconds(fields["supersededAt"]))


def _as_tuple(report: SignedReport) -> tuple[Any, ...]:
    """``IPriceOracle.PriceReport``'s members in order."""
    vector, signature = report.vector, report.signature
    return (vector.epoch, vector.observed_at, vector.changed, vector.unchanged, signature.r, signature.vs)
