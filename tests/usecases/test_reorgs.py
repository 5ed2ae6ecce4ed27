"""What the chain takes back, the ledger takes back, and what it says instead stands; what is final stays."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.chain.conftest import ANVIL
from tests.databases import new_ledger
from tests.usecases.town import Till, Town, build_town, new_project, now, open_till

from mintery.chain.devchain.anvil import AnvilChain
from mintery.chain.rpc import Call, connect
from mintery.crypto.vouchers import account_id
from mintery.errors import FinalBlockReplaced, SettlementHalted
from mintery.ledger.commands import Done, WriteOff
from mintery.units import Wei, parse_credits
from mintery.usecases.alarms import Alarm
from mintery.usecases.deposit_credits import deposit_credits
from mintery.usecases.exit_credits import start_exit
from mintery.usecases.settle_batch import BatchAbandoned, BatchSent, BatchWaiting, settle_batch

DEPTH = 4


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with AnvilChain(ANVIL, "127.0.0.1", 0) as anvil:
        built = build_town(connect(anvil.url), tmp_path_factory.mktemp("town"))
        built.chain = replace(built.chain, finality=DEPTH)
        yield built


@pytest.fixture
def till(town: Town, tmp_path: Path) -> Iterator[Till]:
    opened = open_till(town, new_ledger(tmp_path / "ledger.sqlite"))
    yield opened
    opened.ledger.close()


def mark(till: Till) -> str:
    return till.town.rpc.request("evm_snapshot")


def reorganise(till: Till, to: str, *, blocks: int) -> None:
    """The chain goes back to a mark and on by blocks that were not there before. Nothing waits any more."""
    assert till.town.rpc.request("evm_revert", to)
    till.town.rpc.request("anvil_dropAllTransactions")
    till.town.advance(5)
    mine(till, blocks - 1)


def mine(till: Till, blocks: int) -> None:
    for _ in range(blocks):
        till.town.rpc.request("evm_mine")


def sent_and_mined(till: Till) -> BatchSent:
    """Sent, and in a block: this node mines on its own, but not at once."""
    sent = settle_batch(till.settlement(), now())
    assert isinstance(sent, BatchSent)
    while till.town.rpc.receipt(sent.tx_hash) is None:
        mine(till, 1)
    till.sync()
    return sent


def agrees(till: Till) -> bool:
    till.ledger.check()
    return till.reconciler.reconcile(now()).differences == ()


def test_a_deposit_that_moved_to_another_block_pays_for_what_it_had_paid_for(till: Till):
    till.sync()
    before = mark(till)
    member = till.open_account("10")
    till.sync()
    receipt = till.charge(member)
    running = till.receipt(member, till.town.lines(50))
    till.hold(member, running)
    as_it_was = till.ledger.account(account_id(member.key))
    assert agrees(till)

    reorganise(till, before, blocks=1)
    synced = till.sync()

    account = till.ledger.account(account_id(member.key))
    assert (synced.undone, account.available, account.held, account.captured) == (1, 0, 0, 0)
    assert account.spent == receipt.cost
    assert agrees(till)

    deposit_credits(till.town.chain, till.town.issuer, member.key, parse_credits("10"))
    till.sync()
    assert till.ledger.account(account_id(member.key)) == as_it_was
    assert agrees(till)
    assert till.settle().batches[0].outcomes[0].burned == receipt.cost
    assert agrees(till)


def test_a_reorganisation_as_deep_as_finality_allows_is_followed(till: Till):
    member = till.open_account("10")
    mine(till, 1)
    till.sync()
    before = mark(till)
    for amount in ("1", "2", "4"):
        deposit_credits(till.town.chain, till.town.issuer, member.key, parse_credits(amount))
        till.sync()
    start_exit(till.town.chain, till.town.issuer, member.key, parse_credits("3"))
    last = till.sync().last
    assert till.ledger.account(account_id(member.key)).exiting == 3 * 10**9
    assert till.ledger.final_block() == last.number - DEPTH

    reorganise(till, before, blocks=DEPTH)
    synced = till.sync()

    account = till.ledger.account(account_id(member.key))
    assert (synced.undone, synced.last.number) == (DEPTH, last.number)
    assert synced.last.hash != last.hash
    assert (account.available, account.exiting) == (10 * 10**9, 0)
    assert till.alarms.standing() == ()
    assert agrees(till)


def test_a_reorganisation_of_a_final_block_stops_what_pays(till: Till):
    member = till.open_account("10")
    till.sync()
    till.charge(member)
    before = mark(till)
    for _ in range(DEPTH + 1):
        mine(till, 1)
        last = till.sync().last
    kept = till.ledger.account(account_id(member.key))

    reorganise(till, before, blocks=DEPTH + 2)
    for _ in range(2):
        with pytest.raises(FinalBlockReplaced) as caught:
            till.sync()
    assert caught.value.number == last.number - DEPTH
    (standing,) = till.alarms.standing()
    assert standing.alarm is Alarm.BLOCK_REPLACED
    assert "restore the ledger" in standing.why
    with pytest.raises(SettlementHalted):
        settle_batch(till.settlement(), now())
    assert till.ledger.account(account_id(member.key)) == kept
    assert till.ledger.last_block() == last


def test_a_node_that_is_behind_says_nothing_of_what_is_recorded(till: Till):
    before = mark(till)
    member = till.open_account("10")
    last = till.sync().last
    till.town.rpc.request("evm_revert", before)

    synced = till.sync()

    assert (synced.last, synced.undone) == (last, 0)
    assert till.ledger.account(account_id(member.key)).available == 10 * 10**9


def test_a_settlement_that_fell_out_of_its_block_is_sent_again_and_settles_once(till: Till):
    member = till.open_account("10")
    till.sync()
    receipt = till.charge(member)
    before = mark(till)
    sent = sent_and_mined(till)
    assert till.ledger.receipt(receipt.id).tx_hash == sent.tx_hash
    later = till.charge(member)

    reorganise(till, before, blocks=2)
    till.sync()
    assert till.ledger.receipt(receipt.id).tx_hash is None
    assert [each.batch.batch_id for each in till.ledger.open_batches()] == [1]
    assert agrees(till)

    again = settle_batch(till.settlement(), now())
    assert isinstance(again, BatchSent)
    assert again.tx_hash == sent.tx_hash
    settled = till.settle()
    assert till.ledger.receipt(receipt.id).tx_hash == sent.tx_hash
    assert sum(each.burned for batch in settled.batches for each in batch.outcomes) >= later.cost
    assert till.ledger.spent_settled(account_id(member.key)) == receipt.cost + later.cost
    assert agrees(till)


def test_two_settlements_fall_out_and_settle_again_in_their_order(till: Till):
    member = till.open_account("10")
    till.sync()
    before = mark(till)
    receipts = []
    for _ in range(2):
        receipts.append(till.charge(member))
        sent_and_mined(till)
    assert till.ledger.open_batches() == []

    reorganise(till, before, blocks=3)
    till.sync()
    assert [each.batch.batch_id for each in till.ledger.open_batches()] == [1, 2]

    till.settle()
    assert till.ledger.open_batches() == []
    assert till.ledger.spent_settled(account_id(member.key)) == sum(each.cost for each in receipts)
    assert agrees(till)


def test_a_settlement_that_can_never_land_again_waits_for_finality_and_is_written_off(till: Till):
    """The provider left the project on the new branch. While the old attempt could still be mined, no batch may have its
    receipts; afterwards none can, and the operator gives them up.
    """
    town = till.town
    token = new_project(town)
    member = till.open_account("10", token=token)
    till.sync()
    receipt = till.charge(member)
    before = mark(till)
    sent_and_mined(till)

    reorganise(till, before, blocks=1)
    town.chain.vault.remove_provider(town.admin, token, 1)
    till.sync()
    (attempt,) = till.ledger.open_batches()[0].attempts
    settler = town.chain.sender(till.settler)
    settler.send(Call("pay", settler.address, b"", value=Wei(0)))
    for _ in range(DEPTH):
        waiting = settle_batch(till.settlement(), now())
        assert isinstance(waiting, BatchWaiting)
        assert till.ledger.unbatched(limit=1) == []
        mine(till, 1)
        till.sync()

    abandoned = settle_batch(till.settlement(), now())
    assert isinstance(abandoned, BatchAbandoned)
    assert town.rpc.receipt(attempt.tx_hash) is None
    (left,) = till.settle().left_out
    assert left.receipt == receipt.id
    assert till.ledger.commit([WriteOff(receipt.id, "its provider left the project", now())]) == [Done(1)]
    assert till.settle().left_out == ()
    assert till.ledger.account(account_id(member.key)).available == 10 * 10**9
    assert agrees(till)
