"""What a holder has relayed, and what the relayer's key spends: bounded at once and by the day, over every process."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conftest import new_database
from tests.ledger.samples import IDENTITY
from tests.usecases.town import Till, now

from mintery.chain.delivery import BROADCAST
from mintery.chain.rpc import Call, Rpc
from mintery.crypto.authorizations import TRANSFER_TYPE, authorization_digest
from mintery.crypto.keys import PrivateKey
from mintery.crypto.transactions import read_transaction
from mintery.domain.voucher import Address
from mintery.errors import MoveRefused, RelayerSpent, RpcRefused, TooManyMoves
from mintery.ledger.commands import Done, NotWritten
from mintery.ledger.commands_relayed import MOVES, SPENT, ReserveRelay, SettleRelay
from mintery.ledger.store import LedgerStore, open_ledger
from mintery.units import NanoCredits, Wei, gwei_up, parse_credits
from mintery.usecases.move_credits import Move, MoveKind, offer_move, relay_move
from mintery.usecases.relay import Relay
from mintery.usecases.relay_bounds import MAX_FEE, RelayBounds

DAY = datetime(2026, 11, 21, 18, tzinfo=UTC)
ALICE, BOB, RELAYER = (PrivateKey.from_bytes(bytes([n]) * 32).address for n in (1, 2, 3))
ONE = NanoCredits(10**9)


def a_relay(till: Till, key: PrivateKey, **bounds: int) -> Relay:
    return Relay.of(till.town.chain, key, RelayBounds(till.ledger, lambda: DAY, **bounds))  # type: ignore[arg-type]  # as they are


def a_holder(till: Till) -> PrivateKey:
    holder = PrivateKey.generate()
    till.town.chain.token(till.town.token).transfer(till.town.issuer, holder.address, parse_credits("10"))
    return holder


def a_move(till: Till, relay: Relay, holder: PrivateKey, to: Address = BOB) -> tuple[Move, str]:
    offer = offer_move(
        relay, till.gateway, kind=MoveKind.SEND, holder=holder.address, token=till.town.token, to=to, amount=ONE
    )
    move = offer.move
    digest = authorization_digest(
        till.town.chain.token(till.town.token).domain(),
        TRANSFER_TYPE,
        sender=holder.address,
        receiver=to,
        amount=move.credits,
        valid_after=0,
        valid_before=move.valid_before,
        nonce=move.salt,
    )
    return move, "0x" + holder.sign_digest(digest).long.hex()


def test_a_holder_has_two_under_way_and_everybody_eight(till: Till):
    bounds = RelayBounds(till.ledger, now, at_once=2, in_all=3)

    with bounds.turn(ALICE), bounds.turn(ALICE):
        with pytest.raises(TooManyMoves) as refused, bounds.turn(ALICE):
            pass
        assert (refused.value.limit, refused.value.per, refused.value.retry_after) == (2, "at once", 5)
        with bounds.turn(BOB), pytest.raises(TooManyMoves), bounds.turn(RELAYER):
            pass
    with bounds.turn(ALICE), bounds.turn(BOB), bounds.turn(BOB):
        pass


def test_the_day_has_so_many_moves_and_the_next_one_waits_for_the_next(till: Till):
    key, holder = till.town.funded(), a_holder(till)
    relay = a_relay(till, key, a_day=1)
    refused = a_move(till, relay, holder)
    with pytest.raises(MoveRefused):
        relay_move(relay, till.gateway, replace(refused[0], amount=NanoCredits(2)), refused[1])

    assert relay_move(relay, till.gateway, *a_move(till, relay, holder)).block is not None
    before = till.town.rpc.nonce(key.address)
    with pytest.raises(TooManyMoves) as told:
        relay_move(relay, till.gateway, *a_move(till, relay, holder))

    assert (told.value.limit, told.value.per, told.value.retry_after) == (1, "a day", 6 * 3_600 + 1)
    assert till.town.rpc.nonce(key.address) == before
    assert relay_move(relay, till.gateway, *a_move(till, relay, a_holder(till))).block is not None


def test_the_key_spends_no_more_in_a_day_than_it_may(till: Till):
    key, holder = till.town.funded(), a_holder(till)
    relay = a_relay(till, key)
    had = till.town.rpc.balance(key.address)
    relay_move(relay, till.gateway, *a_move(till, relay, holder))
    cost = had - till.town.rpc.balance(key.address)

    for most, refusal in ((Wei(cost), True), (Wei(100 * cost), False)):
        bounded = a_relay(till, key, wei_a_day=most)
        before = till.town.rpc.nonce(key.address)
        if refusal:
            with pytest.raises(RelayerSpent) as told:
                relay_move(bounded, till.gateway, *a_move(till, relay, holder))
            assert told.value.retry_after == 6 * 3_600 + 1
        else:
            relay_move(bounded, till.gateway, *a_move(till, relay, holder))
        assert till.town.rpc.nonce(key.address) == before + (not refusal)
    rest = gwei_up(Wei(10**18)) - 2 * gwei_up(Wei(cost))
    reserve = ReserveRelay(key.address, ALICE, DAY.date(), rest - 1_000_000, gwei_up(Wei(10**18)), 9)
    assert isinstance(till.ledger.commit([reserve])[0], Done), "what it cost counts, and not what was set aside"

    with pytest.raises(RelayerSpent):
        relay_move(a_relay(till, key, max_fee=1), till.gateway, *a_move(till, relay, holder))


def is_spent(till: Till, key: PrivateKey, gwei: int) -> bool:
    """Whether the day has cost so much, to the gwei."""
    reserves = [ReserveRelay(key.address, BOB, DAY.date(), 1, most, 9) for most in (gwei, gwei + 1)]
    refused, taken = till.ledger.commit([*reserves])
    return refused == NotWritten(SPENT) and isinstance(taken, Done)


def test_what_is_signed_offers_no_more_than_was_reserved_for_it(till: Till, monkeypatch: pytest.MonkeyPatch):
    """What the node suggests rises between the two."""
    key, holder = till.town.funded(), a_holder(till)
    relay = a_relay(till, key)
    offered = a_move(till, relay, holder)
    suggested = iter([Wei(10**9)])
    monkeypatch.setattr(Rpc, "priority_fee", lambda _: next(suggested, Wei(10**14)))

    moved = relay_move(relay, till.gateway, *offered)

    signed = till.town.rpc.request("eth_getTransactionByHash", moved.tx_hash)
    assert int(signed["maxPriorityFeePerGas"], 16) == 10**9
    assert int(signed["maxFeePerGas"], 16) <= MAX_FEE


@pytest.mark.parametrize(
    ("said", "left"), [("insufficient funds for gas * price + value", False), ("internal error", True)]
)
def test_what_the_node_surely_refused_costs_nobody_anything(
    till: Till, monkeypatch: pytest.MonkeyPatch, said: str, left: bool
):
    key, holder = till.town.funded(), a_holder(till)
    relay = a_relay(till, key, a_day=1)
    offered = a_move(till, relay, holder)

    def refused(_self: Rpc, _raw: bytes) -> None:
        raise RpcRefused(BROADCAST, -32_000, said)

    with monkeypatch.context() as patch:
        patch.setattr(Rpc, "broadcast", refused)
        with pytest.raises(RpcRefused):
            relay_move(relay, till.gateway, *offered)

    assert is_spent(till, key, 0) is not left
    if left:
        with pytest.raises(TooManyMoves):
            relay_move(relay, till.gateway, *offered)
    else:
        assert relay_move(relay, till.gateway, *offered).block is not None


def test_a_move_that_its_holder_sent_first_costs_its_gas_alone(till: Till, monkeypatch: pytest.MonkeyPatch):
    key, holder, anyone = till.town.funded(), a_holder(till), till.town.chain.sender(till.town.funded())
    relay = a_relay(till, key, a_day=1)
    offered = a_move(till, relay, holder)
    had, broadcast = till.town.rpc.balance(key.address), Rpc.broadcast

    def overtaken(self: Rpc, raw: bytes) -> None:
        patch.setattr(Rpc, "broadcast", broadcast)
        read = read_transaction(raw)
        anyone.send(Call("the same", read.to, read.calldata))
        broadcast(self, raw)

    with monkeypatch.context() as patch:
        patch.setattr(Rpc, "broadcast", overtaken)
        with pytest.raises(MoveRefused):
            relay_move(relay, till.gateway, *offered)

    cost = gwei_up(Wei(had - till.town.rpc.balance(key.address)))
    assert cost > 0
    assert is_spent(till, key, cost)
    with pytest.raises(TooManyMoves):
        relay_move(relay, till.gateway, *a_move(till, relay, holder))


@settings(max_examples=10, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from([ALICE, BOB]), st.integers(0, 60), st.integers(0, 60), st.booleans()), max_size=8
    )
)
def test_whatever_is_reserved_and_settled_no_bound_is_passed(
    request: pytest.FixtureRequest, moves: list[tuple[Address, int, int, bool]]
):
    with new_database(request, "sqlite") as database, open_ledger(database.url, IDENTITY) as ledger:
        spent, counted = 0, {ALICE: 0, BOB: 0}
        for holder, asked, cost, moved in moves:
            (told,) = ledger.commit([ReserveRelay(RELAYER, holder, DAY.date(), asked, 100, 3)])
            if counted[holder] >= 3 or spent + asked > 100:
                assert told == NotWritten(MOVES if counted[holder] >= 3 else SPENT)
                continue
            ledger.commit([SettleRelay(RELAYER, holder, DAY.date(), asked, min(cost, asked), moved)])
            spent += min(cost, asked)
            counted[holder] += moved


def test_ten_that_ask_at_once_reserve_no_more_than_there_is(request: pytest.FixtureRequest):
    with new_database(request, "sqlite") as database, open_ledger(database.url, IDENTITY) as ledger:

        def reserve(number: int) -> bool:
            holder = PrivateKey.from_bytes(bytes([number + 1]) * 32).address
            (told,) = _commit(ledger, ReserveRelay(RELAYER, holder, DAY.date(), 30, 100, 9))
            return isinstance(told, Done)

        with ThreadPoolExecutor(10) as pool:
            assert sum(pool.map(reserve, range(10))) == 3


def _commit(ledger: LedgerStore, command: ReserveRelay) -> list[Done | NotWritten]:
    return list(ledger.commit([command]))  # type: ignore[arg-type]  # what it answers to this
