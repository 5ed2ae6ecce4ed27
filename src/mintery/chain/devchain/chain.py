"""A development chain as one object."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any, Self

from mintery.chain.devchain import rpc
from mintery.chain.devchain.accounts import DEV_CHAIN_ID, dev_accounts
from mintery.chain.devchain.codec import hex_bytes
from mintery.chain.devchain.engine import Engine
from mintery.chain.devchain.faults import RpcFault
from mintery.chain.devchain.filters import Filters
from mintery.chain.devchain.methods import invoke
from mintery.chain.devchain.pool import Pool
from mintery.chain.devchain.provider import DevChainProvider
from mintery.chain.devchain.registry import Node
from mintery.chain.devchain.server import DEFAULT_PORT, LOCALHOST, RpcServer
from mintery.crypto.keys import PrivateKey

# py-evm recurses through about a dozen Python frames per EVM call frame, and the EVM allows 1024 of those.
_STACK_BYTES = 256 * 1024 * 1024


class DevChain:
    """An Ethereum chain in this process, in memory, with cancun rules and one block per transaction.

    Every start is a new chain with a genesis hash of its own, unless ``genesis_time`` (unix seconds) fixes it. ``wall``
    is the clock that block times follow. All execution happens on one thread, so any thread may call any method.
    """

    def __init__(
        self,
        *,
        chain_id: int = DEV_CHAIN_ID,
        genesis_time: int | None = None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.chain_id = chain_id
        self.accounts: tuple[PrivateKey, ...] = dev_accounts()
        self._executor = _one_thread()
        self._node: Node = self._executor.submit(_start, chain_id, wall, genesis_time).result()
        self.genesis_hash = hex_bytes(self._node.engine.blocks.genesis.hash)

    def rpc(self, method: str, params: Sequence[Any] = ()) -> Any:
        """Call one JSON-RPC method with JSON values.

        Raises:
            RpcFault: with the code and the words a JSON-RPC client would get.
        """
        return self._executor.submit(invoke, self._node, method, list(params)).result()

    def submit(self, request: Any) -> Future[Any]:
        """Queue a parsed request or batch; the future holds the response (see ``rpc.answer``)."""
        return self._executor.submit(rpc.answer, self._node, request)

    def answer(self, body: bytes) -> bytes:
        """A JSON-RPC response body for a request body."""
        try:
            request = rpc.parse_body(body)
        except RpcFault as fault:
            return rpc.encode(rpc.failure(None, fault))
        return rpc.encode(self.submit(request).result())

    def provider(self) -> DevChainProvider:
        """A web3.py provider; ``Web3(chain.provider())``."""
        return DevChainProvider(self.answer)

    def serve(self, host: str = LOCALHOST, port: int = DEFAULT_PORT) -> RpcServer:
        """Serve JSON-RPC over HTTP until the returned server is closed. Port 0 takes a free one.

        Raises:
            PortTaken: another program listens there.
        """
        return RpcServer(self.submit, host, port)

    def close(self) -> None:
        """Stop the executor thread after what it is doing. The chain is gone."""
        self._executor.shutdown(wait=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _start(chain_id: int, wall: Callable[[], float], genesis_time: int | None) -> Node:
    engine = Engine(chain_id, wall, genesis_time)
    return Node(engine, Pool(engine), Filters(engine))


def _one_thread() -> ThreadPoolExecutor:
    """An executor whose thread already runs, with a stack deep enough for the EVM's deepest call."""
    executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="devchain")
    usual = threading.stack_size(_STACK_BYTES)
    try:
        executor.submit(int).result()
    finally:
        threading.stack_size(usual)
    return executor
