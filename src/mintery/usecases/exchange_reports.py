"""How reporters show each other what they signed, and what one accepts of another.

A report says for which chain, oracle and configuration it was signed, so that a stranger's is told apart in words. None of
that is believed: the digest is made of our own, and what counts is who signed it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from mintery.chain.packing import BITS_PER_BYTE, pack_changed, unpack_changed, unpack_unchanged
from mintery.chain.price_oracle import PriceVector, SignedReport
from mintery.crypto.keys import Signature
from mintery.crypto.reports import report_digest, report_signer
from mintery.domain import fields as read
from mintery.domain.voucher import Address
from mintery.errors import InvalidSignature, MalformedInput, MalformedReport, ReportForOtherConfig
from mintery.units import UnixSeconds, UsdWad

REPORT_FORMAT = "mintery-price-report-1"
SIGNATURE_BYTES = 64
_HEX_AND_FIELDS = 3
_FIXED_BYTES = 4_096
_ENTRY_BYTES = 21
_EPOCH_BITS, _TIME_BITS = 32, 40
"""What the signed struct has room for."""


@dataclass(frozen=True, slots=True)
class ReportTerms:
    """What a report is signed for. ``config`` is the oracle's digest of its SKUs' names, its reporters and its quorum."""

    chain_id: int
    oracle: Address
    config: bytes
    epoch_length: int
    sku_count: int

    @property
    def most_bytes(self) -> int:
        """Of a report as JSON: each SKU takes a price in hex at most."""
        return _FIXED_BYTES + _HEX_AND_FIELDS * _ENTRY_BYTES * self.sku_count


def report_json(report: SignedReport, terms: ReportTerms) -> bytes:
    vector = report.vector
    return orjson.dumps(
        {
            "format": REPORT_FORMAT,
            "chain_id": terms.chain_id,
            "oracle": terms.oracle,
            "config": _hex(vector.config),
            "reporter": report.reporter,
            "epoch": vector.epoch,
            "observed_at": vector.observed_at,
            "changed": _hex(vector.changed),
            "unchanged": _hex(vector.unchanged),
            "signature": _hex(report.signature.compact),
        }
    )


def read_report(body: bytes, terms: ReportTerms, reporter: Address) -> SignedReport:
    """A report that ``reporter`` signed for ``terms``, whole and as the oracle wants it, whatever its epoch.

    Raises:
        MalformedReport: ReportForOtherConfig where it is none of this configuration.
    """
    try:
        fields: dict[str, Any] = orjson.loads(body)
        if fields["format"] != REPORT_FORMAT:
            raise MalformedReport(f"its format is not {REPORT_FORMAT}")
        _check_terms(fields, terms)
        vector = PriceVector(
            config=terms.config,
            epoch=read.whole(fields, "epoch"),
            observed_at=UnixSeconds(read.whole(fields, "observed_at")),
            changed=_bytes(fields, "changed"),
            unchanged=_bytes(fields, "unchanged"),
        )
        signature = _bytes(fields, "signature")
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise MalformedReport(f"it cannot be read: {type(error).__name__}") from None
    if len(signature) != SIGNATURE_BYTES:
        raise MalformedReport(f"its signature has {len(signature)} bytes, not {SIGNATURE_BYTES}")
    _check_vector(vector, terms)
    report = SignedReport(reporter, vector, Signature.from_compact(signature))
    _check_signer(report, terms)
    return report


def prices_in(vector: PriceVector, in_force: Mapping[int, UsdWad]) -> dict[int, UsdWad]:
    """Every price that a vector names; a SKU without a price in force cannot be seen unchanged."""
    unchanged = {sku: in_force[sku] for sku in unpack_unchanged(vector.unchanged) if in_force.get(sku)}
    return {**unchanged, **unpack_changed(vector.changed)}


def _check_terms(fields: dict[str, Any], terms: ReportTerms) -> None:
    if (chain_id := read.whole(fields, "chain_id")) != terms.chain_id:
        raise MalformedReport(f"it is for chain {chain_id}, not {terms.chain_id}")
    if (oracle := read.address(fields, "oracle")).lower() != terms.oracle.lower():
        raise MalformedReport(f"it is for the oracle {oracle}, not {terms.oracle}")
    if _bytes(fields, "config") != terms.config:
        raise ReportForOtherConfig


def _check_vector(vector: PriceVector, terms: ReportTerms) -> None:
    """As ``PriceVectors.check`` does: one vector that it refuses would revert the reports of all."""
    if vector.epoch >> _EPOCH_BITS or vector.observed_at >> _TIME_BITS:
        raise MalformedReport("its epoch or its time is later than the oracle can count")
    epoch, seen = divmod(vector.observed_at, terms.epoch_length)[0], vector.unchanged
    if epoch != vector.epoch:
        raise MalformedReport(f"it was observed in epoch {epoch}, and says {vector.epoch}")
    try:
        changed = unpack_changed(vector.changed)
    except MalformedInput as error:
        raise MalformedReport(str(error)) from None
    unchanged = unpack_unchanged(seen) if len(seen) <= terms.sku_count else None
    if unchanged is None or (len(seen) - 1) * BITS_PER_BYTE >= terms.sku_count:
        raise MalformedReport("its bitmap is longer than the oracle's list of SKUs")
    if pack_changed(changed) != vector.changed or 0 in changed.values() or changed.keys() & unchanged:
        raise MalformedReport("it names a SKU twice, out of order, or at a price of zero")
    if max((*changed, *unchanged), default=0) >= terms.sku_count:
        raise MalformedReport("it names a SKU that the oracle does not have")


def _check_signer(report: SignedReport, terms: ReportTerms) -> None:
    vector = report.vector
    digest = report_digest(
        chain_id=terms.chain_id,
        oracle=terms.oracle,
        config=vector.config,
        epoch=vector.epoch,
        observed_at=vector.observed_at,
        changed=vector.changed,
        unchanged=vector.unchanged,
    )
    try:
        signer = report_signer(digest, report.signature)
    except InvalidSignature as error:
        raise MalformedReport(f"its signature is none: {error}") from None
    if signer != report.reporter:
        raise MalformedReport(f"it was signed by {signer}, or changed afterwards")


def _hex(content: bytes) -> str:
    return "0x" + content.hex()


def _bytes(fields: dict[str, Any], name: str) -> bytes:
    return bytes.fromhex(read.text(fields, name).removeprefix("0x"))
