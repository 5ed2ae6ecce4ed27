"""Place-and-capture pairs per second at several concurrencies: ``python -m tests.bench.ledger_throughput``.

Every pair is two durable commits (SQLite, synchronous=FULL), each awaited by its caller before the next.
"""

import asyncio
import sys
import tempfile
import time
from itertools import count
from pathlib import Path

from tests.ledger.samples import IDENTITY, Chain, Wallet, capture, deposit, place, wallet

from mintery.ledger.commands import Answer, HoldPlaced
from mintery.ledger.store import LedgerStore, open_ledger

SECONDS = 4.0
BODY = b"x" * 1_024


async def pairs_in(
    store: LedgerStore, wallets: list[Wallet], numbers: count, seconds: float
) -> tuple[int, list[float]]:
    done = 0
    waits: list[float] = []
    end = time.perf_counter() + seconds

    async def caller(own: Wallet) -> None:
        nonlocal done
        while time.perf_counter() < end:
            placed = place(next(numbers), own, 100)
            captured = capture(placed, own, 50, answer=Answer(200, "application/json", BODY))
            began = time.perf_counter()
            (result,) = await store.commit_async([placed])
            waits.append(time.perf_counter() - began)
            if not isinstance(result, HoldPlaced):
                raise TypeError(result)
            await store.commit_async([captured])
            done += 1

    await asyncio.gather(*(caller(own) for own in wallets))
    return done, waits


def main() -> None:
    concurrencies = [int(each) for each in sys.argv[1:]] or [1, 16, 64, 256]
    with tempfile.TemporaryDirectory() as folder:
        wallets = [wallet(number) for number in range(1, max(concurrencies) + 1)]
        with open_ledger(Path(folder) / "ledger.sqlite", IDENTITY) as store:
            store.commit([Chain().block(*(deposit(own, 10**11) for own in wallets))])
            numbers = count(1)
            for own in wallets:
                own.voucher(10**12)
            for concurrency in concurrencies:
                began = time.perf_counter()
                done, waits = asyncio.run(pairs_in(store, wallets[:concurrency], numbers, SECONDS))
                waits.sort()
                rate = done / (time.perf_counter() - began)
                print(  # noqa: T201 -- its output is its purpose
                    f"{concurrency:4} callers: {rate:8.0f} pairs/s, "
                    f"place p50 {waits[len(waits) // 2] * 1e3:.1f} ms, p99 {waits[len(waits) * 99 // 100] * 1e3:.1f} ms"
                )
            store.check()


if __name__ == "__main__":
    main()
