from dataclasses import replace
from datetime import timedelta

import pytest
from tests.ledger.samples import (
    NOON,
    OTHER_TOKEN,
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
from mintery.domain.hold import Constraint, Ending, RequestId
from mintery.errors import OutcomeMismatch
from mintery.ledger.commands import AbandonBatch, Done, FormBatch, MarkBroadcast, NotWritten, SaveAttempt
from mintery.ledger.reads import Attempt
from mintery.ledger.store import LedgerStore
from mintery.units import NanoCredits


def charge(ledger: LedgerStore, number: int, of: Wallet, cost: int, *, held: int | None = None) -> RequestId:
    limit = Constraint("payout", NanoCredits(10**9), Ending.SETTLEMENT)
    placed = place(number, of, held or cost, constraints=(limit,), at=NOON + timedelta(seconds=number))
    ledger.commit([placed, capture(placed, of, cost)])
    return placed.request


def attempt(formed: FormBatch, number: int = 1) -> SaveAttempt:
    return SaveAttempt(formed.batch.batch_id, f"0x{number:064x}", b"raw", number, NOON)


@pytest.fixture
def bob(ledger: LedgerStore, chain: Chain, alice: Wallet) -> Wallet:
    """Another project's holder, with 500."""
    other = wallet(2, OTHER_TOKEN)
    ledger.commit([chain.block(deposit(other, 500))])
    return other


def test_receipts_wait_oldest_first_until_they_are_in_a_batch(ledger: LedgerStore, alice: Wallet):
    first, second = charge(ledger, 1, alice, 10), charge(ledger, 2, alice, 20)
    free = charge(ledger, 3, alice, 0, held=5)
    assert [receipt.id for receipt in ledger.unbatched(limit=10)] == [first, second]
    assert [receipt.id for receipt in ledger.unbatched(limit=1)] == [first]

    assert ledger.commit([form(1, (alice, 10, [first]))]) == [Done(1)]

    assert [receipt.id for receipt in ledger.unbatched(limit=10)] == [second]
    assert [ledger.receipt(each).batch_id for each in (first, second, free)] == [1, None, None]


def test_a_batch_reads_back_as_it_was_formed(ledger: LedgerStore, alice: Wallet, bob: Wallet):
    formed = form(1, (alice, 30, [charge(ledger, 1, alice, 30)]), (bob, 5, [charge(ledger, 2, bob, 5)]))

    assert ledger.commit([formed, formed, attempt(formed), attempt(formed)]) == [Done(1), Done(0), Done(1), Done(0)]
    ledger.commit([MarkBroadcast(attempt(formed).tx_hash, NOON)])

    record = ledger.batch(1)
    assert record.batch == formed.batch
    assert record.receipts == formed.receipts
    assert record.attempts == (Attempt(1, attempt(formed).tx_hash, b"raw", 1, NOON, NOON),)
    assert ledger.open_batches() == [record]


def test_a_settled_batch_burns_and_frees(ledger: LedgerStore, chain: Chain, alice: Wallet, bob: Wallet):
    own, others = charge(ledger, 1, alice, 30), charge(ledger, 2, bob, 5)
    formed = form(1, (alice, 30, [own]), (bob, 5, [others]))
    by_token = {part.token: index for index, part in enumerate(formed.batch.tokens)}
    outcomes = [burned(0), burned(0)]
    outcomes[by_token[alice.token]], outcomes[by_token[bob.token]] = burned(30), burned(5)
    ledger.commit([formed])
    assert ledger.used("payout") == 35

    ledger.commit([chain.block(settled(formed, *outcomes))])

    assert ledger.open_batches() == []
    assert ledger.batch(1).settled_in == chain.last
    assert ledger.receipt(own).tx_hash == settled(formed).tx_hash
    assert ledger.used("payout") == 0
    assert (ledger.spent_settled(alice.id), ledger.account(alice.id).spent) == (30, 30)
    assert [(total.burned, total.captured, total.losses) for total in ledger.totals()] in (
        [(30, 0, 0), (5, 0, 0)],
        [(5, 0, 0), (30, 0, 0)],
    )


@pytest.mark.parametrize(
    "outcome",
    [burned(12, LineStatus.PARTIAL), *(burned(0, status) for status in LineStatus if status > LineStatus.PARTIAL)],
)
def test_what_a_line_does_not_burn_is_the_operators_loss(
    ledger: LedgerStore, chain: Chain, alice: Wallet, outcome: object
):
    formed = form(1, (alice, 30, [charge(ledger, 1, alice, 30)]))

    ledger.commit([formed, chain.block(settled(formed, outcome))])

    (total,) = ledger.totals()
    assert (total.burned, total.losses) == (outcome.burned, 30 - outcome.burned)
    assert (total.available, total.captured) == (1_000 - outcome.burned, 0)
    assert ledger.account(alice.id).spent == outcome.burned
    follow_up = form(2, (alice, outcome.burned + 7, [charge(ledger, 2, alice, 7)]))
    assert ledger.commit([follow_up]) == [Done(1)]


def test_a_batch_must_say_what_its_receipts_do(ledger: LedgerStore, alice: Wallet, bob: Wallet):
    own, others = charge(ledger, 1, alice, 30), charge(ledger, 2, bob, 5)
    unknown = place(9, alice, 1).request
    before = ledger.unbatched(limit=10)

    for wrong in (
        form(1, (alice, 31, [own])),
        form(1, (alice, 30, [own, unknown])),
        form(1, (alice, 30, [own]), (bob, 5, [])),
        form(1, (alice, 30, [own, others])),
        form(1, (alice, 30, [own]), epoch=1),
        form(1, (alice, 60, [own, own])),
    ):
        (result,) = ledger.commit([wrong])
        assert isinstance(result, NotWritten), wrong

    assert ledger.unbatched(limit=10) == before
    assert ledger.open_batches() == []


def test_a_receipt_is_in_one_batch_and_an_account_in_one_open_batch(ledger: LedgerStore, alice: Wallet):
    first, second = charge(ledger, 1, alice, 30), charge(ledger, 2, alice, 5)
    ledger.commit([form(1, (alice, 30, [first]))])

    again, other, same_id = ledger.commit(
        [form(2, (alice, 60, [first])), form(2, (alice, 35, [second])), form(1, (alice, 5, [second]))]
    )

    assert "another batch" in again.why
    assert "open batch 1" in other.why
    assert "other receipts" in same_id.why


def test_an_abandoned_batch_frees_its_receipts_and_its_id(ledger: LedgerStore, chain: Chain, alice: Wallet):
    own = charge(ledger, 1, alice, 30)
    formed = form(1, (alice, 30, [own]))
    abandon = AbandonBatch(1, "the simulation reverts", NOON, dead_attempts=1)
    ledger.commit([formed, attempt(formed)])

    assert ledger.commit([abandon, abandon]) == [Done(1), Done(0)]

    assert ledger.batch(1).abandoned_at == NOON
    assert ledger.open_batches() == []
    (late,) = ledger.commit([MarkBroadcast(attempt(formed).tx_hash, NOON)])
    assert isinstance(late, NotWritten)
    assert ledger.commit([form(1, (alice, 30, [own]))]) == [Done(1)]
    assert ledger.batch(1).abandoned_at is None


def _abandoned(ledger: LedgerStore, formed: FormBatch) -> None:
    ledger.commit([formed, attempt(formed), AbandonBatch(1, "judged to be dead", NOON, dead_attempts=1)])


def test_an_abandoned_batch_that_the_chain_settled_after_all_stands_again(
    ledger: LedgerStore, chain: Chain, alice: Wallet, bob: Wallet
):
    """And the one formed under its id gives way: its other receipts are free for the next."""
    own, other = charge(ledger, 1, alice, 30), charge(ledger, 2, bob, 7)
    formed = form(1, (alice, 30, [own]))
    _abandoned(ledger, formed)
    ledger.commit([form(1, (alice, 30, [own]), (bob, 7, [other]))])

    ledger.commit([chain.block(settled(formed, burned(30)))])

    standing = ledger.batch(1)
    assert (standing.receipts, standing.abandoned_at, standing.settled_in is None) == ((own,), None, False)
    assert ledger.open_batches() == []
    assert [receipt.id for receipt in ledger.unbatched(limit=10)] == [other]
    assert (ledger.spent_settled(alice.id), ledger.spent_settled(bob.id)) == (30, 0)


def test_a_root_that_was_never_formed_here_is_still_a_mismatch(ledger: LedgerStore, chain: Chain, alice: Wallet):
    own = charge(ledger, 1, alice, 30)
    formed = form(1, (alice, 30, [own]))
    _abandoned(ledger, formed)
    strange = replace(settled(formed, burned(30)), receipts_root=b"\x66" * 32)

    with pytest.raises(OutcomeMismatch):
        ledger.commit([chain.block(strange)])

    assert ledger.batch(1).abandoned_at == NOON


def test_an_abandoned_batch_whose_receipts_a_later_one_has_settled_stays_so(
    ledger: LedgerStore, chain: Chain, alice: Wallet
):
    own = charge(ledger, 1, alice, 30)
    formed = form(1, (alice, 30, [own]))
    _abandoned(ledger, formed)
    again = form(2, (alice, 30, [own]))
    ledger.commit([again])

    with pytest.raises(OutcomeMismatch):
        ledger.commit([chain.block(settled(formed, burned(30)))])

    assert [record.batch.batch_id for record in ledger.open_batches()] == [2]


def test_an_attempt_that_another_process_saved_meanwhile_forbids_to_abandon(ledger: LedgerStore, alice: Wallet):
    formed = form(1, (alice, 30, [charge(ledger, 1, alice, 30)]))
    ledger.commit([formed, attempt(formed)])

    (result,) = ledger.commit([AbandonBatch(1, "none was there when it was judged", NOON)])

    assert isinstance(result, NotWritten)
    assert len(ledger.open_batches()) == 1


def test_what_was_broadcast_is_not_abandoned(ledger: LedgerStore, alice: Wallet):
    formed = form(1, (alice, 30, [charge(ledger, 1, alice, 30)]))
    broadcast = MarkBroadcast(attempt(formed).tx_hash, NOON)
    assert ledger.commit([formed, attempt(formed), broadcast, broadcast])[2:] == [Done(1), Done(0)]

    (result,) = ledger.commit([AbandonBatch(1, "too late", NOON)])

    assert isinstance(result, NotWritten)
    assert len(ledger.open_batches()) == 1


def test_what_was_broadcast_is_abandoned_when_its_nonces_are_used(ledger: LedgerStore, alice: Wallet):
    own = charge(ledger, 1, alice, 30)
    formed = form(1, (alice, 30, [own]))
    ledger.commit([formed, attempt(formed), MarkBroadcast(attempt(formed).tx_hash, NOON)])

    assert ledger.commit([AbandonBatch(1, "it reverted", NOON, dead_attempts=1)]) == [Done(1)]

    assert ledger.open_batches() == []
    assert [receipt.id for receipt in ledger.unbatched(limit=10)] == [own]


def test_attempts_need_an_open_batch(ledger: LedgerStore, alice: Wallet):
    formed = form(1, (alice, 30, [charge(ledger, 1, alice, 30)]))

    unformed, unsaved = ledger.commit([attempt(formed), MarkBroadcast("0x" + "0" * 64, NOON)])

    assert isinstance(unformed, NotWritten)
    assert isinstance(unsaved, NotWritten)


@pytest.mark.parametrize("outcomes", [(), (burned(30), burned(0)), (burned(31),)])
def test_an_outcome_that_does_not_fit_is_refused(
    ledger: LedgerStore, chain: Chain, alice: Wallet, outcomes: tuple[object, ...]
):
    formed = form(1, (alice, 30, [charge(ledger, 1, alice, 30)]))
    ledger.commit([formed])

    with pytest.raises(OutcomeMismatch):
        ledger.commit([chain.block(settled(formed, *outcomes))])

    assert len(ledger.open_batches()) == 1
