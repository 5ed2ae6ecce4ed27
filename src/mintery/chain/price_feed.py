"""PriceFeed: one SKU's price as other contracts read prices, by AggregatorV3."""

from dataclasses import dataclass

from mintery.chain.artifact import load_artifact
from mintery.chain.contract import Contract
from mintery.chain.deployment import Deployment
from mintery.chain.factory import Factory
from mintery.chain.rpc import BlockRef, Rpc, TxReceipt
from mintery.chain.sender import Sender
from mintery.crypto.hashing import keccak
from mintery.domain.voucher import Address
from mintery.units import UnixSeconds, UsdWad

_NAME = "PriceFeed"


@dataclass(frozen=True, slots=True)
class Round:
    """One price version. ``updated_at`` is when a quorum last confirmed it, or began it when it is over."""

    id: int
    usd: UsdWad
    started_at: UnixSeconds
    updated_at: UnixSeconds


class PriceFeed(Contract):
    def __init__(self, rpc: Rpc, address: Address) -> None:
        super().__init__(rpc, _NAME, address)

    def description(self) -> str:
        return str(self.read("description"))

    def latest_round(self, *, at: BlockRef | None = None) -> Round:
        """Raises TransactionReverted (UnknownRound) while the SKU has no price."""
        return _round(self.read("latestRoundData", at=at))

    def round(self, id_: int, *, at: BlockRef | None = None) -> Round:
        """Raises TransactionReverted (UnknownRound) for a version that never was."""
        return _round(self.read("getRoundData", id_, at=at))


def _round(fields: tuple[int, int, int, int, int]) -> Round:
    id_, answer, started_at, updated_at, _ = fields
    return Round(id_, UsdWad(answer), UnixSeconds(started_at), UnixSeconds(updated_at))


def find_feed(rpc: Rpc, deployment: Deployment, sku: int) -> tuple[PriceFeed, bool]:
    """The SKU's feed where it stands or will stand, and whether it does."""
    factory, salt, init_code = _creation(rpc, deployment, sku)
    feed = PriceFeed(rpc, factory.address_of(salt, init_code))
    return feed, bool(rpc.code(feed.address))


def place_feed(sender: Sender, deployment: Deployment, sku: int) -> TxReceipt:
    """Deploy the SKU's feed; anyone may, and a second time changes nothing.

    Raises:
        TransactionReverted: UnknownSku.
    """
    factory, salt, init_code = _creation(sender.rpc, deployment, sku)
    return sender.send(factory.deploy_call(salt, init_code))


def _creation(rpc: Rpc, deployment: Deployment, sku: int) -> tuple[Factory, bytes, bytes]:
    init_code = load_artifact(_NAME).init_code(deployment.oracle, sku)
    return Factory(rpc, deployment.factory), keccak(_NAME.encode()), init_code
