"""Two gateway processes on one ledger and one settler, both running the jobs: nothing is paid twice, nothing is lost."""

import random
import threading
from collections.abc import Sequence

import pytest
from tests.usecases.town import Member, Till, now, total

from mintery.chain.sender import Sender
from mintery.errors import MinteryError
from mintery.ledger.commands import Command, FormBatch, Result, SaveAttempt
from mintery.usecases.settle_batch import BatchSent, BatchWaiting, settle_batch

ROUNDS = 12
WRONG_BATCH = "WrongBatchId"
"""The other process settled it between this one's look and its step."""


class Twin:
    """The jobs of one process, with a ledger connection, locks and alarms of its own."""

    def __init__(self, till: Till, seed: int) -> None:
        self.till = Till(till.town, till.path, till.identity, till.settler)
        self.random = random.Random(seed)
        self.faults: list[MinteryError] = []
        self.settlement = self.till.settlement()

    def run(self, rounds: int) -> None:
        for _ in range(rounds):
            work = self.random.choice([self.till.sync, self.settle, self.settle, self.reconcile])
            try:
                work()
            except MinteryError as error:
                self.faults.append(error)

    def settle(self) -> None:
        settle_batch(self.settlement, now())

    def reconcile(self) -> None:
        self.till.reconciler.reconcile(now()).raise_on_difference()


@pytest.mark.parametrize("seed", [1, 2])
def test_two_processes_settle_everything_once(till: Till, seed: int):
    members = [till.open_account() for _ in range(3)]
    till.sync()
    twins = [Twin(till, seed), Twin(till, seed + 100)]
    receipts = []
    for _ in range(3):
        receipts += [till.charge(member, 50) for member in members]
        threads = [threading.Thread(target=twin.run, args=(ROUNDS,)) for twin in twins]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    for twin in twins:
        assert [fault for fault in twin.faults if getattr(fault, "error", "") != WRONG_BATCH] == []
        assert twin.till.alarms.standing() == ()
        twin.till.ledger.close()

    till.settle()

    (totals,) = [each for each in till.ledger.totals() if each.token == till.town.token]
    assert (totals.burned, totals.captured, totals.losses) == (total(receipts), 0, 0)
    till.ledger.check()
    assert till.reconciler.reconcile(now()).differences == ()


class SlowerProcess:
    """A ledger whose process is overtaken just before it forms a batch: the other one forms it with more receipts."""

    def __init__(self, till: Till, late: Member) -> None:
        self._till, self._late = till, late

    def commit(self, commands: Sequence[Command]) -> Sequence[Result]:
        if any(isinstance(command, FormBatch) for command in commands):
            self._till.charge(self._late)
            assert isinstance(settle_batch(self._till.settlement(), now()), BatchSent)
        return self._till.ledger.commit(commands)

    def __getattr__(self, name: str) -> object:
        return getattr(self._till.ledger, name)


def test_who_comes_second_with_other_receipts_waits(till: Till):
    first, late = till.open_account(), till.open_account()
    till.sync()
    till.charge(first)

    result = settle_batch(till.settlement(ledger=SlowerProcess(till, late)), now())

    assert result == BatchWaiting(1, mined=False)
    till.settle()
    assert till.ledger.unbatched(limit=10) == []
    assert till.reconciler.reconcile(now()).differences == ()


class OvertakenProcess:
    """A ledger whose process has signed an attempt when the other one settles the batch and records its end."""

    def __init__(self, till: Till) -> None:
        self._till = till
        self._overtaken = False

    def commit(self, commands: Sequence[Command]) -> Sequence[Result]:
        if any(isinstance(command, SaveAttempt) for command in commands) and not self._overtaken:
            self._overtaken = True
            self._till.settle()
        return self._till.ledger.commit(commands)

    def __getattr__(self, name: str) -> object:
        return getattr(self._till.ledger, name)


def test_who_signs_for_a_batch_that_has_ended_sends_nothing(till: Till):
    member = till.open_account()
    till.sync()
    receipt = till.charge(member)
    sent_before = till.town.chain.rpc.nonce(till.settler.address)

    overtaken = Sender(till.town.chain.rpc, till.settler)
    overtaken._lock = threading.Lock()  # a process's own; the other one's turn at the key is not waited for

    result = settle_batch(till.settlement(ledger=OvertakenProcess(till), settler=overtaken), now())

    assert result == BatchWaiting(1, mined=False)
    assert till.town.chain.rpc.nonce(till.settler.address) == sent_before + 1
    (totals,) = [each for each in till.ledger.totals() if each.token == till.town.token]
    assert totals.burned == receipt.cost
