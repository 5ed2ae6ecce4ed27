"""What the parts do alone, each in a process of its own on the server's core: ``python -m tests.bench.parts PART [ARGUMENT …]``.

A part prints its figures as one line of JSON. See ``PARTS`` for what each takes and gives.
"""

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from tests.bench.ledger_throughput import Pairs, commit_all, make_pairs
from tests.bench.statement import statement
from tests.gateway import rig
from tests.ledger.samples import GATEWAY, IDENTITY, TOKEN, Chain, Wallet, deposit, wallet
from tests.usecases.town import build_town, open_till

from mintery.chain.devchain.chain import DevChain
from mintery.chain.rpc import connect
from mintery.crypto.hashing import checksum_address
from mintery.crypto.vouchers import account_id
from mintery.domain.voucher import AccountKey
from mintery.ledger.commands import DepositSeen
from mintery.ledger.store import LedgerStore, open_ledger
from mintery.units import NanoCredits
from mintery.usecases.known_credentials import KnownCredentials
from mintery.usecases.parts import GatewayParts
from mintery.usecases.verify_credential import verify_credential

CALLERS = 64
PAIRS = 6_000
ACCOUNTS = 100
KEYS = 1_000
LINES = 100
RICH = 10**13
_LIST = 250
"""Commands in one commit while a ledger is filled."""

Figures = Mapping[str, float]


def vouchers() -> Figures:
    """Credentials verified per second: each for the first time, and again."""
    now = int(time.time())
    market = rig.market(now)
    parts = cast(
        "GatewayParts", SimpleNamespace(domain=rig.DOMAIN, gateway=rig.GATEWAY, credentials=KnownCredentials())
    )
    texts = [rig.key_text(signer=rig.private_key(20_000 + number)) for number in range(KEYS)]

    def verified() -> float:
        began = time.perf_counter()
        for text in texts:
            verify_credential(parts, market, text, None)
        return KEYS / (time.perf_counter() - began)

    return {"cold": verified(), "cached": verified()}


def ledger(url: str) -> Figures:
    """Holds placed and captured per second, two durable commits each, by 64 callers of 100 accounts and of one."""
    numbers = count(1)
    wallets = [wallet(number) for number in range(1, ACCOUNTS + 1)]
    with open_ledger(url, IDENTITY) as store:
        store.commit([Chain().block(*(deposit(each, RICH) for each in wallets))])
        _pairs_per_second(store, wallets, numbers, PAIRS // 10)
        hundred = _pairs_per_second(store, wallets, numbers, PAIRS)
        hot = _pairs_per_second(store, wallets[:1], numbers, PAIRS)
    return {"accounts": hundred, "hot": hot}


def growth(url: str, *sizes: str) -> Figures:
    """Holds placed and captured per second once the ledger has so many accounts, and as many receipts; ``core`` is the same
    for each second of the core that this process really got.
    """
    numbers = count(1)
    wallets = [wallet(number) for number in range(1, ACCOUNTS + 1)]
    chain, found, filled = Chain(), {}, 0
    with open_ledger(url, IDENTITY) as store:
        store.commit([chain.block(*(deposit(each, RICH) for each in wallets))])
        for size in sorted(int(each) for each in sizes):
            _fill(store, chain, wallets, numbers, range(filled, size))
            filled = size
            _pairs_per_second(store, wallets, numbers, PAIRS // 10)
            worked = time.process_time()
            found[str(size)] = _pairs_per_second(store, wallets, numbers, PAIRS)
            found[f"core {size}"] = PAIRS / (time.process_time() - worked)
    return found


def _fill(store: LedgerStore, chain: Chain, wallets: list[Wallet], numbers: "count[int]", new: range) -> None:
    for first in range(new.start, new.stop, _LIST):
        wanted = min(_LIST, new.stop - first)
        store.commit([chain.block(*(_stranger(number) for number in range(first, first + wanted)))])
        pairs = make_pairs(wallets[(first // _LIST) % len(wallets)], numbers, wanted)
        store.commit([placed for placed, _ in pairs])
        store.commit([captured for _, captured in pairs])


def _stranger(number: int) -> DepositSeen:
    """Somebody's account that does nothing more."""
    holder = checksum_address((1_000_000 + number).to_bytes(20))
    key = AccountKey(TOKEN, GATEWAY, holder, holder)
    return DepositSeen(account_id(key), key, NanoCredits(1))


def _pairs_per_second(store: LedgerStore, wallets: list[Wallet], numbers: "count[int]", pairs: int) -> float:
    by_caller: list[Pairs] = [
        make_pairs(wallets[caller % len(wallets)], numbers, pairs // CALLERS) for caller in range(CALLERS)
    ]
    began = time.perf_counter()
    waits = asyncio.run(commit_all(store, by_caller))
    return len(waits) / (time.perf_counter() - began)


def settlement() -> Figures:
    """Lines per second from receipts to a final batch, the chain's own work on the dev chain included; one line for each
    of 100 accounts.
    """
    with tempfile.TemporaryDirectory() as folder, DevChain() as devchain:
        town = build_town(connect(devchain.provider()), Path(folder))
        till = open_till(town, Path(folder) / "ledger.sqlite", max_lines=LINES)
        members = [till.open_account() for _ in range(LINES)]
        till.sync()
        for member in members:
            till.charge(member)
        began = time.perf_counter()
        till.settle()
        elapsed = time.perf_counter() - began
        till.ledger.close()
    return {"lines": LINES / elapsed}


PARTS: Mapping[str, Callable[..., Figures]] = {
    "vouchers": vouchers,
    "ledger": ledger,
    "growth": growth,
    "settlement": settlement,
    "statement": statement,
}


def main() -> None:
    name, *arguments = sys.argv[1:]
    part: Any = PARTS[name]
    sys.stdout.write(json.dumps(part(*arguments)) + "\n")


if __name__ == "__main__":
    main()
