"""Several processes write to one ledger: no account is overdrawn, nothing is admitted twice, no caller sees a deadlock."""

import json
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from tests.databases import Database
from tests.ledger.samples import IDENTITY, NOON, Chain, Wallet, deposit, place, wallet

import mintery
from mintery.ledger.commands import HoldPlaced, RequestKnown, Result
from mintery.ledger.store import LedgerStore, open_ledger

ROOT = Path(mintery.__file__).parents[2]
MOST = 400
"""What each account may spend; many times that is asked for."""

HAMMER = """
import asyncio, json, random, sys
from collections import Counter
from mintery.domain.hold import Constraint, Ending, ReleaseReason
from mintery.ledger.commands import HoldPlaced
from mintery.ledger.store import open_ledger
from mintery.units import NanoCredits
from tests.ledger.samples import IDENTITY, capture, place, release, wallet

url, seed, accounts, rounds = sys.argv[1], *map(int, sys.argv[2:])
limit = Constraint("payout", NanoCredits(10**12), Ending.SETTLEMENT)
wallets = [wallet(number) for number in range(1, accounts + 1)]
dice = random.Random(seed)

async def caller(ledger, number, told):
    for turn in range(rounds):
        # A list of several accounts in any order: what is locked must not depend on it.
        asked = [
            (own, place(seed * 10**6 + number * 10**3 + turn * 10 + each, own, 10, constraints=(limit,)))
            for each, own in enumerate(dice.sample(wallets, min(3, accounts)))
        ]
        results = await ledger.commit_async([placed for _, placed in asked])
        told.update(type(result).__name__ for result in results)
        admitted = [pair for pair, result in zip(asked, results) if isinstance(result, HoldPlaced)]
        ends = [
            capture(placed, own, 7) if dice.random() < 0.7 else release(placed, ReleaseReason.PROVIDER_FAILED)
            for own, placed in admitted
        ]
        if ends:
            told.update(type(result).__name__ for result in await ledger.commit_async(ends))

async def hammer():
    told = Counter()
    with open_ledger(url, IDENTITY) as ledger:
        await asyncio.gather(*(caller(ledger, number, told) for number in range(8)))
    return told

print(json.dumps(asyncio.run(hammer())))
"""


@pytest.mark.parametrize("accounts", [1, 100])
def test_two_processes_do_not_oversubscribe(ledger: LedgerStore, database: Database, chain: Chain, accounts: int):
    wallets = [wallet(number) for number in range(1, accounts + 1)]
    ledger.commit([chain.block(*(deposit(own, MOST) for own in wallets))])
    commands = [[sys.executable, "-c", HAMMER, database.url, str(seed), str(accounts), "25"] for seed in (1, 2)]
    processes = [subprocess.Popen(each, stdout=subprocess.PIPE, text=True, cwd=ROOT) for each in commands]
    outputs = [process.communicate(timeout=120)[0] for process in processes]

    assert [process.returncode for process in processes] == [0, 0]
    told = sum((Counter(json.loads(output)) for output in outputs), Counter())
    assert told.keys() <= {"HoldPlaced", "HoldRefused", "Capture", "HoldReleased"}
    assert told["HoldPlaced"] == told["Capture"] + told["HoldReleased"]
    assert accounts > 1 or told["HoldRefused"] > 0
    ledger.check()
    balances = [ledger.account(own.id) for own in wallets]
    assert sum(each.captured for each in balances) == 7 * told["Capture"] == ledger.used("payout")
    assert all(each.available + each.captured == MOST and each.held == 0 for each in balances)


@pytest.mark.parametrize("known_by", ["idempotency_key", "raised", "retry"])
def test_two_ledgers_admit_one_request_by_one_key(
    ledger: LedgerStore, database: Database, alice: Wallet, known_by: str
):
    """The key outlives the voucher: the second comes under another voucher."""
    with open_ledger(database.url, IDENTITY) as other, ThreadPoolExecutor(2) as pool:
        for turn in range(10):
            key = {
                "idempotency_key": {"idempotency_key": f"key-{turn}"},
                "raised": {"raised": turn.to_bytes(32)},
                "retry": {"body": turn.to_bytes(32), "repeats_since": NOON - timedelta(hours=1)},
            }[known_by]
            asked = [
                pool.submit(store.commit, [place(10 * turn + number, alice, 1, most=10**6 + number, **key)])
                for number, store in enumerate((ledger, other))
            ]
            results: list[Result] = [each.result()[0] for each in asked]

            [placed] = [each for each in results if isinstance(each, HoldPlaced)]
            [known] = [each for each in results if isinstance(each, RequestKnown)]
            assert (known.request, known.by) == (placed.hold.id, known_by)
    assert ledger.account(alice.id).held == 10
