"""A connected chain. Every read can be pinned to a block."""

from collections.abc import Iterable, Sequence
from typing import Any

from web3.providers.base import JSONBaseProvider

from mintery.chain.delivery import BROADCAST
from mintery.chain.endpoint import DEFAULT_TIMEOUT, Endpoint, Request, Wire, without_secrets
from mintery.chain.endpoints import Endpoints
from mintery.chain.member import EndpointFault
from mintery.chain.reverts import decode_revert
from mintery.chain.wire import (
    BlockRef,
    Call,
    Log,
    TxReceipt,
    parse_block,
    parse_log,
    parse_receipt,
    write_call,
    write_pin,
)
from mintery.domain.voucher import Address
from mintery.errors import RpcRefused, RpcUnavailable
from mintery.units import Wei

__all__ = ["LOCAL_CHAIN_IDS", "BlockRef", "Call", "Log", "Rpc", "TxReceipt", "connect", "without_secrets"]

LOCAL_CHAIN_IDS = frozenset({1337, 31337})
"""Chains whose keys are public and whose money is play money."""


class Rpc:
    """A chain behind one endpoint or several that check each other.

    Attributes:
        chain_id: as EIP-155 binds transactions to it.
        genesis_hash: tells two chains of one id apart.
    """

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.chain_id = int(self.request("eth_chainId"), 16)
        self.genesis_hash: str = self.block(0).hash

    @property
    def url(self) -> str:
        """For messages: scheme and host alone, as hosted endpoints carry their key in the path, the query or the user."""
        return self.wire.url

    @property
    def is_local(self) -> bool:
        return self.chain_id in LOCAL_CHAIN_IDS

    def look_after_endpoints(self) -> tuple[EndpointFault, ...]:
        """Ask those again that were put aside or did not answer; what is still wrong with them. Empty for a single one."""
        return self.wire.look_after() if isinstance(self.wire, Endpoints) else ()

    def request(self, method: str, *parameters: Any) -> Any:
        """The JSON result of one request.

        Raises:
            RpcUnavailable: no answer.
            RpcRefused: the answer is an error.
            RpcsDisagree: several endpoints say different things.
        """
        return self.wire.request(method, *parameters)

    def request_all(self, wanted: Sequence[Request]) -> list[Any | RpcRefused]:
        """The results of many requests (method, parameters) in few round trips; refusals stand in their places.

        Raises:
            RpcUnavailable: no answer.
            RpcRefused: the endpoint takes no batches.
            RpcsDisagree: several endpoints say different things.
        """
        return self.wire.request_all(wanted)

    def block(self, tag: int | str = "latest") -> BlockRef:
        """A block by number, or ``latest``, ``safe``, ``finalized``.

        Raises:
            RpcRefused: there is no such block (yet).
        """
        name = hex(tag) if isinstance(tag, int) else tag
        fields = self.request("eth_getBlockByNumber", name, False)
        if fields is None:
            raise _no_block(name)
        return parse_block(fields)

    def blocks(self, first: int, last: int) -> list[BlockRef]:
        """Blocks ``first..last``, both included.

        Raises:
            RpcRefused: one is not there (yet).
        """
        numbers = range(first, last + 1)
        answers = self.request_all([("eth_getBlockByNumber", [hex(number), False]) for number in numbers])
        blocks = []
        for number, fields in zip(numbers, answers, strict=True):
            if isinstance(fields, RpcRefused):
                raise fields
            if fields is None:
                raise _no_block(hex(number))
            blocks.append(parse_block(fields))
        return blocks

    def call(self, call: Call, *, sender: Address | None = None, at: BlockRef | None = None) -> bytes:
        """What ``call`` would return, without a transaction.

        Raises:
            TransactionReverted: with the contract's error and its arguments.
        """
        try:
            answer = self.request("eth_call", write_call(call, sender), write_pin(at))
        except RpcRefused as error:
            raise decode_revert(call.action, error) from None
        return bytes.fromhex(answer[2:])

    def call_all(self, calls: Sequence[Call], *, at: BlockRef) -> list[bytes]:
        """What many calls would return at one block.

        Raises:
            TransactionReverted: one of them reverts.
        """
        pin = write_pin(at)
        answers = self.request_all([("eth_call", [write_call(call, None), pin]) for call in calls])
        returned = []
        for call, answer in zip(calls, answers, strict=True):
            if isinstance(answer, RpcRefused):
                raise decode_revert(call.action, answer)
            returned.append(bytes.fromhex(answer[2:]))
        return returned

    def estimate(self, call: Call, sender: Address) -> int:
        """Gas that ``call`` needs now.

        Raises:
            TransactionReverted: it would revert.
        """
        try:
            return int(self.request("eth_estimateGas", write_call(call, sender)), 16)
        except RpcRefused as error:
            raise decode_revert(call.action, error) from None

    def code(self, address: Address, *, at: BlockRef | None = None) -> bytes:
        return bytes.fromhex(self.request("eth_getCode", address, write_pin(at))[2:])

    def balance(self, address: Address, *, at: BlockRef | None = None) -> Wei:
        return Wei(int(self.request("eth_getBalance", address, write_pin(at)), 16))

    def nonce(self, address: Address, tag: str = "latest") -> int:
        """Transactions sent from ``address``; with ``pending`` those that wait count too."""
        return int(self.request("eth_getTransactionCount", address, tag), 16)

    def priority_fee(self) -> Wei:
        return Wei(int(self.request("eth_maxPriorityFeePerGas"), 16))

    def broadcast(self, raw: bytes) -> None:
        self.request(BROADCAST, "0x" + raw.hex())

    def knows(self, tx_hash: str) -> bool:
        """Whether a transaction waits or is in a block."""
        return self.request("eth_getTransactionByHash", tx_hash) is not None

    def receipt(self, tx_hash: str) -> TxReceipt | None:
        """None while it is in no block."""
        fields = self.request("eth_getTransactionReceipt", tx_hash)
        return None if fields is None else parse_receipt(fields)

    def agreed_receipt(self, tx_hash: str, *, through: int) -> TxReceipt | None:
        """What those that have block ``through`` agree on. None is as certain as a receipt: it is in no block up to there.

        Raises:
            RpcUnavailable: too few have that block.
            RpcsDisagree: no majority says the same.
        """
        wanted: Request = ("eth_getTransactionReceipt", [tx_hash])
        if isinstance(self.wire, Endpoints):
            (fields,) = self.wire.agreed([wanted], through=through)
        else:
            head, fields = self.wire.request_all([("eth_blockNumber", []), wanted])
            if isinstance(head, RpcRefused) or int(head, 16) < through:
                raise RpcUnavailable(self.url, f"block {through} is not there (any more)")
        if isinstance(fields, RpcRefused):
            raise fields
        receipt = None if fields is None else parse_receipt(fields)
        return receipt if receipt is not None and receipt.block <= through else None

    def logs(
        self, first: int, last: int, addresses: Iterable[Address], topics: Sequence[bytes] = ()
    ) -> tuple[Log, ...]:
        """Events of ``addresses`` in blocks ``first..last``, both included; ``topics`` are alternatives for the first."""
        query: dict[str, Any] = {"fromBlock": hex(first), "toBlock": hex(last), "address": list(addresses)}
        if topics:
            query["topics"] = [["0x" + topic.hex() for topic in topics]]
        return tuple(parse_log(fields) for fields in self.request("eth_getLogs", query))

    def block_logs(self, block_hash: str, addresses: Iterable[Address]) -> tuple[Log, ...]:
        """Events of ``addresses`` in one block. A node that does not have it refuses, where a range would be empty."""
        query = {"blockHash": block_hash, "address": list(addresses)}
        return tuple(parse_log(fields) for fields in self.request("eth_getLogs", query))

    def receipt_logs(self, block_hash: str, addresses: Iterable[Address]) -> tuple[Log, ...] | None:
        """As ``block_logs``, from the receipts of the block's transactions; None where the endpoint gives none."""
        try:
            listed = self.request("eth_getBlockReceipts", block_hash)
        except RpcRefused:
            return None
        wanted = set(addresses)
        logs = (log for fields in listed or () for log in parse_receipt(fields).logs)
        return None if listed is None else tuple(log for log in logs if log.address in wanted)


def connect(
    where: str | Sequence[str] | JSONBaseProvider, *, timeout: float = DEFAULT_TIMEOUT, quorum: int | None = None
) -> Rpc:
    """A chain by the URL of its endpoint, by several (separated by commas, or as a list), or by a provider that answers
    JSON-RPC itself (the dev chain in this process).

    Args:
        where: the endpoint, or endpoints.
        timeout: the longest wait for one answer, seconds.
        quorum: how many of several endpoints must say the same of what moves money. Default: half of them, rounded up.

    Raises:
        RpcUnavailable: fewer than ``quorum`` answer within ``timeout`` seconds.
        RpcsDisagree: they serve different chains, and no majority of them the same.
    """
    if isinstance(where, JSONBaseProvider):
        return Rpc(Endpoint(where, "in-process"))
    listed = where.split(",") if isinstance(where, str) else where
    urls = [url.strip() for url in listed if url.strip()] or [""]
    if len(urls) == 1:
        return Rpc(Endpoint.at(urls[0], timeout=timeout))
    return Rpc(Endpoints([Endpoint.at(url, timeout=timeout) for url in urls], quorum=quorum))


def _no_block(name: str) -> RpcRefused:
    return RpcRefused("eth_getBlockByNumber", 0, f"there is no block {name}")
