"""Taking back what is left of a lot: never more than it has, and never what a request got first; on both databases."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import DBAPIError
from tests.conftest import new_database
from tests.databases import Database
from tests.ledger.samples import IDENTITY, NOON, Chain, capture, deposit, place, request_id, wallet

from mintery.domain.chain_call import CallAttempt, CallId, CallKind, ChainCall, Effect
from mintery.domain.voucher import Address
from mintery.ledger.commands import (
    Done,
    HoldPlaced,
    HoldRefused,
    NotWritten,
    ReleasedSeen,
    RollBackBlock,
    SealRows,
    WriteOff,
)
from mintery.ledger.commands_calls import EndCall, FailCall, SaveCallAttempt
from mintery.ledger.commands_lots import TraceLots
from mintery.ledger.commands_refunds import AskRefund
from mintery.ledger.store import LedgerStore, open_ledger
from mintery.units import CreditUnits, NanoCredits

ALICE = wallet(1)
NOBODY = Address("0x" + "00" * 20)


def follow(ledger: LedgerStore) -> None:
    ledger.commit([SealRows(1_000, NOON), TraceLots(1_000)])


def lots(ledger: LedgerStore) -> list[int]:
    """Oldest first."""
    return [lot.id for lot in reversed(ledger.lots.of_accounts([ALICE.id]))]


def ask(number: int, lot: int, amount: int) -> AskRefund:
    name = f"rfd_{number}"
    call = ChainCall(
        subject=name,
        kind=CallKind.RELEASE,
        to=NOBODY,
        calldata=bytes([number]),
        authority=None,
        first_block=1,
        planned_at=NOON + timedelta(seconds=number),
    )
    return AskRefund(name, lot, NanoCredits(amount), "wallet", (call,), NOON + timedelta(seconds=number))


def free(ledger: LedgerStore) -> int:
    balance = ledger.account(ALICE.id)
    assert balance is not None
    return balance.available - balance.exiting


def released(amount: int) -> ReleasedSeen:
    return ReleasedSeen(ALICE.id, NanoCredits(amount))


def test_what_is_set_aside_is_no_holds_and_comes_from_its_own_lot(ledger: LedgerStore, chain: Chain):
    ledger.commit([chain.block(deposit(ALICE, 100), deposit(ALICE, 50))])
    follow(ledger)
    first, second = lots(ledger)

    assert ledger.commit([ask(1, second, 40), ask(1, second, 40)]) == [Done(1), Done(0)]
    refused, admitted = ledger.commit([place(1, ALICE, 111), place(2, ALICE, 110)])
    assert isinstance(refused, HoldRefused)
    assert isinstance(admitted, HoldPlaced)
    assert free(ledger) == 0

    ledger.commit([chain.block(released(40))])
    follow(ledger)
    assert (ledger.lots.lot(first).remaining, ledger.lots.lot(second).remaining) == (100, 10)
    assert [each.status for each in ledger.lot_refunds.of_lot(second)] == ["in_wallet"]
    assert free(ledger) == 0


def test_never_more_than_the_lot_has_left_or_the_account_has_free(ledger: LedgerStore, chain: Chain):
    ledger.commit([chain.block(deposit(ALICE, 100), deposit(ALICE, 50))])
    placed = place(1, ALICE, 30)
    ledger.commit([placed, capture(placed, ALICE, 30), place(2, ALICE, 60)])
    follow(ledger)
    first, second = lots(ledger)

    answers = ledger.commit(
        [ask(1, first, 71), ask(2, first, 40), ask(3, first, 31), ask(4, second, 21), ask(5, second, 20)]
    )

    assert [isinstance(answer, Done) for answer in answers] == [False, True, False, False, True]
    assert free(ledger) == 0
    assert isinstance(ledger.commit([ask(6, 99, 1)])[0], NotWritten)


def test_a_release_that_fails_sets_nothing_aside_any_more(ledger: LedgerStore, chain: Chain):
    ledger.commit([chain.block(deposit(ALICE, 100))])
    follow(ledger)
    ledger.commit([ask(1, lots(ledger)[0], 60), place(1, ALICE, 40)])
    fail = FailCall(CallId("rfd_1/release"), "ReleaseAboveBalance", NOON)

    assert ledger.commit([fail, fail, place(2, ALICE, 60)])[:2] == [Done(1), Done(0)]

    assert free(ledger) == 0
    assert ledger.lot_refunds.refund("rfd_1").status == "failed"


@pytest.mark.parametrize("mined", [1, 2])
def test_of_two_alike_each_has_its_own_release(ledger: LedgerStore, chain: Chain, mined: int):
    """One was asked for before the other; whichever of their calls takes effect, the other one's then fails."""
    ledger.commit([chain.block(deposit(ALICE, 50), deposit(ALICE, 50))])
    follow(ledger)
    for number, lot in enumerate(lots(ledger), 1):
        release = CallId(f"rfd_{number}/release")
        attempt = CallAttempt(f"0x{number:064x}", release, NOBODY, number, bytes([number]), NOON)
        assert ledger.commit([ask(number, lot, 40), SaveCallAttempt(attempt, 0)]) == [Done(1), Done(1)]
    tx_hash, other = f"0x{mined:064x}", 3 - mined

    ledger.commit([chain.block(ReleasedSeen(ALICE.id, NanoCredits(40), tx_hash))])
    effect = Effect(tx_hash, chain.last.hash, chain.last.number, 0, NOON, CreditUnits(40))
    fail = FailCall(CallId(f"rfd_{other}/release"), "ReleaseAboveBalance", NOON)
    assert ledger.commit([EndCall(CallId(f"rfd_{mined}/release"), effect), fail]) == [Done(1), Done(1)]
    follow(ledger)

    assert ledger.lot_refunds.refund(f"rfd_{mined}").status == "in_wallet"
    assert ledger.lot_refunds.refund(f"rfd_{other}").status == "failed"
    left = [50, 50]
    left[mined - 1] = 10
    assert (remaining(ledger), free(ledger)) == (left, 60)
    ledger.check()


def test_a_release_that_nobody_here_signed_is_the_oldest_ones(ledger: LedgerStore, chain: Chain):
    """And what was signed for it is the next one's."""
    ledger.commit([chain.block(deposit(ALICE, 100))])
    follow(ledger)
    lot = lots(ledger)[0]
    attempt = CallAttempt("0x01", CallId("rfd_1/release"), NOBODY, 1, b"1", NOON)
    ledger.commit([ask(1, lot, 40), SaveCallAttempt(attempt, 0), ask(2, lot, 40)])

    statuses = []
    for tx_hash in ("0xff", "0x01"):
        ledger.commit([chain.block(ReleasedSeen(ALICE.id, NanoCredits(40), tx_hash))])
        statuses.append([ledger.lot_refunds.refund(f"rfd_{number}").status for number in (1, 2)])

    assert statuses == [["in_wallet", "under_way"], ["in_wallet", "in_wallet"]]


def test_a_release_that_the_chain_took_back_is_set_aside_again(ledger: LedgerStore, chain: Chain):
    ledger.commit([chain.block(deposit(ALICE, 100))])
    follow(ledger)
    ledger.commit([ask(1, lots(ledger)[0], 60)])
    block = chain.block(released(60))
    ledger.commit([block])
    assert free(ledger) == 40

    ledger.commit([RollBackBlock(block.block.hash, NOON)])

    assert (free(ledger), ledger.lot_refunds.refund("rfd_1").status) == (40, "under_way")


def remaining(ledger: LedgerStore) -> list[int]:
    """Oldest first."""
    return [lot.remaining for lot in reversed(ledger.lots.of_accounts([ALICE.id]))]


def spend(ledger: LedgerStore, number: int, cost: int) -> None:
    placed = place(number, ALICE, cost)
    ledger.commit([placed, capture(placed, ALICE, cost)])


def test_a_write_off_goes_into_no_room_that_a_refund_made(ledger: LedgerStore, chain: Chain):
    """The newer lot was refunded whole: what the older one gave comes back to the older one."""
    ledger.commit([chain.block(deposit(ALICE, 10), deposit(ALICE, 10))])
    spend(ledger, 1, 6)
    follow(ledger)
    _, newer = lots(ledger)
    ledger.commit([ask(1, newer, 10)])
    ledger.commit([chain.block(released(10))])
    follow(ledger)

    ledger.commit([WriteOff(request_id(1), "its price expired", NOON)])

    assert isinstance(ledger.commit([ask(2, newer, 1)])[0], NotWritten)
    follow(ledger)
    assert remaining(ledger) == [10, 0]
    assert isinstance(ledger.commit([ask(3, newer, 1)])[0], NotWritten)


def test_what_was_not_followed_yet_counts(ledger: LedgerStore, chain: Chain):
    """Between a transfer and its following a lot shows more than it has, sealed or not."""
    ledger.commit([chain.block(deposit(ALICE, 10), deposit(ALICE, 10))])
    follow(ledger)
    older, newer = lots(ledger)
    spend(ledger, 1, 6)
    assert isinstance(ledger.commit([ask(1, older, 5)])[0], NotWritten)
    ledger.commit([SealRows(1_000, NOON)])
    assert [isinstance(told, Done) for told in ledger.commit([ask(2, older, 5), ask(3, older, 4)])] == [False, True]
    ledger.commit([chain.block(released(4))])
    assert isinstance(ledger.commit([ask(4, older, 1)])[0], NotWritten)
    follow(ledger)
    assert remaining(ledger) == [0, 10]
    assert ledger.commit([ask(5, newer, 10)]) == [Done(1)]


def test_uses_leave_what_is_set_aside(ledger: LedgerStore, chain: Chain):
    ledger.commit([chain.block(deposit(ALICE, 10), deposit(ALICE, 10))])
    follow(ledger)
    older, newer = lots(ledger)
    ledger.commit([ask(1, older, 8)])
    spend(ledger, 1, 5)
    ledger.commit([chain.block(released(8))])
    spend(ledger, 2, 4)
    follow(ledger)
    assert remaining(ledger) == [0, 3]
    assert [(use.lot, use.amount) for use in ledger.lots.of_request(request_id(1))] == [(older, 2), (newer, 3)]


def test_a_release_that_is_taken_back_goes_to_its_own_lot(ledger: LedgerStore, chain: Chain):
    ledger.commit([chain.block(deposit(ALICE, 10), deposit(ALICE, 10))])
    spend(ledger, 1, 4)
    follow(ledger)
    older, _ = lots(ledger)
    ledger.commit([ask(1, older, 6)])
    before = chain.last
    block = chain.block(released(6))
    ledger.commit([block])
    spend(ledger, 2, 4)
    follow(ledger)
    ledger.commit([RollBackBlock(block.block.hash, NOON)])
    chain.go_back_to(before)
    follow(ledger)
    assert remaining(ledger) == [6, 6]

    ledger.commit([chain.block(released(6))])
    follow(ledger)
    assert remaining(ledger) == [0, 6]


def test_a_lot_never_gives_more_than_it_had(ledger: LedgerStore, chain: Chain, database: Database):
    ledger.commit([chain.block(deposit(ALICE, 10))])
    follow(ledger)
    with pytest.raises(DBAPIError, match="more than it had"):
        database.run("UPDATE lots SET refunded = 1")


class Life:
    """What one holder does with two lots, and what the operator and the chain do to them."""

    def __init__(self, ledger: LedgerStore) -> None:
        self.ledger, self.chain = ledger, Chain()
        ledger.commit([self.chain.block(deposit(ALICE, 70)), self.chain.block(deposit(ALICE, 30))])
        follow(ledger)
        self.asked: list[int] = []
        self.charged: list[tuple[int, int]] = []
        self.lost = 0

    def ask(self, number: int, amount: int) -> None:
        if self.ledger.commit([ask(number, lots(self.ledger)[number % 2], amount)]) == [Done(1)]:
            self.asked.append(amount)

    def hold(self, number: int, amount: int) -> None:
        self.ledger.commit([place(number, ALICE, amount)])

    def spend(self, number: int, amount: int) -> None:
        placed = place(number, ALICE, amount)
        if isinstance(self.ledger.commit([placed])[0], HoldPlaced):
            self.ledger.commit([capture(placed, ALICE, amount)])
            self.charged.append((number, amount))

    def release(self, _number: int, _amount: int) -> None:
        if self.asked:
            self.ledger.commit([self.chain.block(released(self.asked.pop(0)))])

    def write_off(self, _number: int, _amount: int) -> None:
        if self.charged:
            number, cost = self.charged.pop()
            self.ledger.commit([WriteOff(request_id(number), "never", NOON)])
            self.lost += cost

    def follow(self, _number: int, _amount: int) -> None:
        follow(self.ledger)

    def check(self) -> None:
        self.ledger.check()
        (total,) = self.ledger.totals()
        assert total.losses == self.lost
        assert self.ledger.account(ALICE.id).spent == total.captured
        assert total.captured + total.held + sum(self.asked) + total.exited <= 100

    def end(self) -> None:
        """Every refund came out of its own lot, whole."""
        while self.asked:
            self.release(0, 0)
        follow(self.ledger)
        self.check()
        for lot in lots(self.ledger):
            gave = sum(use.amount for use in self.ledger.lots.uses_of(lot) if use.kind == "released_on_chain")
            assert gave == sum(refund.amount for refund in self.ledger.lot_refunds.of_lot(lot))
        balance = self.ledger.account(ALICE.id)
        assert sum(remaining(self.ledger)) == balance.available + balance.held


@pytest.mark.parametrize("kind", ["sqlite"])
def test_a_holder_never_gets_back_and_spends_more_than_was_put_in(request: pytest.FixtureRequest, kind: str):
    """However far the lots had been followed when it was asked for."""
    doings = [Life.ask, Life.ask, Life.hold, Life.spend, Life.spend, Life.release, Life.write_off, Life.follow]

    @settings(max_examples=6, deadline=None)
    @given(st.lists(st.tuples(st.sampled_from(doings), st.integers(1, 60)), max_size=14))
    def run(steps: list[tuple[Callable[[Life, int, int], None], int]]) -> None:
        with new_database(request, kind) as database, open_ledger(database.url, IDENTITY) as ledger:
            life = Life(ledger)
            for number, (do, amount) in enumerate(steps, 1):
                do(life, number, amount)
                life.check()
            life.end()

    run()
