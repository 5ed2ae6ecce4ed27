"""One JSON-RPC endpoint. Every read can be pinned to a block."""

import ssl
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import requests
from web3 import HTTPProvider, Web3
from web3.exceptions import Web3Exception, Web3RPCError
from web3.providers.base import JSONBaseProvider
from web3.types import RPCEndpoint

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

__all__ = ["LOCAL_CHAIN_IDS", "BlockRef", "Call", "Log", "Rpc", "TxReceipt", "connect"]

LOCAL_CHAIN_IDS = frozenset({1337, 31337})
"""Chains whose keys are public and whose money is play money."""
DEFAULT_TIMEOUT = 10.0
REQUESTS_IN_ONE = 100
"""How many a batch carries; hosted endpoints take no more."""
_NO_ANSWER = (Web3Exception, requests.RequestException, OSError, ValueError)


def _why(error: Exception) -> str:
    """The last cause in a few words: `requests` wraps "connection refused" into three lines, with the URL and its key."""
    cause: BaseException = error
    while (below := cause.__cause__ or cause.__context__) is not None:
        cause = below
    if isinstance(cause, ssl.SSLError):
        return "it does not speak TLS as https:// needs it"
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror.lower()
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"HTTP {error.response.status_code}"
    if isinstance(
        error, requests.exceptions.InvalidURL | requests.exceptions.InvalidSchema | requests.exceptions.MissingSchema
    ):
        return "it is no http:// or https:// address"
    return type(error).__name__


class Rpc:
    """A connected endpoint, which knows its chain.

    Attributes:
        url: for messages: scheme and host alone, as hosted endpoints carry their key in the path, the query or the user.
        chain_id: as EIP-155 binds transactions to it.
        genesis_hash: tells two chains of one id apart.
    """

    def __init__(self, provider: JSONBaseProvider, url: str) -> None:
        self.url = url
        # The provider's JSON is read here and nowhere else, so web3's rewriting layers are left out.
        self._provider = provider
        self._requests = Web3(provider, middleware=[]).manager
        self.chain_id = int(self.request("eth_chainId"), 16)
        self.genesis_hash: str = self.block(0).hash

    @property
    def is_local(self) -> bool:
        return self.chain_id in LOCAL_CHAIN_IDS

    def request(self, method: str, *parameters: Any) -> Any:
        """The JSON result of one request.

        Raises:
            RpcUnavailable: no answer.
            RpcRefused: the answer is an error.
        """
        try:
            return self._requests.request_blocking(RPCEndpoint(method), list(parameters))
        except Web3RPCError as error:
            fault = (error.rpc_response or {}).get("error")
            if not isinstance(fault, dict):
                raise RpcUnavailable(self.url, type(error).__name__) from None
            raise _refused(method, fault) from None
        except _NO_ANSWER as error:
            raise RpcUnavailable(self.url, _why(error)) from None

    def request_all(self, wanted: Sequence[tuple[str, list[Any]]]) -> list[Any | RpcRefused]:
        """The results of many requests (method, parameters) in few round trips; refusals stand in their places.

        Raises:
            RpcUnavailable: no answer.
            RpcRefused: the endpoint takes no batches.
        """
        chunks = range(0, len(wanted), REQUESTS_IN_ONE)
        return [result for start in chunks for result in self._batch(wanted[start : start + REQUESTS_IN_ONE])]

    def _batch(self, wanted: Sequence[tuple[str, list[Any]]]) -> list[Any | RpcRefused]:
        try:
            answers: Any = self._provider.make_batch_request([(RPCEndpoint(m), parameters) for m, parameters in wanted])
        except _NO_ANSWER as error:
            raise RpcUnavailable(self.url, _why(error)) from None
        if not isinstance(answers, list):
            raise _refused("a batch", answers["error"])
        if len(answers) != len(wanted):
            raise RpcUnavailable(self.url, f"{len(answers)} answers to {len(wanted)} requests")
        return [
            _refused(method, answer["error"]) if "error" in answer else answer["result"]
            for (method, _), answer in zip(wanted, answers, strict=True)
        ]

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
        self.request("eth_sendRawTransaction", "0x" + raw.hex())

    def knows(self, tx_hash: str) -> bool:
        """Whether a transaction waits or is in a block."""
        return self.request("eth_getTransactionByHash", tx_hash) is not None

    def receipt(self, tx_hash: str) -> TxReceipt | None:
        """None while it is in no block."""
        fields = self.request("eth_getTransactionReceipt", tx_hash)
        return None if fields is None else parse_receipt(fields)

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


def connect(url_or_provider: str | JSONBaseProvider, *, timeout: float = DEFAULT_TIMEOUT) -> Rpc:
    """An endpoint by URL, or by a provider that answers JSON-RPC itself (the dev chain in this process).

    Raises:
        RpcUnavailable: nobody answers within ``timeout`` seconds.
    """
    if not isinstance(url_or_provider, str):
        return Rpc(url_or_provider, "in-process")
    # No retries here: jobs retry as a whole, and a dead endpoint must show at once.
    provider = HTTPProvider(url_or_provider, request_kwargs={"timeout": timeout}, exception_retry_configuration=None)
    return Rpc(provider, without_secrets(url_or_provider))


def without_secrets(url: str) -> str:
    """What messages may show of an endpoint: hosted ones carry their key in the user, the path or the query."""
    try:
        parts = urlsplit(url)
        where = f"{parts.scheme}://{parts.hostname or ''}" + (f":{parts.port}" if parts.port else "")
    except ValueError:
        return "(no URL)"
    if not parts.scheme:
        return url
    return where + ("/…" if parts.path.strip("/") or parts.query else "")


def _refused(method: str, fault: Mapping[str, Any]) -> RpcRefused:
    return RpcRefused(method, fault.get("code", 0), fault["message"], fault.get("data"))


def _no_block(name: str) -> RpcRefused:
    return RpcRefused("eth_getBlockByNumber", 0, f"there is no block {name}")
