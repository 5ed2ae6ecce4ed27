"""What cannot go on is tried again after growing pauses, and never keeps what can go on from its turn."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conftest import new_database
from tests.fakes.mint_chain import MintChain, MintSender
from tests.ledger.orders import a_payment, an_order, take
from tests.ledger.samples import GATEWAY, IDENTITY, NOON

from mintery.chain.rpc import Call
from mintery.crypto.keys import PrivateKey
from mintery.domain.order import Order, OrderId, Payment, Rail, Refund
from mintery.domain.postponed import FIRST_PAUSE, LAST_PAUSE, pause_after
from mintery.errors import RailUnavailable, TransactionReverted, UnknownOrder
from mintery.ledger.commands_orders import CloseOrder, PlaceOrder
from mintery.ledger.commands_postponed import GoOn, Postpone
from mintery.ledger.store import LedgerStore, open_ledger
from mintery.usecases.alarms import Alarm
from mintery.usecases.mint_orders import mint_orders
from mintery.usecases.order_desk import OrderDesk, Treasury
from mintery.usecases.retry_order import retry_order
from mintery.usecases.review_orders import finish_refund, return_payment
from mintery.usecases.send_calls import send_calls
from mintery.usecases.watch_orders import watch_orders

KEY = PrivateKey.from_bytes(b"\x77" * 32)
STUCK = 101
LATER = timedelta(hours=1)


@pytest.fixture
def ledger(request: pytest.FixtureRequest) -> Iterator[LedgerStore]:
    with new_database(request, "sqlite") as database, open_ledger(database.url, IDENTITY) as store:
        yield store
        store.check()


@dataclass(frozen=True)
class PickySender(MintSender):
    """Refuses so many mints, whichever come first."""

    refuses: list[int] = field(default_factory=list)

    def simulate(self, call: Call) -> bytes:
        if self.refuses:
            self.refuses.pop()
            raise TransactionReverted(call.action, "MintAboveCap", {})
        return b""


class PickyCards:
    """Sends back nothing of those orders."""

    def __init__(self, stuck: set[OrderId]) -> None:
        self.stuck = stuck
        self.asked: list[str] = []

    def refund(self, refund: Refund) -> str:
        self.asked.append(refund.id)
        if refund.order in self.stuck:
            raise RailUnavailable("card", "no answer")
        return f"re_{refund.id}"


def a_desk(ledger: LedgerStore, *, refuses: int = 0, cards: PickyCards | None = None) -> OrderDesk:
    chain = MintChain(Random(1), troubled=False)
    sender = PickySender(chain, KEY, [1] * refuses)
    return OrderDesk(
        chain=chain,  # type: ignore[arg-type]  # what of it a mint needs
        ledger=ledger,
        gateway=GATEWAY,
        cards=cards,  # type: ignore[arg-type]  # what of it a refund needs
        treasury=Treasury(KEY, sender),  # type: ignore[arg-type]  # as above
    )


def paid(ledger: LedgerStore, number: int, *, late: bool = False) -> Order:
    order = an_order(number, at=NOON + timedelta(seconds=number))
    payment: Payment = a_payment(order, late=late)
    ledger.commit([PlaceOrder(order), take(order, payment), CloseOrder(order.id, payment.at)])
    return order


@given(st.integers(0, 10_000))
def test_pauses_grow_to_the_longest_one(tries: int):
    assert FIRST_PAUSE <= pause_after(tries) <= pause_after(tries + 1) <= LAST_PAUSE


def test_each_try_in_vain_waits_longer_until_somebody_wants_it_now(ledger: LedgerStore):
    at = NOON
    pauses = []
    for tries in range(1, 11):
        ledger.commit([Postpone("ord_1", f"try {tries}", at)])
        met = ledger.postponed.of(["ord_1", "ord_2"])["ord_1"]
        assert (met.tries, met.why, met.since) == (tries, f"try {tries}", NOON)
        pauses.append(met.next_at - at)
        at = met.next_at
    assert pauses == [pause_after(tries) for tries in range(1, 11)]
    assert [each.subject for each in ledger.postponed.longest()] == ["ord_1"]

    ledger.commit([GoOn(("ord_1", "ord_2"))])
    assert ledger.postponed.of(["ord_1"]) == {}


def test_a_hundred_orders_that_cannot_be_minted_keep_no_other_from_it(ledger: LedgerStore):
    orders = [paid(ledger, number) for number in range(STUCK + 1)]
    now = max(order.expires_at for order in orders)
    desk = a_desk(ledger, refuses=STUCK)

    assert mint_orders(desk, now) == 1
    assert mint_orders(desk, now) == 0
    assert len(ledger.orders.unminted(limit=1_000)) == STUCK
    assert mint_orders(desk, now + LATER) == STUCK
    assert ledger.postponed.longest() == []


def test_a_hundred_refunds_that_the_rail_does_not_take_keep_no_other_from_it(ledger: LedgerStore):
    orders = [paid(ledger, number, late=True) for number in range(STUCK + 1)]
    now = max(order.expires_at for order in orders) + LATER
    cards = PickyCards({order.id for order in orders[:STUCK]})
    desk = a_desk(ledger, cards=cards)

    watch_orders(desk, now)
    watch_orders(desk, now)

    assert len(cards.asked) == STUCK + 1
    assert len(ledger.orders.refunds_due(Rail.CARD, limit=1_000)) == STUCK
    cards.stuck.clear()
    watch_orders(desk, now + LATER)
    assert ledger.orders.refunds_due(Rail.CARD) == []


def test_a_call_that_no_block_takes_is_told_of_until_one_does(ledger: LedgerStore):
    order = paid(ledger, 1)
    now = order.expires_at
    desk = a_desk(ledger)
    mint_orders(desk, now)
    for minutes in (0, 10):
        send_calls(desk, now + timedelta(minutes=minutes))
        assert desk.alarms.standing() == ()

    send_calls(desk, now + timedelta(minutes=15))
    assert [(each.alarm, each.subject) for each in desk.alarms.standing()] == [(Alarm.ORDERS_WAIT, order.id)]
    desk.chain.mine()  # type: ignore[attr-defined]  # the chain of these tests
    send_calls(desk, now + timedelta(minutes=20))

    assert desk.alarms.standing() == ()
    assert ledger.chain_calls.open() == []


def test_what_a_person_ends_waits_for_nothing(ledger: LedgerStore):
    order, late = paid(ledger, 1), paid(ledger, 2, late=True)
    now = late.expires_at + LATER
    desk = a_desk(ledger, refuses=1, cards=PickyCards({late.id}))
    mint_orders(desk, now)
    watch_orders(desk, now)
    assert len(ledger.postponed.longest()) == 2

    return_payment(ledger, order.id, by="operator", why="it cannot be minted", now=now)
    (due,) = ledger.orders.refunds_of(late.id)
    finish_refund(ledger, due.id, "by hand", by="operator", now=now)

    assert ledger.postponed.longest() == []


def test_an_order_that_somebody_wants_tried_again_has_no_pause(ledger: LedgerStore):
    order = paid(ledger, 1)
    now: datetime = order.expires_at
    desk = a_desk(ledger, refuses=2)
    assert [mint_orders(desk, now) for _ in range(2)] == [0, 0]

    assert retry_order(ledger, order.id) == (order.id,)
    assert mint_orders(desk, now) == 0
    assert retry_order(ledger, order.id) == (order.id,)
    assert mint_orders(desk, now) == 1
    assert retry_order(ledger, order.id) == ()
    with pytest.raises(UnknownOrder):
        retry_order(ledger, "ord_none")
