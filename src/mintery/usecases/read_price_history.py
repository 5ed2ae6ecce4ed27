"""Read what one SKU has cost, version by version."""

from dataclasses import dataclass

from mintery.chain.price_oracle import Price, QueuedPrice
from mintery.chain.rpc import BlockRef
from mintery.units import UnixSeconds
from mintery.usecases.onchain import OnChain


@dataclass(frozen=True, slots=True)
class PriceHistory:
    """``versions``: number and price, oldest first; those before ``limit`` of them are left out. ``refreshed_at``: 0 for never."""

    sku: str
    index: int
    at: BlockRef
    versions: tuple[tuple[int, Price], ...]
    refreshed_at: UnixSeconds
    queued: QueuedPrice | None


def read_price_history(chain: OnChain, sku: str, *, limit: int) -> PriceHistory:
    """All of it at one block, the newest.

    Raises:
        UnknownSku
    """
    at, oracle = chain.rpc.block(), chain.oracle
    index = oracle.sku_of(sku, at=at)
    last, _ = oracle.current_price(index, at=at)
    numbers = range(max(1, last - limit + 1), last + 1)
    return PriceHistory(
        sku=sku,
        index=index,
        at=at,
        versions=tuple(zip(numbers, oracle.prices_of(index, numbers, at=at), strict=True)),
        refreshed_at=oracle.refreshed_at(index, at=at),
        queued=oracle.queued_price_of(index, at=at),
    )
