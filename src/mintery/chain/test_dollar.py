"""TestDollar: the TEST asset of development chains."""

from mintery.chain.credit_token import Token
from mintery.chain.rpc import BlockRef, Rpc, TxReceipt
from mintery.chain.sender import Sender
from mintery.crypto.authorizations import token_domain
from mintery.domain.voucher import Address
from mintery.errors import AssetNotSignable
from mintery.units import AssetUnits

_VERSIONS = ("1", "2")
"""Of EIP-712 domains in which stablecoins sign: "2" is USDC's."""


class Asset(Token):
    """The reserve asset, 6 decimals; a real one answers to the same names."""

    def __init__(self, rpc: Rpc, address: Address) -> None:
        super().__init__(rpc, "TestDollar", address)

    def domain(self) -> bytes:
        """The separator that the asset itself states, and only where it is made of the asset's own name, chain and address:
        a signature for anything else could be used elsewhere.

        Raises:
            AssetNotSignable: it states another.
            TransactionReverted: it states none.
        """
        return token_domain(self.token_name(), self.rpc.chain_id, self.address, version=self.signing_version())

    def signing_version(self) -> str:
        """Of the domain that it states. Raises AssetNotSignable, TransactionReverted, as ``domain`` does."""
        stated: bytes = self.read("DOMAIN_SEPARATOR")
        name = self.token_name()
        for version in _VERSIONS:
            if token_domain(name, self.rpc.chain_id, self.address, version=version) == stated:
                return version
        raise AssetNotSignable(name, self.address)

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
