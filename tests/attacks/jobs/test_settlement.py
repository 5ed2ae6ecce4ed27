"""What would strand, lose or twice pay what a gateway is owed."""

from dataclasses import replace

import pytest
from tests.usecases.town import Crash, CrashingLedger, Member, Till, new_project, now

from mintery.chain.roles import appoint_settlers
from mintery.chain.rpc import Call, Rpc
from mintery.chain.wire import BlockRef
from mintery.domain.receipt import Receipt
from mintery.errors import BlockReplaced, RpcUnavailable
from mintery.ledger.commands import AbandonBatch, FormBatch, MarkBroadcast, NotWritten, SaveAttempt
from mintery.usecases import chain_flows
from mintery.usecases.alarms import Alarm
from mintery.usecases.reconcile import Reconciler
from mintery.usecases.settle_batch import BatchAbandoned, BatchSent, settle_batch
from mintery.usecases.sync_chain import sync_chain
from mintery.usecases.write_off import write_off


def with_voucher(till: Till, member: Member, most: str, valid: int) -> Member:
    return replace(member, signed=till.voucher(member.key, member.signer, most, valid=valid))


def test_an_expired_raised_voucher_does_not_strand_what_another_covers(till: Till):
    member = till.open_account()
    till.sync()
    standing = till.charge(member)
    raised = with_voucher(till, member, "2000", 60)
    extra = till.charge(raised)
    till.town.advance(120)

    settled = till.settle()

    (batch,) = settled.batches
    assert settled.left_out == ()
    assert [outcome.burned for outcome in batch.outcomes] == [standing.cost + extra.cost]


def test_a_voucher_that_expires_while_the_chain_stands_still_is_not_chosen(till: Till):
    """The last block's time is old: by the next one the larger voucher has expired, and its line would burn nothing."""
    member = till.open_account()
    till.sync()
    standing = till.charge(member)
    extra = till.charge(with_voucher(till, member, "2000", 60))
    till.town.rpc.request("evm_increaseTime", hex(120))

    settled = till.settle()

    (batch,) = settled.batches
    assert [outcome.burned for outcome in batch.outcomes] == [standing.cost + extra.cost]
    assert till.reconciler.reconcile(now()).differences == ()


def test_a_voucher_that_expires_while_its_batch_waits_is_left_for_one_that_covers(till: Till):
    """Formed, and not signed for hours, as blocks cost more than the cap: its line would burn nothing, at our loss."""
    member, other = till.open_account(), till.open_account()
    till.sync()
    standing = till.charge(member)
    extra = till.charge(with_voucher(till, member, "2000", 60))
    beside = till.charge(other)
    with pytest.raises(Crash):
        settle_batch(till.settlement(ledger=CrashingLedger(till.ledger, FormBatch, written=True)), now())
    till.town.advance(120)

    settled = till.settle()

    burned = sorted(outcome.burned for batch in settled.batches for outcome in batch.outcomes)
    assert burned == sorted([standing.cost + extra.cost, beside.cost])
    (totals,) = till.ledger.totals()
    assert totals.losses == 0
    assert till.reconciler.reconcile(now()).differences == ()


def test_what_only_an_expired_voucher_covered_does_not_strand_the_rest(till: Till):
    member = till.open_account()
    member = with_voucher(till, member, "0.001", 864_000)
    till.sync()
    covered = till.charge(member, 100)
    assert covered.cost <= 10**6 < 2 * covered.cost
    beyond = till.charge(with_voucher(till, member, "2000", 60), 100)
    till.town.advance(120)

    settled = till.settle()

    (batch,) = settled.batches
    assert [outcome.burned for outcome in batch.outcomes] == [covered.cost]
    assert [left.receipt for left in settled.left_out] == [beyond.id]


def test_receipts_that_can_never_settle_do_not_starve_newer_ones(till: Till):
    token = new_project(till.town)
    barred, member = till.open_account(token=token), till.open_account()
    till.sync()
    stuck = [till.charge(barred) for _ in range(4)]
    fresh = till.charge(member)
    till.town.chain.vault.remove_provider(till.town.admin, token, 1)

    sent = settle_batch(replace(till.settlement(), max_receipts=2), now())

    assert isinstance(sent, BatchSent)
    assert {left.receipt for left in sent.left_out} == {receipt.id for receipt in stuck}
    (record,) = till.ledger.open_batches()
    assert record.receipts == (fresh.id,)


class DyingRpc:
    """An endpoint that stops answering after so many ranges of blocks."""

    def __init__(self, rpc: Rpc, ranges: int) -> None:
        self._rpc = rpc
        self.ranges = ranges

    def blocks(self, first: int, last: int) -> list[BlockRef]:
        if not self.ranges:
            raise RpcUnavailable("test", "it died")
        self.ranges -= 1
        return self._rpc.blocks(first, last)

    def __getattr__(self, name: str) -> object:
        return getattr(self._rpc, name)


def test_an_rpc_that_dies_half_way_does_not_make_reconciliation_cry_wolf(till: Till, monkeypatch: pytest.MonkeyPatch):
    member = till.open_account()
    till.sync()
    till.charge(member)
    till.settle()
    monkeypatch.setattr(chain_flows, "BLOCKS_AT_ONCE", 10)
    flows = chain_flows.FlowLedger(replace(till.town.chain, rpc=DyingRpc(till.town.rpc, 3)))
    head = till.town.rpc.block()
    with pytest.raises(RpcUnavailable):
        flows.up_to(head, till.ledger)

    flows._chain = till.town.chain
    again = flows.up_to(head, till.ledger)

    assert again == chain_flows.FlowLedger(till.town.chain).up_to(head, till.ledger)


def saved_and_not_sent(till: Till, member: Member) -> Receipt:
    receipt = till.charge(member)
    with pytest.raises(Crash):
        settle_batch(till.settlement(ledger=CrashingLedger(till.ledger, SaveAttempt, written=True)), now())
    till.reopen()
    return receipt


def test_a_batch_is_not_abandoned_under_an_attempt_that_another_process_saved(till: Till):
    """Its transaction may leave between that process's two commits; the receipts would be billed twice."""
    member = till.open_account()
    till.sync()
    saved_and_not_sent(till, member)

    (written,) = till.ledger.commit([AbandonBatch(1, "judged before the attempt was saved", now())])

    assert isinstance(written, NotWritten)
    assert till.ledger.unbatched(limit=10) == []


def changed_settler(till: Till) -> None:
    """A restart with another hot key, which has used many nonces elsewhere."""
    chain, fresh = till.town.chain, till.town.funded()
    appoint_settlers(chain.escrow, chain.sender(till.identity), [fresh.address])
    for _ in range(3):
        chain.sender(fresh).send(Call("elsewhere", till.identity.address, b""))
    till.settler = fresh


def test_a_changed_settler_is_not_held_back_by_what_the_old_one_never_sent(till: Till):
    town = till.town
    token = new_project(town)
    member = till.open_account(token=token)
    till.sync()
    receipt = saved_and_not_sent(till, member)
    changed_settler(till)
    town.chain.vault.remove_provider(town.admin, token, 1)

    result = settle_batch(till.settlement(), now())

    assert isinstance(result, BatchAbandoned)
    assert [left.id for left in till.ledger.unbatched(limit=10)] == [receipt.id]


def test_what_the_old_settler_sent_after_all_settles_once(till: Till):
    """Its batch was abandoned and its receipts formed anew with more: the root in the event says which of them it was."""
    members = [till.open_account() for _ in range(2)]
    till.sync()
    first = saved_and_not_sent(till, members[0])
    (old,) = till.ledger.open_batches()
    changed_settler(till)
    till.ledger.commit([AbandonBatch(1, "judged to be dead", now(), dead_attempts=1)])
    second = saved_and_not_sent(till, members[1])
    (new,) = till.ledger.open_batches()
    assert set(new.receipts) == {first.id, second.id}

    till.town.rpc.broadcast(old.attempts[0].raw)
    settled = till.settle()

    assert [batch.batch_id for batch in settled.batches] == [2]
    for receipt, batch_id in ((first, 1), (second, 2)):
        recorded = till.ledger.receipt(receipt.id)
        assert recorded is not None
        assert recorded.batch_id == batch_id
        assert recorded.tx_hash is not None
    assert till.alarms.standing() == ()
    assert till.reconciler.reconcile(now()).differences == ()


def test_what_was_written_off_and_settles_after_all_stops_nothing(till: Till):
    member = till.open_account()
    till.sync()
    receipt = saved_and_not_sent(till, member)
    (old,) = till.ledger.open_batches()
    changed_settler(till)
    till.ledger.commit([AbandonBatch(1, "judged to be dead", now(), dead_attempts=1)])
    write_off(till.ledger, receipt.id, "its price version expired", now())

    till.town.rpc.broadcast(old.attempts[0].raw)
    till.sync()
    till.charge(member, 200_000)
    till.settle()

    recorded = till.ledger.receipt(receipt.id)
    assert recorded is not None
    assert (recorded.batch_id, recorded.written_off) == (1, None)
    assert [(each.alarm, each.subject) for each in till.alarms.standing()] == [(Alarm.WRITE_OFF_UNDONE, receipt.id)]
    assert till.ledger.unbatched(limit=10) == []
    assert till.reconciler.reconcile(now()).differences == ()


def test_a_changed_settler_settles_what_the_old_one_had_signed(till: Till):
    member = till.open_account()
    till.sync()
    receipt = saved_and_not_sent(till, member)
    (record,) = till.ledger.open_batches()
    till.ledger.commit([MarkBroadcast(record.attempts[0].tx_hash, now())])
    changed_settler(till)

    settled = till.settle()

    (batch,) = settled.batches
    assert [outcome.burned for outcome in batch.outcomes] == [receipt.cost]
    assert till.reconciler.reconcile(now()).differences == ()


class OtherFork(DyingRpc):
    """A node that stands elsewhere, while it is astray: every block of it is another one."""

    astray = True

    def block(self, tag: int | str = "latest") -> BlockRef:
        found = self._rpc.block(tag)
        return replace(found, hash="0x" + "66" * 32) if self.astray else found


def test_a_node_that_was_on_another_fork_for_a_moment_stops_nothing_for_ever(till: Till):
    till.open_account()
    till.sync()
    till.reconciler.reconcile(now())
    elsewhere = replace(till.town.chain, rpc=OtherFork(till.town.rpc, 9))
    with pytest.raises(BlockReplaced):
        sync_chain(elsewhere, till.ledger, till.gateway, till.alarms, now())
    assert [standing.alarm for standing in till.alarms.standing()] == [Alarm.BLOCK_REPLACED]
    blind = Reconciler(elsewhere, till.ledger, till.gateway, till.alarms)
    with pytest.raises(BlockReplaced):
        blind.reconcile(now())

    till.sync()

    assert till.alarms.standing() == ()
    flows, head = chain_flows.FlowLedger(elsewhere), till.town.rpc.block()
    elsewhere.rpc.astray = False
    minted = flows.up_to(head, till.ledger).tokens[till.town.token].minted
    elsewhere.rpc.astray = True
    with pytest.raises(BlockReplaced):
        flows.up_to(head, till.ledger)
    elsewhere.rpc.astray = False
    assert flows.up_to(head, till.ledger).tokens[till.town.token].minted == minted > 0
