"""What the chain says, and who bears it when it takes what was promised."""

import pytest
from tests.ledger.samples import (
    TOKEN,
    Chain,
    Wallet,
    burned,
    capture,
    deposit,
    form,
    place,
    settled,
    wallet,
)

from mintery.domain.batch import LineStatus
from mintery.domain.hold import Constraint, Ending
from mintery.errors import LedgerInconsistent, OutcomeMismatch
from mintery.ledger.commands import (
    BlockAppended,
    ExitCancelledSeen,
    ExitExecutedSeen,
    ExitStartedSeen,
    HoldPlaced,
    HoldRefused,
    NotNext,
    ReleasedSeen,
)
from mintery.ledger.reads import TokenTotals
from mintery.ledger.store import LedgerStore
from mintery.units import NanoCredits, UnixSeconds


def exits(of: Wallet, amount: int, *, epoch: int = 0) -> ExitExecutedSeen:
    return ExitExecutedSeen(of.id, NanoCredits(amount), epoch)


def buckets(ledger: LedgerStore, of: Wallet) -> tuple[int, int, int]:
    balance = ledger.account(of.id)
    assert balance is not None
    return balance.available, balance.held, balance.captured


def totals(ledger: LedgerStore) -> TokenTotals:
    (only,) = ledger.totals()
    return only


def test_a_block_is_applied_once_and_in_order(ledger: LedgerStore, chain: Chain):
    first, second, third = (chain.block(deposit(wallet(1), 10)) for _ in range(3))

    results = ledger.commit([first, third, second, second, third])

    assert results == [
        BlockAppended(news=True),
        NotNext(first.block),
        BlockAppended(news=True),
        BlockAppended(news=False),
        BlockAppended(news=True),
    ]
    assert ledger.last_block() == third.block
    assert buckets(ledger, wallet(1)) == (30, 0, 0)


def test_an_exit_takes_what_is_available(ledger: LedgerStore, chain: Chain, alice: Wallet):
    ledger.commit([chain.block(ExitStartedSeen(alice.id, NanoCredits(400), UnixSeconds(9), closing=False))])
    pending = ledger.account(alice.id)
    assert (pending.exiting, pending.exit_unlock, pending.closing) == (400, 9, False)

    ledger.commit([chain.block(exits(alice, 400))])

    after = ledger.account(alice.id)
    assert (after.available, after.exiting, after.exit_unlock) == (600, 0, None)
    assert (totals(ledger).exited, totals(ledger).losses) == (400, 0)


def test_a_cancelled_exit_is_available_again(ledger: LedgerStore, chain: Chain, alice: Wallet):
    started = ExitStartedSeen(alice.id, NanoCredits(1_000), UnixSeconds(9), closing=True)
    ledger.commit([chain.block(started, ExitCancelledSeen(alice.id))])

    assert isinstance(ledger.commit([place(1, alice, 1_000)])[0], HoldPlaced)


def test_an_exit_takes_the_backing_of_holds_and_the_operator_bears_it(ledger: LedgerStore, chain: Chain, alice: Wallet):
    placed = place(1, alice, 800)
    ledger.commit([placed, chain.block(exits(alice, 500))])
    assert buckets(ledger, alice) == (0, 500, 0)

    (result,) = ledger.commit([capture(placed, alice, 700)])

    assert (result.captured, result.released) == (700, 100)
    assert buckets(ledger, alice) == (0, 0, 500)
    assert (totals(ledger).receipts, totals(ledger).losses) == (700, 200)


def test_the_newest_hold_loses_its_backing_first(ledger: LedgerStore, chain: Chain, alice: Wallet):
    older, newer = place(1, alice, 400), place(2, alice, 400)
    ledger.commit([older, newer, chain.block(exits(alice, 500))])

    ledger.commit([capture(older, alice, 400)])

    assert totals(ledger).losses == 0
    assert buckets(ledger, alice) == (0, 100, 400)


def test_an_exit_takes_captured_credits_last(ledger: LedgerStore, chain: Chain, alice: Wallet):
    done, running = place(1, alice, 600), place(2, alice, 300)
    ledger.commit([done, capture(done, alice, 600), running])

    ledger.commit([chain.block(ReleasedSeen(alice.id, NanoCredits(900)))])

    assert buckets(ledger, alice) == (0, 0, 100)
    assert ledger.account(alice.id).spent == 600
    assert totals(ledger).losses == 500


def test_a_top_up_pays_what_is_owed_before_it_is_available(ledger: LedgerStore, chain: Chain, alice: Wallet):
    placed = place(1, alice, 1_000)
    formed = form(1, (alice, 1_000, [placed.request]))
    ledger.commit([placed, capture(placed, alice, 1_000), formed])
    ledger.commit([chain.block(exits(alice, 900))])
    assert totals(ledger).losses == 900
    ledger.commit([chain.block(deposit(alice, 2_000))])
    assert (buckets(ledger, alice), totals(ledger).losses) == ((1_100, 0, 1_000), 0)

    ledger.commit([chain.block(settled(formed, burned(1_000)))])

    assert buckets(ledger, alice) == (1_100, 0, 0)
    assert (totals(ledger).burned, totals(ledger).losses) == (1_000, 0)
    assert ledger.spent_settled(alice.id) == 1_000


def test_a_top_up_backs_open_holds_again_oldest_first(ledger: LedgerStore, chain: Chain, alice: Wallet):
    older, newer = place(1, alice, 400), place(2, alice, 600)
    ledger.commit([older, newer, chain.block(exits(alice, 1_000))])

    ledger.commit([chain.block(deposit(alice, 500))])
    assert buckets(ledger, alice) == (0, 500, 0)

    ledger.commit([capture(older, alice, 400), capture(newer, alice, 600)])
    assert (buckets(ledger, alice), totals(ledger).losses) == ((0, 0, 500), 500)


def test_no_hold_is_admitted_by_credits_that_are_owed(ledger: LedgerStore, chain: Chain, alice: Wallet):
    placed, later = place(1, alice, 1_000), place(2, alice, 900)
    ledger.commit([placed, capture(placed, alice, 1_000)])
    ledger.commit([chain.block(exits(alice, 1_000), deposit(alice, 1_000))])

    assert ledger.commit([later]) == [HoldRefused("balance", NanoCredits(900), NanoCredits(0))]


def test_a_close_voids_the_vouchers_and_what_is_owed_is_lost(ledger: LedgerStore, chain: Chain, alice: Wallet):
    per_window = Constraint("payout", NanoCredits(10_000), Ending.SETTLEMENT)
    done, running = (place(number, alice, 300, constraints=(per_window,)) for number in (1, 2))
    ledger.commit([done, capture(done, alice, 300), running])
    assert ledger.used("payout") == 600

    ledger.commit([chain.block(exits(alice, 1_000, epoch=1))])

    closed = ledger.account(alice.id)
    assert (closed.epoch, closed.spent, closed.available, closed.held, closed.captured) == (1, 0, 0, 0, 0)
    assert totals(ledger).losses == 300
    assert ledger.used("payout") == 300
    assert ledger.unbatched(limit=10) == []

    ledger.commit([capture(running, alice, 200)])
    assert totals(ledger).losses == 500
    assert ledger.used("payout") == 0
    ledger.check()


def test_after_a_close_only_vouchers_of_the_new_epoch_admit(ledger: LedgerStore, chain: Chain, alice: Wallet):
    ledger.commit([chain.block(exits(alice, 1_000, epoch=1), deposit(alice, 50))])

    old, new = ledger.commit([place(1, alice, 10), place(2, alice, 10, epoch=1)])

    assert old == HoldRefused("epoch", NanoCredits(10), NanoCredits(0))
    assert isinstance(new, HoldPlaced)
    assert ledger.highest_voucher(alice.id, 0, UnixSeconds(0)) is None
    assert ledger.highest_voucher(alice.id, 1, UnixSeconds(0)).voucher.epoch == 1


def test_a_batch_of_an_ended_epoch_changes_nothing_more(ledger: LedgerStore, chain: Chain, alice: Wallet):
    placed = place(1, alice, 300)
    formed = form(1, (alice, 300, [placed.request]))
    ledger.commit([placed, capture(placed, alice, 300), formed])

    ledger.commit(
        [
            chain.block(exits(alice, 1_000, epoch=1)),
            chain.block(settled(formed, burned(0, LineStatus.WRONG_EPOCH))),
        ]
    )

    assert (totals(ledger).losses, totals(ledger).burned) == (300, 0)
    assert ledger.batch(1).settled_in == chain.last


def test_an_account_may_close_before_its_first_deposit(ledger: LedgerStore, chain: Chain):
    bob = wallet(2)
    started = ExitStartedSeen(bob.id, NanoCredits(0), UnixSeconds(9), closing=True)
    ledger.commit([chain.block(started), chain.block(exits(bob, 0, epoch=1))])
    assert ledger.account(bob.id) is None

    ledger.commit([chain.block(deposit(bob, 10))])

    opened = ledger.account(bob.id)
    assert (opened.epoch, opened.available, opened.closing, opened.key) == (1, 10, False, bob.account)


@pytest.mark.parametrize(
    "event",
    [
        ReleasedSeen(wallet(1).id, NanoCredits(1_001)),
        exits(wallet(1), 1_001),
        exits(wallet(1), 999, epoch=1),
        ReleasedSeen(wallet(2).id, NanoCredits(1)),
    ],
)
def test_what_contradicts_the_ledger_is_never_plugged(ledger: LedgerStore, chain: Chain, alice: Wallet, event: object):
    before = ledger.last_block()

    with pytest.raises(LedgerInconsistent):
        ledger.commit([chain.block(event)])

    assert ledger.last_block() == before
    assert buckets(ledger, alice) == (1_000, 0, 0)


def test_a_batch_that_was_never_formed_here_is_no_outcome(ledger: LedgerStore, chain: Chain, alice: Wallet):
    placed = place(1, alice, 300)
    formed = form(1, (alice, 300, [placed.request]))

    with pytest.raises(OutcomeMismatch):
        ledger.commit([chain.block(settled(formed, burned(300)))])


def test_what_is_on_chain_is_what_the_buckets_hold(ledger: LedgerStore, chain: Chain, alice: Wallet):
    bob = wallet(2)
    placed = place(1, alice, 300)
    ledger.commit([chain.block(deposit(bob, 50)), placed, capture(placed, alice, 120)])

    total = totals(ledger)

    assert total == TokenTotals(TOKEN, *map(NanoCredits, (1_050, 0, 0, 930, 0, 120, 120, 0)))
    assert [balance.id for balance in ledger.accounts(holder=bob.key.address)] == [bob.id]


def test_sums_may_pass_63_bits(ledger: LedgerStore, chain: Chain):
    rich = [wallet(number) for number in (1, 2, 3)]
    ledger.commit([chain.block(*(deposit(own, 2**63 - 1) for own in rich))])

    assert totals(ledger).deposited == totals(ledger).available == 3 * (2**63 - 1)
    ledger.check()


@pytest.mark.parametrize(("top_up", "taken"), [(0, 100), (300, 400)])
def test_what_a_top_up_does_not_cover_is_lost_once(
    ledger: LedgerStore, chain: Chain, alice: Wallet, top_up: int, taken: int
):
    placed = place(1, alice, 1_000)
    formed = form(1, (alice, 1_000, [placed.request]))
    ledger.commit([placed, capture(placed, alice, 1_000), formed, chain.block(exits(alice, 900))])
    if top_up:
        ledger.commit([chain.block(deposit(alice, top_up))])

    ledger.commit([chain.block(settled(formed, burned(taken, LineStatus.PARTIAL)))])

    assert buckets(ledger, alice) == (0, 0, 0)
    assert (totals(ledger).burned, totals(ledger).losses) == (taken, 1_000 - taken)
    ledger.check()
