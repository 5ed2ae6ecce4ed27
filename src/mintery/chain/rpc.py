"""One JSON-RPC endpoint. Every read can be pinned to a block."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import requests
from web3 import HTTPProvider, Web3
from web3.exceptions import Web3Exception, Web3RPCError
from web3.providers.base import BaseProvider
from web3.types import RPCEndpoint

from mintery.chain.reverts import decode_revert
from mintery.crypto.hashing import checksum_address
from mintery.domain.voucher import Address
from mintery.errors import RpcRefused, RpcUnavailable
from mintery.units import UnixSeconds, Wei

LOCAL_CHAIN_IDS = frozenset({1337, 31337})
"""Chains whose keys are public and whose money is play money."""
DEFAULT_TIMEOUT = 10.0


@dataclass(frozen=True, slots=True)
class BlockRef:
    """A block that reads can be pinned to. Hashes are lower-case ``0x`` hex."""

    number: int
    hash: str
    parent: str
    timestamp: UnixSeconds
    base_fee: Wei


@dataclass(frozen=True, slots=True)
class Call:
    """What to execute: ``calldata`` at ``to``, or a contract's creation where ``to`` is None. ``action`` names it in errors."""

    action: str
    to: Address | None
    calldata: bytes
    value: Wei = Wei(0)


@dataclass(frozen=True, slots=True)
class Log:
    """One event as the chain keeps it."""

    address: Address
    topics: tuple[bytes, ...]
    payload: bytes
    block: int
    block_hash: str
    tx_hash: str
    index: int


@dataclass(frozen=True, slots=True)
class TxReceipt:
    """What a transaction did. ``gas_price`` is wei per gas, as paid; ``created`` is the contract it made."""

    hash: str
    block: int
    block_hash: str
    gas_used: int
    gas_price: Wei
    succeeded: bool
    created: Address | None
    logs: tuple[Log, ...]


class Rpc:
    """A connected endpoint, which knows its chain.

    Attributes:
        url: for messages.
        chain_id: as EIP-155 binds transactions to it.
        genesis_hash: tells two chains of one id apart.
    """

    def __init__(self, provider: BaseProvider, url: str) -> None:
        self.url = url
        # The provider's JSON is read here and nowhere else, so web3's rewriting layers are left out.
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
                raise RpcUnavailable(self.url, str(error)) from error
            raise RpcRefused(method, fault.get("code", 0), fault["message"], fault.get("data")) from None
        except (Web3Exception, requests.RequestException, OSError, ValueError) as error:
            raise RpcUnavailable(self.url, f"{type(error).__name__}: {error}") from error

    def block(self, tag: int | str = "latest") -> BlockRef:
        """A block by number, or ``latest``, ``safe``, ``finalized``.

        Raises:
            RpcRefused: there is no such block (yet).
        """
        name = hex(tag) if isinstance(tag, int) else tag
        fields = self.request("eth_getBlockByNumber", name, False)
        if fields is None:
            raise RpcRefused("eth_getBlockByNumber", 0, f"there is no block {name}", None)
        return _block(fields)

    def call(self, call: Call, *, sender: Address | None = None, at: BlockRef | None = None) -> bytes:
        """What ``call`` would return, without a transaction.

        Raises:
            TransactionReverted: with the contract's error and its arguments.
        """
        try:
            answer = self.request("eth_call", _transaction(call, sender), _pin(at))
        except RpcRefused as error:
            raise decode_revert(call.action, error) from None
        return bytes.fromhex(answer[2:])

    def estimate(self, call: Call, sender: Address) -> int:
        """Gas that ``call`` needs now.

        Raises:
            TransactionReverted: it would revert.
        """
        try:
            return int(self.request("eth_estimateGas", _transaction(call, sender)), 16)
        except RpcRefused as error:
            raise decode_revert(call.action, error) from None

    def code(self, address: Address, *, at: BlockRef | None = None) -> bytes:
        return bytes.fromhex(self.request("eth_getCode", address, _pin(at))[2:])

    def balance(self, address: Address, *, at: BlockRef | None = None) -> Wei:
        return Wei(int(self.request("eth_getBalance", address, _pin(at)), 16))

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
        return None if fields is None else _receipt(fields)

    def logs(
        self, first: int, last: int, addresses: Iterable[Address], topics: Sequence[bytes] = ()
    ) -> tuple[Log, ...]:
        """Events of ``addresses`` in blocks ``first..last``, both included; ``topics`` are alternatives for the first."""
        query: dict[str, Any] = {"fromBlock": hex(first), "toBlock": hex(last), "address": list(addresses)}
        if topics:
            query["topics"] = [["0x" + topic.hex() for topic in topics]]
        return tuple(_log(fields) for fields in self.request("eth_getLogs", query))


def connect(url_or_provider: str | BaseProvider, *, timeout: float = DEFAULT_TIMEOUT) -> Rpc:
    """An endpoint by URL, or by a provider that answers JSON-RPC itself (the dev chain in this process).

    Raises:
        RpcUnavailable: nobody answers within ``timeout`` seconds.
    """
    if not isinstance(url_or_provider, str):
        return Rpc(url_or_provider, "in-process")
    # No retries here: jobs retry as a whole, and a dead endpoint must show at once.
    provider = HTTPProvider(url_or_provider, request_kwargs={"timeout": timeout}, exception_retry_configuration=None)
    return Rpc(provider, url_or_provider)


def _pin(at: BlockRef | None) -> str | dict[str, Any]:
    """EIP-1898: by hash, so that a reorganisation makes the read fail and not lie."""
    return "latest" if at is None else {"blockHash": at.hash, "requireCanonical": True}


def _transaction(call: Call, sender: Address | None) -> dict[str, str]:
    fields = {"data": "0x" + call.calldata.hex()}
    if call.to is not None:
        fields["to"] = call.to
    if sender is not None:
        fields["from"] = sender
    if call.value:
        fields["value"] = hex(call.value)
    return fields


def _address(text: str) -> Address:
    return checksum_address(bytes.fromhex(text[2:]))


def _block(fields: dict[str, Any]) -> BlockRef:
    return BlockRef(
        number=int(fields["number"], 16),
        hash=fields["hash"],
        parent=fields["parentHash"],
        timestamp=UnixSeconds(int(fields["timestamp"], 16)),
        base_fee=Wei(int(fields.get("baseFeePerGas", "0x0"), 16)),
    )


def _log(fields: dict[str, Any]) -> Log:
    return Log(
        address=_address(fields["address"]),
        topics=tuple(bytes.fromhex(topic[2:]) for topic in fields["topics"]),
        payload=bytes.fromhex(fields["data"][2:]),
        block=int(fields["blockNumber"], 16),
        block_hash=fields["blockHash"],
        tx_hash=fields["transactionHash"],
        index=int(fields["logIndex"], 16),
    )


def _receipt(fields: dict[str, Any]) -> TxReceipt:
    created = fields.get("contractAddress")
    return TxReceipt(
        hash=fields["transactionHash"],
        block=int(fields["blockNumber"], 16),
        block_hash=fields["blockHash"],
        gas_used=int(fields["gasUsed"], 16),
        gas_price=Wei(int(fields["effectiveGasPrice"], 16)),
        succeeded=fields["status"] == "0x1",
        created=None if created is None else _address(created),
        logs=tuple(_log(log) for log in fields["logs"]),
    )
