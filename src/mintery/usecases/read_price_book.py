"""Read every price version that the oracle has had."""

from mintery.chain.rpc import BlockRef
from mintery.units import UsdWad
from mintery.usecases.onchain import OnChain
from mintery.usecases.verify_receipt import PriceBook


def read_price_book(chain: OnChain, *, at: BlockRef | None = None) -> PriceBook:
    """All of it at one block, the newest by default."""
    block = chain.rpc.block() if at is None else at
    names = dict(enumerate(chain.oracle.sku_names(at=block)))
    prices: dict[tuple[int, int], UsdWad] = {}
    for index in names:
        last, _ = chain.oracle.current_price(index, at=block)
        for version in range(1, last + 1):
            prices[index, version] = chain.oracle.price_of(index, version, at=block).usd
    return PriceBook(chain.rpc.chain_id, chain.escrow.address, names, prices)
