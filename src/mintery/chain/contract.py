"""One contract at one address: named reads, and calls for a sender to send."""

from collections.abc import Iterable
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
        return self.decode(function, answer)

    def read_each(self, function: str, many: Iterable[Any], *, at: BlockRef) -> list[Any]:
        """The results of ``function`` for each single argument of ``many``, in one round trip.

        Raises:
            TransactionReverted: one of them reverts.
        """
        answers = self.rpc.call_all([self.call(function, argument) for argument in many], at=at)
        return [self.decode(function, answer) for answer in answers]

    def decode(self, function: str, answer: bytes) -> Any:
        return self.abi.functions[function].decode_outputs(answer)
