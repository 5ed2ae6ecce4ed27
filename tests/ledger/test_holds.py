from datetime import timedelta

import pytest
from tests.ledger.samples import NOON, Chain, Wallet, capture, place, receipt, release, request_id, wallet

from mintery.domain.hold import Constraint, Ending, HoldStatus, ReleaseReason
from mintery.ledger.commands import (
    Answer,
    DispatchHold,
    Done,
    DropAnswers,
    ExitStartedSeen,
    ExtendLease,
    HoldNotEnding,
    HoldPlaced,
    HoldRefused,
    HoldReleased,
    MarkDelivered,
    NotWritten,
    ReleaseHold,
    RequestKnown,
)
from mintery.ledger.store import LedgerStore
from mintery.units import NanoCredits, UnixSeconds


def buckets(ledger: LedgerStore, of: Wallet) -> tuple[int, int, int]:
    balance = ledger.account(of.id)
    assert balance is not None
    return balance.available, balance.held, balance.captured


def test_a_hold_sets_credits_aside_and_its_capture_charges_them(ledger: LedgerStore, alice: Wallet):
    placed = place(1, alice, 300)

    (result,) = ledger.commit([placed])
    assert isinstance(result, HoldPlaced)
    assert result.hold.status_at(NOON) is HoldStatus.DISPATCHED
    assert buckets(ledger, alice) == (700, 300, 0)

    (captured,) = ledger.commit([capture(placed, alice, 120)])
    assert (captured.captured, captured.released) == (120, 180)
    assert buckets(ledger, alice) == (880, 0, 120)
    assert ledger.receipt(placed.request).receipt == capture(placed, alice, 120).receipt


def test_a_release_returns_everything(ledger: LedgerStore, alice: Wallet):
    placed = place(1, alice, 300)

    results = ledger.commit([placed, release(placed)])

    assert results[1] == HoldReleased(placed.request, NanoCredits(300))
    assert buckets(ledger, alice) == (1_000, 0, 0)


@pytest.mark.parametrize("cost", [0, 300])
def test_the_whole_hold_or_none_of_it_may_be_captured(ledger: LedgerStore, alice: Wallet, cost: int):
    placed = place(1, alice, 300)
    ledger.commit([placed, capture(placed, alice, cost)])

    assert buckets(ledger, alice) == (1_000 - cost, 0, cost)


def test_every_command_takes_effect_once(ledger: LedgerStore, alice: Wallet):
    placed = place(1, alice, 300)
    captured = capture(placed, alice, 120)

    first = ledger.commit([placed])
    again = ledger.commit([placed])
    assert first == again

    assert ledger.commit([captured]) == ledger.commit([captured])
    assert buckets(ledger, alice) == (880, 0, 120)
    (after,) = ledger.commit([placed])
    assert after.hold.captured == 120


def test_a_known_request_with_another_amount_is_not_written(ledger: LedgerStore, alice: Wallet):
    ledger.commit([place(1, alice, 300)])

    (result,) = ledger.commit([place(1, alice, 301)])

    assert isinstance(result, NotWritten)
    assert buckets(ledger, alice) == (700, 300, 0)


LIMIT = Constraint("budget:week", NanoCredits(400), Ending.NEVER)


@pytest.mark.parametrize(
    ("command", "refusal"),
    [
        (place(2, wallet(7), 1), HoldRefused("account", NanoCredits(1), NanoCredits(0))),
        (place(2, wallet(1), 1, epoch=1), HoldRefused("epoch", NanoCredits(1), NanoCredits(0))),
        (place(2, wallet(1), 701), HoldRefused("balance", NanoCredits(701), NanoCredits(700))),
        (place(2, wallet(1), 201, most=500), HoldRefused("voucher", NanoCredits(201), NanoCredits(200))),
        (
            place(2, wallet(1), 101, constraints=(LIMIT,)),
            HoldRefused("budget:week", NanoCredits(101), NanoCredits(100)),
        ),
    ],
)
def test_a_refusal_names_its_rule_and_changes_nothing(
    ledger: LedgerStore, alice: Wallet, command: object, refusal: HoldRefused
):
    ledger.commit([place(1, alice, 300, constraints=(LIMIT,))])
    before = ledger.account(alice.id), ledger.used(LIMIT.key), ledger.open_holds()

    assert ledger.commit([command]) == [refusal]

    assert (ledger.account(alice.id), ledger.used(LIMIT.key), ledger.open_holds()) == before


def test_a_second_constraint_that_refuses_frees_the_first(ledger: LedgerStore, alice: Wallet):
    wide = Constraint("a:wide", NanoCredits(1_000), Ending.NEVER)
    narrow = Constraint("b:narrow", NanoCredits(10), Ending.NEVER)

    (result,) = ledger.commit([place(1, alice, 11, constraints=(narrow, wide))])

    assert result == HoldRefused("b:narrow", NanoCredits(11), NanoCredits(10))
    assert (ledger.used("a:wide"), ledger.used("b:narrow")) == (0, 0)
    assert buckets(ledger, alice) == (1_000, 0, 0)


@pytest.mark.parametrize(
    ("until", "captured_counts"), [(Ending.CAPTURE, 0), (Ending.SETTLEMENT, 120), (Ending.NEVER, 120)]
)
def test_a_constraint_counts_until_its_ending(ledger: LedgerStore, alice: Wallet, until: Ending, captured_counts: int):
    limit = Constraint("some:limit", NanoCredits(1_000), until)
    placed, other = (place(number, alice, 300, constraints=(limit,)) for number in (1, 2))
    ledger.commit([placed, other])
    assert ledger.used("some:limit") == 600

    ledger.commit([capture(placed, alice, 120), release(other)])

    assert ledger.used("some:limit") == captured_counts


@pytest.mark.parametrize("closing", [False, True])
def test_a_pending_exit_leaves_less_for_holds(ledger: LedgerStore, chain: Chain, alice: Wallet, *, closing: bool):
    ledger.commit([chain.block(ExitStartedSeen(alice.id, NanoCredits(900), UnixSeconds(1), closing))])
    left = 0 if closing else 100

    (result,) = ledger.commit([place(1, alice, left + 1)])

    assert result == HoldRefused("balance", NanoCredits(left + 1), NanoCredits(left))


def test_vouchers_of_one_signer_share_one_counter(ledger: LedgerStore, alice: Wallet):
    first = place(1, alice, 100, most=100)
    ledger.commit([first, capture(first, alice, 100)])

    refused, admitted = ledger.commit([place(2, alice, 51, most=150), place(3, alice, 50, most=150)])

    assert refused == HoldRefused("voucher", NanoCredits(51), NanoCredits(50))
    assert isinstance(admitted, HoldPlaced)


def test_a_voucher_without_bound_fits_63_bits(ledger: LedgerStore, alice: Wallet):
    (result,) = ledger.commit([place(1, alice, 1_000, most=2**96 // 10**9)])

    assert isinstance(result, HoldPlaced)
    stored = ledger.highest_voucher(alice.id, 0, UnixSeconds(0))
    assert stored == alice.voucher(2**96 // 10**9)


def test_a_raised_voucher_admits_one_request(ledger: LedgerStore, alice: Wallet):
    digest = b"r" * 32
    first = place(1, alice, 10, raised=digest)
    ledger.commit([first])

    (again,) = ledger.commit([place(2, alice, 10, raised=digest)])

    assert again == RequestKnown(first.request, "raised", first.key.body)
    assert ledger.by_raised(alice.id, digest).id == first.request
    assert buckets(ledger, alice) == (990, 10, 0)


def test_an_idempotency_key_is_found_again_and_belongs_to_its_credential(ledger: LedgerStore, alice: Wallet):
    first = place(1, alice, 1_000, idempotency_key="mine")
    ledger.commit([first])

    (again,) = ledger.commit([place(2, alice, 1_000, idempotency_key="mine")])

    assert again == RequestKnown(first.request, "idempotency_key", first.key.body)
    assert ledger.by_idempotency_key(first.key.credential, "mine").id == first.request
    assert ledger.by_idempotency_key(b"x" * 32, "mine") is None


HOUR = timedelta(hours=1)
BODY = b"b" * 32


@pytest.mark.parametrize("together", [False, True])
def test_a_retry_is_what_it_repeats_even_if_that_was_not_seen_before(
    ledger: LedgerStore, alice: Wallet, together: bool
):
    first = place(1, alice, 10, body=BODY)
    retry = place(2, alice, 10, body=BODY, at=NOON + timedelta(seconds=1), repeats_since=NOON - HOUR)
    results = ledger.commit([first, retry]) if together else [*ledger.commit([first]), *ledger.commit([retry])]

    assert results[1] == RequestKnown(first.request, "retry", BODY)
    assert buckets(ledger, alice) == (990, 10, 0)


@pytest.mark.parametrize("why", ["delivered", "released", "long ago", "another body", "another voucher", "no retry"])
def test_a_retry_of_nothing_that_is_open_is_a_new_request(ledger: LedgerStore, alice: Wallet, why: str):
    first = place(1, alice, 10, body=BODY)
    ledger.commit([first])
    if why == "delivered":
        ledger.commit([capture(first, alice, 5), MarkDelivered(first.request, NOON)])
    elif why == "released":
        ledger.commit([ReleaseHold(first.request, ReleaseReason.PROVIDER_FAILED, NOON)])
    since = None if why == "no retry" else NOON + timedelta(seconds=why == "long ago")
    raised = b"r" * 32 if why == "another voucher" else None
    retry = place(2, alice, 10, body=b"c" * 32 if why == "another body" else BODY, raised=raised, repeats_since=since)

    (result,) = ledger.commit([retry])

    assert isinstance(result, HoldPlaced)


SECOND = timedelta(seconds=1)


@pytest.mark.parametrize("together", [False, True])
@pytest.mark.parametrize("answered", [False, True])
def test_a_request_that_comes_after_its_own_retry_is_that_retry(
    ledger: LedgerStore, alice: Wallet, together: bool, answered: bool
):
    """Its process was slow to write it; its client gave up, and was served by another one."""
    late = place(1, alice, 10, body=BODY)
    retry = place(2, alice, 10, body=BODY, at=NOON + SECOND, repeats_since=NOON - HOUR)
    served = [capture(retry, alice, 10), MarkDelivered(retry.request, NOON + 2 * SECOND)] if answered else []
    commands = [retry, *served, late]
    results = ledger.commit(commands) if together else [ledger.commit([each])[0] for each in commands]

    assert isinstance(results[0], HoldPlaced)
    assert results[-1] == RequestKnown(retry.request, "retry", BODY)
    assert buckets(ledger, alice) == ((990, 0, 10) if answered else (990, 10, 0))


def test_a_retry_that_comes_after_a_later_one_is_that_one(ledger: LedgerStore, alice: Wallet):
    late = place(1, alice, 10, body=BODY, at=NOON + SECOND, repeats_since=NOON - HOUR)
    later = place(2, alice, 10, body=BODY, at=NOON + 2 * SECOND, repeats_since=NOON - HOUR)
    ledger.commit([later, capture(later, alice, 10), MarkDelivered(later.request, NOON + 3 * SECOND)])

    assert ledger.commit([late]) == [RequestKnown(later.request, "retry", BODY)]


@pytest.mark.parametrize("why", ["released", "afterwards", "another body", "another voucher", "no retry", "a key"])
def test_a_request_is_new_whatever_else_was_retried(ledger: LedgerStore, alice: Wallet, why: str):
    since = None if why == "no retry" else NOON - HOUR
    retry = place(2, alice, 10, body=BODY, at=NOON + SECOND, repeats_since=since)
    ledger.commit([retry])
    if why == "released":
        ledger.commit([ReleaseHold(retry.request, ReleaseReason.PROVIDER_FAILED, NOON + SECOND)])
    new = place(
        1,
        alice,
        10,
        body=b"c" * 32 if why == "another body" else BODY,
        at=NOON + 2 * SECOND if why == "afterwards" else NOON,
        raised=b"r" * 32 if why == "another voucher" else None,
        idempotency_key="mine" if why == "a key" else None,
    )

    (result,) = ledger.commit([new])

    assert isinstance(result, HoldPlaced)
    ledger.check()


def test_only_what_was_dispatched_is_captured(ledger: LedgerStore, alice: Wallet):
    placed = place(1, alice, 10, dispatch=False)
    ledger.commit([placed])

    assert ledger.commit([capture(placed, alice, 5)]) == [HoldNotEnding(placed.request, "held")]
    assert ledger.commit([DispatchHold(placed.request, NOON)]) == [Done(1)]
    assert ledger.commit([DispatchHold(placed.request, NOON)]) == [Done(0)]
    (other,) = ledger.commit([DispatchHold(placed.request, NOON + timedelta(seconds=1))])
    assert isinstance(other, NotWritten)


def test_a_lapsed_lease_is_not_dispatched(ledger: LedgerStore, alice: Wallet):
    placed = place(1, alice, 10, dispatch=False)
    ledger.commit([placed])

    (result,) = ledger.commit([DispatchHold(placed.request, placed.lease_until)])

    assert isinstance(result, NotWritten)


def test_what_ended_does_not_end_again(ledger: LedgerStore, alice: Wallet):
    placed = place(1, alice, 10)
    ledger.commit([placed, release(placed)])

    assert ledger.commit([capture(placed, alice, 5)]) == [HoldNotEnding(placed.request, "released")]
    assert ledger.commit([release(placed)]) == [HoldReleased(placed.request, NanoCredits(10))]
    other = ReleaseHold(placed.request, ReleaseReason.UNRESOLVED, placed.lease_until)
    assert ledger.commit([other]) == [HoldNotEnding(placed.request, "released")]
    assert ledger.commit([capture(place(9, alice, 1), alice, 1)]) == [HoldNotEnding(request_id(9), "unknown")]


def test_a_cost_above_the_hold_is_not_written(ledger: LedgerStore, alice: Wallet):
    placed = place(1, alice, 10)
    ledger.commit([placed])

    (result,) = ledger.commit([capture(placed, alice, 11)])

    assert isinstance(result, NotWritten)
    assert buckets(ledger, alice) == (990, 10, 0)


def test_the_sweeper_cannot_release_what_was_dispatched(ledger: LedgerStore, alice: Wallet):
    placed = place(1, alice, 10)
    ledger.commit([placed])

    assert ledger.commit([release(placed, ReleaseReason.NOT_DISPATCHED)]) == [
        HoldNotEnding(placed.request, "unresolved")
    ]


def test_unresolved_ends_only_after_the_lease_and_may_leave_a_receipt(ledger: LedgerStore, alice: Wallet):
    placed = place(1, alice, 10)
    ledger.commit([placed])
    nothing = receipt(1, alice, 0, 10)

    early = ReleaseHold(placed.request, ReleaseReason.UNRESOLVED, NOON, nothing)
    assert ledger.commit([early]) == [HoldNotEnding(placed.request, "dispatched")]
    late = ReleaseHold(placed.request, ReleaseReason.UNRESOLVED, placed.lease_until, nothing)
    assert ledger.commit([late]) == [HoldReleased(placed.request, NanoCredits(10))]
    assert ledger.receipt(placed.request).receipt.cost == 0
    assert ledger.unbatched(limit=10) == []


def test_a_lease_is_extended_and_never_shortened(ledger: LedgerStore, alice: Wallet):
    placed = place(1, alice, 10)
    later = placed.lease_until + timedelta(minutes=1)

    results = ledger.commit([placed, ExtendLease(placed.request, later), ExtendLease(placed.request, NOON)])

    assert results[1:] == [Done(1), Done(0)]
    assert ledger.open_holds()[0].lease_until == later


ANSWER = Answer(200, "application/json", b"{}")


def test_an_answer_is_kept_until_it_is_delivered(ledger: LedgerStore, alice: Wallet):
    placed = place(1, alice, 10)
    ledger.commit([placed, capture(placed, alice, 5, answer=ANSWER)])
    assert ledger.undelivered(placed.key).answer == ANSWER

    assert ledger.commit([MarkDelivered(placed.request, NOON), MarkDelivered(placed.request, NOON)]) == [
        Done(1),
        Done(0),
    ]

    assert ledger.undelivered(placed.key) is None
    assert ledger.request(placed.request).answer is None


def test_an_idempotency_key_keeps_the_answer_until_it_is_dropped(ledger: LedgerStore, alice: Wallet):
    placed = place(1, alice, 10, idempotency_key="mine")
    ledger.commit([placed, capture(placed, alice, 5, answer=ANSWER), MarkDelivered(placed.request, NOON)])
    assert ledger.request(placed.request).answer == ANSWER

    assert ledger.commit([DropAnswers(NOON)]) == [Done(0)]
    assert ledger.commit([DropAnswers(NOON + timedelta(days=1))]) == [Done(1)]
    assert ledger.request(placed.request).answer is None


def test_the_newest_undelivered_attempt_is_found(ledger: LedgerStore, alice: Wallet):
    body = b"b" * 32
    first, second, third = (
        place(number, alice, 10, body=body, at=NOON + timedelta(seconds=number)) for number in (1, 2, 3)
    )
    ledger.commit([first, second, third, release(third)])

    assert ledger.undelivered(first.key).id == second.request
