"""One contract at one address: named reads, and calls for a sender to send."""

from typing import Any

from mintery.chain.abi import Abi
from mintery.chain.artifact import load_artifact
from mintery.chain.rpc import BlockRef, Call, Rpc
from mintery.domain.voucher import Address


class Contract:
    """What every wrapper is built on. ``name`` is the artifact's."""

    def __init__(self, rpc: Rpc, name: str, address: Address) -> None:
        self.rpc = rpc
        self.name = name
        self.address = address

    @property
    def abi(self) -> Abi:
        return load_artifact(self.name).abi

    def call(self, function: str, *arguments: Any) -> Call:
        return Call(f"{self.name}.{function}", self.address, self.abi.encode_call(function, *arguments))

    def read(self, function: str, *arguments: Any, at: BlockRef | None = None) -> Any:
        """The function's result at a block, or at the latest.

        Raises:
            TransactionReverted: the view reverts.
        """
        answer = self.rpc.call(self.call(function, *arguments), at=at)
        return self.abi.functions[function].decode_outputs(answer)
