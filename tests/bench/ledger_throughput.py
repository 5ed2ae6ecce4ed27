"""Place-and-capture pairs per second at several concurrencies: ``python -m tests.bench.ledger_throughput [callers …]``.

Every pair is two durable commits (SQLite, synchronous=FULL), each awaited by its caller before the next. The commands are
made beforehand; an answer of 1 KiB is kept with each.
"""

import asyncio
import sys
import tempfile
import time
from itertools import count
from pathlib import Path

from tests.ledger.samples import IDENTITY, Chain, Wallet, capture, deposit, place, wallet

from mintery.ledger.commands import Answer, CaptureHold, HoldPlaced, PlaceHold
from mintery.ledger.store import LedgerStore, open_ledger

PAIRS = 12_000
PAIRS_ALONE = 1_500
BODY = b"x" * 1_024

Pairs = list[tuple[PlaceHold, CaptureHold]]


def make_pairs(own: Wallet, numbers: "count[int]", wanted: int) -> Pairs:
    placed = [place(next(numbers), own, 100) for _ in range(wanted)]
    return [(one, capture(one, own, 50, answer=Answer(200, "application/json", BODY))) for one in placed]


async def commit_each(store: LedgerStore, pairs: Pairs, waits: list[float]) -> None:
    for placed, captured in pairs:
        began = time.perf_counter()
        (result,) = await store.commit_async([placed])
        waits.append(time.perf_counter() - began)
        if not isinstance(result, HoldPlaced):
            raise TypeError(result)
        await store.commit_async([captured])


async def commit_all(store: LedgerStore, by_caller: list[Pairs]) -> list[float]:
    waits: list[float] = []
    await asyncio.gather(*(commit_each(store, pairs, waits) for pairs in by_caller))
    return sorted(waits)


def main() -> None:
    concurrencies = [int(each) for each in sys.argv[1:]] or [1, 16, 64, 256]
    wallets = [wallet(number) for number in range(1, max(concurrencies) + 1)]
    numbers = count(1)
    with tempfile.TemporaryDirectory() as folder, open_ledger(Path(folder) / "ledger.sqlite", IDENTITY) as store:
        store.commit([Chain().block(*(deposit(own, 10**11) for own in wallets))])
        for callers in concurrencies:
            total = PAIRS_ALONE if callers == 1 else PAIRS
            by_caller = [make_pairs(own, numbers, total // callers) for own in wallets[:callers]]
            began, worked = time.perf_counter(), time.process_time()
            waits = asyncio.run(commit_all(store, by_caller))
            elapsed, cpu = time.perf_counter() - began, time.process_time() - worked
            print(  # noqa: T201 -- its output is its purpose
                f"{callers:4} callers: {len(waits) / elapsed:6.0f} pairs/s, {cpu / len(waits) * 1e6:4.0f} us of processor a "
                f"pair, place p50 {waits[len(waits) // 2] * 1e3:.1f} ms, p99 {waits[len(waits) * 99 // 100] * 1e3:.1f} ms"
            )
        store.check()


if __name__ == "__main__":
    main()
