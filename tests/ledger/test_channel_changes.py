"""What an operator set of channels: one revision after the other, never changed, sealed."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy.exc import DBAPIError
from tests.databases import Database
from tests.ledger.samples import IDENTITY, NOON

from mintery.domain.channel import ChannelChange, Scope, Setting, Subject
from mintery.ledger.audit import open_audit
from mintery.ledger.commands import ChangeChannel, Done, NotWritten, SealRows
from mintery.ledger.store import LedgerStore, open_ledger

MULTIPLIER = Subject(Scope.CHANNEL, "acme/small", Setting.MULTIPLIER)
RESALE = Subject(Scope.PROVIDER, "acme", Setting.RESALE)


def change(subject: Subject = MULTIPLIER, revision: int = 1, value: str | None = "100", **more: str) -> ChangeChannel:
    fields = {"changed_by": "ann", "reason": "the contract"} | more
    return ChangeChannel(subject, revision, value, **fields, at=NOON + timedelta(minutes=revision))


def kept(seq: int, of: ChangeChannel, earlier: str | None) -> ChannelChange:
    return ChannelChange(seq, of.subject, of.revision, earlier, of.value, of.changed_by, of.reason, of.at)


def test_each_change_says_what_it_replaces_and_the_newest_of_each_subject_holds(ledger: LedgerStore):
    first, second, back, other = (
        change(),
        change(revision=2, value="50"),
        change(revision=3, value=None),
        change(RESALE),
    )

    assert ledger.commit([first, second, back, other]) == [Done(1)] * 4

    rows = [kept(1, first, None), kept(2, second, "100"), kept(3, back, "50"), kept(4, other, None)]
    assert list(ledger.channel_changes()) == rows[::-1]
    assert list(ledger.channel_changes(name="acme/small", limit=2)) == [rows[2], rows[1]]
    assert list(ledger.channel_settings()) == rows[2:]


def test_the_mark_moves_with_every_change_and_with_nothing_else(ledger: LedgerStore):
    before = ledger.channel_mark()
    ledger.commit([change()])
    after = ledger.channel_mark()

    ledger.commit([change(), change(revision=5), SealRows(10, NOON)])

    assert (before, after, ledger.channel_mark()) == ((0, 0), (1, 1), (1, 1))


def test_a_change_that_was_decided_on_what_holds_no_more_is_refused(ledger: LedgerStore):
    ledger.commit([change()])

    results = ledger.commit([change(), change(value="7"), change(revision=3), change(changed_by="bob")])

    assert results[0] == Done(0), "the very same again"
    assert all(isinstance(each, NotWritten) for each in results[1:])
    assert len(ledger.channel_changes()) == 1


def test_of_two_processes_that_write_the_same_revision_one_is_refused(ledger: LedgerStore, database: Database):
    """At once on PostgreSQL, where neither sees the other's row before it is committed."""
    with open_ledger(database.url, IDENTITY) as other, ThreadPoolExecutor(2) as both:
        for revision in range(1, 11):
            changes = [
                (store, change(revision=revision, value=value)) for store, value in ((ledger, "1"), (other, "2"))
            ]
            results = list(both.map(lambda pair: pair[0].commit([pair[1]])[0], changes))
            assert sorted(type(each).__name__ for each in results) == ["Done", "NotWritten"]

    assert [each.revision for each in ledger.channel_changes()] == list(range(10, 0, -1))


@pytest.mark.parametrize("statement", ["UPDATE channel_changes SET reason = 'x'", "DELETE FROM channel_changes"])
def test_the_database_itself_refuses_to_change_them(ledger: LedgerStore, database: Database, statement: str):
    ledger.commit([change()])

    with pytest.raises(DBAPIError, match="never changed"):
        database.run(statement)


def test_they_are_sealed_in_a_form_of_their_own_and_what_is_changed_underneath_is_found(
    ledger: LedgerStore, database: Database
):
    ledger.commit([change(), change(RESALE, value="false"), SealRows(10, NOON)])

    assert database.run("SELECT source, version, row_seq FROM seals ORDER BY position") == [(4, 1, 1), (4, 1, 2)]
    with open_audit(database.url) as audit:
        assert audit.verify().holds
    trigger = (
        "channel_changes_no_update" if database.kind == "sqlite" else "channel_changes_no_change ON channel_changes"
    )
    database.run(f"DROP TRIGGER {trigger}")
    database.run("UPDATE channel_changes SET changed_by = 'mallory' WHERE seq = 2")

    with open_audit(database.url) as audit:
        report = audit.verify()

    assert (report.holds, report.misfits) == (False, 1)
    assert report.first is not None
    assert report.first.row == "channel_changes 2"
