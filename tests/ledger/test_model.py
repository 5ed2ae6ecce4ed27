"""Any sequence of deposits, requests, exits and settlements, against a small model of the escrow.

The model is the chain: balances, spent counters and epochs as ``SpendEscrow`` keeps them. After every step the ledger must
agree with it to the nanocredit, satisfy its own invariants, and account for the cost of every receipt.
"""

import shutil
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from tempfile import mkdtemp

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from tests.ledger.samples import (
    IDENTITY,
    NOON,
    OTHER_TOKEN,
    TOKEN,
    Chain,
    Wallet,
    capture,
    deposit,
    form,
    place,
    release,
    settled,
    wallet,
)

from mintery.domain.batch import LineOutcome, LineStatus
from mintery.domain.hold import Constraint, Ending, ReleaseReason
from mintery.ledger.commands import (
    AbandonBatch,
    BlockAppended,
    CaptureHold,
    Done,
    ExitCancelledSeen,
    ExitExecutedSeen,
    ExitStartedSeen,
    FormBatch,
    HoldPlaced,
    HoldRefused,
    HoldReleased,
    PlaceHold,
    ReleasedSeen,
)
from mintery.ledger.store import open_ledger
from mintery.units import NanoCredits, UnixSeconds

WALLETS = (wallet(1, TOKEN), wallet(2, TOKEN), wallet(3, OTHER_TOKEN))
wallets = st.sampled_from(WALLETS)
amounts = st.integers(1, 60)
CEILING = 150
LIMITS = tuple(Constraint(f"limit:{until.value}", NanoCredits(CEILING), until) for until in Ending)


@dataclass
class Position:
    """An account as the escrow keeps it."""

    balance: int = 0
    spent: int = 0
    epoch: int = 0
    exit: int = 0
    closing: bool = False
    opened: bool = False


@dataclass
class Open:
    """An open hold."""

    command: PlaceHold
    wallet: Wallet


@dataclass
class Formed:
    command: FormBatch
    parts: list[tuple[Wallet, int, int]] = field(default_factory=list)
    """(wallet, spent afterwards, epoch), in the order of the lines."""


class LedgerMachine(RuleBasedStateMachine):
    template: Path

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(mkdtemp(prefix="mintery-model-"))
        shutil.copy(self.template, self.folder / "ledger.sqlite")
        self.ledger = open_ledger(self.folder / "ledger.sqlite", IDENTITY)
        self.chain = Chain()
        self.escrow = {own.id: Position() for own in WALLETS}
        self.open: list[Open] = []
        self.formed: Formed | None = None
        self.batch_id = 1
        self.number = 0
        self.costs = {TOKEN: 0, OTHER_TOKEN: 0}
        self.burned = {TOKEN: 0, OTHER_TOKEN: 0}

    def teardown(self) -> None:
        self.ledger.close()
        shutil.rmtree(self.folder)

    def see(self, *events: object) -> None:
        assert self.ledger.commit([self.chain.block(*events)]) == [BlockAppended(news=True)]

    @rule(own=wallets, amount=amounts)
    def deposits(self, own: Wallet, amount: int) -> None:
        position = self.escrow[own.id]
        position.balance += amount
        position.opened = True
        self.see(deposit(own, amount))

    @rule(
        own=wallets,
        amount=amounts,
        most=st.sampled_from([20, 100, 10**6]),
        limits=st.lists(st.sampled_from(LIMITS), unique=True).map(tuple),
        dispatch=st.booleans(),
        stale=st.booleans(),
    )
    def places(self, own: Wallet, amount: int, most: int, limits: tuple[Constraint, ...], dispatch: bool, stale: bool):
        position = self.escrow[own.id]
        self.number += 1
        epoch = position.epoch + (1 if stale else 0)
        at = NOON + timedelta(seconds=self.number)
        command = place(self.number, own, amount, most=most, epoch=epoch, constraints=limits, dispatch=dispatch, at=at)
        before = self.ledger.account(own.id)
        used = {limit.key: self.ledger.used(limit.key) for limit in LIMITS}

        (result,) = self.ledger.commit([command])

        after = self.ledger.account(own.id)
        admitted = (
            before is not None
            and not stale
            and amount <= before.available - before.exiting
            and before.spent + before.held + amount <= most
            and all(used[limit.key] + amount <= CEILING for limit in limits)
        )
        assert isinstance(result, HoldPlaced if admitted else HoldRefused)
        if admitted:
            assert (after.available, after.held) == (before.available - amount, before.held + amount)
            self.open.append(Open(command, own))
            assert self.ledger.commit([command]) == [result]
        else:
            assert after == before
            assert result.available < amount
            assert {limit.key: self.ledger.used(limit.key) for limit in LIMITS} == used

    @precondition(lambda self: any(each.command.dispatch for each in self.open))
    @rule(data=st.data())
    def captures(self, data: st.DataObject) -> None:
        one = data.draw(st.sampled_from([each for each in self.open if each.command.dispatch]))
        cost = data.draw(st.integers(0, one.command.amount))
        self.open.remove(one)
        command: CaptureHold = capture(one.command, one.wallet, cost)

        first = self.ledger.commit([command])

        assert (first[0].captured, first[0].released) == (cost, one.command.amount - cost)
        assert self.ledger.commit([command]) == first
        self.costs[one.wallet.token] += cost

    @precondition(lambda self: self.open)
    @rule(data=st.data())
    def releases(self, data: st.DataObject) -> None:
        one = data.draw(st.sampled_from(self.open))
        reason = ReleaseReason.UNRESOLVED if one.command.dispatch else ReleaseReason.NOT_DISPATCHED
        self.open.remove(one)

        assert isinstance(self.ledger.commit([release(one.command, reason)])[0], HoldReleased)

    @rule(own=wallets, amount=amounts, closing=st.booleans())
    def starts_exit(self, own: Wallet, amount: int, closing: bool) -> None:
        position = self.escrow[own.id]
        position.exit, position.closing = (0 if closing else amount), closing
        shown = position.balance if closing else amount
        self.see(ExitStartedSeen(own.id, NanoCredits(shown), UnixSeconds(9), closing))

    @rule(own=wallets)
    def cancels_exit(self, own: Wallet) -> None:
        position = self.escrow[own.id]
        position.exit, position.closing = 0, False
        self.see(ExitCancelledSeen(own.id))

    @rule(own=wallets)
    def executes_exit(self, own: Wallet) -> None:
        position = self.escrow[own.id]
        paid = position.balance if position.closing else min(position.exit, position.balance)
        if paid == 0 and not position.closing:
            return
        if position.closing:
            position.epoch, position.spent = position.epoch + 1, 0
        position.balance -= paid
        position.exit, position.closing = 0, False
        self.see(ExitExecutedSeen(own.id, NanoCredits(paid), position.epoch))

    @rule(own=wallets, data=st.data())
    def releases_on_chain(self, own: Wallet, data: st.DataObject) -> None:
        position = self.escrow[own.id]
        if position.balance == 0:
            return
        amount = data.draw(st.integers(1, position.balance))
        position.balance -= amount
        self.see(ReleasedSeen(own.id, NanoCredits(amount)))

    @precondition(lambda self: self.formed is None)
    @rule(most=st.integers(1, 5))
    def forms_batch(self, most: int) -> None:
        receipts = self.ledger.unbatched(limit=most)
        if not receipts:
            return
        parts = []
        for own in sorted(WALLETS, key=lambda each: each.token):
            ids = [receipt for receipt in receipts if receipt.account == own.account]
            if ids:
                spent = self.escrow[own.id].spent + sum(receipt.cost for receipt in ids)
                parts.append((own, spent, [receipt.id for receipt in ids]))
        epochs = {own.id: self.escrow[own.id].epoch for own, _, _ in parts}
        command = form(self.batch_id, *parts, epochs=epochs)
        assert self.ledger.commit([command]) == [Done(1)]
        self.formed = Formed(command, [(own, spent, epochs[own.id]) for own, spent, _ in parts])

    @precondition(lambda self: self.formed is not None)
    @rule()
    def abandons(self) -> None:
        assert self.ledger.commit([AbandonBatch(self.batch_id, "test", NOON)]) == [Done(1)]
        self.formed = None

    @precondition(lambda self: self.formed is not None)
    @rule(refused=st.sampled_from([None, LineStatus.EXPIRED, LineStatus.BAD_SIGNATURE]))
    def settles(self, refused: LineStatus | None) -> None:
        outcomes = []
        for index, (own, spent_after, epoch) in enumerate(self.formed.parts):
            outcome = self.burn(self.escrow[own.id], spent_after, epoch, refused if index == 0 else None)
            self.burned[own.token] += outcome.burned
            outcomes.append(outcome)
        self.see(settled(self.formed.command, *outcomes))
        self.formed = None
        self.batch_id += 1

    @staticmethod
    def burn(position: Position, spent_after: int, epoch: int, refused: LineStatus | None) -> LineOutcome:
        """``_burnLine`` of the escrow."""
        if refused is not None:
            return LineOutcome(refused, NanoCredits(0))
        if epoch != position.epoch:
            return LineOutcome(LineStatus.WRONG_EPOCH, NanoCredits(0))
        if spent_after <= position.spent:
            return LineOutcome(LineStatus.NOTHING_NEW, NanoCredits(0))
        if position.balance == 0:
            return LineOutcome(LineStatus.EMPTY, NanoCredits(0))
        wanted = spent_after - position.spent
        taken = min(wanted, position.balance)
        position.balance -= taken
        position.spent += taken
        return LineOutcome(LineStatus.SETTLED if taken == wanted else LineStatus.PARTIAL, NanoCredits(taken))

    @invariant()
    def agrees_with_the_chain(self) -> None:
        for own in WALLETS:
            position, balance = self.escrow[own.id], self.ledger.account(own.id)
            if not position.opened:
                assert balance is None
                continue
            assert balance.available + balance.held + balance.captured == position.balance
            assert (balance.epoch, self.ledger.spent_settled(own.id)) == (position.epoch, position.spent)
            assert min(balance.available, balance.held, balance.captured, balance.exiting) >= 0

    @invariant()
    def accounts_for_every_receipt(self) -> None:
        for total in self.ledger.totals():
            assert total.receipts == self.costs[total.token]
            assert total.burned == self.burned[total.token]
            assert total.receipts == total.burned + total.captured + total.losses

    @invariant()
    def is_consistent(self) -> None:
        self.ledger.check()
        assert {hold.id for hold in self.ledger.open_holds()} == {each.command.request for each in self.open}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new ledger, made once: every example begins with a copy."""
    path = tmp_path_factory.mktemp("template") / "ledger.sqlite"
    open_ledger(path, IDENTITY).close()
    return path


def test_any_history_agrees_with_the_chain(template: Path):
    LedgerMachine.template = template
    run_state_machine_as_test(
        LedgerMachine,
        settings=settings(
            max_examples=25, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
