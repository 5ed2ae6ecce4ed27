"""Where blocks take their time: what waits, is outbid, is dropped or finds its nonce gone takes effect once."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from tests.chain.conftest import ANVIL
from tests.databases import new_ledger
from tests.usecases.town import Crash, CrashingLedger, Till, Town, build_town, now, open_till

from mintery.chain.devchain.anvil import AnvilChain
from mintery.chain.events import BatchSettled, events_of
from mintery.chain.rpc import Call, Rpc, connect
from mintery.cli.settlement_state import state_facts, state_rows
from mintery.crypto.transactions import TransactionFields, read_transaction
from mintery.crypto.vouchers import account_id
from mintery.domain.receipt import Receipt
from mintery.errors import RpcUnavailable
from mintery.ledger.commands import Command, FormBatch, MarkBroadcast, SaveAttempt
from mintery.units import Wei
from mintery.usecases.alarms import Alarm
from mintery.usecases.settle_batch import BatchSent, BatchWaiting, NothingToSettle, Wait, settle_batch
from mintery.usecases.settlement import WORDS
from mintery.usecases.show_settlement import show_settlement

GWEI = 10**9
LATER = timedelta(seconds=90)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with AnvilChain(ANVIL, "127.0.0.1", 0) as anvil:
        yield build_town(connect(anvil.url), tmp_path_factory.mktemp("town"))


@pytest.fixture
def till(town: Town, tmp_path: Path) -> Iterator[Till]:
    """Blocks at once until a test stops them; stopped ones go on afterwards."""
    opened = open_till(town, new_ledger(tmp_path / "ledger.sqlite"), bump_after=90)
    yield opened
    opened.ledger.close()
    town.rpc.request("anvil_dropAllTransactions")
    town.rpc.request("anvil_setNextBlockBaseFeePerGas", hex(GWEI))
    town.rpc.request("evm_setAutomine", True)
    town.rpc.request("evm_mine")


def charged(till: Till) -> Receipt:
    """One receipt, and from here on no block but by ``mine``."""
    member = till.open_account()
    till.sync()
    receipt = till.charge(member)
    till.town.rpc.request("evm_setAutomine", False)
    return receipt


def mine(till: Till) -> None:
    till.town.rpc.request("evm_mine")


def attempts(till: Till) -> list[TransactionFields]:
    record = till.ledger.batch(1)
    assert record is not None
    return [read_transaction(attempt.raw) for attempt in record.attempts]


def assert_settled_once(till: Till, receipt: Receipt) -> None:
    """Mined, read, and to the last unit what the receipt says."""
    chain = till.town.chain
    for _ in range(3):
        mine(till)
    till.sync()
    assert till.ledger.open_batches() == []
    assert till.ledger.spent_settled(account_id(receipt.account)) == receipt.cost
    logs = chain.rpc.logs(chain.deployment.first_block, chain.rpc.block().number, [chain.escrow.address])
    assert sum(event.gateway == till.gateway for event in events_of(logs, chain.escrow.address, BatchSettled)) == 1
    assert settle_batch(till.settlement(), now()) == NothingToSettle(())
    assert [alarm for alarm in till.alarms.standing() if alarm.alarm is not Alarm.RECEIPTS_LEFT_OUT] == []
    assert till.reconciler.reconcile(now()).differences == ()


def test_a_waiting_settlement_is_bumped_and_takes_effect_once(till: Till):
    rpc = till.town.rpc
    member = till.open_account()
    till.sync()
    receipt = till.charge(member)
    rpc.request("evm_setAutomine", False)
    began = now()

    first = settle_batch(till.settlement(), began)
    assert isinstance(first, BatchSent)
    assert settle_batch(till.settlement(), began + timedelta(seconds=89)) == BatchWaiting(1, mined=False)
    till.reopen()
    second = settle_batch(till.settlement(), began + timedelta(seconds=90))
    assert isinstance(second, BatchSent)

    (record,) = till.ledger.open_batches()
    older, newer = (read_transaction(attempt.raw) for attempt in record.attempts)
    assert (older.hash, newer.hash) == (first.tx_hash, second.tx_hash)
    assert older.nonce == newer.nonce
    assert newer.calldata == older.calldata
    assert newer.max_fee * 8 >= older.max_fee * 9
    assert newer.priority_fee * 8 >= older.priority_fee * 9

    rpc.request("evm_mine")
    till.sync()

    assert till.ledger.open_batches() == []
    assert till.ledger.spent_settled(account_id(member.key)) == receipt.cost
    mined = [rpc.receipt(attempt.tx_hash) for attempt in record.attempts]
    assert sum(tx is not None for tx in mined) == 1
    assert till.reconciler.reconcile(now()).differences == ()


def test_a_fee_spike_of_25_is_outbid_up_to_the_cap_and_never_beyond(till: Till):
    receipt = charged(till)
    rpc, began = till.town.rpc, now()
    spike = 25 * rpc.block().base_fee
    settlement = replace(till.settlement(), max_fee=Wei(2 * spike))
    settle_batch(settlement, began)
    rpc.request("anvil_setNextBlockBaseFeePerGas", hex(spike))
    mine(till)
    assert till.ledger.open_batches() != []

    assert isinstance(settle_batch(settlement, began + LATER), BatchSent)

    first, second = attempts(till)
    assert first.max_fee < spike < second.max_fee <= 2 * spike
    assert first.nonce == second.nonce
    # Blocks go up again: an eighth more would pass the cap, so it waits and says so.
    rpc.request("anvil_setNextBlockBaseFeePerGas", hex(4 * spike))
    mine(till)
    rpc.request("anvil_setNextBlockBaseFeePerGas", hex(4 * spike))
    waits = settle_batch(settlement, began + 2 * LATER)
    assert waits == BatchWaiting(1, mined=False, why=Wait.FEE_CAP)
    ((alarm, why),) = [(each.alarm, each.why) for each in till.alarms.standing()]
    assert alarm is Alarm.SETTLEMENT_WAITS
    assert "MINTERY_MAX_FEE_GWEI" in why
    assert len(attempts(till)) == 2

    # Blocks are cheap again; the mempool had dropped what it could not include.
    rpc.request("anvil_setNextBlockBaseFeePerGas", hex(GWEI))
    mine(till)
    again = settle_batch(settlement, began + 2 * LATER)
    assert isinstance(again, BatchSent)
    assert again.tx_hash == second.hash
    assert_settled_once(till, receipt)


def test_nothing_is_signed_while_blocks_cost_more_than_the_cap(till: Till):
    receipt = charged(till)
    dear = replace(till.settlement(), max_fee=Wei(1))

    assert settle_batch(dear, now()) == BatchWaiting(1, mined=False, why=Wait.FEE_CAP)
    assert attempts(till) == []

    assert isinstance(settle_batch(till.settlement(), now()), BatchSent)
    assert_settled_once(till, receipt)


def test_an_attempt_that_the_mempool_dropped_is_sent_again_as_it_was(till: Till):
    receipt = charged(till)
    began = now()
    settle_batch(till.settlement(), began)
    (sent,) = attempts(till)
    till.town.rpc.request("anvil_dropTransaction", sent.hash)

    again = settle_batch(till.settlement(), began + timedelta(seconds=1))

    assert isinstance(again, BatchSent)
    assert again.tx_hash == sent.hash
    assert attempts(till) == [sent]
    assert_settled_once(till, receipt)


def test_a_settler_without_ether_waits_and_leaves_when_it_has_some(till: Till):
    receipt = charged(till)
    rpc, settler = till.town.rpc, till.settler.address
    rpc.request("anvil_setBalance", settler, "0x1")

    assert settle_batch(till.settlement(), now()) == BatchWaiting(1, mined=False, why=Wait.FUNDS_MISSING)
    (alarm,) = till.alarms.standing()
    assert "Send ether" in alarm.why
    assert settler in alarm.why

    rpc.request("anvil_setBalance", settler, hex(10**18))
    sent = settle_batch(till.settlement(), now())
    assert isinstance(sent, BatchSent)
    assert [attempt.hash for attempt in attempts(till)] == [sent.tx_hash]
    assert_settled_once(till, receipt)


def test_a_gap_before_its_nonce_is_filled_by_a_fresh_attempt(till: Till):
    """The settler's key was used elsewhere, and that transaction was dropped: ours waits behind a nonce nobody uses."""
    receipt = charged(till)
    rpc, began = till.town.rpc, now()
    sender = till.town.chain.sender(till.settler)
    foreign = sender.sign(Call("pay", till.identity.address, b""), gas=21_000, nonce=0)
    sender.broadcast(foreign.raw)
    settle_batch(till.settlement(), began)
    rpc.request("anvil_dropTransaction", foreign.hash)

    assert isinstance(settle_batch(till.settlement(), began + LATER), BatchSent)

    assert [attempt.nonce for attempt in attempts(till)] == [1, 0]
    assert_settled_once(till, receipt)


def test_a_foreign_transaction_with_its_nonce_is_outbid_or_followed(till: Till):
    """Someone else sends with the settler's key at the nonce of a saved attempt, and offers much more."""
    receipt = charged(till)
    with pytest.raises(Crash):
        settle_batch(till.settlement(ledger=CrashingLedger(till.ledger, SaveAttempt, written=True)), now())
    till.reopen()
    (saved,) = attempts(till)
    sender = till.town.chain.sender(till.settler)
    sender.broadcast(_dear(till, saved.nonce))

    waiting = settle_batch(till.settlement(), now())

    assert waiting == BatchWaiting(1, mined=False, why=Wait.OUTBID)
    assert len(attempts(till)) == 2, "an eighth more was tried"
    mine(till)
    assert isinstance(settle_batch(till.settlement(), now()), BatchSent)
    assert [attempt.nonce for attempt in attempts(till)] == [saved.nonce, saved.nonce, saved.nonce + 1]
    assert_settled_once(till, receipt)


def _dear(till: Till, nonce: int) -> bytes:
    sender = till.town.chain.sender(till.settler)
    signed = sender.sign(Call("pay", till.identity.address, b""), gas=21_000, nonce=nonce)
    for _ in range(40):
        bumped = sender.outbid(signed)
        assert bumped is not None
        signed = bumped
    return signed.raw


class Forgetful(Rpc):
    """Takes a transaction and does not say so."""

    def broadcast(self, raw: bytes) -> None:
        super().broadcast(raw)
        raise RpcUnavailable(self.url, "no answer in time")


def test_what_was_taken_without_an_answer_is_found_by_its_hash(till: Till):
    receipt = charged(till)
    chain = replace(till.town.chain, rpc=Forgetful(till.town.rpc.wire))
    settlement = till.settlement(settler=chain.sender(till.settler))

    assert settle_batch(settlement, now()) == BatchWaiting(1, mined=False, why=Wait.MAYBE_SENT)

    sent = settle_batch(till.settlement(), now())
    assert isinstance(sent, BatchSent)
    assert [attempt.hash for attempt in attempts(till)] == [sent.tx_hash]
    assert_settled_once(till, receipt)


def test_a_reorganisation_that_takes_the_settlement_back_sends_it_again(till: Till):
    receipt = charged(till)
    rpc, began = till.town.rpc, now()
    settle_batch(till.settlement(), began)
    mine(till)
    assert settle_batch(till.settlement(), began) == BatchWaiting(1, mined=True)
    rpc.request("anvil_rollback", 1)

    assert isinstance(settle_batch(till.settlement(), began), BatchSent)

    assert len(attempts(till)) == 1
    assert_settled_once(till, receipt)


def test_a_nonce_that_a_reorganisation_frees_again_is_used_first(till: Till):
    """A foreign transaction took the first attempt's nonce, and is gone with its block: the second waits behind nothing."""
    receipt = charged(till)
    rpc, began = till.town.rpc, now()
    settle_batch(till.settlement(), began)
    till.town.chain.sender(till.settler).broadcast(_dear(till, 0))
    mine(till)
    assert isinstance(settle_batch(till.settlement(), began + LATER), BatchSent)
    assert [attempt.nonce for attempt in attempts(till)] == [0, 1]
    rpc.request("anvil_rollback", 1)
    rpc.request("anvil_dropAllTransactions")

    assert isinstance(settle_batch(till.settlement(), began + 2 * LATER), BatchSent)

    mine(till)
    assert settle_batch(till.settlement(), began + 2 * LATER) == BatchWaiting(1, mined=True)
    assert_settled_once(till, receipt)


def test_batches_follow_one_another_without_waiting_for_confirmations(till: Till):
    """Three batches stand in blocks before the ledger has read the first."""
    till.max_lines = 1
    members = [till.open_account() for _ in range(3)]
    till.sync()
    receipts = [till.charge(member) for member in members]
    again = till.charge(members[0])

    sent = [settle_batch(till.settlement(), now()) for _ in range(4)]

    assert [type(step) for step in sent] == [BatchSent, BatchSent, BatchSent, BatchWaiting]
    assert sent[3] == BatchWaiting(1, mined=True)
    till.sync()
    assert isinstance(settle_batch(till.settlement(), now()), (BatchSent, NothingToSettle))
    till.sync()
    for member, receipt in zip(members, receipts, strict=True):
        due = receipt.cost + (again.cost if member is members[0] else 0)
        assert till.ledger.spent_settled(account_id(member.key)) == due
    assert till.reconciler.reconcile(now()).differences == ()


@pytest.mark.parametrize("written", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("kind", [FormBatch, SaveAttempt, MarkBroadcast], ids=lambda kind: kind.__name__)
def test_a_crash_at_any_durable_step_of_any_attempt_settles_once(till: Till, kind: type[Command], written: bool):
    """At the first attempt, and again at the one that outbids it."""
    receipt = charged(till)
    began = now()
    _dies(till, kind, written=written, at=began)
    settle_batch(till.settlement(), began + LATER)
    _dies(till, SaveAttempt if kind is FormBatch else kind, written=written, at=began + 3 * LATER)

    settle_batch(till.settlement(), began + 9 * LATER)

    assert_settled_once(till, receipt)


def test_what_is_under_way_is_shown_with_why_it_waits(till: Till):
    charged(till)
    settlement = till.settlement()
    assert show_settlement(settlement).batches == ()
    with pytest.raises(Crash):
        settle_batch(till.settlement(ledger=CrashingLedger(till.ledger, SaveAttempt, written=True)), now())
    (saved,) = show_settlement(settlement).batches
    assert [attempt.state for attempt in saved.attempts] == ["unknown"]
    assert "the next step sends them" in saved.why

    settle_batch(settlement, now())

    state = show_settlement(settlement)
    (batch,) = state.batches
    (attempt,) = batch.attempts
    assert (state.next_batch, batch.batch_id, batch.receipts, attempt.nonce) == (1, 1, 1, 0)
    assert (attempt.state, batch.why) == ("waits", WORDS[Wait.FOR_A_BLOCK])
    rows = dict(state_rows(state))
    assert attempt.tx_hash in rows["  nonce 0"]
    assert state_facts(state)["open"][0]["attempts"][0]["max_fee_wei"] == str(attempts(till)[0].max_fee)
    mine(till)
    assert "waits for its confirmations" in show_settlement(settlement).batches[0].why


def _dies(till: Till, kind: type[Command], *, written: bool, at: datetime) -> None:
    dying = till.settlement(ledger=CrashingLedger(till.ledger, kind, written=written))
    with pytest.raises(Crash):
        settle_batch(dying, at)
    till.reopen()
