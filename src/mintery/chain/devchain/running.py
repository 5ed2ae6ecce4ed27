"""A development chain served until somebody stops it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from mintery.chain.devchain.anvil import AnvilChain, find_anvil
from mintery.chain.devchain.server import DEFAULT_PORT, LOCALHOST
from mintery.crypto.keys import PrivateKey
from mintery.errors import AnvilFailed
from mintery.serving.waiting import until_signalled


class ChainEngine(StrEnum):
    """What runs the chain."""

    ETH_TESTER = "eth-tester"
    ANVIL = "anvil"


@dataclass(frozen=True, slots=True)
class ServedChain:
    """A chain that answers at ``url`` now. ``accounts`` hold 10 000 ether each; their keys are public knowledge."""

    url: str
    engine: ChainEngine
    chain_id: int
    accounts: tuple[PrivateKey, ...]


def run_devchain(
    host: str = LOCALHOST,
    port: int = DEFAULT_PORT,
    engine: ChainEngine = ChainEngine.ETH_TESTER,
    *,
    anvil: Path | None = None,
    roots: Sequence[Path] = (),
    genesis_time: int | None = None,
    on_ready: Callable[[ServedChain], None] = lambda _served: None,
) -> None:
    """Serve a chain until SIGINT or SIGTERM, then close it. Call it on the main thread.

    ``anvil`` names the executable and ``roots`` where packaged ones are looked for; ``genesis_time`` (unix seconds)
    fixes the genesis block of the eth-tester engine. ``on_ready`` is called once, when the chain answers.

    Raises:
        PortTaken: another program listens there.
        AnvilMissing, AnvilFailed: the anvil engine cannot start, or ended by itself.
    """
    with until_signalled() as stop:
        if engine is ChainEngine.ANVIL:
            _run_anvil(stop, find_anvil(anvil, roots), host, port, on_ready)
        else:
            _run_eth_tester(stop, host, port, genesis_time, on_ready)


def _run_eth_tester(
    stop: threading.Event,
    host: str,
    port: int,
    genesis_time: int | None,
    on_ready: Callable[[ServedChain], None],
) -> None:
    from mintery.chain.devchain.chain import DevChain  # noqa: PLC0415 -- the engine takes a second to import

    with DevChain(genesis_time=genesis_time) as chain, chain.serve(host, port) as server:
        on_ready(ServedChain(server.url, ChainEngine.ETH_TESTER, chain.chain_id, chain.accounts))
        stop.wait()


def _run_anvil(
    stop: threading.Event,
    executable: Path,
    host: str,
    port: int,
    on_ready: Callable[[ServedChain], None],
) -> None:
    with AnvilChain(executable, host, port) as chain:

        def watch() -> None:
            chain.wait()
            stop.set()

        threading.Thread(target=watch, name="devchain-anvil-watch", daemon=True).start()
        on_ready(ServedChain(chain.url, ChainEngine.ANVIL, chain.chain_id, chain.accounts))
        stop.wait()
        if not chain.running:
            raise AnvilFailed(str(executable), "it ended by itself")
