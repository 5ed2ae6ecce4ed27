"""Many callers, one writer: what they share, and what they must not."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from tests.databases import Database, locked
from tests.ledger.samples import IDENTITY, NOON, Chain, Wallet, capture, deposit, place, wallet

from mintery.domain.hold import Constraint, Ending
from mintery.errors import LedgerClosed, LedgerRefused, Overloaded
from mintery.ledger.commands import Command, HoldPlaced, HoldRefused, RequestKnown, Result, SealRows
from mintery.ledger.store import LedgerStore, open_ledger
from mintery.units import NanoCredits

CALLERS = 50
BEFORE_TIME = place(1_001, wallet(1), 1, at=datetime(1969, 1, 1, tzinfo=UTC))
"""Breaks a CHECK of the tables."""


def all_at_once(ledger: LedgerStore, commands: list[Command]) -> list[Result]:
    """Each command from its own thread, released together."""
    gate = threading.Barrier(len(commands))

    def ask(command: Command) -> Result:
        gate.wait()
        return ledger.commit([command])[0]

    with ThreadPoolExecutor(len(commands)) as pool:
        return list(pool.map(ask, commands))


def count(results: list[Result], kind: type) -> int:
    return sum(isinstance(result, kind) for result in results)


def test_an_account_with_room_for_ten_admits_ten(ledger: LedgerStore, alice: Wallet):
    results = all_at_once(ledger, [place(number, alice, 100) for number in range(CALLERS)])

    assert (count(results, HoldPlaced), count(results, HoldRefused)) == (10, 40)
    assert ledger.account(alice.id).held == 1_000


def test_a_voucher_with_room_for_ten_admits_ten(ledger: LedgerStore, alice: Wallet):
    results = all_at_once(ledger, [place(number, alice, 10, most=100) for number in range(CALLERS)])

    assert count(results, HoldPlaced) == 10


def test_a_limit_with_room_for_ten_admits_ten(ledger: LedgerStore, alice: Wallet):
    limit = Constraint("budget", NanoCredits(109), Ending.NEVER)
    results = all_at_once(ledger, [place(number, alice, 10, constraints=(limit,)) for number in range(CALLERS)])

    assert count(results, HoldPlaced) == 10
    assert ledger.used("budget") == 100


def test_copies_of_one_raised_voucher_admit_one_request(ledger: LedgerStore, alice: Wallet):
    results = all_at_once(ledger, [place(number, alice, 10, raised=b"r" * 32) for number in range(CALLERS)])

    assert (count(results, HoldPlaced), count(results, RequestKnown)) == (1, 49)
    assert ledger.account(alice.id).held == 10


def test_two_ledgers_on_one_file_do_not_oversubscribe(ledger: LedgerStore, database: Database, alice: Wallet):
    with open_ledger(database.url, IDENTITY) as other, ThreadPoolExecutor(20) as pool:
        asked = [pool.submit((ledger, other)[number % 2].commit, [place(number, alice, 100)]) for number in range(20)]
        results = [each.result()[0] for each in asked]

    assert count(results, HoldPlaced) == 10


def test_a_poisoned_list_fails_alone_and_leaves_nothing(ledger: LedgerStore, alice: Wallet):
    """Its second command breaks a constraint of the tables, which no refusal foresees."""
    poisoned = [place(1_000, alice, 1), BEFORE_TIME]
    good = [[place(number, alice, 1)] for number in range(20)]
    gate = threading.Barrier(21)

    def ask(commands: list[Command]) -> object:
        gate.wait()
        try:
            return ledger.commit(commands)[0]
        except LedgerRefused as error:
            return error

    with ThreadPoolExecutor(21) as pool:
        results = list(pool.map(ask, [*good, poisoned]))

    assert all(isinstance(result, HoldPlaced) for result in results[:-1])
    assert isinstance(results[-1], LedgerRefused)
    assert ledger.account(alice.id).held == 20
    assert ledger.request(place(1_000, alice, 1).request) is None


def test_the_vouchers_of_a_failed_list_are_written_by_the_next(ledger: LedgerStore, alice: Wallet):
    with pytest.raises(LedgerRefused):
        ledger.commit([place(1, alice, 1), BEFORE_TIME])

    assert isinstance(ledger.commit([place(3, alice, 1)])[0], HoldPlaced)


def test_a_rollback_leaves_what_is_prepared(ledger: LedgerStore, alice: Wallet):
    """The driver prepares what it runs often, and deallocates everything on its connection after a rollback."""
    for number in range(10):
        assert isinstance(ledger.commit([place(number, alice, 1)])[0], HoldPlaced)
        ledger.commit([SealRows(10, NOON)])

    with pytest.raises(LedgerRefused):
        ledger.commit([place(20, alice, 1), BEFORE_TIME])

    assert ledger.commit([SealRows(10, NOON)])
    assert isinstance(ledger.commit([place(21, alice, 1)])[0], HoldPlaced)


def test_callers_of_an_event_loop_get_their_results(ledger: LedgerStore, alice: Wallet):
    async def ask() -> list[list[Result]]:
        return await asyncio.gather(*(ledger.commit_async([place(number, alice, 100)]) for number in range(CALLERS)))

    results = [result for (result,) in asyncio.run(ask())]

    assert count(results, HoldPlaced) == 10


def test_a_cancelled_caller_disturbs_no_one(ledger: LedgerStore, alice: Wallet):
    async def ask() -> list[Result]:
        gone = asyncio.ensure_future(ledger.commit_async([place(1, alice, 10)]))
        await asyncio.sleep(0)
        gone.cancel()
        return list(await ledger.commit_async([place(2, alice, 10)]))

    assert isinstance(asyncio.run(ask())[0], HoldPlaced)
    assert ledger.account(alice.id).held == 20


def test_too_many_waiting_callers_are_told_to_come_back(database: Database):
    with open_ledger(database.url, IDENTITY, waiting_limit=2) as ledger, locked(database) as unlock:
        chain = Chain()

        async def ask() -> int:
            waiting = [
                asyncio.ensure_future(ledger.commit_async([chain.block(deposit(wallet(1), 1))])) for _ in range(5)
            ]
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            unlock()
            results = await asyncio.gather(*waiting, return_exceptions=True)
            return sum(isinstance(result, Overloaded) for result in results)

        assert asyncio.run(ask()) in {2, 3}


def test_a_closed_ledger_writes_what_waited_and_takes_no_more(database: Database, alice: Wallet, ledger: LedgerStore):
    other = open_ledger(database.url, IDENTITY)
    waiting = [other._writer.submit([place(number, alice, 1)]) for number in range(20)]

    other.close()

    assert all(isinstance(each.result(timeout=0)[0], HoldPlaced) for each in waiting)
    with pytest.raises(LedgerClosed):
        other.commit([capture(place(1, alice, 1), alice, 1)])
