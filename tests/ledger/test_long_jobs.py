"""Long jobs as the ledger keeps them: whoever comes second, or too late, changes nothing."""

from dataclasses import replace
from datetime import timedelta

import orjson
import pytest
from sqlalchemy.exc import IntegrityError
from tests.databases import Database
from tests.ledger.samples import (
    IDENTITY,
    NOON,
    QUOTED,
    Chain,
    Wallet,
    capture,
    deposit,
    place,
    release,
    request_id,
    wallet,
)

from mintery.domain.attempt import AttemptOutcome, RouteAttempt
from mintery.domain.hold import Capture, HoldStatus, ReleaseReason
from mintery.domain.long_job import JobFailure, JobQuote, JobStatus, NewJob
from mintery.domain.model import Endpoint
from mintery.domain.receipt import Receipt
from mintery.errors import LongJobUnreadable
from mintery.ledger.commands import (
    AcceptLongJob,
    CaptureHold,
    CloseLongJob,
    Done,
    ExtendLease,
    HoldNotEnding,
    HoldRefused,
    HoldReleased,
    MarkDelivered,
    NoteLongJob,
    NotWritten,
    OpenLongJob,
    ReleaseHold,
    RerouteLongJob,
)
from mintery.ledger.store import LedgerStore, open_ledger
from mintery.usecases.alarms import Alarm, Alarms
from mintery.usecases.follow_long_jobs import tell_unreadable

SECOND = timedelta(seconds=1)
QUOTE = JobQuote(QUOTED, {"second.1280x720": 8}, {"second": "second.1280x720"})
REFUSED = RouteAttempt("acme/small", "acme", AttemptOutcome.REFUSED, NOON, NOON + SECOND, status=503)


def new_job(number: int, **changes: object) -> OpenLongJob:
    job = NewJob(
        request=request_id(number),
        form=Endpoint.VIDEOS,
        quote=QUOTE,
        begun_at=NOON + number * SECOND,
        follow_until=NOON + timedelta(minutes=30),
        shown={"seconds": "8", "size": "1280x720"},
    )
    return OpenLongJob(replace(job, **changes))  # type: ignore[arg-type]  # the fields of NewJob


def accept(number: int, upstream: str = "video_1") -> AcceptLongJob:
    return AcceptLongJob(request_id(number), upstream, NOON + 2 * SECOND)


def status(ledger: LedgerStore, number: int = 1) -> JobStatus:
    job = ledger.long_job(request_id(number))
    assert job is not None
    return job.status


def test_a_job_goes_from_its_hold_to_its_receipt(ledger: LedgerStore, alice: Wallet):
    placed = place(1, alice, 100)
    opened = new_job(1)
    ledger.commit([placed, opened])
    assert status(ledger) is JobStatus.QUEUED
    [followed] = ledger.open_long_jobs()
    assert followed.new == opened.job
    assert followed.upstream is None

    assert ledger.commit([accept(1), NoteLongJob(request_id(1), 40, NOON + 3 * SECOND)]) == [Done(1), Done(1)]
    assert status(ledger) is JobStatus.IN_PROGRESS

    results = ledger.commit([capture(placed, alice, 60), CloseLongJob(request_id(1), output='["https://…"]')])

    assert isinstance(results[0], Capture)
    job = ledger.long_job(request_id(1))
    assert job is not None
    assert (job.status, job.progress, job.output, job.upstream) == (JobStatus.COMPLETED, 40, '["https://…"]', "video_1")
    assert job.started_at == NOON + 3 * SECOND
    assert ledger.open_long_jobs() == []


def test_no_job_without_an_open_hold(ledger: LedgerStore, alice: Wallet):
    too_much = place(1, alice, 5_000)
    placed = place(2, alice, 100)

    results = ledger.commit([too_much, new_job(1), placed, release(placed), new_job(2), new_job(3)])

    assert isinstance(results[0], HoldRefused)
    assert [type(each) for each in results] == [
        HoldRefused,
        NotWritten,
        type(results[2]),
        HoldReleased,
        NotWritten,
        NotWritten,
    ]
    assert [ledger.long_job(request_id(number)) for number in (1, 2, 3)] == [None] * 3


def test_one_hold_has_one_job_at_one_provider(ledger: LedgerStore, alice: Wallet):
    ledger.commit([place(1, alice, 100), new_job(1, sent=b"{}")])
    again = new_job(1, begun_at=NOON + 9 * SECOND)

    assert ledger.commit([again]) == [Done(0)]
    assert ledger.commit([accept(1), accept(1), accept(1, "video_2")])[:2] == [Done(1), Done(0)]
    assert isinstance(ledger.commit([accept(1, "video_2")])[0], NotWritten)
    assert isinstance(ledger.commit([RerouteLongJob(request_id(1), QUOTE, (REFUSED,), NOON)])[0], NotWritten)

    job = ledger.long_job(request_id(1))
    assert job is not None
    assert (job.upstream, job.new.begun_at, job.new.sent) == ("video_1", NOON + SECOND, None)


def test_a_job_that_no_provider_has_may_go_to_another(ledger: LedgerStore, alice: Wallet):
    ledger.commit([place(1, alice, 100), new_job(1)])
    other = QUOTE._replace(quoted=QUOTED._replace(model="other/small", provider="other"))

    assert ledger.commit([RerouteLongJob(request_id(1), other, (REFUSED,), NOON + SECOND, b"{}")]) == [Done(1)]

    job = ledger.long_job(request_id(1))
    assert job is not None
    assert (job.new.quote, job.tried, job.new.begun_at, job.new.sent) == (other, (REFUSED,), NOON + SECOND, b"{}")


def test_nothing_is_noted_of_a_job_that_is_over(ledger: LedgerStore, alice: Wallet):
    placed = place(1, alice, 100)
    ledger.commit([placed, new_job(1), release(placed)])
    late = [accept(1), NoteLongJob(request_id(1), 90), RerouteLongJob(request_id(1), QUOTE, (), NOON)]

    assert [type(each) for each in ledger.commit(late)] == [NotWritten] * 3

    job = ledger.long_job(request_id(1))
    assert job is not None
    assert (job.status, job.upstream, job.progress, job.tried) == (JobStatus.FAILED, None, 0, ())


def test_a_job_is_closed_with_its_hold_and_once(ledger: LedgerStore, alice: Wallet):
    placed = place(1, alice, 100)
    ledger.commit([placed, new_job(1), accept(1)])
    failure = CloseLongJob(request_id(1), failure=JobFailure("moderation", "no\0"))
    assert isinstance(ledger.commit([failure])[0], NotWritten)

    ended = ledger.commit([release(placed), failure, CloseLongJob(request_id(1), output="[]")])

    assert ended[1:] == [Done(1), Done(0)]
    job = ledger.long_job(request_id(1))
    assert job is not None
    assert (job.failure, job.output) == (JobFailure("moderation", "no\ufffd"), None)


LITERAL, NUL = "\\u0000", "\0"
"""Six characters that a text may well have, and the one that PostgreSQL takes in none."""


def test_a_text_that_only_tells_of_a_nul_stays_what_it_is(ledger: LedgerStore, alice: Wallet):
    placed, other = place(1, alice, 100), place(2, alice, 100)
    shown = {"size": LITERAL, "seconds": f"8{NUL}"}
    output = orjson.dumps([LITERAL, f"a{NUL}", {f"b{NUL}": 1}]).decode()

    ledger.commit([placed, new_job(1, shown=shown), other, new_job(2)])

    assert next(job.new.shown for job in ledger.open_long_jobs()) == {"size": LITERAL, "seconds": "8\ufffd"}
    assert ledger.commit([accept(1, f"video{NUL}"), accept(1, f"video{NUL}")]) == [Done(1), Done(0)]
    failure = CloseLongJob(request_id(2), failure=JobFailure(LITERAL, f"{LITERAL}{NUL}"))
    ledger.commit([capture(placed, alice, 60), CloseLongJob(request_id(1), output=output), release(other), failure])
    done, failed = ledger.long_job(request_id(1)), ledger.long_job(request_id(2))
    assert done is not None
    assert done.output is not None
    assert orjson.loads(done.output) == [LITERAL, "a\ufffd", {"b\ufffd": 1}]
    assert failed is not None
    assert failed.failure == JobFailure(LITERAL, f"{LITERAL}\ufffd")


def test_a_row_that_cannot_be_read_stops_nobody_elses_job(
    ledger: LedgerStore, alice: Wallet, database: Database, caplog: pytest.LogCaptureFixture
):
    ledger.commit([place(1, alice, 100), new_job(1), place(2, alice, 100), new_job(2)])
    database.run(f"UPDATE long_jobs SET shown = '{{' WHERE request = '{request_id(1)}'")  # noqa: S608 -- our own

    assert [job.id for job in ledger.open_long_jobs()] == [request_id(2)]

    assert f"long_job_unreadable request={request_id(1)}" in caplog.text
    assert [job.id for job in ledger.long_jobs(alice.id, Endpoint.VIDEOS)] == [request_id(2)]
    with pytest.raises(LongJobUnreadable) as caught:
        ledger.long_job(request_id(1))
    assert caught.value.request == request_id(1)
    assert [each.request for each in ledger.unreadable_long_jobs()] == [request_id(1)]


def test_whatever_of_a_job_cannot_be_read_it_is_told_by_its_id(ledger: LedgerStore, alice: Wallet, database: Database):
    placed = place(1, alice, 100)
    ledger.commit([placed, new_job(1), accept(1), capture(placed, alice, 1), CloseLongJob(request_id(1))])
    database.run("CREATE TABLE kept AS SELECT * FROM long_jobs")
    for column in ("quote", "tried", "failure", "form"):
        database.run(f"UPDATE long_jobs SET {column} = '[1'")  # noqa: S608 -- our own

        with pytest.raises(LongJobUnreadable, match=request_id(1)):
            ledger.long_job(request_id(1))
        assert ledger.long_jobs(alice.id, Endpoint.VIDEOS) == []
        database.run(f"UPDATE long_jobs SET {column} = (SELECT {column} FROM kept)")  # noqa: S608 -- as above
    assert [job.id for job in ledger.long_jobs(alice.id, Endpoint.VIDEOS)] == [request_id(1)]


def test_an_unreadable_job_is_an_alarm_by_its_id_until_it_is_read(
    ledger: LedgerStore, alice: Wallet, database: Database
):
    alarms = Alarms()
    ledger.commit([place(1, alice, 100), new_job(1)])
    database.run("UPDATE long_jobs SET shown = '{'")

    tell_unreadable(ledger, alarms, NOON)

    (alarm,) = alarms.standing()
    assert (alarm.alarm, alarm.subject) == (Alarm.LONG_JOB_UNREADABLE, request_id(1))
    database.run("UPDATE long_jobs SET shown = '{}'")
    tell_unreadable(ledger, alarms, NOON)
    assert alarms.standing() == ()


def test_progress_never_falls_and_a_start_counts_once(ledger: LedgerStore, alice: Wallet):
    ledger.commit([place(1, alice, 100), new_job(1), accept(1)])
    noted = [NoteLongJob(request_id(1), 60, NOON + 3 * SECOND), NoteLongJob(request_id(1), 20, NOON + 9 * SECOND)]

    assert ledger.commit([*noted, NoteLongJob(request_id(1), 60)]) == [Done(1), Done(0), Done(0)]

    job = ledger.long_job(request_id(1))
    assert job is not None
    assert (job.progress, job.started_at) == (60, NOON + 3 * SECOND)


def test_whoever_sees_the_end_second_charges_nothing_more(ledger: LedgerStore, alice: Wallet):
    """Two followers, one of which was thought dead: their receipts differ in nothing but the time."""
    placed = place(1, alice, 100)
    first = capture(placed, alice, 60)
    ledger.commit([placed, new_job(1), accept(1)])

    def at(captured_at: Receipt) -> CaptureHold:
        return replace(first, receipt=replace(captured_at, captured_at=captured_at.captured_at + SECOND))

    results = ledger.commit([first, CloseLongJob(request_id(1), output="[1]"), at(first.receipt)])
    late = ledger.commit([at(first.receipt), CloseLongJob(request_id(1), output="[2]")])

    assert isinstance(results[2], HoldNotEnding)
    assert isinstance(late[0], HoldNotEnding)
    job = ledger.long_job(request_id(1))
    assert job is not None
    assert job.output == "[1]"
    balance = ledger.account(alice.id)
    assert balance is not None
    assert (balance.captured, balance.held) == (60, 0)


def test_its_lease_is_extended_and_a_lapsed_one_revived(ledger: LedgerStore, alice: Wallet):
    placed = place(1, alice, 100)
    ledger.commit([placed, new_job(1), accept(1)])
    lapsed = placed.lease_until + SECOND
    later = ExtendLease(request_id(1), lapsed + timedelta(minutes=5))

    assert ledger.commit([later]) == [Done(1)]

    [job] = ledger.open_long_jobs()
    assert job.hold.status_at(lapsed) is HoldStatus.DISPATCHED
    given_up = ReleaseHold(request_id(1), ReleaseReason.UNRESOLVED, lapsed)
    assert isinstance(ledger.commit([given_up])[0], HoldNotEnding), "its lease has not lapsed any more"


def test_what_opened_it_is_marked_delivered_before_its_end(ledger: LedgerStore, alice: Wallet):
    placed = place(1, alice, 100)
    ledger.commit([placed, new_job(1), accept(1)])
    delivered = MarkDelivered(request_id(1), NOON + 3 * SECOND)

    assert isinstance(ledger.commit([delivered])[0], NotWritten)
    assert ledger.commit([replace(delivered, opened=True)]) == [Done(1)]

    assert ledger.undelivered(placed.key) is None
    assert isinstance(ledger.commit([capture(placed, alice, 60)])[0], Capture)


def test_jobs_are_listed_by_account_newest_first(ledger: LedgerStore, alice: Wallet):
    ledger.commit([each for number in range(1, 6) for each in (place(number, alice, 10), new_job(number))])

    newest = ledger.long_jobs(alice.id, Endpoint.VIDEOS, limit=3)
    older = ledger.long_jobs(alice.id, Endpoint.VIDEOS, before=newest[-1].id)

    assert [each.id for each in (*newest, *older)] == [request_id(number) for number in (5, 4, 3, 2, 1)]
    assert ledger.long_jobs(alice.id, Endpoint.JOBS) == []
    assert ledger.long_jobs(wallet(2).id, Endpoint.VIDEOS) == []
    assert ledger.long_jobs(wallet(2).id, Endpoint.VIDEOS, before=newest[0].id) == [], "another account's place is none"


def test_a_job_outlives_the_process(database: Database):
    alice = wallet(1)
    with open_ledger(database.url, IDENTITY) as ledger:
        ledger.commit([Chain().block(deposit(alice, 1_000)), place(1, alice, 100), new_job(1), accept(1)])
    with open_ledger(database.url, IDENTITY) as ledger:
        [job] = ledger.open_long_jobs()
        assert (job.upstream, job.new) == ("video_1", new_job(1).job)
        ledger.check()


CONTRADICTIONS = (
    "upstream = 'x'", "progress = 101", "started_at = 5", "output = '[]'", "failure = '[]'", "accepted_at = 5",
)  # fmt: skip


def test_the_database_refuses_what_contradicts_itself(ledger: LedgerStore, alice: Wallet, database: Database):
    ledger.commit([place(1, alice, 100), new_job(1)])

    for change in CONTRADICTIONS:
        with pytest.raises(IntegrityError):
            database.run(f"UPDATE long_jobs SET {change}")  # noqa: S608 -- our own
