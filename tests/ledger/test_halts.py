"""Halts stand once, for every process, until they are lifted or cleared; differences remember where they began."""

from datetime import timedelta

from tests.ledger.samples import NOON, Chain, Wallet

from mintery.ledger.commands import (
    Block,
    ClearHalt,
    Difference,
    Done,
    LiftHalt,
    RaiseHalt,
    RecordReconciliation,
)
from mintery.ledger.store import LedgerStore
from mintery.units import UnixSeconds

LATER = NOON + timedelta(minutes=1)
WIDE = 2**96 * 10**6


def raised(why: str = "differs", subject: str = "") -> RaiseHalt:
    return RaiseHalt("reconciliation", subject, why, NOON)


def at(number: int) -> Block:
    return Block(number, f"0x{number:064x}", f"0x{number - 1:064x}", UnixSeconds(number))


def test_a_halt_is_raised_once_and_keeps_its_first_reason(ledger: LedgerStore):
    assert ledger.commit([raised(), raised("again"), raised("other", "b")]) == [Done(1), Done(0), Done(1)]

    assert [(halt.subject, halt.why, halt.since) for halt in ledger.halts()] == [
        ("", "differs", NOON),
        ("b", "other", NOON),
    ]


def test_a_halt_that_was_lifted_or_cleared_can_be_raised_again(ledger: LedgerStore):
    ledger.commit([raised()])

    assert ledger.commit([LiftHalt("reconciliation", "", "equal", LATER), raised("once more")]) == [Done(1), Done(1)]
    (halt,) = ledger.halts()
    assert halt.why == "once more"
    assert ledger.commit([ClearHalt(halt.id, "looked", LATER), ClearHalt(halt.id, "twice", LATER)]) == [
        Done(1),
        Done(0),
    ]
    assert ledger.halts() == []
    assert ledger.commit([LiftHalt("reconciliation", "", "equal", LATER)]) == [Done(0)]


def test_a_difference_remembers_where_it_was_last_equal(ledger: LedgerStore):
    first, second = Difference("account a", WIDE, -1), Difference("account b", 7, 8)
    ledger.commit([RecordReconciliation(at(10), (), NOON)])
    ledger.commit([RecordReconciliation(at(11), (first,), NOON)])
    moved = Difference("account a", WIDE + 1, -1)
    ledger.commit([RecordReconciliation(at(12), (moved, second), LATER)])

    a, b = ledger.differences()

    assert (a.chain, a.books, a.last_equal, a.since) == (WIDE + 1, -1, 10, NOON)
    assert (b.chain, b.books, b.last_equal, b.since) == (7, 8, 11, LATER)
    ledger.commit([RecordReconciliation(at(13), (), LATER)])
    assert ledger.differences() == []


def test_the_first_reconciliation_knows_of_no_block_before(ledger: LedgerStore):
    ledger.commit([RecordReconciliation(at(10), (Difference("vault", 1, 2),), NOON)])

    (difference,) = ledger.differences()
    assert difference.last_equal is None


def test_settled_by_account_is_spent_settled_of_each(ledger: LedgerStore, chain: Chain, alice: Wallet):
    assert ledger.settled_by_account() == {alice.id: ledger.spent_settled(alice.id)}
