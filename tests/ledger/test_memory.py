"""What a writer knows without asking is what is there: whoever wrote it, and whatever was given twice."""

from collections.abc import Iterator

import pytest
from tests.databases import Database
from tests.ledger.samples import IDENTITY, Chain, Wallet, capture, deposit, place, release, request_id

from mintery.domain.hold import Constraint, Ending
from mintery.ledger import memory
from mintery.ledger.commands import HoldPlaced, HoldRefused, RequestKnown
from mintery.ledger.store import LedgerStore, open_ledger
from mintery.units import NanoCredits

LIMIT = Constraint("limit", NanoCredits(700), Ending.SETTLEMENT)


@pytest.fixture
def other(ledger: LedgerStore, database: Database) -> Iterator[LedgerStore]:
    """Another process on the same ledger, which has written before."""
    with open_ledger(database.url, IDENTITY) as store:
        store.commit([])
        yield store


def test_what_another_process_held_is_not_given_away(ledger: LedgerStore, other: LedgerStore, alice: Wallet):
    for number in range(1, 10):
        writer = (ledger, other)[number % 2]
        [result] = writer.commit([place(number, alice, 100, constraints=(LIMIT,))])
        assert isinstance(result, HoldPlaced) is (number <= 7)

    assert ledger.account(alice.id).held == 700
    assert ledger.used(LIMIT.key) == 700


def test_what_another_process_ended_is_ended(ledger: LedgerStore, other: LedgerStore, alice: Wallet):
    placed = place(1, alice, 100, constraints=(LIMIT,))
    ledger.commit([placed])
    other.commit([release(placed)])

    [late] = ledger.commit([capture(placed, alice, 50)])

    assert late.status == "released"
    assert ledger.used(LIMIT.key) == 0


def test_a_hold_that_is_given_twice_is_found_by_a_writer_that_trusts_its_memory(
    ledger: LedgerStore, other: LedgerStore, alice: Wallet
):
    ledger.commit([place(1, alice, 100)])
    other.commit([place(2, alice, 10)])

    [again] = other.commit([place(1, alice, 100)])

    assert isinstance(again, HoldPlaced)
    assert again.hold.id == request_id(1)
    assert ledger.account(alice.id).held == 110


def test_an_idempotency_key_of_another_process_is_known(ledger: LedgerStore, other: LedgerStore, alice: Wallet):
    other.commit([place(2, alice, 10)])
    ledger.commit([place(1, alice, 100, idempotency_key="mine")])

    [known] = other.commit([place(3, alice, 100, idempotency_key="mine")])

    assert isinstance(known, RequestKnown)
    assert known.request == request_id(1)


def test_what_a_block_brought_can_be_spent_and_what_it_took_cannot(ledger: LedgerStore, chain: Chain, alice: Wallet):
    ledger.commit([place(1, alice, 900)])
    ledger.commit([chain.block(deposit(alice, 50))])

    [placed, refused] = ledger.commit([place(2, alice, 150), place(3, alice, 1)])

    assert isinstance(placed, HoldPlaced)
    assert isinstance(refused, HoldRefused)


def test_a_memory_that_is_full_begins_anew(ledger: LedgerStore, alice: Wallet, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(memory, "_MOST", 3)
    placed = [place(number, alice, 10, constraints=(LIMIT,)) for number in range(1, 9)]

    for each in placed:
        ledger.commit([each])
    for each in placed:
        ledger.commit([capture(each, alice, 5)])

    balance = ledger.account(alice.id)
    assert (balance.held, balance.captured) == (0, 40)
    assert ledger.used(LIMIT.key) == 40
