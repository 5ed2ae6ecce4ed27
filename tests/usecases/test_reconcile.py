"""A difference is found, named, and stops settlement."""

from dataclasses import replace
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.usecases.town import Member, Till, Town, now, open_till

from mintery.crypto.vouchers import account_id
from mintery.errors import LeadershipLost, LedgerUnavailable, ReconciliationFailed, SettlementHalted
from mintery.ledger.commands import AppendBlock, Block, ClearHalt, DepositSeen, Done, FlowSums, KeepFlowSums
from mintery.ledger.reads import Halt, Ledger
from mintery.units import AssetUnits, CreditUnits, NanoCredits
from mintery.usecases import chain_flows
from mintery.usecases.alarms import Alarm, Alarms, HaltBook
from mintery.usecases.chain_flows import FlowLedger, Flows, TokenFlows
from mintery.usecases.compare_books import ChainFigures, LedgerFigures, compare, read_chain, read_ledger
from mintery.usecases.mint_credits import mint_credits
from mintery.usecases.reconcile import Reconciler
from mintery.usecases.reconciliation import COVERED, reconciliation_json
from mintery.usecases.redeem_credits import redeem_credits
from mintery.usecases.settle_batch import NothingToSettle, settle_batch
from mintery.usecases.withdraw_margin import withdraw_margin
from mintery.usecases.withdraw_owed import withdraw_owed


def test_everything_agrees_after_every_kind_of_flow(till: Till):
    chain, issuer, token = till.town.chain, till.town.issuer, till.town.token
    member = till.open_account()
    mint_credits(chain, issuer, token, CreditUnits(10**18 + 1), to=issuer.address)
    redeem_credits(chain, issuer, token, CreditUnits(3 * 10**17 + 7))
    till.sync()
    till.charge(member, 300_000)
    till.settle()
    assert withdraw_owed(chain, issuer, 1).assets > 0
    assert withdraw_margin(chain, issuer, token).assets > 0
    till.charge(member, 11)
    till.sync()

    assert till.reconciler.reconcile(now()).differences == ()


def test_a_planted_deposit_is_found_by_its_account_and_stops_settlement(till: Till):
    member = till.open_account()
    till.sync()
    till.charge(member)
    till.town.rpc.request("evm_mine")
    last, head = till.ledger.last_block(), till.town.rpc.block()
    assert last is not None
    planted = DepositSeen(account_id(member.key), member.key, NanoCredits(1))
    block = Block(head.number, head.hash, last.hash, head.timestamp)
    till.ledger.commit([AppendBlock(block, ((99, planted),))])

    result = till.reconciler.reconcile(now())

    assert [(check.what, check.right - check.left) for check in result.differences] == [
        (f"account {account_id(member.key)}: balance", 10**9),
        (f"{till.town.token}: balances of our accounts", 10**9),
        (f"{till.town.token}: deposited less exited less burned", 10**9),
    ]
    with pytest.raises(ReconciliationFailed):
        result.raise_on_difference()
    assert [alarm.alarm for alarm in till.alarms.standing()] == [Alarm.RECONCILIATION]
    with pytest.raises(SettlementHalted):
        settle_batch(till.settlement(), now())


def test_the_alarm_falls_when_the_figures_agree_again(till: Till):
    till.open_account()
    till.sync()
    till.alarms.sound(Alarm.RECONCILIATION, "planted", now())

    till.reconciler.reconcile(now())

    assert till.alarms.standing() == ()


def plant(till: Till, member: Member, amount: int) -> None:
    """A deposit that the chain never saw."""
    till.town.rpc.request("evm_mine")
    last, head = till.ledger.last_block(), till.town.rpc.block()
    assert last is not None
    planted = DepositSeen(account_id(member.key), member.key, NanoCredits(amount))
    till.ledger.commit([AppendBlock(Block(head.number, head.hash, last.hash, head.timestamp), ((99, planted),))])


def test_a_difference_is_told_with_where_it_was_last_equal_and_outlives_the_process(till: Till):
    member = till.open_account()
    till.sync()
    till.reconciler.reconcile(now())
    equal_at = till.ledger.last_block()
    assert equal_at is not None
    plant(till, member, 5)

    till.reconciler.reconcile(now())
    till.reopen()

    with pytest.raises(SettlementHalted) as halted:
        settle_batch(till.settlement(), now())
    (halt,) = till.ledger.halts()
    assert (halted.value.halt, halt.alarm) == (halt.id, Alarm.RECONCILIATION)
    assert f"equal at {equal_at.number}" in halt.why
    account = next(each for each in till.ledger.differences() if each.what.startswith("account"))
    assert (account.books - account.chain, account.last_equal) == (5 * 10**9, equal_at.number)
    # Found again in a later block: what is known of it stays.
    till.town.rpc.request("evm_mine")
    till.sync()
    again = till.reconciler.reconcile(now())
    (shown,) = [check for check in reconciliation_json(again)["checks"] if check["what"] == account.what]
    assert (shown["difference"], shown["last_equal_block"]) == (str(-5 * 10**9), equal_at.number)
    assert [each.id for each in till.ledger.halts()] == [halt.id]


def test_a_cleared_halt_comes_back_while_the_difference_is_there(till: Till):
    member = till.open_account()
    till.sync()
    plant(till, member, 5)
    till.reconciler.reconcile(now())
    (halt,) = till.ledger.halts()

    assert till.ledger.commit([ClearHalt(halt.id, "looked into it", now())]) == [Done(1)]
    assert till.ledger.commit([ClearHalt(halt.id, "twice", now())]) == [Done(0)]
    assert isinstance(settle_batch(till.settlement(), now()), NothingToSettle)

    till.reconciler.reconcile(now())
    with pytest.raises(SettlementHalted):
        settle_batch(till.settlement(), now())


def test_a_vault_that_lost_assets_is_told_and_what_is_open_settles(till: Till, monkeypatch: pytest.MonkeyPatch):
    member = till.open_account("10")
    till.sync()
    receipt = till.charge(member)

    def read_short(*arguments: Any) -> ChainFigures:
        seen = read_chain(*arguments)
        return replace(seen, assets=AssetUnits(seen.claims - 1))

    monkeypatch.setattr("mintery.usecases.reconcile.read_chain", read_short)
    result = till.reconciler.reconcile(now())

    assert [check.what for check in result.differences] == [COVERED]
    assert [alarm.alarm for alarm in till.alarms.standing()] == [Alarm.UNDERCOLLATERAL]
    assert till.settle().batches[0].outcomes[0].burned == receipt.cost
    monkeypatch.undo()
    till.reconciler.reconcile(now())
    assert till.alarms.standing() == ()


def test_whoever_lost_the_lead_while_it_compared_lifts_no_halt(till: Till):
    till.open_account("10")
    till.sync()
    till.alarms.sound(Alarm.RECONCILIATION, "found by the one that leads now", now())

    def lost() -> None:
        raise LeadershipLost("reconcile")

    with pytest.raises(LeadershipLost):
        till.reconciler.reconcile(now(), ledger=till.ledger.fenced(lost))

    assert [alarm.alarm for alarm in till.alarms.standing()] == [Alarm.RECONCILIATION]
    assert till.reconciler.last is None
    till.reconciler.reconcile(now())
    assert till.alarms.standing() == ()


def test_another_process_keeps_to_a_halt_and_sees_it_fall(till: Till):
    till.open_account()
    till.sync()
    other = Alarms(HaltBook(till.ledger, now))
    other.sound(Alarm.RECONCILIATION, "planted", now())

    with pytest.raises(SettlementHalted, match="planted"):
        settle_batch(till.settlement(), now())
    till.reconciler.reconcile(now())

    assert other.standing() == till.alarms.standing() == ()


@pytest.mark.parametrize("alarm", [Alarm.OUTCOME_MISMATCH, Alarm.LEDGER_INCONSISTENT])
def test_what_proves_nothing_by_passing_again_is_cleared_by_hand_alone(till: Till, alarm: Alarm):
    till.open_account()
    till.sync()
    till.alarms.sound(alarm, "seen once", now())

    till.alarms.clear(alarm)
    till.reconciler.reconcile(now())

    assert [halt.alarm for halt in till.ledger.halts()] == [alarm]


def test_a_halt_that_could_not_be_written_stands_in_this_process(till: Till):
    class Full:
        def halts(self) -> tuple[Halt, ...]:
            return ()

        def commit(self, _commands: object) -> None:
            raise LedgerUnavailable("disk full")

    alarms = Alarms(HaltBook(cast("Ledger", Full()), now))

    alarms.sound(Alarm.RECONCILIATION, "differs", now())

    with pytest.raises(SettlementHalted, match="differs"):
        alarms.check_may_settle()
    assert alarms.clear(Alarm.RECONCILIATION)
    alarms.check_may_settle()


def with_kept_sums(till: Till, monkeypatch: pytest.MonkeyPatch) -> FlowSums:
    monkeypatch.setattr(chain_flows, "KEPT_EVERY", 1)
    member = till.open_account()
    till.sync()
    till.charge(member, 300_000)
    till.settle()
    till.sync()
    till.reconciler.reconcile(now())
    kept = till.ledger.flow_sums()
    assert kept is not None
    return kept


def test_a_process_that_starts_reads_no_block_that_was_summed(till: Till, monkeypatch: pytest.MonkeyPatch):
    kept = with_kept_sums(till, monkeypatch)
    chain, head = till.town.chain, till.town.rpc.block()
    read = chain_flows.read_ranges
    firsts = []
    monkeypatch.setattr(
        chain_flows, "read_ranges", lambda *args, **named: firsts.append(args[2]) or read(*args, **named)
    )

    found = FlowLedger(chain).up_to(head, till.ledger)

    assert firsts == [kept.number + 1]
    whole = FlowLedger(chain)
    whole.forget()
    assert found == whole.up_to(head, till.ledger)
    assert firsts[1:] == [chain.deployment.first_block]


def test_wrong_sums_are_a_difference_until_they_are_summed_anew(till: Till, monkeypatch: pytest.MonkeyPatch):
    kept = with_kept_sums(till, monkeypatch)
    wrong = Flows.parse(kept.sums)
    assert wrong is not None
    wrong.tokens[till.town.token].minted += 1
    till.ledger.commit([KeepFlowSums(replace(kept, sums=wrong.as_text()))])

    def reconciled(*, anew: bool = False) -> list[str]:
        reconciler = Reconciler(till.town.chain, till.ledger, till.gateway, till.alarms)
        return [check.what for check in reconciler.reconcile(now(), anew=anew).differences]

    assert reconciled() == [f"{till.town.token}: supply is minted less redeemed less burned"]
    assert reconciled(anew=True) == []
    assert reconciled() == []


def test_what_one_process_sums_anew_heals_those_that_run(till: Till, monkeypatch: pytest.MonkeyPatch):
    kept = with_kept_sums(till, monkeypatch)
    wrong = Flows.parse(kept.sums)
    assert wrong is not None
    wrong.tokens[till.town.token].minted += 1
    till.ledger.commit([KeepFlowSums(replace(kept, sums=wrong.as_text()))])
    running = Reconciler(till.town.chain, till.ledger, till.gateway, till.alarms)
    assert running.reconcile(now()).differences

    monkeypatch.setattr(chain_flows, "KEPT_EVERY", 10**6)  # healing keeps its sums however few blocks they are
    elsewhere = Reconciler(till.town.chain, till.ledger, till.gateway, till.alarms)
    assert not elsewhere.reconcile(now(), anew=True).differences

    assert not running.reconcile(now()).differences
    late = till.ledger.commit([KeepFlowSums(replace(kept, sums=wrong.as_text()))])
    assert late == [Done(0)]  # by a process that has not looked since
    assert not Reconciler(till.town.chain, till.ledger, till.gateway, till.alarms).reconcile(now()).differences


@pytest.mark.parametrize("of", ["another chain", "another form", "a block to come"])
def test_sums_that_are_not_of_this_chain_are_not_used(till: Till, monkeypatch: pytest.MonkeyPatch, of: str):
    kept = with_kept_sums(till, monkeypatch)
    other = {
        "another chain": replace(kept, hash="0x" + "00" * 32),
        "another form": replace(kept, sums='{"form": 0}'),
        "a block to come": replace(kept, number=kept.number + 10**6),
    }[of]
    till.ledger.commit([KeepFlowSums(other)])
    head = till.town.rpc.block()

    whole = FlowLedger(till.town.chain)
    whole.forget()
    assert FlowLedger(till.town.chain).up_to(head, till.ledger) == whole.up_to(head, till.ledger)


sums = st.integers(0, 2**200)


@given(st.dictionaries(st.text(max_size=8), st.tuples(sums, sums, st.dictionaries(st.text(max_size=8), sums))), sums)
def test_sums_are_kept_to_the_last_unit(tokens: dict[str, tuple[int, int, dict[str, int]]], owed: int):
    flows = Flows()
    for token, (minted, paid, burned_for) in tokens.items():
        flows.tokens[cast("Any", token)] = TokenFlows(minted=minted, paid=paid)
        flows.tokens[cast("Any", token)].burned_for.update(cast("Any", burned_for))
    flows.owed[1] = -owed

    assert Flows.parse(flows.as_text()) == flows


def test_a_hundred_thousand_differences_make_no_endless_message():
    error = ReconciliationFailed([(f"account {index}", 1, 2) for index in range(100_000)])

    assert len(error.differences) == 100_000
    assert len(str(error)) < 500
    assert str(error).endswith("and 99995 more")


@pytest.fixture(scope="module")
def figures(town: Town, tmp_path_factory: pytest.TempPathFactory) -> tuple[ChainFigures, LedgerFigures, str]:
    """Real figures of a gateway that has settled, with something held and something charged."""
    till = open_till(town, tmp_path_factory.mktemp("figures") / "ledger.sqlite")
    member = till.open_account()
    till.sync()
    till.charge(member, 300_000)
    till.settle()
    till.charge(member)
    till.hold(member, till.receipt(member, town.lines(5)))
    recorded = read_ledger(till.ledger)
    at = town.rpc.block(recorded.block.number)
    seen = read_chain(town.chain, recorded.accounts, FlowLedger(town.chain).up_to(at, till.ledger), at)
    till.ledger.close()
    return seen, recorded, till.gateway


def test_the_figures_agree(figures: tuple[ChainFigures, LedgerFigures, str]):
    chain, ledger, gateway = figures

    assert all(check.holds for check in compare(chain, ledger, gateway))


LEDGER_FIELDS = ("available", "held", "captured")
TOTAL_FIELDS = ("deposited", "exited", "burned", "available", "held", "captured", "receipts", "losses")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), off=st.integers(-(10**6), 10**6).filter(bool))
def test_one_nanocredit_anywhere_in_the_ledger_shows(
    figures: tuple[ChainFigures, LedgerFigures, str], data: st.DataObject, off: int
):
    chain, ledger, gateway = figures
    (account,), (total,) = ledger.accounts, ledger.totals
    if data.draw(st.booleans()):
        name = data.draw(st.sampled_from(LEDGER_FIELDS))
        changed = replace(ledger, accounts=(replace(account, **{name: getattr(account, name) + off}),))
    else:
        name = data.draw(st.sampled_from(TOTAL_FIELDS))
        changed = replace(ledger, totals=(replace(total, **{name: getattr(total, name) + off}),))

    assert not all(check.holds for check in compare(chain, changed, gateway))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(off=st.integers(-(10**6), 10**6).filter(bool), name=st.sampled_from(["balance", "spent", "epoch"]))
def test_one_unit_anywhere_in_an_account_on_chain_shows(
    figures: tuple[ChainFigures, LedgerFigures, str], off: int, name: str
):
    chain, ledger, gateway = figures
    ((account, seen),) = chain.accounts.items()
    changed = replace(chain, accounts={account: replace(seen, **{name: getattr(seen, name) + off})})

    assert not all(check.holds for check in compare(changed, ledger, gateway))


@pytest.mark.parametrize("name", ["assets", "claims"])
def test_a_vault_that_holds_less_than_its_claims_shows(figures: tuple[ChainFigures, LedgerFigures, str], name: str):
    chain, ledger, gateway = figures
    short = replace(chain, assets=chain.claims - 1) if name == "assets" else replace(chain, claims=chain.claims + 1)

    assert not all(check.holds for check in compare(short, ledger, gateway))
