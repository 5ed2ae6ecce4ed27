"""The outbox: from receipts to burned credits, whatever dies on the way."""

from dataclasses import replace
from typing import Any

import pytest
from tests.usecases.town import MARKUP, PAR, PRICES, Crash, CrashingLedger, Till, new_project, now, total

from mintery.chain.events import BatchSettled, Settled, events_of
from mintery.chain.rpc import Call
from mintery.crypto.vouchers import account_id
from mintery.domain.batch import LineStatus
from mintery.domain.voucher import Address
from mintery.errors import OutcomeMismatch, SettlementHalted
from mintery.ledger.commands import FormBatch, MarkBroadcast, SaveAttempt
from mintery.units import BasisPoints, NanoCredits, UsdWad, assets_down, assets_of_usd_down, credit_units
from mintery.usecases.alarms import Alarm
from mintery.usecases.choose_batch import TOO_LARGE, gas_allowed
from mintery.usecases.exit_credits import execute_exit, start_close, start_exit
from mintery.usecases.form_batch import LeftOut
from mintery.usecases.settle_batch import BatchAbandoned, BatchSent, BatchWaiting, NothingToSettle, settle_batch
from mintery.usecases.settle_until_final import settle_until_final


@pytest.mark.parametrize(("lines", "gas"), [(1, 190_000), (10, 290_000), (100, 1_450_000)])
def test_what_was_charged_is_burned_to_the_last_unit(till: Till, lines: int, gas: int):
    members = [till.open_account() for _ in range(lines)]
    till.sync()
    receipts = [till.charge(member, units=7 + 13 * index) for index, member in enumerate(members)]

    settled = till.settle()

    (batch,) = settled.batches
    assert batch.tx.gas_used < gas
    assert [outcome.status for outcome in batch.outcomes] == [LineStatus.SETTLED] * lines
    assert sum(outcome.burned for outcome in batch.outcomes) == total(receipts)
    assert settled.left_out == ()
    for member, receipt in zip(members, receipts, strict=True):
        account = till.ledger.account(account_id(member.key))
        assert account is not None
        assert (account.captured, account.held, account.spent) == (0, 0, receipt.cost)
    result = till.reconciler.reconcile(now())
    assert result.differences == ()
    assert len(result.checks) > 3 * lines


def test_what_a_channel_asks_less_than_the_projects_markup_is_burned_exactly_and_its_provider_is_paid_in_full(
    till: Till,
):
    """Pass-through, half of the markup and all of it in one batch: only the margin is less."""
    member = till.open_account()
    till.sync()
    receipts = [till.charge(member, 10_000, BasisPoints(bps)) for bps in (0, MARKUP // 2, MARKUP)]

    (batch,) = till.settle().batches

    assert [outcome.status for outcome in batch.outcomes] == [LineStatus.SETTLED]
    assert batch.outcomes[0].burned == total(receipts)
    [settled] = [
        event
        for event in events_of(_logs(till, till.town.chain.vault.address), till.town.chain.vault.address, Settled)
        if event.gateway == till.gateway
    ]
    due = assets_of_usd_down(UsdWad(sum(receipt.usd for receipt in receipts)))
    assert settled.paid == due
    assert settled.margin == assets_down(credit_units(NanoCredits(total(receipts))), PAR) - due
    assert till.reconciler.reconcile(now()).differences == ()


def _logs(till: Till, address: Address) -> list[Any]:
    chain = till.town.chain
    return list(chain.rpc.logs(chain.deployment.first_block, chain.rpc.block().number, [address]))


def test_many_receipts_of_one_account_are_one_line(till: Till):
    member = till.open_account()
    till.sync()
    receipts = [till.charge(member, units) for units in (1, 20, 300)]

    (batch,) = till.settle().batches

    assert (batch.lines, batch.receipts) == (1, 3)
    assert batch.outcomes[0].burned == total(receipts)


def test_the_next_batch_counts_on_from_the_last(till: Till):
    member = till.open_account()
    till.sync()
    first = till.charge(member)
    till.settle()
    second = till.charge(member, 5)

    (batch,) = till.settle().batches

    assert batch.batch_id == 2
    assert batch.outcomes[0].burned == second.cost
    assert till.ledger.spent_settled(account_id(member.key)) == first.cost + second.cost


def test_accounts_beyond_the_limit_go_into_the_next_batch(till: Till):
    till.max_lines = 2
    members = [till.open_account() for _ in range(5)]
    till.sync()
    receipts = [till.charge(member) for member in members]

    settled = till.settle()

    assert [batch.lines for batch in settled.batches] == [2, 2, 1]
    assert sum(outcome.burned for batch in settled.batches for outcome in batch.outcomes) == total(receipts)
    assert till.reconciler.reconcile(now()).differences == ()


def test_batches_are_split_so_that_none_needs_more_than_its_share_of_a_block(till: Till):
    """A hundredth of a block's gas here; the sizes follow from what the chain says each would cost."""
    members = [till.open_account() for _ in range(25)]
    till.sync()
    receipts = [till.charge(member, 3) for member in members]
    settlement = replace(till.settlement(), gas_percent=1)
    allowed = gas_allowed(settlement)
    assert allowed * 100 == till.town.rpc.block().gas_limit

    settled = settle_until_final(settlement, till.sync, now, seconds=30)

    assert settled.batches[0].lines > 1
    assert all(batch.tx.gas_used <= allowed for batch in settled.batches)
    assert len(settled.batches) <= 5, "none is much smaller than it must be"
    assert sum(outcome.burned for batch in settled.batches for outcome in batch.outcomes) == total(receipts)
    assert settled.left_out == ()


def test_receipts_that_no_block_can_hold_are_told_and_the_rest_waits_for_nobody(till: Till):
    member = till.open_account()
    till.sync()
    receipt = till.charge(member)
    settlement = replace(till.settlement(), gas_percent=0)

    result = settle_batch(settlement, now())

    assert result == NothingToSettle((LeftOut(receipt.id, TOO_LARGE),))
    assert [alarm.alarm for alarm in till.alarms.standing()] == [Alarm.RECEIPTS_LEFT_OUT]


def test_two_projects_settle_in_one_transaction(till: Till):
    other = new_project(till.town)
    members = [till.open_account(), till.open_account(token=other)]
    till.sync()
    receipts = [till.charge(member, 50) for member in members]

    (batch,) = till.settle().batches

    assert batch.lines == 2
    assert sum(outcome.burned for outcome in batch.outcomes) == total(receipts)
    assert till.reconciler.reconcile(now()).differences == ()


def test_nothing_owed_is_nothing_sent(till: Till):
    till.sync()

    assert settle_batch(till.settlement(), now()) == NothingToSettle(())


@pytest.mark.parametrize("written", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("kind", [FormBatch, SaveAttempt, MarkBroadcast], ids=lambda kind: kind.__name__)
def test_a_crash_at_any_durable_step_settles_once(till: Till, kind: type, written: bool):
    member = till.open_account()
    till.sync()
    receipt = till.charge(member)
    dying = CrashingLedger(till.ledger, kind, written=written)
    with pytest.raises(Crash):
        settle_batch(till.settlement(ledger=dying), now())

    till.reopen()
    till.settle()

    assert till.town.chain.escrow.next_batch_id(till.gateway) == 2
    assert till.ledger.spent_settled(account_id(member.key)) == receipt.cost
    assert _batches_on_chain(till) == 1
    assert till.reconciler.reconcile(now()).differences == ()


def _batches_on_chain(till: Till) -> int:
    chain = till.town.chain
    logs = chain.rpc.logs(chain.deployment.first_block, chain.rpc.block().number, [chain.escrow.address])
    return sum(event.gateway == till.gateway for event in events_of(logs, chain.escrow.address, BatchSettled))


def test_a_nonce_that_another_transaction_took_is_replaced(till: Till):
    member = till.open_account()
    till.sync()
    till.charge(member)
    with pytest.raises(Crash):
        settle_batch(till.settlement(ledger=CrashingLedger(till.ledger, SaveAttempt, written=True)), now())
    till.town.chain.sender(till.settler).send(Call("elsewhere", till.identity.address, b""))

    till.reopen()
    till.settle()

    record = till.ledger.batch(1)
    assert record is not None
    assert [attempt.nonce for attempt in record.attempts] == [0, 1]
    assert _batches_on_chain(till) == 1


def test_sending_again_while_it_waits_changes_nothing(till: Till):
    member = till.open_account()
    till.sync()
    till.charge(member)

    first = settle_batch(till.settlement(), now())
    second = settle_batch(till.settlement(), now())

    assert isinstance(first, BatchSent)
    assert second == BatchWaiting(first.batch_id, mined=True)


def test_another_batch_under_our_id_stops_settlement(till: Till):
    """Someone with the settler's key settles our receipts under another root: the id alone proves nothing."""
    member = till.open_account()
    till.sync()
    till.charge(member)
    with pytest.raises(Crash):
        settle_batch(till.settlement(ledger=CrashingLedger(till.ledger, FormBatch, written=True)), now())
    (record,) = till.ledger.open_batches()
    till.town.chain.escrow.settle(
        till.town.chain.sender(till.settler), replace(record.batch, receipts_root=b"\x66" * 32)
    )

    with pytest.raises(OutcomeMismatch):
        till.sync()

    assert [alarm.alarm for alarm in till.alarms.standing()] == [Alarm.OUTCOME_MISMATCH]
    with pytest.raises(SettlementHalted):
        settle_batch(till.settlement(), now())


def test_receipts_of_an_epoch_that_ended_leave_and_the_rest_settles(till: Till):
    closed, staying = till.open_account(), till.open_account()
    till.sync()
    lost, kept = till.charge(closed), till.charge(staying)
    start_close(till.town.chain, till.town.issuer, closed.key)
    till.town.advance(3_600)
    execute_exit(till.town.chain, till.town.issuer, closed.key)

    settled = till.settle()

    (batch,) = settled.batches
    assert [outcome.burned for outcome in batch.outcomes] == [kept.cost]
    assert settled.left_out == ()
    (totals,) = till.ledger.totals()
    assert (totals.losses, totals.receipts) == (lost.cost, lost.cost + kept.cost)
    assert till.reconciler.reconcile(now()).differences == ()


def test_an_exit_that_took_what_was_charged_is_not_burned_twice(till: Till):
    member = till.open_account("10")
    till.sync()
    receipts = [till.charge(member, 200_000), till.charge(member, 1_000_000)]
    start_exit(till.town.chain, till.town.issuer, member.key, credit_units(type(receipts[0].cost)(8 * 10**9)))
    till.town.advance(3_600)
    execute_exit(till.town.chain, till.town.issuer, member.key)

    settled = till.settle()

    (batch,) = settled.batches
    assert [outcome.burned for outcome in batch.outcomes] == [receipts[0].cost]
    assert [left.receipt for left in settled.left_out] == [receipts[1].id]
    assert [alarm.alarm for alarm in till.alarms.standing()] == [Alarm.RECEIPTS_LEFT_OUT]
    assert till.reconciler.reconcile(now()).differences == ()


def test_a_payout_cap_splits_the_batch(till: Till):
    capped = new_project(till.town, payout_cap="3")
    members = [till.open_account(token=capped) for _ in range(4)]
    till.sync()
    receipts = [till.charge(member, 200_000) for member in members]
    each = assets_down(credit_units(receipts[0].cost), PAR)
    assert 2 * each <= 3_000_000 < 3 * each

    settled = till.settle()

    assert sum(batch.lines for batch in settled.batches) == 2
    assert till.reconciler.reconcile(now()).differences == ()
    till.town.advance(86_400)
    till.town.report(PRICES)
    assert sum(batch.lines for batch in till.settle().batches) == 2


def test_a_price_version_that_expired_takes_only_its_own_receipts(till: Till):
    early, late = till.open_account(), till.open_account()
    till.sync()
    old = till.charge(early)
    till.town.put_in_force({sku: UsdWad(usd + 1) for sku, usd in PRICES.items()})
    till.town.advance(86_401)
    late = replace(late, signed=till.voucher(late.key, late.signer, "1000"))
    early = replace(early, signed=till.voucher(early.key, early.signer, "1001"))
    new = till.charge(late)
    again = till.charge(early)

    settled = till.settle()

    burned = sum(outcome.burned for batch in settled.batches for outcome in batch.outcomes)
    assert burned == new.cost + again.cost
    assert {left.receipt for left in settled.left_out} == {old.id}
    till.town.put_in_force(PRICES)


def test_a_batch_that_the_chain_would_refuse_is_abandoned_and_formed_anew(till: Till):
    token = new_project(till.town)
    member = till.open_account(token=token)
    till.sync()
    receipt = till.charge(member)
    with pytest.raises(Crash):
        settle_batch(till.settlement(ledger=CrashingLedger(till.ledger, FormBatch, written=True)), now())
    till.town.chain.vault.remove_provider(till.town.admin, token, 1)

    result = settle_batch(till.settlement(), now())

    assert isinstance(result, BatchAbandoned)
    assert "ProviderNotInTerms" in result.why
    left = settle_batch(till.settlement(), now())
    assert isinstance(left, NothingToSettle)
    assert [out.receipt for out in left.left_out] == [receipt.id]


def test_a_batch_that_reverted_on_chain_is_formed_anew(till: Till):
    """It passed its simulation, but the state moved before its block."""
    token = new_project(till.town)
    member = till.open_account(token=token)
    till.sync()
    receipt = till.charge(member)
    with pytest.raises(Crash):
        settle_batch(till.settlement(ledger=CrashingLedger(till.ledger, SaveAttempt, written=True)), now())
    chain = till.town.chain
    (record,) = till.ledger.open_batches()
    chain.vault.remove_provider(till.town.admin, token, 1)
    till.ledger.commit([MarkBroadcast(record.attempts[0].tx_hash, now())])
    chain.rpc.broadcast(record.attempts[0].raw)
    reverted = chain.rpc.receipt(record.attempts[0].tx_hash)
    assert reverted is not None
    assert not reverted.succeeded

    result = settle_batch(till.settlement(), now())

    assert isinstance(result, BatchAbandoned)
    assert [left.id for left in till.ledger.unbatched(limit=10)] == [receipt.id]
