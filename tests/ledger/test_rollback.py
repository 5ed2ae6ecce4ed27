"""A block that the chain took back: nothing of it stands, and nothing that was written is lost."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
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

from mintery.domain.batch import LineStatus
from mintery.domain.hold import Constraint, Ending
from mintery.ledger.commands import (
    AbandonBatch,
    AppendBlock,
    BlockAppended,
    ChainEvent,
    Done,
    ExitCancelledSeen,
    ExitExecutedSeen,
    ExitStartedSeen,
    HoldPlaced,
    MarkFinal,
    NotWritten,
    ReleasedSeen,
    RollBackBlock,
    WriteOff,
)
from mintery.ledger.store import LedgerStore, open_ledger
from mintery.units import NanoCredits, UnixSeconds


def undo(*blocks: AppendBlock) -> list[RollBackBlock]:
    """Newest first, from blocks in their order."""
    return [RollBackBlock(each.block.hash, NOON) for each in reversed(blocks)]


def standing(ledger: LedgerStore, of: Wallet) -> tuple[int, int, int, int]:
    """Available, held, captured, and what the operator would lose."""
    balance = ledger.account(of.id)
    (total,) = ledger.totals()
    return balance.available, balance.held, balance.captured, total.losses


def test_an_undone_deposit_is_gone_and_both_transfers_stay(
    ledger: LedgerStore, chain: Chain, alice: Wallet, database: Database
):
    first = chain.last
    block = chain.block(deposit(alice, 500))
    ledger.commit([block])

    assert ledger.commit(undo(block)) == [Done(1)]

    assert standing(ledger, alice) == (1_000, 0, 0, 0)
    assert ledger.last_block() == first
    kinds = database.run("SELECT kind, amount, reference FROM transfers ORDER BY seq")
    assert [tuple(row) for row in kinds[1:]] == [
        ("deposit", 500, f"{block.block.hash}/0"),
        ("undo_deposit", 500, f"undo/{block.block.hash}/0"),
    ]


def test_only_the_last_block_is_undone_and_once(ledger: LedgerStore, chain: Chain, alice: Wallet):
    older, newer = chain.block(deposit(alice, 1)), chain.block(deposit(alice, 2))
    ledger.commit([older, newer])

    (refused,) = ledger.commit(undo(older))
    assert isinstance(refused, NotWritten)
    assert ledger.commit([*undo(newer), *undo(newer)]) == [Done(1), Done(0)]
    assert standing(ledger, alice) == (1_001, 0, 0, 0)


def test_a_final_block_is_never_undone(ledger: LedgerStore, chain: Chain, alice: Wallet):
    older, newer = chain.block(deposit(alice, 1)), chain.block(deposit(alice, 2))
    ledger.commit([older, newer, MarkFinal(older.block.number), MarkFinal(older.block.number - 1)])
    assert ledger.final_block() == older.block.number

    done, refused = ledger.commit(undo(older, newer))

    assert done == Done(1)
    assert isinstance(refused, NotWritten)
    assert "final" in refused.why
    assert standing(ledger, alice) == (1_001, 0, 0, 0)


def test_the_same_deposit_in_another_block_pays_for_what_it_had_paid_for(
    ledger: LedgerStore, chain: Chain, alice: Wallet
):
    """Held and spent on a deposit that vanishes and comes again: as if it had never been away."""
    base, block = chain.last, chain.block(deposit(alice, 500))
    spent, running = place(1, alice, 900), place(2, alice, 500)
    ledger.commit([block, spent, capture(spent, alice, 900), running])
    before = standing(ledger, alice)

    ledger.commit(undo(block))
    assert standing(ledger, alice) == (0, 100, 900, 0)

    chain.go_back_to(base)
    ledger.commit([chain.block(), chain.block(deposit(alice, 500))])
    assert standing(ledger, alice) == before


def test_what_a_vanished_deposit_had_paid_for_is_the_operators_loss(ledger: LedgerStore, chain: Chain):
    bob = wallet(2)
    block = chain.block(deposit(bob, 500))
    spent, running = place(1, bob, 300), place(2, bob, 200)
    ledger.commit([block, spent, capture(spent, bob, 300), running])

    ledger.commit(undo(block))

    assert standing(ledger, bob) == (0, 0, 0, 300)
    ledger.commit([capture(running, bob, 150)])
    assert standing(ledger, bob) == (0, 0, 0, 450)


def test_a_block_may_come_go_and_come_again(ledger: LedgerStore, chain: Chain, alice: Wallet):
    block = chain.block(deposit(alice, 500), ReleasedSeen(alice.id, NanoCredits(200)))
    for _ in range(3):
        assert ledger.commit([block]) == [BlockAppended(news=True)]
        assert standing(ledger, alice) == (1_300, 0, 0, 0)
        assert ledger.commit(undo(block)) == [Done(1)]
        assert standing(ledger, alice) == (1_000, 0, 0, 0)


def test_exits_are_as_pending_as_they_were(ledger: LedgerStore, chain: Chain, alice: Wallet):
    started = chain.block(ExitStartedSeen(alice.id, NanoCredits(400), UnixSeconds(9), closing=False))
    ledger.commit([started])
    pending = ledger.account(alice.id)
    for event in (
        ExitCancelledSeen(alice.id),
        ExitExecutedSeen(alice.id, NanoCredits(400), 0),
        ExitStartedSeen(alice.id, NanoCredits(900), UnixSeconds(11), closing=True),
    ):
        block = chain.block(event)
        ledger.commit([block])
        assert ledger.account(alice.id) != pending
        ledger.commit(undo(block))
        chain.go_back_to(started.block)
        assert ledger.account(alice.id) == pending
    ledger.commit(undo(started))
    assert ledger.account(alice.id).exiting == 0


def test_an_undone_close_gives_back_the_epoch_and_what_it_owed(ledger: LedgerStore, chain: Chain, alice: Wallet):
    until_settled = Constraint("payout", NanoCredits(10_000), Ending.SETTLEMENT)
    done, running, late = (place(number, alice, 300, constraints=(until_settled,)) for number in (1, 2, 3))
    ledger.commit([done, capture(done, alice, 300), running, late])
    before, base = ledger.account(alice.id), chain.last
    close = chain.block(ExitExecutedSeen(alice.id, NanoCredits(1_000), 1))
    again = chain.block(deposit(alice, 70))
    new = place(4, alice, 50, epoch=1)
    ledger.commit([close, again, new, capture(new, alice, 40), capture(late, alice, 300)])
    assert standing(ledger, alice) == (30, 0, 40, 600)

    assert ledger.commit(undo(close, again)) == [Done(1), Done(1)]

    after = ledger.account(alice.id)
    assert (after.epoch, after.spent, after.held) == (0, 600, before.held - 300)
    assert standing(ledger, alice) == (100, 300, 600, 40)
    assert ledger.used("payout") == 900
    assert {each.id for each in ledger.unbatched(limit=9)} == {request_id(1), request_id(3)}

    chain.go_back_to(base)
    ledger.commit([chain.block(ExitExecutedSeen(alice.id, NanoCredits(1_000), 1)), chain.block(deposit(alice, 100))])
    assert standing(ledger, alice) == (60, 0, 40, 600)
    assert ledger.used("payout") == 300
    assert [each.id for each in ledger.unbatched(limit=9)] == [request_id(4)]


@pytest.mark.parametrize(("taken", "status"), [(700, LineStatus.SETTLED), (200, LineStatus.PARTIAL)])
def test_an_undone_settlement_is_open_again(
    ledger: LedgerStore, chain: Chain, alice: Wallet, taken: int, status: LineStatus
):
    until_settled = Constraint("payout", NanoCredits(10_000), Ending.SETTLEMENT)
    placed = place(1, alice, 800, constraints=(until_settled,))
    formed = form(1, (alice, 700, [placed.request]))
    ledger.commit([placed, capture(placed, alice, 700), formed])
    before = (standing(ledger, alice), ledger.account(alice.id), ledger.used("payout"))
    block = chain.block(settled(formed, burned(taken, status)))
    ledger.commit([block])
    assert ledger.receipt(placed.request).tx_hash is not None

    ledger.commit(undo(block))

    assert (standing(ledger, alice), ledger.account(alice.id), ledger.used("payout")) == before
    (record,) = ledger.open_batches()
    assert (record.batch.batch_id, record.receipts) == (1, (placed.request,))
    assert ledger.receipt(placed.request).tx_hash is None
    assert ledger.unbatched(limit=1) == []
    assert ledger.commit([block]) == [BlockAppended(news=True)]
    assert ledger.spent_settled(alice.id) == taken


def test_a_later_batch_burns_what_an_earlier_one_lost_on_the_other_branch(
    ledger: LedgerStore, chain: Chain, alice: Wallet
):
    """Counters are cumulative: the chain takes all that was signed, and no batch's receipts are paid twice."""
    first, second = place(1, alice, 600), place(2, alice, 300)
    one, two = form(1, (alice, 600, [first.request])), form(2, (alice, 900, [second.request]))
    base = chain.last
    ledger.commit([first, capture(first, alice, 600), one, chain.block(settled(one, burned(600)))])
    ledger.commit([second, capture(second, alice, 300), two])

    ledger.commit([RollBackBlock(chain.last.hash, NOON)])
    assert [each.batch.batch_id for each in ledger.open_batches()] == [1, 2]
    chain.go_back_to(base)
    expired = chain.block(settled(one, burned(0, LineStatus.EXPIRED)))
    ledger.commit([expired])
    assert standing(ledger, alice) == (700, 0, 300, 600)
    taken = chain.block(settled(two, burned(900)))
    ledger.commit([taken])

    assert standing(ledger, alice) == (100, 0, 0, 0)
    assert ledger.spent_settled(alice.id) == 900
    ledger.commit(undo(taken))
    assert standing(ledger, alice) == (700, 0, 300, 600)


def test_a_batch_on_which_another_stands_is_not_abandoned(ledger: LedgerStore, chain: Chain, alice: Wallet):
    first, second = place(1, alice, 600), place(2, alice, 300)
    one, two = form(1, (alice, 600, [first.request])), form(2, (alice, 900, [second.request]))
    ledger.commit([first, capture(first, alice, 600), one, chain.block(settled(one, burned(600)))])
    ledger.commit([second, capture(second, alice, 300), two, RollBackBlock(chain.last.hash, NOON)])

    refused, newer, older = ledger.commit([AbandonBatch(number, "test", NOON) for number in (1, 2, 1)])

    assert isinstance(refused, NotWritten)
    assert (newer, older) == (Done(1), Done(1))
    assert len(ledger.unbatched(limit=9)) == 2


def test_a_write_off_survives_a_close_and_its_undoing(ledger: LedgerStore, chain: Chain, alice: Wallet):
    placed = place(1, alice, 300)
    close = chain.block(ExitExecutedSeen(alice.id, NanoCredits(1_000), 1))
    ledger.commit([placed, capture(placed, alice, 300), WriteOff(placed.request, "retired", NOON)])
    assert standing(ledger, alice) == (1_000, 0, 0, 300)

    ledger.commit([close, *undo(close)])

    assert standing(ledger, alice) == (1_000, 0, 0, 300)
    assert isinstance(ledger.commit([place(2, alice, 1_000)])[0], HoldPlaced)


EVENTS = st.lists(
    st.tuples(st.sampled_from(["deposit", "start", "close", "cancel", "exit", "release"]), st.integers(1, 50)),
    max_size=5,
)


class Escrow:
    """One account as the chain keeps it: which of the wished events can happen, and what they then say."""

    def __init__(self) -> None:
        self.balance, self.exit, self.closing, self.epoch = 0, 0, False, 0

    def events(self, own: Wallet, wishes: Sequence[tuple[str, int]]) -> tuple[ChainEvent, ...]:
        return tuple(event for wish in wishes if (event := self._event(own, *wish)) is not None)

    def _event(self, own: Wallet, kind: str, amount: int) -> ChainEvent | None:
        match kind:
            case "deposit":
                self.balance += amount
                return deposit(own, amount)
            case "start" | "close":
                self.exit, self.closing = (0, True) if kind == "close" else (amount, False)
                return ExitStartedSeen(own.id, NanoCredits(amount), UnixSeconds(amount), self.closing)
            case "cancel" if self.exit or self.closing:
                self.exit, self.closing = 0, False
                return ExitCancelledSeen(own.id)
            case "exit" if self.closing or min(self.exit, self.balance):
                paid = self.balance if self.closing else min(self.exit, self.balance)
                self.epoch += self.closing
                self.balance, self.exit, self.closing = self.balance - paid, 0, False
                return ExitExecutedSeen(own.id, NanoCredits(paid), self.epoch)
            case "release" if self.balance:
                paid = min(self.balance, amount)
                self.balance -= paid
                return ReleasedSeen(own.id, NanoCredits(paid))
        return None


def branch(chain: Chain, own: Wallet, trunk: list[AppendBlock], wished: Sequence[Sequence[tuple[str, int]]]) -> None:
    """Blocks that follow those of ``trunk``, whose events are replayed to see where the account stands."""
    escrow = Escrow()
    for block in trunk:
        for _, event in block.events:
            _replay(escrow, event)
    trunk += [chain.block(*escrow.events(own, wishes)) for wishes in wished]


def _replay(escrow: Escrow, event: ChainEvent) -> None:
    match event:
        case ExitStartedSeen(_, amount, _, closing):
            escrow.exit, escrow.closing = 0 if closing else amount, closing
        case ExitCancelledSeen():
            escrow.exit, escrow.closing = 0, False
        case ExitExecutedSeen(_, amount, epoch):
            escrow.balance, escrow.exit, escrow.closing, escrow.epoch = escrow.balance - amount, 0, False, epoch
        case ReleasedSeen(_, amount):
            escrow.balance -= amount
        case _:
            escrow.balance += event.amount


@settings(max_examples=60, deadline=None)
@given(
    branches=st.lists(st.tuples(st.integers(0, 4), st.lists(EVENTS, min_size=1, max_size=4)), min_size=2, max_size=5)
)
def test_after_any_reorganisations_the_books_are_those_of_the_chain_alone(
    template: Path,
    branches: list[tuple[int, list[list[tuple[str, int]]]]],
):
    own, chain = wallet(1), Chain()
    trunk: list[AppendBlock] = []
    with copied(template) as seen, copied(template) as fresh:
        for depth, wished in branches:
            gone = trunk[len(trunk) - min(depth, len(trunk)) :]
            del trunk[len(trunk) - len(gone) :]
            chain.go_back_to(trunk[-1].block if trunk else Chain().last)
            kept = len(trunk)
            branch(chain, own, trunk, wished)
            results = seen.commit([*undo(*gone), *trunk[kept:]])
            assert results == [*[Done(1)] * len(gone), *[BlockAppended(news=True)] * (len(trunk) - kept)]
            seen.check()
        fresh.commit(trunk)

        assert books(seen) == books(fresh)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "ledger.sqlite"
    open_ledger(path, IDENTITY).close()
    return path


@contextmanager
def copied(template: Path) -> Iterator[LedgerStore]:
    with TemporaryDirectory() as folder, open_ledger(shutil.copy(template, folder), IDENTITY) as ledger:
        yield ledger


def books(ledger: LedgerStore) -> tuple[object, ...]:
    """Without what is only there as its deposit was on another branch: an account's key, and a token's nothing."""
    totals = [each for each in ledger.totals() if each.deposited]
    return ledger.last_block(), totals, list(ledger.accounts()) if totals else []
