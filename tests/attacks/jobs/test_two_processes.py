"""Two gateway processes on one ledger and one settler, both running the jobs: nothing is paid twice, nothing is lost."""

import random
import threading

import pytest
from tests.usecases.town import Till, now, total

from mintery.errors import LedgerInconsistent, MinteryError, TransactionReverted
from mintery.usecases.settle_batch import settle_batch

ROUNDS = 12
BENIGN = (LedgerInconsistent, TransactionReverted)


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
        assert [fault for fault in twin.faults if not isinstance(fault, BENIGN)] == []
        assert twin.till.alarms.standing() == ()
        twin.till.ledger.close()

    till.settle()

    (totals,) = [each for each in till.ledger.totals() if each.token == till.town.token]
    assert (totals.burned, totals.captured, totals.losses) == (total(receipts), 0, 0)
    till.ledger.check()
    assert till.reconciler.reconcile(now()).differences == ()
