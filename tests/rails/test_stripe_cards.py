"""Stripe's own library against a stand-in of its API behind a socket: what is asked, what is believed, and what is not."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from time import time as clock

import pytest
from tests.fakes.stripe_account import API_KEY, WEBHOOK_SECRET, InProcess, StripeAccount, serve, webhook
from tests.ledger.orders import SECOND, an_order
from tests.ledger.samples import NOON

from mintery.domain.order import Order, Payment, Rail, Refund, RefundKind
from mintery.errors import NotWholeCents, RailNonsense, RailRefused, RailUnavailable, WebhookForged
from mintery.rails.stripe_cards import StripeCards
from mintery.units import AssetUnits


@pytest.fixture
def account() -> StripeAccount:
    return StripeAccount(lambda: NOON)


@pytest.fixture
def cards(account: StripeAccount) -> StripeCards:
    return cards_of(http_client=InProcess(account))


def cards_of(**options: object) -> StripeCards:
    return StripeCards(
        API_KEY,
        WEBHOOK_SECRET,
        return_url="https://here/orders/{order}",
        product="AI credits",
        **options,  # type: ignore[arg-type]  # the two that a test gives
    )


@pytest.fixture
def order() -> Order:
    return replace(an_order(), reference=None)


def refund_of(order: Order, payment: Payment, assets: int) -> Refund:
    return Refund(
        id="rfd_1",
        order=order.id,
        rail=Rail.CARD,
        payment=payment.id,
        kind=RefundKind.WHOLE,
        why="late",
        assets=AssetUnits(assets),
        due_at=NOON,
    )


def test_over_http_a_page_is_opened_paid_and_given_back(account: StripeAccount, order: Order):
    with serve(account) as url:
        cards = cards_of(api_url=url)
        opened = cards.open(order)
        assert (opened.open, opened.payment, opened.page) == (True, None, account.sessions[opened.reference]["url"])
        assert account.pay(opened.reference, NOON + SECOND)

        paid = cards.read(opened.reference)
        assert paid.payment == Payment(f"pi_{opened.reference}", order.assets, NOON + SECOND)
        name = cards.refund(refund_of(order, paid.payment, order.assets))

    assert account.refunds[name]["amount"] == 2_000


def test_a_wrong_key_is_refused_and_a_silent_api_is_not_available(account: StripeAccount, order: Order):
    with serve(account) as url:
        wrong = StripeCards("sk_test_wrong", WEBHOOK_SECRET, return_url="x", product="x", api_url=url)
        with pytest.raises(RailRefused):
            wrong.open(order)
    account.silent = 1
    with pytest.raises(RailUnavailable):
        cards_of(http_client=InProcess(account)).open(order)


def test_an_order_has_one_page_however_often_it_is_asked_for(account: StripeAccount, cards: StripeCards, order: Order):
    first = cards.open(order)
    assert cards.open(order) == first
    assert len(account.sessions) == 1
    assert account.sessions[first.reference]["expires_at"] == order.expires_at.timestamp()


def test_a_page_is_closed_or_shows_what_was_paid_before(account: StripeAccount, cards: StripeCards, order: Order):
    one, two = cards.open(order), cards.open(an_order(2))
    account.pay(two.reference, NOON)

    assert (cards.close(one.reference).open, cards.close(one.reference).open) == (False, False)
    assert cards.close(two.reference).payment is not None
    assert not account.pay(one.reference, NOON)


def test_a_refund_is_made_once_also_when_stripe_has_forgotten_its_key(
    account: StripeAccount, cards: StripeCards, order: Order
):
    opened = cards.open(order)
    account.pay(opened.reference, NOON)
    payment = cards.read(opened.reference).payment
    assert payment is not None
    refund = refund_of(order, payment, 10_000)
    account.silent, account.answers_lost = 1, True
    with pytest.raises(RailUnavailable):
        cards.refund(refund)
    account._answers.clear()

    names = {cards.refund(refund), cards.refund(refund)}

    assert len(names) == 1
    assert account.refunded(payment.id) == 1
    with pytest.raises(RailNonsense):
        cards.refund(replace(refund, assets=AssetUnits(20_000)))
    with pytest.raises(RailRefused):
        cards.refund(replace(refund, id="rfd_2", assets=order.assets))


def test_a_refund_is_done_when_stripe_says_so(account: StripeAccount, cards: StripeCards, order: Order):
    account.slow_refunds = True
    opened = cards.open(order)
    account.pay(opened.reference, NOON)
    refund = refund_of(order, Payment(f"pi_{opened.reference}", order.assets, NOON), order.assets)

    assert cards.refund(refund) is None
    (made,) = account.refunds.values()
    made["status"] = "succeeded"
    assert cards.refund(refund) == made["id"]
    made["status"] = "failed"
    with pytest.raises(RailRefused):
        cards.refund(refund)


def test_another_currency_is_nonsense(account: StripeAccount, cards: StripeCards, order: Order):
    opened = cards.open(order)
    account.pay(opened.reference, NOON, currency="jpy")
    with pytest.raises(RailNonsense):
        cards.read(opened.reference)


def test_what_is_not_whole_cents_is_not_charged(cards: StripeCards, order: Order):
    with pytest.raises(NotWholeCents):
        cards.open(replace(order, assets=AssetUnits(1_000_001)))


def test_a_webhook_says_which_page_it_is_about_and_nothing_else(
    account: StripeAccount, cards: StripeCards, order: Order
):
    opened = cards.open(order)
    session = account.sessions[opened.reference]

    payload, signature = webhook("checkout.session.completed", session, clock())
    assert cards.subject_of(payload, signature) == opened.reference
    other = webhook("charge.refunded", {"id": "ch_1", "object": "charge"}, clock())
    assert cards.subject_of(*other) is None


Shown = Callable[[], tuple[bytes, str]]


def forged() -> Iterator[Shown]:
    """Each made when its test runs: a signature's time is compared with the clock."""
    session = {"id": "cs_1", "object": "checkout.session"}
    kind = "checkout.session.completed"

    def sent(ago: float = 0, secret: str = WEBHOOK_SECRET) -> tuple[bytes, str]:
        return webhook(kind, session, clock() - ago, secret=secret)

    yield lambda: (sent()[0], "")
    yield lambda: (sent()[0], "t=1,v1=00")
    yield lambda: (sent()[0] + b" ", sent()[1])
    yield lambda: (sent()[0], sent()[1].replace("v1=", "v0="))
    yield lambda: (b"\xff", sent()[1])
    yield lambda: sent(secret="whsec_of_another")  # noqa: S106 -- a test's own
    yield lambda: sent(ago=3_600)


@pytest.mark.parametrize("shown", list(forged()))
def test_a_forged_or_old_webhook_is_refused(cards: StripeCards, shown: Shown):
    with pytest.raises(WebhookForged):
        cards.subject_of(*shown())
