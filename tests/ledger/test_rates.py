"""What an account asked for in the last minute counts in the hold's own transaction, whichever process places it."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

from tests.databases import Database
from tests.ledger.samples import IDENTITY, Chain, Wallet, capture, deposit, place, release, wallet

from mintery.domain.rates import MINUTE, Gauge, Rates, RatesLeft, RateUse
from mintery.ledger.commands import ExitCancelledSeen, HoldPlaced, HoldRefused, PlaceHold, RateReached
from mintery.ledger.store import LedgerStore, open_ledger

TEN = Rates(requests=10, tokens=None)


def counted(placed: PlaceHold, rates: Rates = TEN, tokens: int = 1, later: float = 0) -> PlaceHold:
    at = placed.placed_at + timedelta(seconds=later)
    return replace(
        placed, rate=RateUse(rates, tokens), placed_at=at, lease_until=placed.lease_until + timedelta(seconds=later)
    )


def outcome(result: object) -> str:
    return type(result).__name__


def test_a_minute_brings_as_many_requests_as_the_rate_and_tells_when_the_next_may_come(
    ledger: LedgerStore, alice: Wallet
):
    results = ledger.commit([counted(place(number, alice, 1)) for number in range(12)])

    assert [outcome(each) for each in results] == ["HoldPlaced"] * 10 + ["RateReached"] * 2
    assert results[0].left == RatesLeft(Gauge(10, 9, MINUTE // 10), None)
    assert results[-1] == RateReached("requests", RatesLeft(Gauge(10, 0, MINUTE), None), MINUTE // 10)
    (early,) = ledger.commit([counted(place(20, alice, 1), later=5.9)])
    (later,) = ledger.commit([counted(place(21, alice, 1), later=6)])
    assert (outcome(early), outcome(later)) == ("RateReached", "HoldPlaced")


def test_tokens_count_beside_requests_and_what_is_refused_counts_against_neither(ledger: LedgerStore, alice: Wallet):
    rates = Rates(requests=2, tokens=1_000)
    first, second, third, fourth = ledger.commit(
        [
            counted(place(1, alice, 1), rates, 700),
            counted(place(2, alice, 1), rates, 301),
            counted(place(3, alice, 1), rates, 300),
            counted(place(4, alice, 1), rates, 0),
        ]
    )

    assert first.left == RatesLeft(Gauge(2, 1, MINUTE // 2), Gauge(1_000, 300, MINUTE * 7 // 10))
    assert (second.by, second.wait, second.left) == ("tokens", MINUTE // 1_000, first.left)
    assert isinstance(third, HoldPlaced)
    assert fourth.by == "requests"


def test_more_than_a_whole_minute_is_refused_for_good(ledger: LedgerStore, alice: Wallet):
    (result,) = ledger.commit([counted(place(1, alice, 1), Rates(None, 100), 101)])

    assert (result.by, result.wait) == ("tokens", None)


def test_a_hold_that_another_rule_refuses_counts_for_nothing(ledger: LedgerStore, alice: Wallet):
    one = Rates(requests=1)

    refused, placed = ledger.commit([counted(place(1, alice, 1_001), one), counted(place(2, alice, 1), one)])

    assert isinstance(refused, HoldRefused)
    assert isinstance(placed, HoldPlaced)


def test_a_refused_rate_sets_nothing_aside_and_a_repeated_command_counts_once(ledger: LedgerStore, alice: Wallet):
    one, command = Rates(requests=1), counted(place(1, alice, 300), Rates(requests=1))

    first, again, other = ledger.commit([command, command, counted(place(2, alice, 300), one)])

    assert first.hold == again.hold
    assert isinstance(other, RateReached)
    assert ledger.account(alice.id).held == 300


def test_captures_releases_and_the_chains_own_events_leave_the_rates_as_they_are(
    ledger: LedgerStore, alice: Wallet, chain: Chain
):
    two, first, second = Rates(requests=2), place(1, alice, 300), place(2, alice, 300)
    ledger.commit([counted(first, two), counted(second, two)])

    ledger.commit([capture(first, alice, 10), release(second)])
    ledger.commit([chain.block(deposit(alice, 5)), chain.block(ExitCancelledSeen(alice.id))])

    (third,) = ledger.commit([counted(place(3, alice, 1), two)])
    assert isinstance(third, RateReached)


def test_accounts_have_minutes_of_their_own_and_a_higher_rate_counts_at_once(
    ledger: LedgerStore, alice: Wallet, chain: Chain
):
    bob = wallet(2)
    ledger.commit([chain.block(deposit(bob, 1_000))])
    one, ten = Rates(requests=1), Rates(requests=10)

    results = ledger.commit(
        [
            counted(place(1, alice, 1), one),
            counted(place(2, bob, 1), one),
            counted(place(3, alice, 1), one),
            counted(place(4, alice, 1), ten),
        ]
    )

    assert [outcome(each) for each in results] == ["HoldPlaced", "HoldPlaced", "RateReached", "RateReached"]
    (after_a_tenth,) = ledger.commit([counted(place(5, alice, 1), ten, later=6)])
    assert isinstance(after_a_tenth, HoldPlaced)


def test_two_processes_let_in_no_more_together_than_the_rate(database: Database, chain: Chain):
    alice = wallet(1)
    with open_ledger(database.url, IDENTITY) as one, open_ledger(database.url, IDENTITY) as other:
        one.commit([chain.block(deposit(alice, 1_000))])

        def ask(number: int) -> object:
            return (one, other)[number % 2].commit([counted(place(number, alice, 1))])[0]

        with ThreadPoolExecutor(8) as pool:
            results = list(pool.map(ask, range(40)))

        assert Counter(map(outcome, results)) == {"HoldPlaced": 10, "RateReached": 30}
        assert one.account(alice.id).held == 10
        one.check()
