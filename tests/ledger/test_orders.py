"""What is recorded of orders, on both databases: once, whatever comes twice, late or for another."""

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.ledger.orders import (
    DOLLARS,
    SECOND,
    a_payment,
    an_order,
    decide,
    found,
    order_id,
    take,
    told,
    whole_refund,
)
from tests.ledger.samples import NOON, wallet

from mintery.domain.order import Decision, OrderStatus, Rail, RefundKind
from mintery.ledger.commands import NotWritten
from mintery.ledger.commands_orders import (
    CloseOrder,
    FailOrder,
    FinishRefund,
    NameOrder,
    OrderTold,
    PlaceOrder,
    RefundTold,
    ReturnPayment,
)
from mintery.ledger.store import LedgerStore


def test_a_payment_in_time_is_accepted_once(ledger: LedgerStore):
    order = an_order()
    first = told(ledger, PlaceOrder(order), take(order, a_payment(order)))
    again = ledger.commit([take(order, a_payment(order), at=NOON + timedelta(days=9))])

    assert again == [OrderTold(first, news=False)]
    assert (first.status_at(NOON), first.accepted_at) == (OrderStatus.PAID, a_payment(order).at)
    assert found(ledger, order) == first
    assert [event.kind for event in ledger.orders.events_of(order.id)] == ["placed", "paid"]
    assert list(ledger.orders.unminted()) == [first]


def test_news_of_a_payment_in_time_may_come_when_the_order_has_expired(ledger: LedgerStore):
    order = an_order()
    late = order.expires_at + timedelta(days=1)
    paid = told(ledger, PlaceOrder(order), take(order, a_payment(order), at=late))

    assert (paid.status_at(late), paid.refund_due_at) == (OrderStatus.PAID, None)


@pytest.mark.parametrize("assets", [DOLLARS - 1, DOLLARS + 1])
def test_another_amount_by_card_goes_back(ledger: LedgerStore, assets: int):
    order = an_order()
    paid = told(ledger, PlaceOrder(order), take(order, a_payment(order, assets=assets)))

    assert paid.status_at(NOON) is OrderStatus.FAILED
    (due,) = ledger.orders.refunds_due(Rail.CARD)
    assert (due.assets, due.kind, due.payment) == (assets, RefundKind.WHOLE, paid.payment.id)
    assert ledger.orders.unminted() == []


def test_a_late_card_payment_goes_back_once(ledger: LedgerStore):
    order = an_order()
    paid = told(ledger, PlaceOrder(order), take(order, a_payment(order, late=True)))
    assert paid.status_at(order.expires_at) is OrderStatus.EXPIRED
    (due,) = ledger.orders.refunds_due()

    finish = FinishRefund(due.id, "re_1", "rail", order.expires_at + SECOND)
    results = ledger.commit([finish, replace(finish, reference="re_2")])

    assert [(result.refund.reference, result.news) for result in results if isinstance(result, RefundTold)] == [
        ("re_1", True),
        ("re_1", False),
    ]
    assert found(ledger, order).status_at(order.expires_at) is OrderStatus.REFUNDED
    assert found(ledger, order).refunded == DOLLARS
    assert ledger.orders.refunds_due() == []


def test_a_second_payment_is_a_surplus_and_goes_back(ledger: LedgerStore):
    order = an_order()
    second = a_payment(order, name="pay_twice")
    paid = told(ledger, PlaceOrder(order), take(order, a_payment(order)), take(order, second), take(order, second))

    assert paid.status_at(NOON) is OrderStatus.PAID
    (due,) = ledger.orders.refunds_due()
    assert (due.kind, due.payment, due.assets) == (RefundKind.SURPLUS, "pay_twice", DOLLARS)
    ledger.commit([FinishRefund(due.id, "re_1", "rail", NOON)])
    assert found(ledger, order).refunded == 0
    assert [payment.id for payment in ledger.orders.payments_of(order.id)] == [f"pay_{order.id}", "pay_twice"]


def test_a_payment_of_another_order_is_refused(ledger: LedgerStore):
    one, two = an_order(1), an_order(2)
    ledger.commit([PlaceOrder(one), PlaceOrder(two), take(one, a_payment(one))])

    (answer,) = ledger.commit([take(two, a_payment(one))])

    assert isinstance(answer, NotWritten)
    assert found(ledger, two) == two


def test_a_bank_transfer_waits_for_a_person(ledger: LedgerStore):
    order = an_order(rail=Rail.BANK)
    paid = told(ledger, PlaceOrder(order), take(order, a_payment(order)))
    assert paid.status_at(NOON) is OrderStatus.MANUAL_REVIEW
    assert list(ledger.orders.in_review()) == [paid]

    accepted = told(ledger, decide(order, Decision.ACCEPTED))

    assert accepted.status_at(NOON) is OrderStatus.PAID
    assert ledger.orders.in_review() == []
    assert ledger.commit([decide(order, Decision.ACCEPTED, at=NOON + timedelta(days=1))]) == [
        OrderTold(accepted, news=False)
    ]
    assert isinstance(ledger.commit([decide(order, Decision.REFUSED)])[0], NotWritten)


def test_a_refused_transfer_is_owed_back(ledger: LedgerStore):
    order = an_order(rail=Rail.BANK)
    refused = told(ledger, PlaceOrder(order), take(order, a_payment(order)), decide(order, Decision.REFUSED))

    assert refused.status_at(NOON) is OrderStatus.MANUAL_REVIEW
    assert [due.id for due in ledger.orders.refunds_due(Rail.BANK)] == [whole_refund(order)]
    assert ledger.orders.unminted() == []


def test_what_was_accepted_may_go_back_until_its_credits_are_being_created(ledger: LedgerStore):
    order = an_order()
    back = ReturnPayment(order.id, "the project is retired", "operator", NOON)
    told(ledger, PlaceOrder(order), take(order, a_payment(order)))

    given_back = told(ledger, back, back)

    assert ledger.orders.unminted() == []
    assert [due.kind for due in ledger.orders.refunds_due()] == [RefundKind.WHOLE]
    assert given_back.status_at(NOON) is OrderStatus.PAID


def test_no_order_fails_once_it_is_paid_and_no_paid_one_is_lost_when_it_failed(ledger: LedgerStore):
    paid, failed_first = an_order(1), an_order(2, Rail.CHAIN)
    ledger.commit([PlaceOrder(paid), PlaceOrder(failed_first), take(paid, a_payment(paid))])

    refused, failing, after_all = ledger.commit(
        [
            FailOrder(paid.id, "declined", "rail", NOON),
            FailOrder(failed_first.id, "declined", "rail", NOON),
            take(failed_first, a_payment(failed_first)),
        ]
    )

    assert isinstance(refused, NotWritten)
    assert isinstance(failing, OrderTold)
    assert isinstance(after_all, OrderTold)
    assert after_all.order.status_at(NOON) is OrderStatus.MANUAL_REVIEW


def test_an_order_is_placed_once_for_its_key_and_never_for_something_else(ledger: LedgerStore):
    order = replace(an_order(1), idempotency_key="mine")
    again = replace(an_order(2), idempotency_key="mine", reference=None)
    theirs = replace(an_order(3, of=wallet(2)), idempotency_key="mine")

    first, second, other, third = ledger.commit(
        [PlaceOrder(order), PlaceOrder(again), PlaceOrder(replace(again, assets=DOLLARS + 1)), PlaceOrder(theirs)]
    )

    assert second == OrderTold(order, news=False)
    assert isinstance(other, NotWritten)
    assert (first, third) == (OrderTold(order, news=True), OrderTold(theirs, news=True))
    assert list(ledger.orders.of_holder(wallet(1).key.address)) == [order]


def test_two_orders_never_share_a_reference(ledger: LedgerStore):
    order = an_order(1)
    _, answer = ledger.commit([PlaceOrder(order), PlaceOrder(replace(an_order(2), reference=order.reference))])

    assert isinstance(answer, NotWritten)
    assert ledger.orders.by_reference(Rail.CARD, "ref_1") == order
    assert ledger.orders.order(order_id(2)) is None


def test_the_rails_name_is_given_once_and_a_closed_order_is_watched_no_more(ledger: LedgerStore):
    order = replace(an_order(), reference=None)
    name = NameOrder(order.id, "cs_1", "https://pay/1", NOON)
    named = told(ledger, PlaceOrder(order), name)
    assert (named.reference, named.page) == ("cs_1", "https://pay/1")
    assert list(ledger.orders.watched(Rail.CARD)) == [named]

    same, another, _ = ledger.commit([name, replace(name, reference="cs_2"), CloseOrder(order.id, NOON)])

    assert same == OrderTold(named, news=False)
    assert isinstance(another, NotWritten)
    assert ledger.orders.watched(Rail.CARD) == []
