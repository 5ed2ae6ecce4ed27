"""Disputes and refunds by hand, as the card rail tells them: by webhook, late, twice, out of order, or only when asked."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from tests.conftest import new_database
from tests.fakes.mint_chain import MintChain, MintSender
from tests.fakes.stripe_account import API_KEY, WEBHOOK_SECRET, InProcess, StripeAccount, webhook
from tests.ledger.samples import GATEWAY, IDENTITY, wallet

from mintery.crypto.keys import PrivateKey
from mintery.domain.card_caps import CardCaps
from mintery.domain.order import Order, OrderStatus, Rail
from mintery.errors import CardCapReached, RailUnavailable, WebhookForged
from mintery.ledger.store import LedgerStore, open_ledger
from mintery.rails.stripe_cards import StripeCards
from mintery.units import AssetUnits
from mintery.usecases.alarms import Alarm
from mintery.usecases.mint_orders import mint_orders
from mintery.usecases.order_desk import OrderDesk, Treasury
from mintery.usecases.place_order import OrderAsked, place_order
from mintery.usecases.show_orders import dispute_in_full, order_in_full
from mintery.usecases.watch_disputes import watch_disputes
from mintery.usecases.watch_orders import hear_webhook, watch_orders

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
DOLLARS = AssetUnits(20_000_000)
KINDS = ("created", "updated", "closed", "funds_withdrawn", "funds_reinstated")


@dataclass
class Counter:
    """One card order that was paid, at a counter with a Stripe account behind it."""

    store: LedgerStore
    account: StripeAccount
    desk: OrderDesk
    order: Order
    now: datetime

    @property
    def intent(self) -> str:
        return f"pi_{self.order.reference}"

    @property
    def found(self) -> Order:
        return self.store.orders.order(self.order.id)

    @property
    def status(self) -> OrderStatus:
        return self.found.status_at(self.now)

    def alarms(self) -> list[str]:
        return [each.why for each in self.desk.alarms.standing()]

    def hear(self, kind: str, about: dict[str, object]) -> Order | None:
        news = webhook(kind, about, datetime.now(UTC).timestamp())
        return hear_webhook(self.desk, *news, self.now)


@pytest.fixture
def counter(request: pytest.FixtureRequest) -> Iterator[Counter]:
    with new_database(request, "sqlite") as database, open_ledger(database.url, IDENTITY) as store:
        there = [NOON]
        account, chain = StripeAccount(lambda: there[0]), MintChain(Random(1), troubled=False)
        key = PrivateKey.from_bytes(b"\x77" * 32)
        cards = StripeCards(API_KEY, WEBHOOK_SECRET, return_url="x", product="x", http_client=InProcess(account))
        desk = OrderDesk(
            chain=chain,  # type: ignore[arg-type]  # what of it a mint needs
            ledger=store,
            gateway=GATEWAY,
            cards=cards,
            treasury=Treasury(key, MintSender(chain, key)),  # type: ignore[arg-type]  # as above
        )
        order = place_order(desk, OrderAsked(wallet(1).account, Rail.CARD, DOLLARS), NOON)
        account.pay(order.reference, NOON)
        watch_orders(desk, NOON)
        there[0] += timedelta(days=1)
        yield Counter(store, account, desk, order, NOON + timedelta(days=2))
        store.check()


def test_any_webhook_of_a_dispute_makes_the_rail_be_asked(counter: Counter):
    told = counter.account.dispute(counter.intent, 2_000)

    for kind in (*KINDS, *KINDS):
        heard = counter.hear(f"charge.dispute.{kind}", {**told, "status": "won", "amount": 1})
        assert heard is not None
        assert heard.status_at(counter.now) is OrderStatus.DISPUTED

    assert "20" in counter.alarms()[0]
    assert counter.store.orders.to_mint(counter.now) == []
    shown = order_in_full(counter.store, counter.found, counter.now, bank_details=None)
    assert (shown["status"], shown["disputed_usd"], shown["disputes"][0]["status"]) == ("disputed", "20", "open")


@pytest.mark.parametrize(
    ("status", "is_"),
    [
        ("warning_closed", OrderStatus.PAID),
        ("prevented", OrderStatus.PAID),
        ("won", OrderStatus.PAID),
        ("lost", OrderStatus.REFUNDED),
    ],
)
def test_what_no_webhook_told_is_found_by_asking(counter: Counter, status: str, is_: OrderStatus):
    told = counter.account.dispute(counter.intent, 2_000)
    assert watch_disputes(counter.desk, counter.now) == 1
    for open_ in ("needs_response", "under_review", "warning_needs_response", "warning_under_review", "something_new"):
        told["status"] = open_
        assert watch_disputes(counter.desk, counter.now) == 0
        assert counter.status is OrderStatus.DISPUTED
    told["status"] = status

    watch_disputes(counter.desk, counter.now)
    assert watch_disputes(counter.desk, counter.now) == 0

    assert counter.status is is_
    assert counter.alarms() == []


def test_an_open_dispute_older_than_the_window_is_asked_for_still(counter: Counter):
    told = counter.account.dispute(counter.intent, 2_000)
    watch_disputes(counter.desk, counter.now)
    told["status"] = "lost"
    counter.now += timedelta(days=400)

    watch_disputes(counter.desk, counter.now)

    assert counter.status is OrderStatus.REFUNDED


def test_a_dispute_of_somebody_elses_payment_concerns_nobody(counter: Counter):
    told = counter.account.dispute("pi_of_a_shop", 5)
    counter.account.disputes["du_x"] = {**told, "id": "du_x", "payment_intent": None}

    assert counter.hear("charge.dispute.created", told) is None
    assert counter.hear("charge.dispute.created", counter.account.disputes["du_x"]) is None
    assert watch_disputes(counter.desk, counter.now) == 0


def test_what_is_not_in_dollars_stops_nothing_and_is_told_to_a_person(counter: Counter):
    """One account may sell other things, in other currencies."""
    counter.account.dispute("pi_of_a_shop", 5)["currency"] = "eur"
    counter.account.refund_by_hand("pi_of_a_shop", 5)["currency"] = "eur"
    assert watch_disputes(counter.desk, counter.now) == 0
    assert counter.alarms() == []

    counter.account.dispute(counter.intent, 1_900)["currency"] = "eur"
    counter.account.dispute(counter.intent, 100)
    assert watch_disputes(counter.desk, counter.now) == 1

    assert sum("not in dollars" in why for why in counter.alarms()) == 1
    assert counter.found.disputed == 1_000_000


def test_a_forged_webhook_of_a_dispute_freezes_nothing(counter: Counter):
    told = counter.account.dispute(counter.intent, 2_000)
    forged = webhook("charge.dispute.created", told, datetime.now(UTC).timestamp(), secret="whsec_of_another")  # noqa: S106

    with pytest.raises(WebhookForged):
        hear_webhook(counter.desk, *forged, counter.now)

    assert counter.status is OrderStatus.PAID


def test_a_rail_that_contradicts_itself_is_told_to_a_person(counter: Counter):
    told = counter.account.dispute(counter.intent, 2_000, "lost")
    watch_disputes(counter.desk, counter.now)
    told["status"] = "won"

    watch_disputes(counter.desk, counter.now)

    assert counter.status is OrderStatus.REFUNDED
    assert any("had ended as lost" in why for why in counter.alarms())


@pytest.mark.parametrize("outcome", ["won", "lost"])
def test_another_amount_of_a_dispute_is_told_to_a_person_and_keeps_it_from_no_end(counter: Counter, outcome: str):
    told = counter.account.dispute(counter.intent, 2_000)
    watch_disputes(counter.desk, counter.now)
    told["amount"] = 1_500
    watch_disputes(counter.desk, counter.now)
    assert ["of 20 dollars" in why for why in counter.alarms()] == [True]
    assert counter.status is OrderStatus.DISPUTED

    told["status"] = outcome
    assert watch_disputes(counter.desk, counter.now) == 1

    assert counter.status is (OrderStatus.PAID if outcome == "won" else OrderStatus.REFUNDED)
    assert ["took 15 dollars" in why for why in counter.alarms()] == ([] if outcome == "won" else [True])


def test_a_silent_rail_is_an_alarm_until_it_answers(counter: Counter):
    told = counter.account.dispute(counter.intent, 2_000)
    counter.account.silent = 1
    with pytest.raises(RailUnavailable):
        counter.hear("charge.dispute.created", told)
    counter.account.silent = 1

    watch_disputes(counter.desk, counter.now)
    assert counter.status is OrderStatus.PAID
    assert len(counter.alarms()) == 1

    watch_disputes(counter.desk, counter.now)
    assert counter.status is OrderStatus.DISPUTED
    assert [each.alarm for each in counter.desk.alarms.standing()] == [Alarm.DISPUTED]


@pytest.mark.parametrize("kind", ["charge.refunded", "refund.created", "charge.refund.updated"])
def test_a_refund_by_hand_is_counted_once_and_cancels_an_order_without_credits(counter: Counter, kind: str):
    told = counter.account.refund_by_hand(counter.intent, 500)

    for _ in range(2):
        counter.hear(kind, {"object": "charge", "id": "x", "payment_intent": counter.intent})
        watch_disputes(counter.desk, counter.now)
    for _ in range(2):
        watch_orders(counter.desk, counter.now)
        watch_disputes(counter.desk, counter.now)

    assert counter.account.refunded(counter.intent) == 2_000  # the rest went back by itself
    assert (counter.status, counter.found.refunded) == (OrderStatus.REFUNDED, DOLLARS)
    assert [each.id for each in counter.store.disputes.outside_refunds_of(counter.order.id)] == [told["id"]]
    assert mint_orders(counter.desk, counter.now) == 0


def paid_late(counter: Counter) -> None:
    """The counter's order becomes one whose payment goes back whole."""
    placed_at = NOON + timedelta(days=1)
    late = place_order(counter.desk, OrderAsked(wallet(2).account, Rail.CARD, DOLLARS), placed_at)
    counter.account.pay(late.reference, late.expires_at)
    counter.order, counter.now = late, placed_at + timedelta(hours=1)
    counter.hear("checkout.session.completed", counter.account.sessions[late.reference])


@pytest.mark.parametrize("taken", ["by hand", "by a dispute"])
def test_of_a_refund_that_is_due_what_was_taken_already_does_not_hold_back_the_rest(counter: Counter, taken: str):
    paid_late(counter)
    if taken == "by hand":
        counter.account.refund_by_hand(counter.intent, 500)
    else:
        counter.account.dispute(counter.intent, 500, "lost")
    watch_disputes(counter.desk, counter.now)

    for minute in range(2):
        watch_orders(counter.desk, counter.now + timedelta(minutes=minute))

    assert counter.account.refunded(counter.intent) + counter.account.lost(counter.intent) == 2_000
    assert (counter.status, counter.store.orders.refunds_due()) == (OrderStatus.REFUNDED, [])
    assert counter.alarms() == []


def test_a_refund_that_is_due_waits_for_the_dispute_and_is_not_made_twice(counter: Counter):
    counter.account.slow_refunds = True
    paid_late(counter)
    told = counter.account.dispute(counter.intent, 2_000)
    hear = {"object": "dispute", "id": told["id"], "payment_intent": counter.intent}
    counter.hear("charge.dispute.created", hear)

    watch_orders(counter.desk, counter.now)
    assert counter.account.refunded(counter.intent) == 0
    told["status"] = "lost"
    watch_disputes(counter.desk, counter.now)
    watch_orders(counter.desk, counter.now + timedelta(days=1))

    assert counter.account.refunded(counter.intent) == 0
    assert counter.status is OrderStatus.REFUNDED


def test_the_operator_sees_where_the_credits_of_a_lost_dispute_are(counter: Counter):
    counter.account.dispute(counter.intent, 2_000, "lost")
    watch_disputes(counter.desk, counter.now)

    (recorded,) = counter.store.disputes.recent()
    shown = dispute_in_full(counter.store, recorded)

    assert (shown["status"], shown["lost_usd"], shown["minted"], shown["lot"]) == ("lost", "20", False, None)


def test_two_disputes_of_one_payment_end_apart(counter: Counter):
    first, second = (counter.account.dispute(counter.intent, cents) for cents in (1_500, 500))
    watch_disputes(counter.desk, counter.now)
    assert counter.found.disputed == DOLLARS
    first["status"], second["status"] = "won", "lost"

    watch_disputes(counter.desk, counter.now)

    found = counter.found
    assert (found.disputed, found.lost) == (0, 5_000_000)
    # It had no credits yet: they are not created any more, and what no dispute took goes back.
    (due,) = counter.store.orders.refunds_due()
    assert due.assets == 15_000_000
    assert replace(found, refunded=due.assets).status_at(counter.now) is OrderStatus.REFUNDED


def capped(counter: Counter, *, holder: int = 50, whole: int = 1_000) -> None:
    """Dollars; 20 of them are paid already."""
    caps = CardCaps(AssetUnits(holder * 1_000_000), AssetUnits(whole * 1_000_000))
    counter.desk = replace(counter.desk, card_caps=caps)


def ordered(counter: Counter, holder: int, usd: int, now: datetime, key: str | None = None) -> Order:
    asked = OrderAsked(wallet(holder).account, Rail.CARD, AssetUnits(usd * 1_000_000), idempotency_key=key)
    return place_order(counter.desk, asked, now)


def test_a_holder_orders_no_more_by_card_than_the_days_cap_and_no_page_is_opened(counter: Counter):
    capped(counter)
    ordered(counter, 1, 30, NOON, key="one")
    ordered(counter, 1, 30, NOON, key="one")

    with pytest.raises(CardCapReached, match="0 dollars more") as refused:
        ordered(counter, 1, 1, NOON)
    assert (refused.value.whose, refused.value.limit) == ("holder", 0)
    assert len(counter.account.sessions) == 2
    ordered(counter, 2, 50, NOON)

    # What was not paid in time is no burden any more, and what was paid is for a day.
    ordered(counter, 1, 30, NOON + timedelta(minutes=32))
    with pytest.raises(CardCapReached):
        ordered(counter, 1, 50, NOON + timedelta(hours=23))
    ordered(counter, 1, 50, NOON + timedelta(days=1, seconds=1))


def test_who_pays_nothing_shuts_nobody_out(counter: Counter):
    capped(counter, whole=60)
    for holder in range(2, 6):
        ordered(counter, holder, 40, NOON)

    with pytest.raises(CardCapReached) as refused:
        ordered(counter, 6, 41, NOON)
    assert (refused.value.whose, refused.value.limit) == ("whole", 40_000_000)


def test_credits_above_the_days_cap_of_all_wait_for_the_next_day(counter: Counter):
    there = NOON + timedelta(days=1)
    capped(counter, whole=60)
    orders = [ordered(counter, holder, 40, there) for holder in (2, 3)]
    for order in orders:
        counter.account.pay(order.reference, there)
    watch_orders(counter.desk, there)

    assert mint_orders(counter.desk, there) == 2  # the first of 20, and one of 40
    assert len(counter.store.orders.unminted()) == 1
    assert any("daily cap of cards (whole)" in why for why in counter.alarms())
    assert mint_orders(counter.desk, there + timedelta(hours=23)) == 0
    assert mint_orders(counter.desk, there + timedelta(days=2)) == 1


def test_a_payment_lies_before_its_credits_are_created(counter: Counter):
    counter.desk = replace(counter.desk, card_hold=timedelta(days=7))
    assert mint_orders(counter.desk, NOON + timedelta(days=6, hours=23)) == 0
    told = counter.account.dispute(counter.intent, 2_000)
    watch_disputes(counter.desk, counter.now)
    assert mint_orders(counter.desk, NOON + timedelta(days=8)) == 0

    told["status"] = "won"
    watch_disputes(counter.desk, counter.now)
    assert mint_orders(counter.desk, NOON + timedelta(days=8)) == 1
