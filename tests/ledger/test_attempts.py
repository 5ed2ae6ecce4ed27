"""What is recorded of calls that failed over to another route, and of requests that were refused."""

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.databases import Database
from tests.ledger.samples import NOON, Wallet, capture, place, release, request_id

from mintery.domain.attempt import AttemptOutcome, Refusal, RouteAttempt
from mintery.domain.hold import Capture
from mintery.ledger import apply_refusals
from mintery.ledger.audit import open_audit
from mintery.ledger.commands import Done, HoldNotEnding, HoldReleased, RecordRefusals, SealRows
from mintery.ledger.store import LedgerStore

SECOND = timedelta(seconds=1)
FAILED = RouteAttempt("acme/small", "acme", AttemptOutcome.REFUSED, NOON, NOON + SECOND, status=503)
DELIVERED = RouteAttempt("other/small", "other", AttemptOutcome.DELIVERED, NOON + SECOND, NOON + 2 * SECOND)


def test_calls_are_recorded_with_the_end_of_their_request_and_once(ledger: LedgerStore, alice: Wallet):
    first, second = place(1, alice, 100), place(2, alice, 100)
    charge = replace(capture(first, alice, 60), attempts=(FAILED, DELIVERED))
    failure = replace(release(second), attempts=(FAILED,))

    results = [*ledger.commit([first, second, charge, failure]), *ledger.commit([charge, failure])]

    assert [type(each) for each in results[2:]] == [Capture, HoldReleased] * 2
    assert ledger.attempts(request_id(1)) == [FAILED, DELIVERED]
    assert ledger.attempts(request_id(2)) == [FAILED]
    assert ledger.attempts(request_id(3)) == []


def test_calls_of_an_end_that_came_too_late_are_not_recorded(ledger: LedgerStore, alice: Wallet):
    placed = place(1, alice, 100)
    late = replace(capture(placed, alice, 60), attempts=(FAILED, DELIVERED))

    results = ledger.commit([placed, release(placed), late])

    assert isinstance(results[-1], HoldNotEnding)
    assert ledger.attempts(request_id(1)) == []


def test_a_request_that_its_first_route_answers_makes_no_row(ledger: LedgerStore, alice: Wallet, database: Database):
    placed = place(1, alice, 100)
    ledger.commit([placed, capture(placed, alice, 60)])

    assert database.run("SELECT * FROM route_attempts") == []


def test_calls_are_sealed_and_one_that_is_changed_underneath_is_found(
    ledger: LedgerStore, alice: Wallet, database: Database
):
    placed = place(1, alice, 100)
    ledger.commit([placed, replace(capture(placed, alice, 60), attempts=(FAILED, DELIVERED)), SealRows(100, NOON)])
    sealed = "SELECT version, row_seq FROM seals WHERE source = 5 ORDER BY position"
    assert database.run(sealed) == [(1, 1), (1, 2)]
    with open_audit(database.url) as audit:
        assert audit.verify().holds

    database.run("UPDATE route_attempts SET route = 'another/route' WHERE position = 0")

    with open_audit(database.url) as audit:
        report = audit.verify()
    assert report.first is not None
    assert (report.misfits, report.first.row) == (1, "route_attempts 1")
    database.run("UPDATE route_attempts SET route = 'acme/small' WHERE position = 0")


def refusal(number: int) -> Refusal:
    return Refusal(request_id(number), None, "acme/small", "unknown_model", "no model", {"model": "acme/small"}, NOON)


def test_a_refusal_is_kept_once(ledger: LedgerStore):
    assert list(ledger.commit([RecordRefusals((refusal(1), refusal(2))), RecordRefusals((refusal(1),))])) == [
        Done(2),
        Done(1),
    ]

    assert ledger.refusal(request_id(1)) == refusal(1)
    assert ledger.refusal(request_id(3)) is None


def test_a_nul_in_what_was_named_holds_nothing_up(ledger: LedgerStore):
    named = replace(refusal(1), asked="a\0b", message="no model a\0b", evidence={"model": "a\0b", "of": [{"c\0": 1}]})
    group = ledger.commit([RecordRefusals((named,)), RecordRefusals((refusal(2),))])

    assert list(group) == [Done(1), Done(1)]
    evidence = {"model": "a\ufffdb", "of": [{"c\ufffd": 1}]}
    assert ledger.refusal(request_id(1)) == replace(
        named, asked="a\ufffdb", message="no model a\ufffdb", evidence=evidence
    )


def test_the_newest_refusals_are_kept(ledger: LedgerStore, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(apply_refusals, "KEPT", 3)
    for number in range(1, 8):
        ledger.commit([RecordRefusals((refusal(number),))])

    assert [number for number in range(1, 8) if ledger.refusal(request_id(number))] == [5, 6, 7]
