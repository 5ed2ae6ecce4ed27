"""A month is charged once, while its agreement stands; whoever asks, and however often."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.exc import DBAPIError
from tests.databases import Database
from tests.ledger.samples import DOMAIN, IDENTITY, NOON, Chain, Wallet, capture, deposit, place, request_id, wallet

from mintery.crypto.hashing import keccak
from mintery.crypto.vouchers import voucher_digest
from mintery.domain.hold import Capture
from mintery.domain.membership import calendar_month, month_after
from mintery.ledger.commands import Done, HoldRefused, NotWritten, RequestKnown
from mintery.ledger.commands_memberships import AgreeMembership, ChargeMonth, EndMembership
from mintery.ledger.store import LedgerStore, open_ledger
from mintery.units import NanoCredits

DECEMBER = datetime(2026, 12, 21, 12, tzinfo=UTC)


def agree(of: Wallet, *, name: str = "pro", most: int = 500, at: datetime = NOON) -> AgreeMembership:
    signed = of.voucher(10**12)
    return AgreeMembership(of.id, name, signed, voucher_digest(signed.voucher, DOMAIN), NanoCredits(most), at)


def charge(
    number: int, of: Wallet, *, price: int = 300, at: datetime = NOON, name: str = "pro", agrees: bool = False
) -> ChargeMonth:
    month = calendar_month(at)
    key = f"{name}/{month}"
    hold = place(number, of, price, at=at, idempotency_key=key, body=keccak(key.encode()))
    return ChargeMonth(
        name=name,
        month=month,
        starts_at=at,
        ends_at=month_after(at, at.day),
        anchor=at.day,
        hold=hold,
        capture=capture(hold, of, price),
        agrees=agree(of, name=name, at=at) if agrees else None,
    )


def buckets(ledger: LedgerStore, of: Wallet) -> tuple[int, int, int]:
    balance = ledger.account(of.id)
    return balance.available, balance.held, balance.captured


def test_the_first_month_is_charged_with_the_agreement_and_leaves_a_receipt(ledger: LedgerStore, alice: Wallet):
    (result,) = ledger.commit([charge(1, alice, agrees=True)])

    assert isinstance(result, Capture)
    assert buckets(ledger, alice) == (700, 0, 300)
    assert ledger.receipt(request_id(1)).receipt.cost == 300
    [found] = ledger.memberships.of(account=alice.id)
    assert (found.name, found.most, found.ended_at, found.key) == ("pro", 500, None, alice.account)
    assert found.signed == alice.voucher(10**12)
    assert (found.last.request, found.last.anchor) == (request_id(1), 21)
    assert (found.last.paid.starts_at, found.last.paid.ends_at) == (NOON, DECEMBER)
    assert ledger.memberships.paid_since(NOON, running_at=NOON) == [found.last.paid]
    assert ledger.memberships.paid_since(NOON, running_at=DECEMBER) == []


def test_a_month_is_charged_once_however_often_it_is_asked_for(ledger: LedgerStore, alice: Wallet):
    first, again = ledger.commit([charge(1, alice, agrees=True), charge(2, alice, agrees=True)])
    (later,) = ledger.commit([charge(3, alice)])

    assert isinstance(first, Capture)
    assert [again.request, later.request] == [request_id(1)] * 2
    assert buckets(ledger, alice) == (700, 0, 300)


@pytest.mark.parametrize("price", [1_001, 701])
def test_what_the_account_cannot_pay_begins_nothing(ledger: LedgerStore, alice: Wallet, price: int):
    ledger.commit([place(9, alice, 300)])

    (refused,) = ledger.commit([charge(1, alice, price=price, agrees=True)])

    assert refused == HoldRefused("balance", NanoCredits(price), NanoCredits(700))
    assert ledger.memberships.of(account=alice.id) == []
    assert ledger.request(request_id(1)) is None
    (charged,) = ledger.commit([charge(2, alice, price=700, agrees=True)])
    assert isinstance(charged, Capture), "what was refused may be tried again in the same month"


def test_nothing_is_charged_once_the_agreement_has_ended(ledger: LedgerStore, alice: Wallet):
    ledger.commit([charge(1, alice, agrees=True)])
    assert list(ledger.memberships.due(DECEMBER - timedelta(seconds=1))) == []
    assert [each.name for each in ledger.memberships.due(DECEMBER)] == ["pro"]

    ended, again = ledger.commit([EndMembership(alice.id, "pro", "cancelled", NOON)] * 2)
    (charged,) = ledger.commit([charge(2, alice, at=DECEMBER)])

    assert (ended, again) == (Done(1), Done(0))
    assert isinstance(charged, NotWritten)
    assert list(ledger.memberships.due(DECEMBER)) == []
    assert buckets(ledger, alice) == (700, 0, 300)
    [found] = ledger.memberships.of(account=alice.id)
    assert (found.ended_for, found.last.paid.ends_at) == ("cancelled", DECEMBER)


@pytest.mark.parametrize("at_once", [1, 2, 4])
def test_what_stays_due_keeps_nobody_behind_it_waiting(ledger: LedgerStore, chain: Chain, at_once: int):
    """Two months end at one instant; none is left out between two pages, and none comes twice."""
    holders = [wallet(number) for number in range(1, 5)]
    begun = [NOON, NOON, NOON + timedelta(hours=1), NOON + timedelta(hours=2)]
    ledger.commit([chain.block(*(deposit(each, 1_000) for each in holders))])
    for number, (each, at) in enumerate(zip(holders, begun, strict=True), 1):
        ledger.commit([charge(number, each, at=at, agrees=True)])

    due = ledger.memberships.due(DECEMBER + timedelta(days=1), at_once=at_once)

    assert [each.account for each in due] == [each.id for each in holders]


def test_a_new_agreement_takes_the_place_of_the_old_one(ledger: LedgerStore, alice: Wallet):
    ledger.commit([charge(1, alice, agrees=True), EndMembership(alice.id, "pro", "cancelled", NOON)])

    ledger.commit([agree(alice, most=400), agree(alice, most=450)])

    [found] = ledger.memberships.of(account=alice.id)
    assert (found.most, found.ended_at, found.last.request) == (450, None, request_id(1))
    (renewed,) = ledger.commit([charge(2, alice, at=DECEMBER)])
    assert isinstance(renewed, Capture)
    assert [month.request for month in ledger.memberships.months_of(alice.id, "pro")] == [request_id(2), request_id(1)]


def test_memberships_are_listed_by_account_and_by_holder(ledger: LedgerStore, alice: Wallet, chain: Chain):
    bob = wallet(2)
    ledger.commit([chain.block(deposit(bob, 1_000))])
    ledger.commit(
        [charge(1, alice, agrees=True), charge(2, bob, agrees=True), charge(3, bob, name="fast", agrees=True)]
    )

    def listed(**of: object) -> list[tuple[str, str]]:
        return [(each.account, each.name) for each in ledger.memberships.of(**of)]

    assert listed(account=bob.id) == listed(holder=bob.account.holder) == [(bob.id, "pro"), (bob.id, "fast")]
    assert len(listed()) == 3


@pytest.mark.parametrize(
    "statement", ["UPDATE membership_months SET ends_at = ends_at + 1", "DELETE FROM membership_months"]
)
def test_paid_months_are_never_changed(ledger: LedgerStore, database: Database, alice: Wallet, statement: str):
    ledger.commit([charge(1, alice, agrees=True)])

    with pytest.raises(DBAPIError, match="never changed"):
        database.run(statement)


def test_two_processes_that_charge_a_month_charge_it_once(database: Database, chain: Chain):
    alice = wallet(1)
    with open_ledger(database.url, IDENTITY) as one, open_ledger(database.url, IDENTITY) as other:
        one.commit([chain.block(deposit(alice, 10_000))])

        def begin(number: int) -> object:
            return (one, other)[number % 2].commit([charge(number, alice, agrees=True)])[0]

        with ThreadPoolExecutor(8) as pool:
            results = list(pool.map(begin, range(16)))

        assert Counter(type(each) for each in results) == {Capture: 1, RequestKnown: 15}
        assert buckets(one, alice) == (9_700, 0, 300)
        one.check()


def test_whoever_ends_it_while_it_is_charged_comes_before_or_after_never_between(database: Database, chain: Chain):
    """Ended first, nothing is charged; charged first, the month is paid and the end stands."""
    outcomes = Counter()
    with open_ledger(database.url, IDENTITY) as one, open_ledger(database.url, IDENTITY) as other:
        for number in range(1, 9):
            member = wallet(number)
            one.commit([chain.block(deposit(member, 1_000))])
            one.commit([charge(number, member, agrees=True)])
            with ThreadPoolExecutor(2) as pool:
                charged = pool.submit(other.commit, [charge(100 + number, member, at=DECEMBER)])
                ended = pool.submit(one.commit, [EndMembership(member.id, "pro", "cancelled", DECEMBER)])
                assert ended.result() == [Done(1)]
                (result,) = charged.result()
            months = one.memberships.months_of(member.id, "pro")
            spent = 300 * len(months)
            assert buckets(one, member) == (1_000 - spent, 0, spent)
            assert len(months) == (2 if isinstance(result, Capture) else 1)
            outcomes[type(result)] += 1
        one.check()
    assert outcomes.keys() <= {Capture, NotWritten}
