"""TestDollar: the TEST asset of development chains."""

from mintery.chain.credit_token import Token
from mintery.chain.rpc import BlockRef, Rpc, TxReceipt
from mintery.chain.sender import Sender
from mintery.domain.voucher import Address
from mintery.units import AssetUnits


class Asset(Token):
    """The reserve asset, 6 decimals; a real one answers to the same names."""

    def __init__(self, rpc: Rpc, address: Address) -> None:
        super().__init__(rpc, "TestDollar", address)

    def balance_of(self, holder: Address, *, at: BlockRef | None = None) -> AssetUnits:
        return AssetUnits(self.read("balanceOf", holder, at=at))

    def allowance(self, holder: Address, spender: Address, *, at: BlockRef | None = None) -> AssetUnits:
        return AssetUnits(self.read("allowance", holder, spender, at=at))

    def transfer(self, sender: Sender, to: Address, assets: AssetUnits) -> TxReceipt:
        return sender.send(self.call("transfer", to, assets))


class TestDollar(Asset):
    """Anyone may mint it. Worth nothing."""

    __test__ = False  # its name begins as pytest's classes do

    def mint(self, sender: Sender, to: Address, assets: AssetUnits) -> TxReceipt:
        return sender.send(self.call("mint", to, assets))
