"""Every confirmed event once, and no silence over a chain that changed its past."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import pytest
from tests.usecases.town import Member, Till, now

from mintery.chain.rpc import BlockRef, Log, Rpc
from mintery.crypto.vouchers import account_id
from mintery.domain.voucher import AccountKey, Address
from mintery.errors import BlockReplaced, RpcRefused
from mintery.units import parse_credits
from mintery.usecases.alarms import Alarm
from mintery.usecases.deposit_credits import deposit_credits, relay_deposit, sign_deposit
from mintery.usecases.exit_credits import cancel_exit, execute_exit, release_credits, start_exit
from mintery.usecases.onchain import OnChain
from mintery.usecases.reconcile import Reconciler
from mintery.usecases.sync_chain import sync_chain
from mintery.usecases.transfer_credits import transfer_credits


class BehindRpc(Rpc):
    """The same chain from a node that has not seen its newest blocks."""

    def __init__(self, rpc: Rpc, head: int) -> None:
        super().__init__(rpc.wire)
        self._head = head

    def block(self, tag: int | str = "latest") -> BlockRef:
        return super().block(self._head if tag in {"latest", "finalized"} else tag)


class NarrowRpc(Rpc):
    """The same chain from an endpoint that bounds how many blocks one answer covers."""

    def __init__(self, rpc: Rpc, most: int) -> None:
        super().__init__(rpc.wire)
        self._most = most

    def logs(
        self, first: int, last: int, addresses: Iterable[Address], topics: Sequence[bytes] = ()
    ) -> tuple[Log, ...]:
        if last - first >= self._most:
            raise RpcRefused("eth_getLogs", -32_005, "query returned more than 10000 results")
        return super().logs(first, last, addresses, topics)


def balance(till: Till, member: Member) -> tuple[int, int]:
    """Whole credits available, and of them on their way out."""
    account = till.ledger.account(account_id(member.key))
    assert account is not None
    return account.available // 10**9, account.exiting // 10**9


def test_deposits_exits_and_releases_arrive_once(till: Till):
    chain, issuer = till.town.chain, till.town.issuer
    member = till.open_account("10")
    till.sync()
    assert balance(till, member) == (10, 0)

    start_exit(chain, issuer, member.key, parse_credits("4"))
    till.sync()
    assert balance(till, member) == (10, 4)

    cancel_exit(chain, issuer, member.key)
    release_credits(chain, chain.sender(till.settler), member.key, parse_credits("1"))
    start_exit(chain, issuer, member.key, parse_credits("2"))
    till.town.advance(3_600)
    execute_exit(chain, issuer, member.key)
    first = till.sync()
    assert balance(till, member) == (7, 0)

    again = till.sync()
    assert (again.blocks, again.events) == (0, 0)
    assert again.last == first.last
    assert balance(till, member) == (7, 0)


def test_a_relayed_deposit_is_one_like_any_other(till: Till):
    chain, holder = till.town.chain, till.town.funded()
    transfer_credits(chain, till.town.issuer, till.town.token, holder.address, parse_credits("3"))
    key = AccountKey(till.town.token, till.gateway, holder.address, holder.address)

    relay_deposit(chain, till.town.admin, sign_deposit(chain, holder, key, parse_credits("3")))
    till.sync()

    account = till.ledger.account(account_id(key))
    assert account is not None
    assert account.available == 3 * 10**9


def test_an_exit_that_began_before_the_first_deposit_holds(till: Till):
    member = Member(
        AccountKey(till.town.token, till.gateway, till.town.issuer.address, till.settler.address),
        till.settler,
        till.open_account().signed,
    )
    start_exit(till.town.chain, till.town.issuer, member.key, parse_credits("5"))
    till.sync()

    deposit_credits(till.town.chain, till.town.issuer, member.key, parse_credits("8"))
    till.sync()

    assert balance(till, member) == (8, 5)


def test_accounts_of_another_gateway_are_not_ours(till: Till):
    other = till.town.funded()
    key = AccountKey(till.town.token, other.address, till.town.issuer.address, other.address)
    deposit_credits(till.town.chain, till.town.issuer, key, parse_credits("2"))
    start_exit(till.town.chain, till.town.issuer, key, parse_credits("2"))
    till.town.advance(3_600)
    execute_exit(till.town.chain, till.town.issuer, key)

    till.sync()

    assert till.ledger.account(account_id(key)) is None
    assert list(till.ledger.totals()) == []
    assert till.reconciler.reconcile(now()).differences == ()


def test_a_block_is_believed_when_others_stand_on_it(till: Till):
    patient = OnChain.of(till.town.rpc, till.town.chain.deployment, confirmations=3)
    member = till.open_account("10")

    def seen() -> bool:
        sync_chain(patient, till.ledger, till.gateway, till.alarms, now())
        return till.ledger.account(account_id(member.key)) is not None

    assert not seen()
    till.town.rpc.request("evm_mine")
    till.town.rpc.request("evm_mine")
    assert not seen()
    till.town.rpc.request("evm_mine")
    assert seen()


def test_a_chain_that_changed_its_past_stops_everything(till: Till):
    snapshot = till.town.rpc.request("evm_snapshot")
    member = till.open_account("10")
    last = till.sync().last
    assert last is not None

    assert till.town.rpc.request("evm_revert", snapshot)
    till.town.advance(1)
    while till.town.rpc.block().number <= last.number:
        till.town.rpc.request("evm_mine")

    with pytest.raises(BlockReplaced) as caught:
        till.sync()

    assert caught.value.number == last.number
    assert [alarm.alarm for alarm in till.alarms.standing()] == [Alarm.BLOCK_REPLACED]
    assert till.ledger.last_block() == last
    assert balance(till, member) == (10, 0)


def test_a_ledger_opened_again_goes_on_where_it_stood(till: Till):
    first = till.open_account("1")
    till.sync()
    till.reopen()
    second = till.open_account("2")

    till.sync()

    assert balance(till, first) == (1, 0)
    assert balance(till, second) == (2, 0)


def test_whoever_is_overtaken_between_two_ranges_leaves_no_block_out(till: Till, monkeypatch: pytest.MonkeyPatch):
    chain = till.town.chain
    first = till.sync().last
    assert first is not None
    till.town.rpc.request("evm_mine")
    member = till.open_account("10")
    deposited = till.town.rpc.block().number
    till.town.advance(1)
    monkeypatch.setattr("mintery.usecases.sync_chain.BLOCKS_AT_ONCE", deposited - first.number)
    overtaken = False

    def overtake() -> None:
        nonlocal overtaken
        if not overtaken:
            overtaken = True
            sync_chain(chain, till.ledger, till.gateway, till.alarms, now(), through=deposited - 1)

    sync_chain(chain, till.ledger.fenced(overtake), till.gateway, till.alarms, now())
    till.sync()

    assert balance(till, member) == (10, 0)
    assert till.reconciler.reconcile(now()).differences == ()


def test_a_node_that_is_behind_lifts_no_halt(till: Till):
    last = till.sync().last
    assert last is not None
    till.alarms.sound(Alarm.BLOCK_REPLACED, "block 1 was final and is another one", now())
    behind = replace(till.town.chain, rpc=BehindRpc(till.town.rpc, last.number - 1))

    synced = sync_chain(behind, till.ledger, till.gateway, till.alarms, now())

    assert (synced.last, synced.blocks) == (last, 0)
    assert [alarm.alarm for alarm in till.alarms.standing()] == [Alarm.BLOCK_REPLACED]
    till.sync()
    assert till.alarms.standing() == ()


@pytest.mark.parametrize("most", [1, 3])
def test_blocks_too_full_for_one_answer_are_read_in_parts(till: Till, most: int):
    chain = OnChain.of(NarrowRpc(till.town.rpc, most), till.town.chain.deployment, confirmations=0)
    first = till.sync().last
    members = [till.open_account("10") for _ in range(4)]

    synced = sync_chain(chain, till.ledger, till.gateway, till.alarms, now())

    assert first is not None
    assert synced.last is not None
    assert synced.last.number >= first.number + 4
    assert [balance(till, member) for member in members] == [(10, 0)] * 4
    assert Reconciler(chain, till.ledger, till.gateway, till.alarms).reconcile(now()).differences == ()
