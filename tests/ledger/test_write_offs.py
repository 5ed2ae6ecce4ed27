"""What the operator gives up: once, with a reason, and never what a batch may still settle."""

from datetime import timedelta

import pytest
from sqlalchemy.exc import DBAPIError
from tests.databases import Database
from tests.ledger.samples import (
    NOON,
    Chain,
    Wallet,
    burned,
    capture,
    deposit,
    form,
    place,
    release,
    request_id,
    settled,
    wallet,
)

from mintery.domain.hold import Constraint, Ending
from mintery.errors import OutcomeMismatch, UnknownReceipt, WriteOffRefused
from mintery.ledger.audit import open_audit
from mintery.ledger.commands import (
    AbandonBatch,
    BlockAppended,
    Done,
    HoldPlaced,
    NotWritten,
    ReleasedSeen,
    RollBackBlock,
    SealRows,
    WriteOff,
)
from mintery.ledger.reads import WrittenOff
from mintery.ledger.store import LedgerStore
from mintery.units import NanoCredits
from mintery.usecases.write_off import write_off

REASON = "its price version expired"


def charged(ledger: LedgerStore, of: Wallet, number: int = 1, cost: int = 300) -> None:
    until_settled = Constraint("payout", NanoCredits(10_000), Ending.SETTLEMENT)
    placed = place(number, of, 400, constraints=(until_settled,))
    ledger.commit([placed, capture(placed, of, cost)])


def test_a_write_off_frees_the_credits_and_is_the_operators_loss(ledger: LedgerStore, alice: Wallet):
    charged(ledger, alice)

    written = write_off(ledger, request_id(1), REASON, NOON)

    assert written == WrittenOff(request_id(1), NanoCredits(300), REASON, NOON)
    after, (total,) = ledger.account(alice.id), ledger.totals()
    assert (after.available, after.captured, after.spent) == (1_000, 0, 0)
    assert (total.losses, total.receipts) == (300, 300)
    assert ledger.used("payout") == 0
    assert ledger.unbatched(limit=9) == []
    assert ledger.receipt(request_id(1)).written_off == written
    assert list(ledger.write_offs()) == [written]
    assert isinstance(ledger.commit([place(2, alice, 1_000)])[0], HoldPlaced)


def test_it_is_written_off_once_and_its_first_reason_stays(ledger: LedgerStore, alice: Wallet):
    charged(ledger, alice)
    first = write_off(ledger, request_id(1), REASON, NOON)

    assert write_off(ledger, request_id(1), "another", NOON + timedelta(hours=1)) == first
    assert ledger.totals()[0].losses == 300


def test_what_a_batch_has_is_not_written_off(ledger: LedgerStore, chain: Chain, alice: Wallet):
    charged(ledger, alice)
    formed = form(1, (alice, 300, [request_id(1)]))
    ledger.commit([formed])
    with pytest.raises(WriteOffRefused, match="batch 1"):
        write_off(ledger, request_id(1), REASON, NOON)

    ledger.commit([chain.block(settled(formed, burned(300)))])
    with pytest.raises(WriteOffRefused, match="batch 1"):
        write_off(ledger, request_id(1), REASON, NOON)
    assert list(ledger.write_offs()) == []


def test_what_was_written_off_goes_into_no_batch(ledger: LedgerStore, alice: Wallet):
    charged(ledger, alice)
    formed = form(1, (alice, 300, [request_id(1)]))
    ledger.commit([formed, AbandonBatch(1, "it cannot settle", NOON), WriteOff(request_id(1), REASON, NOON)])

    (result,) = ledger.commit([formed])

    assert isinstance(result, NotWritten)
    assert "written off" in result.why


def test_a_batch_that_settles_after_all_undoes_the_write_off(
    ledger: LedgerStore, chain: Chain, alice: Wallet, database: Database
):
    """A settler's key was changed, not revoked; its batch was believed dead, and its attempt is mined after all."""
    charged(ledger, alice)
    formed = form(1, (alice, 300, [request_id(1)]))
    ledger.commit([formed, AbandonBatch(1, "it cannot settle", NOON), WriteOff(request_id(1), REASON, NOON)])

    (appended,) = ledger.commit([chain.block(settled(formed, burned(300)))])

    assert appended == BlockAppended(news=True, undone=(request_id(1),))
    after, (total,) = ledger.account(alice.id), ledger.totals()
    assert (after.available, after.captured, after.spent) == (700, 0, 300)
    assert (total.burned, total.losses, total.receipts) == (300, 0, 300)
    assert ledger.used("payout") == 0
    record = ledger.receipt(request_id(1))
    assert (record.batch_id, record.written_off) == (1, None)
    (written,) = ledger.write_offs()
    assert written.undone_at is not None
    (refused,) = ledger.commit([WriteOff(request_id(1), REASON, NOON)])
    assert isinstance(refused, NotWritten)
    ledger.commit([SealRows(1_000, NOON)])
    assert database.run("SELECT version, row_seq FROM seals WHERE source = 6") == [(2, 1)]


def test_what_was_freed_and_left_meanwhile_is_the_operators_loss_still(
    ledger: LedgerStore, chain: Chain, alice: Wallet
):
    charged(ledger, alice)
    formed = form(1, (alice, 300, [request_id(1)]))
    ledger.commit([formed, AbandonBatch(1, "it cannot settle", NOON), WriteOff(request_id(1), REASON, NOON)])
    ledger.commit([chain.block(ReleasedSeen(alice.id, NanoCredits(900)))])

    ledger.commit([chain.block(settled(formed, burned(100)))])

    after, (total,) = ledger.account(alice.id), ledger.totals()
    assert (after.available, after.captured, total.burned, total.losses) == (0, 0, 100, 200)


def test_an_undone_write_off_stays_undone_when_its_block_goes(ledger: LedgerStore, chain: Chain, alice: Wallet):
    charged(ledger, alice)
    formed = form(1, (alice, 300, [request_id(1)]))
    ledger.commit([formed, AbandonBatch(1, "it cannot settle", NOON), WriteOff(request_id(1), REASON, NOON)])
    block = chain.block(settled(formed, burned(300)))
    ledger.commit([block])

    ledger.commit([RollBackBlock(block.block.hash, NOON)])

    ledger.check()
    after, (total,) = ledger.account(alice.id), ledger.totals()
    assert (after.available, after.captured, total.losses) == (700, 300, 0)


def test_what_was_undone_can_be_written_off_again_and_undone_again(
    ledger: LedgerStore, chain: Chain, alice: Wallet, database: Database
):
    """The block that settled it went, the batch was given up once more, and is settled after all once more."""
    charged(ledger, alice)
    formed = form(1, (alice, 300, [request_id(1)]))
    first = WriteOff(request_id(1), REASON, NOON)
    second = WriteOff(request_id(1), "its block went", NOON + timedelta(hours=1))
    ledger.commit([formed, AbandonBatch(1, "it cannot settle", NOON), first])
    assert ledger.commit([second]) == [Done(0)]
    before = chain.last
    block = chain.block(settled(formed, burned(300)))
    ledger.commit([block])
    ledger.commit([RollBackBlock(block.block.hash, NOON)])
    chain.go_back_to(before)

    told = ledger.commit([AbandonBatch(1, "it cannot settle", NOON + timedelta(hours=1)), second, first])

    assert told[1:] == [Done(1), Done(0)]
    ledger.check()
    assert ledger.receipt(request_id(1)).written_off.reason == "its block went"
    assert (ledger.account(alice.id).available, ledger.totals()[0].losses) == (1_000, 300)
    columns = "request, account, amount, reason, at"
    with pytest.raises(DBAPIError, match="stands"):
        database.run(f"INSERT INTO write_offs ({columns}) SELECT {columns} FROM write_offs")  # noqa: S608 -- our own names

    (appended,) = ledger.commit([chain.block(settled(formed, burned(300)))])

    assert appended == BlockAppended(news=True, undone=(request_id(1),))
    assert [each.undone_at is None for each in ledger.write_offs()] == [False, False]
    after, (total,) = ledger.account(alice.id), ledger.totals()
    assert (after.available, after.spent, total.burned, total.losses) == (700, 300, 300, 0)
    ledger.commit([SealRows(1_000, NOON)])
    with open_audit(database.url) as audit:
        assert audit.verify().holds


def test_what_is_owed_is_written_off_first(ledger: LedgerStore, chain: Chain, alice: Wallet):
    charged(ledger, alice, 1, 300)
    charged(ledger, alice, 2, 400)
    ledger.commit([chain.block(ReleasedSeen(alice.id, NanoCredits(500)))])

    write_off(ledger, request_id(1), REASON, NOON)

    after, (total,) = ledger.account(alice.id), ledger.totals()
    assert (after.available, after.captured, after.spent, total.losses) == (100, 400, 400, 300)


@pytest.mark.parametrize("number", [2, 3])
def test_what_charged_nothing_cannot_be_written_off(ledger: LedgerStore, alice: Wallet, number: int):
    free, failed = place(2, alice, 10), place(3, alice, 10)
    ledger.commit([free, capture(free, alice, 0), failed, release(failed)])

    (result,) = ledger.commit([WriteOff(request_id(number), REASON, NOON)])

    assert isinstance(result, NotWritten)
    with pytest.raises(UnknownReceipt):
        write_off(ledger, request_id(9), REASON, NOON)


def test_a_write_off_is_never_changed(ledger: LedgerStore, alice: Wallet, database: Database):
    charged(ledger, alice)
    assert ledger.commit([WriteOff(request_id(1), REASON, NOON)]) == [Done(1)]

    with pytest.raises(DBAPIError, match="never changed"):
        database.run("DELETE FROM write_offs")


def test_a_new_ledger_of_a_gateway_that_settled_before_says_what_to_do(ledger: LedgerStore, chain: Chain):
    ledger.commit([chain.block(deposit(wallet(1), 500))])
    formed = form(4, (wallet(1), 300, [request_id(1)]))

    with pytest.raises(OutcomeMismatch, match="Restore that one") as caught:
        ledger.commit([chain.block(settled(formed, burned(300)))])
    assert caught.value.batch_id == 4
