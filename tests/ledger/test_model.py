"""Any sequence of deposits, requests, exits, settlements and reorganisations, against a small model of the escrow.

The model is the chain: balances, spent counters and epochs as ``SpendEscrow`` keeps them, after each block. After every
step the ledger must agree with what the chain is now to the nanocredit, whatever it was before, satisfy its own
invariants, and account for the cost of every receipt.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from tests.conftest import new_database
from tests.databases import KINDS, Database
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
from tests.ledger.statements import EVER, NEVER, statement

from mintery.domain.batch import LineOutcome, LineStatus
from mintery.domain.hold import Constraint, Ending, ReleaseReason
from mintery.ledger.commands import (
    AbandonBatch,
    AppendBlock,
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
    NotWritten,
    PlaceHold,
    ReleasedSeen,
    RollBackBlock,
    SealRows,
    WriteOff,
)
from mintery.ledger.commands_lots import TraceLots
from mintery.ledger.store import open_ledger
from mintery.units import NanoCredits, UnixSeconds

WALLETS = (wallet(1, TOKEN), wallet(3, OTHER_TOKEN))
wallets = st.sampled_from(WALLETS)
amounts = st.integers(1, 60)
top_ups = st.integers(50, 300)
CEILING = 120
LIMITS = tuple(Constraint(f"own:{until.value}", NanoCredits(CEILING), until) for until in Ending)


@dataclass(frozen=True)
class Wish:
    """A hold that is asked for. ``ahead``: under a voucher of an epoch that has not begun."""

    amount: int
    most: int
    limits: tuple[Constraint, ...]
    dispatch: bool
    ahead: int


wishes = st.builds(
    Wish,
    amount=amounts,
    most=st.sampled_from([10**6, 10**6, 100, 20]),
    limits=st.lists(st.sampled_from(LIMITS), unique=True, max_size=1).map(tuple),
    dispatch=st.sampled_from([True, True, True, False]),
    ahead=st.sampled_from([0] * 9 + [1]),
)


@dataclass
class Position:
    """An account as the escrow keeps it."""

    balance: int = 0
    spent: int = 0
    epoch: int = 0
    exit: int = 0
    closing: bool = False


@dataclass
class Asked:
    """A request that was admitted; ``cost`` is None until it is captured."""

    command: PlaceHold
    wallet: Wallet
    cost: int | None = None
    released: bool = False
    written_off: bool = False

    @property
    def epoch(self) -> int:
        return self.command.signed.voucher.epoch


@dataclass
class Formed:
    command: FormBatch
    parts: list[tuple[Wallet, int, int]] = field(default_factory=list)
    """(wallet, spent afterwards, epoch), in the order of the lines."""


@dataclass
class OnChain:
    """The escrow after a block: accounts, what each token burned, and how many batches settled."""

    accounts: dict[str, Position]
    burned: dict[str, int]
    settled: int = 0


@dataclass(frozen=True)
class Mined:
    command: AppendBlock
    before: OnChain
    after: OnChain


class LedgerMachine(RuleBasedStateMachine):
    new_database: Callable[[], AbstractContextManager[Database]]

    def __init__(self) -> None:
        super().__init__()
        self.database = type(self).new_database()
        self.ledger = open_ledger(self.database.__enter__().url, IDENTITY)
        self.chain = Chain()
        self.on_chain = OnChain({own.id: Position() for own in WALLETS}, {TOKEN: 0, OTHER_TOKEN: 0})
        self.before = deepcopy(self.on_chain)
        self.mined: list[Mined] = []
        self.asked: list[Asked] = []
        self.open: list[Asked] = []
        self.standing: list[Formed] = []
        self.number = 0
        self.costs = {TOKEN: 0, OTHER_TOKEN: 0}

    def check_statements(self) -> None:
        """After any history: what was paid in less what was used and paid back, and no line of which anybody lost count."""
        cut = NOON + timedelta(seconds=self.number // 2)
        for own in WALLETS:
            if self.ledger.account(own.id) is None:
                continue
            made, _ = statement(self.ledger, own.id)
            assert made.opening == 0
            assert made.closing + made.unsettled == self.escrow[own.id].balance
            assert made.sums.use == self.costs[own.token]
            earlier, _ = statement(self.ledger, own.id, EVER, cut)
            later, _ = statement(self.ledger, own.id, cut, NEVER)
            assert (earlier.opening, earlier.closing, later.closing) == (0, later.opening, made.closing)

    @property
    def escrow(self) -> dict[str, Position]:
        return self.on_chain.accounts

    @property
    def unsettled(self) -> list[Formed]:
        """Open batches, in the order in which the chain takes them."""
        return self.standing[self.on_chain.settled :]

    def check_lots(self) -> None:
        """However many seals are followed at once, each account's lots have what nothing charged of its balance."""
        while self.ledger.commit([SealRows(1_000, NOON)]) != [Done(0)]:
            pass
        while self.ledger.commit([TraceLots(1 + self.number % 7)]) != [Done(0)]:
            pass
        self.ledger.check()
        for own in WALLETS:
            balance = self.ledger.account(own.id)
            lots = self.ledger.lots.of_accounts([own.id], limit=1_000)
            left = 0 if balance is None else balance.available + balance.held
            assert sum(lot.remaining for lot in lots) == left
            assert self.ledger.lots.outside(own.id) == 0

    def teardown(self) -> None:
        self.check_statements()
        self.check_lots()
        self.ledger.close()
        self.database.__exit__(None, None, None)

    def see(self, *events: object) -> None:
        command = self.chain.block(*events)
        assert self.ledger.commit([command]) == [BlockAppended(news=True)]
        self.mined.append(Mined(command, self.before, deepcopy(self.on_chain)))
        self.before = self.mined[-1].after

    @rule(own=wallets, amount=top_ups)
    def deposits(self, own: Wallet, amount: int) -> None:
        self.escrow[own.id].balance += amount
        self.see(deposit(own, amount))

    @initialize(balances=st.tuples(*(st.integers(100, 200) for _ in WALLETS)))
    def begins_with_deposits(self, balances: tuple[int, ...]) -> None:
        for own, amount in zip(WALLETS, balances, strict=True):
            self.deposits(own, amount)

    @rule(own=wallets, wish=wishes)
    def places(self, own: Wallet, wish: Wish) -> None:
        self.ask(own, wish)

    def ask(self, own: Wallet, wish: Wish) -> Asked | None:
        """Admitted exactly when every rule has room for it; otherwise nothing changes."""
        self.number += 1
        command = place(
            self.number,
            own,
            wish.amount,
            most=wish.most,
            epoch=self.escrow[own.id].epoch + wish.ahead,
            constraints=wish.limits,
            dispatch=wish.dispatch,
            at=NOON + timedelta(seconds=self.number),
        )
        before, used = self.ledger.account(own.id), self.used()

        (result,) = self.ledger.commit([command])

        after = self.ledger.account(own.id)
        admitted = (
            not wish.ahead
            and wish.amount <= before.available - before.exiting
            and before.spent + before.held + wish.amount <= wish.most
            and all(used[limit.key] + wish.amount <= CEILING for limit in wish.limits)
        )
        assert isinstance(result, HoldPlaced if admitted else HoldRefused)
        if not admitted:
            assert (after, self.used()) == (before, used)
            assert result.available < wish.amount
            return None
        assert (after.available, after.held) == (before.available - wish.amount, before.held + wish.amount)
        assert self.ledger.commit([command]) == [result]
        self.open.append(Asked(command, own))
        self.asked.append(self.open[-1])
        return self.open[-1]

    def used(self) -> dict[str, int]:
        return {limit.key: self.ledger.used(limit.key) for limit in LIMITS}

    @rule(own=wallets, wish=wishes, data=st.data())
    def spends(self, own: Wallet, wish: Wish, data: st.DataObject) -> None:
        """A whole request at once, as most are."""
        if (one := self.ask(own, replace(wish, dispatch=True))) is not None:
            self.end_captured(one, data.draw(st.integers(0, wish.amount)))

    @precondition(lambda self: any(each.command.dispatch for each in self.open))
    @rule(data=st.data())
    def captures(self, data: st.DataObject) -> None:
        one = data.draw(st.sampled_from([each for each in self.open if each.command.dispatch]))
        self.end_captured(one, data.draw(st.integers(0, one.command.amount)))

    def end_captured(self, one: Asked, cost: int) -> None:
        self.open.remove(one)
        command: CaptureHold = capture(one.command, one.wallet, cost)

        first = self.ledger.commit([command])

        assert (first[0].captured, first[0].released) == (cost, one.command.amount - cost)
        assert self.ledger.commit([command]) == first
        self.costs[one.wallet.token] += cost
        one.cost = cost

    @precondition(lambda self: self.open)
    @rule(data=st.data())
    def releases(self, data: st.DataObject) -> None:
        one = data.draw(st.sampled_from(self.open))
        reason = ReleaseReason.UNRESOLVED if one.command.dispatch else ReleaseReason.NOT_DISPATCHED
        self.open.remove(one)
        one.released = True

        assert isinstance(self.ledger.commit([release(one.command, reason)])[0], HoldReleased)

    @rule(own=wallets, amount=amounts, closing=st.booleans())
    def starts_exit(self, own: Wallet, amount: int, closing: bool) -> None:
        position = self.escrow[own.id]
        position.exit, position.closing = (0 if closing else amount), closing
        shown = position.balance if closing else amount
        self.see(ExitStartedSeen(own.id, NanoCredits(shown), UnixSeconds(9), closing))

    @precondition(lambda self: self.exiting())
    @rule(data=st.data(), cancels=st.integers(0, 3).map(lambda number: number == 0))
    def ends_exit(self, data: st.DataObject, cancels: bool) -> None:
        own = data.draw(st.sampled_from(self.exiting()))
        position = self.escrow[own.id]
        paid = 0
        if not cancels:
            paid = position.balance if position.closing else min(position.exit, position.balance)
            if paid == 0 and not position.closing:
                return
            if position.closing:
                position.epoch, position.spent = position.epoch + 1, 0
        position.balance -= paid
        position.exit, position.closing = 0, False
        executed = ExitExecutedSeen(own.id, NanoCredits(paid), position.epoch)
        self.see(ExitCancelledSeen(own.id) if cancels else executed)

    def exiting(self) -> list[Wallet]:
        return [own for own in WALLETS if self.escrow[own.id].exit or self.escrow[own.id].closing]

    @rule(own=wallets, top_up=st.integers(0, 1).map(lambda wanted: 80 * wanted))
    def closes(self, own: Wallet, top_up: int) -> None:
        """All of an exit at once, and a new beginning where there is a top-up."""
        position = self.escrow[own.id]
        paid, position.balance, position.spent = position.balance, 0, 0
        position.epoch, position.exit, position.closing = position.epoch + 1, 0, False
        self.see(ExitExecutedSeen(own.id, NanoCredits(paid), position.epoch))
        if top_up:
            self.deposits(own, top_up)

    @precondition(lambda self: any(position.balance for position in self.escrow.values()))
    @rule(data=st.data())
    def releases_on_chain(self, data: st.DataObject) -> None:
        own = data.draw(st.sampled_from([own for own in WALLETS if self.escrow[own.id].balance]))
        position = self.escrow[own.id]
        amount = data.draw(st.integers(1, min(position.balance, 30)))
        position.balance -= amount
        self.see(ReleasedSeen(own.id, NanoCredits(amount)))

    @precondition(lambda self: not self.unsettled and self.ledger.unbatched(limit=1))
    @rule(most=st.integers(1, 5))
    def forms_batch(self, most: int) -> None:
        receipts = self.ledger.unbatched(limit=most)
        parts = []
        for own in sorted(WALLETS, key=lambda each: each.token):
            ids = [receipt for receipt in receipts if receipt.account == own.account]
            if ids:
                spent = self.escrow[own.id].spent + sum(receipt.cost for receipt in ids)
                parts.append((own, spent, [receipt.id for receipt in ids]))
        epochs = {own.id: self.escrow[own.id].epoch for own, _, _ in parts}
        command = form(self.on_chain.settled + 1, *parts, epochs=epochs)
        assert self.ledger.commit([command]) == [Done(1)]
        self.standing.append(Formed(command, [(own, spent, epochs[own.id]) for own, spent, _ in parts]))

    @precondition(lambda self: self.unsettled)
    @rule(refused=st.sampled_from([None, None, None, None, LineStatus.EXPIRED, "abandoned"]))
    def ends_batch(self, refused: LineStatus | str | None) -> None:
        formed = self.unsettled[0]
        if refused == "abandoned":
            self.abandons()
            return
        outcomes = []
        for index, (own, spent_after, epoch) in enumerate(formed.parts):
            outcome = self.burn(self.escrow[own.id], spent_after, epoch, refused if index == 0 else None)
            self.on_chain.burned[own.token] += outcome.burned
            outcomes.append(outcome)
        self.on_chain.settled += 1
        self.see(settled(formed.command, *outcomes))

    def abandons(self) -> None:
        """The newest first: what was formed on another batch falls with it."""
        *older, newest = self.unsettled
        taken = {own.id for own, _, _ in newest.parts}
        for formed in older:
            if taken & {own.id for own, _, _ in formed.parts}:
                command = AbandonBatch(formed.command.batch.batch_id, "test", NOON)
                assert isinstance(self.ledger.commit([command])[0], NotWritten)
        assert self.ledger.commit([AbandonBatch(newest.command.batch.batch_id, "test", NOON)]) == [Done(1)]
        self.standing.pop()

    @precondition(lambda self: self.mined)
    @rule(depth=st.integers(1, 6), again=st.integers(0, 2))
    def reorganises(self, depth: int, again: int) -> None:
        """The newest blocks go, and the first ``again`` of them may be the chain's after all."""
        undone = self.mined[-depth:]
        kept = undone[: min(again, len(undone) - 1)]
        commands = [RollBackBlock(each.command.block.hash, NOON) for each in reversed(undone)]

        results = self.ledger.commit([*commands, *(each.command for each in kept)])

        assert results == [*[Done(1)] * len(undone), *[BlockAppended(news=True)] * len(kept)]
        del self.mined[len(self.mined) - len(undone) + len(kept) :]
        self.before = kept[-1].after if kept else undone[0].before
        self.on_chain = deepcopy(self.before)
        self.chain.go_back_to(self.mined[-1].command.block if self.mined else Chain().last)

    @precondition(lambda self: self.ledger.unbatched(limit=1))
    @rule(chosen=st.integers(0, 4), once=st.integers(0, 4).map(lambda number: number == 0))
    def writes_off(self, chosen: int, once: bool) -> None:
        if not once:
            return
        receipts = self.ledger.unbatched(limit=chosen + 1)
        command = WriteOff(receipts[-1].id, "test", NOON)
        assert [*self.ledger.commit([command]), *self.ledger.commit([command])] == [Done(1), Done(0)]
        (one,) = (each for each in self.asked if each.command.request == command.request)
        one.written_off = True

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
            assert balance.available + balance.held + balance.captured == position.balance
            assert (balance.epoch, self.ledger.spent_settled(own.id)) == (position.epoch, position.spent)
            assert min(balance.available, balance.held, balance.captured, balance.exiting) >= 0
            assert balance.closing == position.closing
            leaving = balance.available if position.closing else min(position.exit, balance.available)
            assert balance.exiting == leaving

    @invariant()
    def owes_what_unsettled_receipts_cost(self) -> None:
        """And so do the limits that end with settlement: not what came and went on the way, but what stands."""
        charged = {own.id: 0 for own in WALLETS}
        counted = dict.fromkeys(self.used(), 0)
        batched = {each for formed in self.standing[: self.on_chain.settled] for each in formed.command.receipts}
        for each in self.asked:
            waits = (
                each.cost is not None
                and not each.written_off
                and each.epoch == self.escrow[each.wallet.id].epoch
                and each.command.request not in batched
            )
            charged[each.wallet.id] += each.cost if waits else 0
            for limit in each.command.constraints:
                left = {Ending.NEVER: each.cost or 0, Ending.SETTLEMENT: each.cost if waits else 0}
                whole = each.cost is None and not each.released
                counted[limit.key] += each.command.amount if whole else left.get(limit.until, 0)
        assert self.used() == counted
        for own in WALLETS:
            balance = self.ledger.account(own.id)
            assert balance.spent == self.escrow[own.id].spent + charged[own.id]

    @invariant()
    def accounts_for_every_receipt(self) -> None:
        for total in self.ledger.totals():
            assert total.receipts == self.costs[total.token]
            assert total.burned == self.on_chain.burned[total.token]
            assert total.receipts == total.burned + total.captured + total.losses

    @invariant()
    def is_consistent(self) -> None:
        self.ledger.check()
        assert {hold.id for hold in self.ledger.open_holds()} == {each.command.request for each in self.open}


@pytest.mark.parametrize("kind", KINDS)
def test_any_history_agrees_with_the_chain(request: pytest.FixtureRequest, kind: str):
    LedgerMachine.new_database = partial(new_database, request, kind)
    run_state_machine_as_test(
        LedgerMachine,
        settings=settings(
            max_examples=40 if kind == "sqlite" else 8,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
