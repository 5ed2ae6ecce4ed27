"""An installed anvil as a child process, set up like the in-process chain."""

from __future__ import annotations

import re
import secrets
import shutil
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from mintery.chain.devchain.accounts import (
    BLOCK_GAS_LIMIT,
    DEV_ACCOUNT_COUNT,
    DEV_BALANCE_ETHER,
    DEV_CHAIN_ID,
    dev_accounts,
)
from mintery.crypto.keys import DEV_MNEMONIC, PrivateKey
from mintery.errors import AnvilFailed, AnvilMissing

START_SECONDS = 20
STOP_SECONDS = 10
GENESIS_BASE_FEE_WEI = 10**9
_LISTENING = re.compile(r"Listening on \S+:(\d+)")
# The npm platform packages put it here; the umbrella package only links to it.
_PACKAGED = "contracts/node_modules/@foundry-rs/anvil-*/bin/anvil"


def find_anvil(named: Path | None = None, roots: Sequence[Path] = ()) -> Path:
    """``named`` if given, else anvil on PATH, else the packaged one below one of ``roots`` (repository roots).

    Raises:
        AnvilMissing: with the places that were tried.
    """
    if named is not None:
        if named.is_file():
            return named
        raise AnvilMissing([str(named)])
    if (on_path := shutil.which("anvil")) is not None:
        return Path(on_path)
    for root in roots:
        for packaged in sorted(root.glob(_PACKAGED)):
            return packaged
    raise AnvilMissing(["PATH", *(str(root / _PACKAGED) for root in roots)])


class AnvilChain:
    """A running anvil with the development accounts, chain id and block gas limit. ``url`` is its rpc.

    Raises:
        AnvilFailed: it ended, or did not listen in time.
    """

    def __init__(self, executable: Path, host: str, port: int, chain_id: int = DEV_CHAIN_ID) -> None:
        self.chain_id = chain_id
        self.accounts: tuple[PrivateKey, ...] = dev_accounts()
        self._child = subprocess.Popen(  # noqa: S603 - an executable the user installed or named
            [str(executable), *_arguments(host, port, chain_id)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._output: list[str] = []
        self._settled = threading.Event()
        self._ports: list[int] = []
        self._reader = threading.Thread(target=self._read, name="devchain-anvil", daemon=True)
        self._reader.start()
        self._settled.wait(START_SECONDS)
        if not self._ports:
            self.close()
            raise AnvilFailed(str(executable), "".join(self._output)[-2000:])
        self.url = f"http://{host}:{self._ports[0]}"

    @property
    def running(self) -> bool:
        return self._child.poll() is None

    def wait(self) -> int:
        """Block until the child ends, and return its exit status."""
        return self._child.wait()

    def close(self) -> None:
        """End the child and wait for it."""
        if self._child.poll() is None:
            self._child.terminate()
            try:
                self._child.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait()
        self._reader.join()
        if self._child.stdout is not None:
            self._child.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _read(self) -> None:
        """Drain the child's output, so it never blocks on a full pipe; keep what it says until it listens."""
        if self._child.stdout is None:
            return
        for line in self._child.stdout:
            if self._settled.is_set():
                continue
            self._output.append(line)
            if (listening := _LISTENING.search(line)) is not None:
                self._ports.append(int(listening[1]))
                self._settled.set()
        self._settled.set()


def _arguments(host: str, port: int, chain_id: int) -> list[str]:
    # Two anvils started in one second would share a genesis hash; of all header fields only this one can differ.
    base_fee = GENESIS_BASE_FEE_WEI + secrets.randbelow(GENESIS_BASE_FEE_WEI)
    return [
        *("--host", host, "--port", str(port), "--chain-id", str(chain_id), "--hardfork", "cancun"),
        *("--mnemonic", DEV_MNEMONIC, "--accounts", str(DEV_ACCOUNT_COUNT), "--balance", str(DEV_BALANCE_ETHER)),
        *("--gas-limit", str(BLOCK_GAS_LIMIT), "--block-base-fee-per-gas", str(base_fee)),
    ]
