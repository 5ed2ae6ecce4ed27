"""Which requests used which top-up: first in, first out, to the unit, on both databases."""

import pytest
from sqlalchemy.exc import DBAPIError
from tests.databases import Database
from tests.ledger.samples import (
    IDENTITY,
    NOON,
    Chain,
    Wallet,
    burned,
    capture,
    deposit,
    form,
    place,
    request_id,
    settled,
    wallet,
)

from mintery.ledger.commands import Done, ExitExecutedSeen, ReleasedSeen, RollBackBlock, SealRows
from mintery.ledger.commands_lots import TraceLots
from mintery.ledger.store import LedgerStore, open_ledger
from mintery.units import NanoCredits

ALICE = wallet(1)


def trace(ledger: LedgerStore) -> None:
    ledger.commit([SealRows(1_000, NOON), TraceLots(1_000)])


def spend(ledger: LedgerStore, number: int, cost: int, of: Wallet = ALICE) -> None:
    placed = place(number, of, cost + 5)
    ledger.commit([placed, capture(placed, of, cost)])


def remaining(ledger: LedgerStore, of: Wallet = ALICE) -> list[int]:
    """Oldest lot first."""
    return [lot.remaining for lot in reversed(ledger.lots.of_accounts([of.id]))]


def used(ledger: LedgerStore, number: int) -> list[tuple[int | None, int]]:
    return [(use.lot, use.amount) for use in ledger.lots.of_request(request_id(number))]


def test_the_oldest_lot_pays_first_and_a_request_may_use_several(ledger: LedgerStore, chain: Chain):
    ledger.commit([chain.block(deposit(ALICE, 100)), chain.block(deposit(ALICE, 50))])
    for number, cost in ((1, 60), (2, 70), (3, 5)):
        spend(ledger, number, cost)
    trace(ledger)

    second, first = ledger.lots.of_accounts([ALICE.id])
    assert remaining(ledger) == [0, 15]
    assert used(ledger, 1) == [(first.id, 60)]
    assert used(ledger, 2) == [(first.id, 40), (second.id, 30)]
    assert used(ledger, 3) == [(second.id, 5)]
    uses = ledger.lots.uses_of(second.id)
    assert [(use.request, use.amount) for use in uses] == [(request_id(2), 30), (request_id(3), 5)]
    assert ledger.lots.uses_of(second.id, after=uses[0].id) == uses[1:]


def test_nothing_is_followed_twice_or_before_it_is_sealed(ledger: LedgerStore, chain: Chain):
    ledger.commit([chain.block(deposit(ALICE, 100))])
    assert ledger.commit([TraceLots(10)]) == [Done(0)]
    trace(ledger)
    spend(ledger, 1, 10)
    assert ledger.commit([TraceLots(10)]) == [Done(0)]
    trace(ledger)
    assert ledger.commit([TraceLots(10)]) == [Done(0)]
    assert remaining(ledger) == [90]


def test_wallets_never_share_a_lot(ledger: LedgerStore, chain: Chain):
    bob = wallet(2)
    ledger.commit([chain.block(deposit(ALICE, 100)), chain.block(deposit(bob, 100))])
    spend(ledger, 1, 30, bob)
    trace(ledger)
    assert (remaining(ledger), remaining(ledger, bob)) == ([100], [70])


def test_what_leaves_the_account_is_of_its_lots_too(ledger: LedgerStore, chain: Chain):
    ledger.commit([chain.block(deposit(ALICE, 100), deposit(ALICE, 50))])
    ledger.commit([chain.block(ReleasedSeen(ALICE.id, NanoCredits(110)))])
    ledger.commit([chain.block(ExitExecutedSeen(ALICE.id, NanoCredits(15), 0))])
    trace(ledger)

    assert remaining(ledger) == [0, 25]
    kinds = [use.kind for lot in ledger.lots.of_accounts([ALICE.id]) for use in ledger.lots.uses_of(lot.id)]
    assert sorted(kinds) == ["exit", "released_on_chain", "released_on_chain"]


def test_a_deposit_that_the_chain_took_back_gives_up_what_it_has(ledger: LedgerStore, chain: Chain):
    ledger.commit([chain.block(deposit(ALICE, 100))])
    taken = chain.block(deposit(ALICE, 50))
    ledger.commit([taken])
    spend(ledger, 1, 30)
    trace(ledger)

    ledger.commit([RollBackBlock(taken.block.hash, NOON)])
    trace(ledger)

    assert remaining(ledger) == [70, 0]
    undone, kept = ledger.lots.of_accounts([ALICE.id])
    assert (undone.undone_at is not None, kept.undone_at) == (True, None)


def test_settling_changes_no_lot(ledger: LedgerStore, chain: Chain):
    ledger.commit([chain.block(deposit(ALICE, 100))])
    placed = place(1, ALICE, 40)
    ledger.commit([placed, capture(placed, ALICE, 40)])
    formed = form(1, (ALICE, 40, [request_id(1)]))
    ledger.commit([formed])
    ledger.commit([chain.block(settled(formed, burned(40)))])
    trace(ledger)
    assert remaining(ledger) == [60]


@pytest.mark.parametrize("table", ["lots", "lot_uses"])
def test_what_was_used_stays_used(database: Database, chain: Chain, table: str):
    with open_ledger(database.url, IDENTITY) as ledger:
        ledger.commit([chain.block(deposit(ALICE, 100))])
        spend(ledger, 1, 30)
        trace(ledger)
    for statement in (f"UPDATE {table} SET amount = amount + 1", f"DELETE FROM {table}"):  # noqa: S608 -- our own names
        with pytest.raises(DBAPIError):
            database.run(statement)
