"""Random histories of a card order: webhooks doubled, late, out of order, forged and lost, silent rails, crashes between any
two steps. However it goes, the order ends as its payer left it, and credits are created once or not at all.

A hundred histories run each time; ``MINTERY_TEST_HISTORIES=1000`` runs as many as are asked for.
"""

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from random import Random

import pytest
from tests.conftest import new_database
from tests.fakes.mint_chain import MintChain, MintSender
from tests.fakes.stripe_account import API_KEY, WEBHOOK_SECRET, InProcess, StripeAccount, webhook
from tests.ledger.samples import GATEWAY, IDENTITY, wallet

from mintery.crypto.keys import PrivateKey
from mintery.domain.order import Order, OrderId, OrderStatus, Rail
from mintery.errors import LedgerUnavailable, RailError, WebhookForged
from mintery.ledger.commands import Command, Result
from mintery.ledger.store import LedgerStore, open_ledger
from mintery.rails.stripe_cards import StripeCards
from mintery.units import AssetUnits
from mintery.usecases.mint_orders import mint_orders, mint_salt
from mintery.usecases.order_desk import OrderDesk, Treasury
from mintery.usecases.place_order import OrderAsked, place_order
from mintery.usecases.send_calls import send_calls
from mintery.usecases.watch_disputes import watch_disputes
from mintery.usecases.watch_orders import cancel_order, hear_webhook, watch_orders

HISTORIES = int(os.environ.get("MINTERY_TEST_HISTORIES", "100"))
IN_ONE_LEDGER = 25
DISPUTED = ("needs_response", "under_review", "warning_needs_response", "warning_under_review")
ENDED = ("won", "lost", "warning_closed")
KINDS = ("completed", "expired", "async_payment_succeeded", "async_payment_failed")


class Payer(StrEnum):
    """What really happens."""

    PAYS = "pays"
    PAYS_LATE = "pays_late"
    LEAVES = "leaves"
    CANCELS = "cancels"


class Trouble(StrEnum):
    """What comes of a payment afterwards."""

    NONE = "none"
    DISPUTE = "dispute"
    BY_HAND = "by_hand"


class Crash(Exception):
    """This process is gone."""


@dataclass
class CrashingLedger:
    """Now and then a process dies before a commit, or after it and before it knows."""

    store: LedgerStore
    random: Random
    trouble: float = 0.15

    @property
    def orders(self):  # type: ignore[no-untyped-def]  # as the store's
        return self.store.orders

    @property
    def disputes(self):  # type: ignore[no-untyped-def]  # as the store's
        return self.store.disputes

    @property
    def chain_calls(self):  # type: ignore[no-untyped-def]  # as the store's
        return self.store.chain_calls

    @property
    def postponed(self):  # type: ignore[no-untyped-def]  # as the store's
        return self.store.postponed

    def commit(self, commands: Sequence[Command]) -> Sequence[Result]:
        fate = self.random.random()
        if fate < self.trouble:
            raise Crash
        results = self.store.commit(commands)
        if fate > 1 - self.trouble:
            raise Crash
        return results


@dataclass
class World:
    store: LedgerStore
    random: Random
    now: datetime = datetime(2026, 11, 21, 12, tzinfo=UTC)
    account: StripeAccount = field(init=False)
    chain: MintChain = field(init=False)
    ledger: CrashingLedger = field(init=False)
    desk: OrderDesk = field(init=False)

    def __post_init__(self) -> None:
        self.account = StripeAccount(lambda: self.now)
        self.chain = MintChain(self.random)
        self.ledger = CrashingLedger(self.store, self.random)
        key = PrivateKey.from_bytes(b"\x77" * 32)
        self.desk = OrderDesk(
            chain=self.chain,  # type: ignore[arg-type]  # what of it a mint needs
            ledger=self.ledger,
            gateway=GATEWAY,
            cards=StripeCards(
                API_KEY,
                WEBHOOK_SECRET,
                return_url="https://here/{order}",
                product="AI credits",
                http_client=InProcess(self.account),
            ),
            treasury=Treasury(key, MintSender(self.chain, key)),  # type: ignore[arg-type]  # as above
        )

    def somehow(self, act: Callable[[], object]) -> None:
        """It may meet a silent rail or a crash, and then nobody goes on with it."""
        self.account.silent = self.random.choice((0, 0, 0, 1))
        self.account.answers_lost = self.random.random() < 0.5
        with suppress(Crash, RailError, LedgerUnavailable):
            act()
        self.account.silent = 0

    def jobs(self) -> None:
        for job in (watch_orders, watch_disputes, mint_orders, send_calls):
            self.somehow(lambda job=job: job(self.desk, self.now))  # type: ignore[misc]  # a default binds it
        self.chain.mine()


@dataclass
class History:
    """One order and its payer."""

    world: World
    payer: Payer
    order: Order
    key: str
    paid: bool = False
    trouble: Trouble = Trouble.NONE

    def step(self) -> None:
        """Something that may happen at any time, in any order, and more than once."""
        world, random = self.world, self.world.random
        kind = random.choice(KINDS)
        session = world.account.sessions.get(self.session or "")
        match random.randrange(6):
            case 0 | 1 if session is not None:
                news = webhook(f"checkout.session.{kind}", session, datetime.now(UTC).timestamp())
                world.somehow(lambda: hear_webhook(world.desk, *news, world.now))
            case 2 if session is not None:
                self.forge(f"checkout.session.{kind}", {**session, "status": "complete", "payment_status": "paid"})
            case 3:
                world.somehow(self.place)
            case 4:
                world.jobs()
            case _:
                world.now += timedelta(minutes=random.choice((0, 1, 5)))

    def forge(self, kind: str, session: dict[str, object]) -> None:
        payload, signature = webhook(kind, session, datetime.now(UTC).timestamp(), secret="whsec_of_another")  # noqa: S106
        old = webhook(kind, session, datetime.now(UTC).timestamp() - 3_600)
        for shown in ((payload, signature), old, (payload, ""), (payload, "t=1,v1=00"), (b"\xff{", signature)):
            with pytest.raises(WebhookForged):
                hear_webhook(self.world.desk, *shown, self.world.now)

    def place(self) -> None:
        """The client asks again, with its key, until it knows the order."""
        asked = OrderAsked(self.order.account, Rail.CARD, self.order.assets, idempotency_key=self.key)
        place_order(self.world.desk, asked, self.world.now)

    @property
    def recorded(self) -> Order | None:
        orders = self.world.store.orders.of_holder(self.order.account.holder, limit=1_000)
        return next((each for each in orders if each.idempotency_key == self.key), None)

    @property
    def session(self) -> str | None:
        return None if self.recorded is None else self.recorded.reference

    def pay(self) -> None:
        recorded = self.recorded
        if recorded is None or recorded.reference is None:
            return
        late = self.payer is Payer.PAYS_LATE
        at = recorded.expires_at + timedelta(seconds=self.world.random.randrange(60)) if late else self.world.now
        if late or at < recorded.expires_at:
            self.paid |= self.world.account.pay(recorded.reference, at)

    def live(self) -> None:
        world, random = self.world, self.world.random
        while self.session is None:
            world.somehow(self.place)
        for _ in range(random.randrange(6)):
            self.step()
        if self.payer in {Payer.PAYS, Payer.PAYS_LATE}:
            self.pay()
        self.make_trouble()
        if self.payer is Payer.CANCELS and (recorded := self.recorded) is not None:
            world.somehow(lambda: cancel_order(world.desk, recorded.id, world.now))
        for _ in range(random.randrange(8)):
            self.step()

    @property
    def intent(self) -> str:
        return f"pi_{self.session}"

    def make_trouble(self) -> None:
        """The payer's bank, or the operator by hand; told by any webhooks, in any order, or by none."""
        world, random = self.world, self.world.random
        if not self.paid or self.trouble is Trouble.NONE:
            return
        for _ in range(random.randrange(5)):
            self.step()
        whole = self.order.assets // 10_000
        cents = whole if self.payer is Payer.PAYS_LATE or random.random() < 0.5 else random.randrange(1, whole)
        if self.trouble is Trouble.BY_HAND:
            if world.account.refunded(self.intent) == 0:
                self.hear("charge.refunded", world.account.refund_by_hand(self.intent, cents))
            return
        if world.account.refunded(self.intent) == 0:
            told = world.account.dispute(self.intent, cents, random.choice(DISPUTED))
            for _ in range(random.randrange(4)):
                self.hear(f"charge.dispute.{random.choice(('created', 'updated', 'closed'))}", told)
                self.step()
            # While a bank only asks, the money may go back: then nothing is left to be lost.
            given = world.account.refunded(self.intent) > 0
            told["status"] = "warning_closed" if given else random.choice((*DISPUTED, *ENDED))
            self.hear("charge.dispute.closed", told)

    def hear(self, kind: str, about: dict[str, object]) -> None:
        for _ in range(self.world.random.randrange(3)):
            news = webhook(kind, about, datetime.now(UTC).timestamp())
            self.world.somehow(lambda news=news: hear_webhook(self.world.desk, *news, self.world.now))  # type: ignore[misc]  # a default binds it

    def check(self) -> None:
        """What must be true when nothing is under way any more."""
        world, recorded = self.world, self.recorded
        assert recorded is not None
        assert recorded.reference is not None
        status = recorded.status_at(world.now)
        minted = [credits_ for salt, credits_ in world.chain.minted if salt == mint_salt(recorded.id)]
        intent = f"pi_{recorded.reference}"
        refunded = world.account.refunded(intent)
        session = world.account.sessions[recorded.reference]
        if not self.paid:
            assert session["payment_status"] == "unpaid"
            assert (status in {OrderStatus.EXPIRED, OrderStatus.FAILED}, minted, refunded) == (True, [], 0)
            return
        assert (recorded.refunded, recorded.lost) == (refunded * 10_000, world.account.lost(intent) * 10_000)
        assert recorded.refunded + recorded.lost <= recorded.assets
        if intent in {each["payment_intent"] for each in world.account.disputes.values()} or self.trouble_by_hand:
            self.check_trouble(recorded, status, minted)
            return
        in_time = session["payment_intent"]["latest_charge"]["created"] < recorded.expires_at.timestamp()
        whole = recorded.assets // 10_000
        if recorded.failed_at is None and in_time:
            assert (status, minted, refunded) == (OrderStatus.PAID, [recorded.assets * 10**12], 0)
        else:
            assert (status, minted, refunded) == (OrderStatus.REFUNDED, [], whole)
        assert [payment.id for payment in world.store.orders.payments_of(recorded.id)] == [intent]
        assert recorded.closed_at is not None

    @property
    def trouble_by_hand(self) -> bool:
        refunds = self.world.account.refunds.values()
        return any(each["payment_intent"] == self.intent and not each["metadata"] for each in refunds)

    def check_trouble(self, recorded: Order, status: OrderStatus, minted: list[int]) -> None:
        """Credits were created whole or not at all, and where not, all of the money that no open dispute asks for went back."""
        open_ = sum(
            each["amount"] * 10_000
            for each in self.world.account.disputes.values()
            if each["payment_intent"] == self.intent and each["status"] in DISPUTED
        )
        assert recorded.disputed == open_
        back = recorded.refunded + recorded.lost
        gone = back >= recorded.assets
        assert (status is OrderStatus.REFUNDED) is gone
        assert (status is OrderStatus.DISPUTED) is (not gone and open_ > 0)
        assert minted in ([], [recorded.assets * 10**12])
        if not minted:
            assert gone or open_
        elif not self.trouble_by_hand:
            assert recorded.refunded == 0


@pytest.mark.parametrize("part", range(-(-HISTORIES // IN_ONE_LEDGER)))
def test_every_history_ends_right(request: pytest.FixtureRequest, part: int):
    random = Random(part)
    with new_database(request, "sqlite") as database, open_ledger(database.url, IDENTITY) as store:
        world = World(store, random)
        histories = []
        for number in range(IN_ONE_LEDGER):
            order = Order(
                id=OrderId(f"ord_{number:032x}"),
                account=wallet(number + 1).account,
                rail=Rail.CARD,
                assets=AssetUnits(10_000 * random.randrange(100, 10_000)),
                placed_at=world.now,
                expires_at=world.now + timedelta(hours=1),
            )
            history = History(world, random.choice(list(Payer)), order, key=f"key-{number}")
            history.trouble = random.choice(list(Trouble))
            histories.append(history)
        random.shuffle(histories)
        for history in histories:
            history.live()
        end(world)

        for history in histories:
            history.check()
        salts = [salt for salt, _ in world.chain.minted]
        assert len(salts) == len(set(salts))
        assert store.orders.unminted() == []
        assert store.chain_calls.open() == []
        disputed = {each.id for each in (history.recorded for history in histories) if each.disputed or each.lost}
        assert {each.order for each in store.orders.refunds_due()} <= disputed
        store.check()


def end(world: World) -> None:
    """The trouble is over: the jobs run on until nothing changes."""
    world.ledger.trouble, world.chain.troubled = 0.0, False
    world.now += timedelta(
        hours=25
    )  # what Stripe refused under a refund's key while a dispute was open, it has forgotten
    for _ in range(6):
        for job in (watch_orders, watch_disputes, mint_orders, send_calls):
            job(world.desk, world.now)
        world.chain.mine()
        world.now += timedelta(minutes=11)  # what was put off is tried again by then
