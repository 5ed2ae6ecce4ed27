"""A dispute freezes what is left of its order's lot, and nothing else; on both databases."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from random import Random

import pytest
from sqlalchemy.exc import DBAPIError
from tests.conftest import new_database
from tests.databases import Database
from tests.ledger.orders import DOLLARS, a_payment, an_order, found, take
from tests.ledger.samples import IDENTITY, NOON, Chain, Wallet, capture, deposit, place, wallet

from mintery.domain.chain_call import CallId, CallKind, ChainCall, Effect
from mintery.domain.dispute import Dispute, DisputeOutcome, OutsideRefund
from mintery.domain.order import Order, OrderStatus, Rail, Refund, RefundKind
from mintery.domain.voucher import Address
from mintery.ledger.commands import Done, HoldPlaced, HoldRefused, NotWritten, SealRows
from mintery.ledger.commands_calls import EndCall, FailCall, MintOrder
from mintery.ledger.commands_chain import ReleasedSeen
from mintery.ledger.commands_disputes import RefreezeLots, TakeDispute, TakeOutsideRefund
from mintery.ledger.commands_lots import TraceLots
from mintery.ledger.commands_orders import FinishRefund, PlaceOrder, ReturnPayment
from mintery.ledger.commands_refunds import AskRefund, OweUnused
from mintery.ledger.store import LedgerStore, open_ledger
from mintery.units import AssetUnits, CreditUnits, NanoCredits

ALICE = wallet(1)
NOBODY = Address("0x" + "00" * 20)
ORDER = an_order()
PAID = f"pay_{ORDER.id}"
LATER = NOON + timedelta(days=3)
WON, LOST = DisputeOutcome.WON, DisputeOutcome.LOST


def call(subject: str, kind: CallKind) -> ChainCall:
    return ChainCall(
        subject=subject,
        kind=kind,
        to=NOBODY,
        calldata=f"{subject}/{kind}".encode(),
        authority=None,
        first_block=1,
        planned_at=NOON,
    )


def follow(ledger: LedgerStore) -> None:
    ledger.commit([SealRows(1_000, NOON), TraceLots(1_000)])


def accepted(ledger: LedgerStore, order: Order = ORDER) -> None:
    ledger.commit([PlaceOrder(order), take(order, a_payment(order))])


def minting(ledger: LedgerStore, order: Order = ORDER) -> None:
    accepted(ledger, order)
    calls = (call(order.id, CallKind.MINT), call(order.id, CallKind.DEPOSIT))
    ledger.commit([MintOrder(order.id, calls, NOON)])


def brought(ledger: LedgerStore, lot: int, order: Order = ORDER) -> None:
    """The lot's deposit is told to be the order's."""
    reference = ledger.lots.lot(lot).reference
    block, _, index = reference.partition("/")
    effect = Effect("0xaa", block, 1, int(index), NOON, CreditUnits(1))
    assert ledger.commit([EndCall(CallId(f"{order.id}/deposit"), effect)]) == [Done(1)]


def credited(ledger: LedgerStore, chain: Chain, *, others: int = 0, of: Wallet = ALICE) -> int:
    """The lot of 100 that the order brought, after another one of ``others``."""
    minting(ledger)
    if others:
        ledger.commit([chain.block(deposit(of, others))])
    ledger.commit([chain.block(deposit(of, 100))])
    follow(ledger)
    lot = ledger.lots.of_accounts([of.id])[0].id
    brought(ledger, lot)
    return lot


def disputed(
    outcome: DisputeOutcome | None = None, *, name: str = "du_1", assets: int = DOLLARS, order: Order = ORDER
) -> TakeDispute:
    told = Dispute(name, f"pay_{order.id}", AssetUnits(assets), "fraudulent", LATER, outcome)
    return TakeDispute(order.id, told, "rail", LATER)


def by_hand(name: str = "re_9", assets: int = DOLLARS) -> TakeOutsideRefund:
    return TakeOutsideRefund(ORDER.id, OutsideRefund(name, PAID, AssetUnits(assets), LATER), "rail", LATER)


def ask(lot: int, amount: int, name: str = "rfd_1") -> AskRefund:
    return AskRefund(name, lot, NanoCredits(amount), "wallet", (call(name, CallKind.RELEASE),), NOON)


def spendable(ledger: LedgerStore, of: Wallet = ALICE) -> int:
    balance = ledger.account(of.id)
    return max(0, balance.available - balance.exiting)


def spent(ledger: LedgerStore, number: int, amount: int) -> bool:
    placed = place(number, ALICE, amount)
    (answer,) = ledger.commit([placed])
    if isinstance(answer, HoldPlaced):
        ledger.commit([capture(placed, ALICE, amount)])
    return isinstance(answer, HoldPlaced)


def status(ledger: LedgerStore) -> OrderStatus:
    return found(ledger, ORDER).status_at(LATER)


def test_a_dispute_freezes_what_is_left_until_it_is_won(ledger: LedgerStore, chain: Chain):
    lot = credited(ledger, chain, others=30)
    assert spent(ledger, 1, 40)  # 30 of the older lot, 10 of this one
    follow(ledger)
    assert status(ledger) is OrderStatus.PAID

    ledger.commit([disputed(), disputed()])

    assert (status(ledger), spendable(ledger)) == (OrderStatus.DISPUTED, 0)
    refused = ledger.commit([place(2, ALICE, 1), ask(lot, 1)])
    assert isinstance(refused[0], HoldRefused)
    assert isinstance(refused[1], NotWritten)
    ledger.commit([chain.block(deposit(ALICE, 7))])
    assert spendable(ledger) == 7
    ledger.check()

    ledger.commit([disputed(WON), disputed(WON)])
    assert (status(ledger), spendable(ledger)) == (OrderStatus.PAID, 97)
    ledger.check()


def test_what_is_lost_stays_frozen_and_is_used_by_nothing_else(ledger: LedgerStore, chain: Chain):
    lot = credited(ledger, chain)
    ledger.commit([chain.block(deposit(ALICE, 50)), disputed(LOST)])
    assert (status(ledger), spendable(ledger)) == (OrderStatus.REFUNDED, 50)

    assert spent(ledger, 1, 50)
    follow(ledger)

    assert (ledger.lots.lot(lot).remaining, spendable(ledger)) == (100, 0)
    assert not spent(ledger, 2, 1)
    ledger.check()


def test_only_the_disputed_part_is_frozen_and_never_more_than_the_lot_has(ledger: LedgerStore, chain: Chain):
    credited(ledger, chain)
    half = DOLLARS // 2
    ledger.commit([disputed(assets=half)])
    assert spendable(ledger) == 50

    ledger.commit([disputed(assets=half + 1, name="du_2")])
    assert spendable(ledger) == 0
    ledger.commit([disputed(assets=DOLLARS, name="du_3")])
    assert (spendable(ledger), ledger.account(ALICE.id).frozen) == (0, 100)

    ledger.commit([disputed(WON, assets=half), disputed(WON, name="du_3"), disputed(WON, assets=half + 1, name="du_2")])
    assert spendable(ledger) == 100
    ledger.check()


def test_what_is_held_when_the_dispute_comes_may_end_and_no_more_is_frozen_than_is_left(
    ledger: LedgerStore, chain: Chain
):
    credited(ledger, chain)
    placed = place(1, ALICE, 60)
    ledger.commit([placed, disputed()])

    ledger.commit([capture(placed, ALICE, 60)])
    follow(ledger)

    assert ledger.account(ALICE.id).frozen == 40
    ledger.commit([chain.block(deposit(ALICE, 5))])
    assert spendable(ledger) == 5
    ledger.check()


def test_credits_that_come_after_the_dispute_are_frozen_as_they_come(ledger: LedgerStore, chain: Chain):
    """Minted already, and on their way when the dispute is told: whichever is known first."""
    minting(ledger)
    ledger.commit([disputed(), chain.block(deposit(ALICE, 100))])
    follow(ledger)
    brought(ledger, ledger.lots.of_accounts([ALICE.id])[0].id)
    assert spendable(ledger) == 0
    ledger.check()


def test_credits_whose_call_was_told_before_they_were_followed_are_frozen(ledger: LedgerStore, chain: Chain):
    minting(ledger)
    block = chain.block(deposit(ALICE, 100))
    ledger.commit([disputed(), block])
    effect = Effect("0xaa", block.block.hash, 1, 0, NOON, CreditUnits(1))
    ledger.commit([SealRows(1_000, NOON)])
    ledger.commit([EndCall(CallId(f"{ORDER.id}/deposit"), effect), TraceLots(1_000)])

    assert ledger.lots.of_accounts([ALICE.id])[0].reference == f"{block.block.hash}/0"
    assert spendable(ledger) == 0
    ledger.check()


@pytest.mark.parametrize("outcome", [None, LOST])
def test_no_credits_are_created_for_what_is_disputed(
    ledger: LedgerStore, database: Database, outcome: DisputeOutcome | None
):
    accepted(ledger)
    ledger.commit([disputed(outcome)])

    answers = ledger.commit(
        [MintOrder(ORDER.id, (), NOON), ReturnPayment(ORDER.id, "a person wants it", "operator", LATER)]
    )

    assert ledger.orders.unminted() == []
    assert isinstance(answers[0], NotWritten)
    assert isinstance(answers[1], NotWritten if outcome is None else type(answers[1]))
    assert ledger.orders.refunds_due() == []
    with pytest.raises(DBAPIError):
        database.run(f"UPDATE orders SET minting_at = {10**15}")  # noqa: S608 -- a number

    ledger.commit([disputed(WON)])
    assert [each.id for each in ledger.orders.unminted()] == ([ORDER.id] if outcome is None else [])


def test_what_has_ended_stays_ended(ledger: LedgerStore, database: Database, chain: Chain):
    credited(ledger, chain)
    ledger.commit([disputed(LOST)])

    answers = ledger.commit([disputed(WON), disputed(), disputed(LOST, assets=5)])

    assert all(isinstance(answer, NotWritten) for answer in answers)
    assert (spendable(ledger), status(ledger)) == (0, OrderStatus.REFUNDED)
    for statement in (
        "UPDATE disputes SET outcome = 'won'",
        "UPDATE disputes SET assets = 1",
        "DELETE FROM disputes",
        "UPDATE orders SET lost = 0",
        "UPDATE orders SET disputed = -1",
    ):
        with pytest.raises(DBAPIError):
            database.run(statement)


@pytest.mark.parametrize(("outcome", "left"), [(WON, 100), (LOST, 25)])
def test_a_dispute_whose_amount_the_rail_changed_ends_with_the_one_that_was_told_first(
    ledger: LedgerStore, chain: Chain, outcome: DisputeOutcome, left: int
):
    credited(ledger, chain)
    first, later = 3 * DOLLARS // 4, DOLLARS // 4
    answers = ledger.commit([disputed(assets=first), disputed(assets=later)])
    assert isinstance(answers[1], NotWritten)
    assert "15 dollars" in answers[1].why
    assert spendable(ledger) == 25

    ledger.commit([disputed(outcome, assets=later)])

    assert (spendable(ledger), ledger.disputes.open()) == (left, [])
    ended = ledger.orders.events_of(ORDER.id)[-1]
    assert (ended.facts["assets"], ended.facts["counted"]) == (str(later), str(first))
    ledger.check()


def test_a_dispute_of_another_orders_payment_is_refused(ledger: LedgerStore):
    other = an_order(2)
    accepted(ledger)
    accepted(ledger, other)
    stray = TakeDispute(ORDER.id, disputed(order=other).dispute, "rail", LATER)
    bank = an_order(3, Rail.BANK)
    ledger.commit([PlaceOrder(bank)])

    answers = ledger.commit([stray, disputed(order=bank), disputed(order=an_order(9))])

    assert all(isinstance(answer, NotWritten) for answer in answers)


def test_what_was_given_back_by_hand_is_frozen_for_good_and_never_given_back_again(ledger: LedgerStore, chain: Chain):
    lot = credited(ledger, chain)
    part = DOLLARS // 4
    ledger.commit([by_hand(assets=part), by_hand(assets=part)])
    order = found(ledger, ORDER)
    assert (order.refunded, status(ledger), spendable(ledger)) == (part, OrderStatus.PAID, 75)

    ledger.commit([ask(lot, 75), ask(lot, 76, "rfd_2")])
    answers = ledger.commit([owe(DOLLARS - part + 1), owe(DOLLARS - part)])
    assert isinstance(answers[0], NotWritten)
    assert answers[1] == Done(0)  # way "wallet": nothing of it goes over the rail, and the amount was no obstacle

    ledger.commit([by_hand("re_10", DOLLARS - part)])
    assert (found(ledger, ORDER).refunded, status(ledger)) == (DOLLARS, OrderStatus.REFUNDED)
    assert spendable(ledger) == 0
    ledger.check()


def owe(assets: int) -> OweUnused:
    refund = Refund(
        id="rfd_1_back",
        order=ORDER.id,
        rail=Rail.CARD,
        payment=PAID,
        kind=RefundKind.UNUSED,
        why="x",
        assets=AssetUnits(assets),
        due_at=LATER,
    )
    return OweUnused("rfd_1", refund)


def unused_owed(ledger: LedgerStore, chain: Chain) -> None:
    """40 of the lot's 100 credits were taken out of it, and eight of its twenty dollars are due over the rail."""
    lot = credited(ledger, chain)
    asked = AskRefund("rfd_1", lot, NanoCredits(40), "rail", (call("rfd_1", CallKind.RELEASE),), NOON)
    ledger.commit([asked, chain.block(ReleasedSeen(ALICE.id, NanoCredits(40)))])
    follow(ledger)
    assert ledger.commit([owe(8_000_000)]) == [Done(1)]


@pytest.mark.parametrize("first", ["heard", "marked"])
def test_what_is_owed_over_the_rail_and_was_given_back_by_hand_is_done_and_claims_nothing(
    ledger: LedgerStore, chain: Chain, first: str
):
    unused_owed(ledger, chain)
    heard, marked = by_hand("re_x", 8_000_000), FinishRefund("rfd_1_back", "re_x", "operator", LATER)

    ledger.commit([heard, marked, heard] if first == "heard" else [marked, heard, marked])

    assert ledger.orders.refunds_due() == []
    assert (found(ledger, ORDER).refunded, spendable(ledger)) == (8_000_000, 60)
    ledger.check()


@pytest.mark.parametrize("first", ["heard", "marked"])
def test_of_a_refund_by_hand_what_was_not_owed_is_claimed(ledger: LedgerStore, chain: Chain, first: str):
    unused_owed(ledger, chain)
    heard, marked = by_hand("re_x", 10_000_000), FinishRefund("rfd_1_back", "re_x", "operator", LATER)

    ledger.commit([heard, marked] if first == "heard" else [marked, heard])

    assert ledger.orders.refunds_due() == []
    assert (found(ledger, ORDER).refunded, spendable(ledger)) == (10_000_000, 50)
    ledger.check()


def test_what_is_owed_over_the_rail_waits_for_the_dispute(ledger: LedgerStore, chain: Chain):
    lot = credited(ledger, chain)
    ledger.commit([ask(lot, 50), disputed()])
    assert ledger.account(ALICE.id).frozen == 50

    (refused,) = ledger.commit([owe(DOLLARS // 2)])
    assert isinstance(refused, NotWritten)

    ledger.commit([disputed(WON)])
    assert not isinstance(ledger.commit([owe(DOLLARS // 2)])[0], NotWritten)


def test_a_refund_that_fails_frees_nothing_of_what_is_disputed(ledger: LedgerStore, chain: Chain):
    lot = credited(ledger, chain)
    ledger.commit([ask(lot, 50), disputed(LOST)])
    ledger.commit([FailCall(CallId("rfd_1/release"), "ReleaseAboveBalance", NOON)])

    assert (ledger.account(ALICE.id).frozen, spendable(ledger)) == (100, 0)
    assert ledger.commit([RefreezeLots()]) == [Done(0)]
    ledger.check()


def test_a_payment_that_was_given_back_by_hand_creates_no_credits_and_its_rest_goes_back(ledger: LedgerStore):
    accepted(ledger)
    part = DOLLARS // 4
    ledger.commit([by_hand(assets=part)])

    (due,) = ledger.orders.refunds_due()
    assert (due.assets, ledger.orders.unminted()) == (DOLLARS - part, [])
    ledger.commit([FinishRefund(due.id, "re_1", "rail", LATER)])
    assert (status(ledger), found(ledger, ORDER).refunded) == (OrderStatus.REFUNDED, DOLLARS)
    ledger.check()


def test_a_rest_that_is_due_is_done_only_when_all_of_it_was_given_back_by_hand(ledger: LedgerStore):
    accepted(ledger)
    part = DOLLARS // 4
    ledger.commit([by_hand(assets=part), by_hand("re_10", assets=2 * part)])

    assert [each.assets for each in ledger.orders.refunds_due()] == [3 * part]
    assert (status(ledger), found(ledger, ORDER).refunded) == (OrderStatus.PAID, 3 * part)

    ledger.commit([by_hand("re_11", assets=part)])
    assert ledger.orders.refunds_due() == []
    assert (status(ledger), found(ledger, ORDER).refunded) == (OrderStatus.REFUNDED, DOLLARS)
    ledger.check()


def test_what_is_due_anyway_and_was_given_back_by_hand_is_done(ledger: LedgerStore):
    ledger.commit([PlaceOrder(ORDER), take(ORDER, a_payment(ORDER, late=True))])
    part = DOLLARS // 4

    ledger.commit([by_hand(assets=part)])
    assert len(ledger.orders.refunds_due()) == 1
    ledger.commit([by_hand("re_10", DOLLARS - part)])

    assert ledger.orders.refunds_due() == []
    assert (status(ledger), found(ledger, ORDER).refunded) == (OrderStatus.REFUNDED, DOLLARS)
    ledger.check()


@pytest.mark.parametrize("seed", range(2))
def test_nothing_frozen_is_ever_spent_whatever_the_order_of_things(request: pytest.FixtureRequest, seed: int):
    """Lots of one account, of which one is disputed in parts, lost and won; holds before, between and after."""
    random = Random(seed)
    with new_database(request, "sqlite") as database, open_ledger(database.url, IDENTITY) as ledger:
        chain = Chain()
        lot = credited(ledger, chain, others=random.randrange(2) * 40)
        parts = [(f"du_{number}", random.randrange(1, DOLLARS)) for number in range(3)]
        open_: list[tuple[str, int]] = []
        holds: list[object] = []
        for number in range(1, 30):
            match random.randrange(6):
                case 0 if parts:
                    open_.append(parts.pop())
                    ledger.commit([disputed(name=open_[-1][0], assets=open_[-1][1])])
                case 1 if open_:
                    name, assets = open_.pop()
                    ledger.commit([disputed(random.choice((WON, LOST)), name=name, assets=assets)])
                case 2:
                    before = spendable(ledger)
                    amount = random.randrange(1, 40)
                    assert spent(ledger, number, amount) is (amount <= before)
                case 3:
                    (answer,) = ledger.commit([placed := place(number, ALICE, random.randrange(1, 20))])
                    if isinstance(answer, HoldPlaced):
                        holds.append(placed)
                case 4 if holds:
                    ledger.commit([capture(holds.pop(), ALICE, 1)])
                case _:
                    follow(ledger)
            follow(ledger)
            ledger.check()
            left = ledger.lots.lot(lot).remaining
            balance = ledger.account(ALICE.id)
            assert balance.frozen <= left
            assert spendable(ledger) == max(0, balance.available - balance.frozen)


def test_holds_of_another_process_meet_the_dispute_that_was_told_meanwhile(
    ledger: LedgerStore, database: Database, chain: Chain
):
    """Whatever it remembers of the account, and however many ask at once."""
    credited(ledger, chain)
    with open_ledger(database.url, IDENTITY) as other, ThreadPoolExecutor(8) as people:
        assert isinstance(other.commit([place(1, ALICE, 10)])[0], HoldPlaced)
        asked = [people.submit(other.commit, [place(number, ALICE, 10)]) for number in range(2, 14)]
        ledger.commit([disputed()])
        later = [people.submit(other.commit, [place(number, ALICE, 10)]) for number in range(20, 26)]

        assert all(isinstance(each.result()[0], HoldRefused) for each in later)
        placed = [each for each in asked if isinstance(each.result()[0], HoldPlaced)]
        balance = other.account(ALICE.id)
        assert (balance.held, balance.available) == (10 + 10 * len(placed), 90 - 10 * len(placed))
        assert spendable(other) == 0
