"""What the contracts emit, typed, with the names and units of the interfaces."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, TypeVar

from mintery.chain.abi import Signature
from mintery.chain.artifact import load_artifact
from mintery.chain.packing import unpack_outcomes
from mintery.chain.rpc import Log
from mintery.chain.terms import Terms, kind_of
from mintery.domain.batch import LineOutcome
from mintery.domain.voucher import AccountId, Address, Kind
from mintery.units import AssetUnits, CreditUnits, UnixSeconds, UsdWad


@dataclass(frozen=True, slots=True)
class Event:
    """The root; one class for each event that is read."""


# SpendEscrow


@dataclass(frozen=True, slots=True)
class Deposited(Event):
    account: AccountId
    token: Address
    gateway: Address
    holder: Address
    signer: Address
    credits: CreditUnits


@dataclass(frozen=True, slots=True)
class ExitStarted(Event):
    account: AccountId
    credits: CreditUnits
    unlock: UnixSeconds
    closing: bool


@dataclass(frozen=True, slots=True)
class ExitCancelled(Event):
    account: AccountId


@dataclass(frozen=True, slots=True)
class ExitExecuted(Event):
    """``epoch`` is the account's afterwards."""

    account: AccountId
    holder: Address
    credits: CreditUnits
    epoch: int


@dataclass(frozen=True, slots=True)
class Released(Event):
    account: AccountId
    holder: Address
    credits: CreditUnits


@dataclass(frozen=True, slots=True)
class BatchSettled(Event):
    """``outcomes`` are in the order of the batch's lines, over all its tokens."""

    gateway: Address
    batch_id: int
    receipts_root: bytes
    outcomes: tuple[LineOutcome, ...]


@dataclass(frozen=True, slots=True)
class SettlerAppointed(Event):
    gateway: Address
    settler: Address


@dataclass(frozen=True, slots=True)
class SettlerRevoked(Event):
    gateway: Address
    settler: Address


@dataclass(frozen=True, slots=True)
class SettlementPausedUntil(Event):
    until: UnixSeconds


# ReserveVault


@dataclass(frozen=True, slots=True)
class ProjectOpened(Event):
    token: Address
    issuer: Address
    terms: Terms


@dataclass(frozen=True, slots=True)
class Minted(Event):
    token: Address
    payer: Address
    to: Address
    credits: CreditUnits
    assets: AssetUnits


@dataclass(frozen=True, slots=True)
class Redeemed(Event):
    token: Address
    holder: Address
    receiver: Address
    credits: CreditUnits
    assets: AssetUnits


@dataclass(frozen=True, slots=True)
class Settled(Event):
    """One token of one batch: credits burned, their backing, and how it was split."""

    token: Address
    gateway: Address
    batch_id: int
    burned: CreditUnits
    backing: AssetUnits
    paid: AssetUnits
    margin: AssetUnits


@dataclass(frozen=True, slots=True)
class ProviderCredited(Event):
    provider: int
    token: Address
    batch_id: int
    assets: AssetUnits
    shortfall: AssetUnits


@dataclass(frozen=True, slots=True)
class ProviderWithdrawn(Event):
    provider: int
    payout: Address
    claim: AssetUnits
    assets: AssetUnits


@dataclass(frozen=True, slots=True)
class MarginWithdrawn(Event):
    token: Address
    fee_recipient: Address
    claim: AssetUnits
    assets: AssetUnits


@dataclass(frozen=True, slots=True)
class Swept(Event):
    receiver: Address
    assets: AssetUnits


@dataclass(frozen=True, slots=True)
class Retired(Event):
    token: Address
    by: Address


@dataclass(frozen=True, slots=True)
class TermsTightened(Event):
    token: Address
    by: Address
    mint_cap: CreditUnits
    payout_cap: AssetUnits


@dataclass(frozen=True, slots=True)
class ProviderRemoved(Event):
    token: Address
    provider: int
    by: Address


@dataclass(frozen=True, slots=True)
class ProviderAdded(Event):
    token: Address
    provider: int


@dataclass(frozen=True, slots=True)
class LooseningProposed(Event):
    token: Address
    mint_cap: CreditUnits
    payout_cap: AssetUnits
    providers: tuple[int, ...]
    ready_at: UnixSeconds


@dataclass(frozen=True, slots=True)
class Loosened(Event):
    token: Address
    mint_cap: CreditUnits
    payout_cap: AssetUnits


@dataclass(frozen=True, slots=True)
class ListMemberChanged(Event):
    token: Address
    member: Address
    listed: bool


@dataclass(frozen=True, slots=True)
class EscrowSet(Event):
    escrow: Address


# PriceOracle


@dataclass(frozen=True, slots=True)
class SkuAdded(Event):
    sku: int
    name: str


@dataclass(frozen=True, slots=True)
class ReportersChanged(Event):
    reporters: tuple[Address, ...]
    quorum: int
    config_digest: bytes


@dataclass(frozen=True, slots=True)
class PriceInForce(Event):
    sku: int
    version: int
    usd_wad: UsdWad


@dataclass(frozen=True, slots=True)
class PriceQueued(Event):
    sku: int
    usd_wad: UsdWad
    in_force: UsdWad


@dataclass(frozen=True, slots=True)
class PriceVetoed(Event):
    sku: int
    usd_wad: UsdWad


@dataclass(frozen=True, slots=True)
class PriceDequeued(Event):
    sku: int
    usd_wad: UsdWad


@dataclass(frozen=True, slots=True)
class EpochReported(Event):
    epoch: int
    reports: int


@dataclass(frozen=True, slots=True)
class DepegDeclared(Event):
    declared: bool


# ProviderRegistry


@dataclass(frozen=True, slots=True)
class ProviderRegistered(Event):
    id: int
    name: str
    payout: Address
    kind: Kind
    resale_allowed: bool


@dataclass(frozen=True, slots=True)
class PayoutChanged(Event):
    id: int
    sender: Address
    to: Address


@dataclass(frozen=True, slots=True)
class ProviderActivated(Event):
    id: int


@dataclass(frozen=True, slots=True)
class ProviderDeactivated(Event):
    id: int


@dataclass(frozen=True, slots=True)
class ResaleAllowed(Event):
    id: int


@dataclass(frozen=True, slots=True)
class ResaleForbidden(Event):
    id: int


E = TypeVar("E", bound=Event)
EMITTERS = ("SpendEscrow", "ReserveVault", "PriceOracle", "ProviderRegistry")
_CAPITAL = re.compile(r"(?<=[a-z0-9])([A-Z])")
_RENAMED = {"from": "sender"}


def _field(name: str) -> str:
    return _RENAMED.get(name) or _CAPITAL.sub(r"_\1", name).lower()


def _value(field: str, value: Any) -> Any:
    match field:
        case "account":
            return AccountId("0x" + value.hex())
        case "outcomes":
            return unpack_outcomes(value)
        case "terms":
            return Terms.of(value)
        case "kind":
            return kind_of(value)
        case _:
            return value


@cache
def _classes() -> dict[str, type[Event]]:
    return {cls.__name__: cls for cls in Event.__subclasses__()}


@cache
def _signatures() -> dict[bytes, Signature]:
    """The events of our contracts that have a class here, by topic."""
    known: dict[bytes, Signature] = {}
    for emitter in EMITTERS:
        known |= {t: s for t, s in load_artifact(emitter).abi.events.items() if s.name in _classes()}
    return known


def decode_log(log: Log) -> Event | None:
    """None for an event that nothing reads. Whose contract it is, the caller has checked by the log's address."""
    signature = _signatures().get(log.topics[0]) if log.topics else None
    if signature is None:
        return None
    arguments = {_field(name): value for name, value in signature.decode_log(log.topics, log.payload).items()}
    cls = _classes()[signature.name]
    names = [field.name for field in fields(cls)]
    return cls(**{name: _value(name, arguments[name]) for name in names})


def events_of(logs: Iterable[Log], address: Address, kind: type[E]) -> Iterator[E]:
    """The events of one class that the contract at ``address`` emitted."""
    for log in logs:
        if log.address == address and isinstance(event := decode_log(log), kind):
            yield event
