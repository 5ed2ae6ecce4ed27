"""Everything that is append-only is sealed once, and what is changed underneath is found."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError
from tests.databases import Database, sqlite_database
from tests.ledger.samples import DOMAIN, IDENTITY, NOON, Chain, Wallet, capture, deposit, place, wallet

from mintery.errors import MalformedFile
from mintery.ledger.apply_seals import GAP_LIFE
from mintery.ledger.audit import open_audit
from mintery.ledger.commands import Done, SealRows
from mintery.ledger.sealing import SEALED
from mintery.ledger.store import LedgerStore, open_ledger
from mintery.ledger.verifying import Seal, SealReport
from mintery.usecases.seal_ledger import seal_ledger

TABLES = ("transfers", "receipts", "seals")
ALL_OF = {
    "transfers": "seq, id, kind, debit, credit, amount, pending, at, reference, rest",
    "receipts": "seq, request, account, token, epoch, cost, held, model, provider, captured_at, facts, signature",
}


def seal(ledger: LedgerStore, *, limit: int = 1_000, at: datetime = NOON) -> int:
    (result,) = ledger.commit([SealRows(limit, at)])
    assert isinstance(result, Done)
    return result.changed


def spend(ledger: LedgerStore, of: Wallet, *numbers: int) -> None:
    """Two transfers, the second with a rest, and a receipt, for each."""
    for number in numbers:
        placed = place(number, of, 10)
        ledger.commit([placed, capture(placed, of, 4)])


def walked(database: Database, *, start: int = 1, noted: Seal | None = None) -> SealReport:
    with open_audit(database.url) as audit:
        return audit.verify(start=start, noted=noted)


def tampered(database: Database, *statements: str) -> None:
    """What someone does who holds the database, its triggers and all."""
    for table in TABLES:
        disarm(database, table)
    for statement in statements:
        database.run(statement)


def disarm(database: Database, table: str) -> None:
    if database.kind == "sqlite":
        database.run(f"DROP TRIGGER {table}_no_update")
        database.run(f"DROP TRIGGER {table}_no_delete")
    else:
        database.run(f"DROP TRIGGER {table}_no_change ON {table}")


@pytest.fixture(scope="module")
def ten(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A deposit, three paid requests, and a seal on each of the 10 rows."""
    path = tmp_path_factory.mktemp("sealed") / "ledger.sqlite"
    with open_ledger(path, IDENTITY) as ledger:
        ledger.commit([Chain().block(deposit(wallet(1), 1_000))])
        spend(ledger, wallet(1), 1, 2, 3)
        assert seal(ledger) == 10
    return path


@pytest.fixture
def sealed(ten: Path, tmp_path: Path) -> Database:
    """A file that someone else has in hand: what they can do to it is the same on every database."""
    return sqlite_database(shutil.copy(ten, tmp_path / "ledger.sqlite"))


def test_rows_are_sealed_once_however_often_it_is_asked(ledger: LedgerStore, database: Database, alice: Wallet):
    spend(ledger, alice, 1, 2)

    counts = [seal(ledger, limit=2) for _ in range(4)]

    assert counts == [4, 2, 1, 0]
    report = walked(database)
    assert (report.holds, report.checked, report.waiting) == (True, 7, 0)


def test_the_chain_can_be_computed_from_the_rows_alone(ledger: LedgerStore, database: Database, alice: Wallet):
    spend(ledger, alice, 1)
    seal(ledger)

    stored = [bytes(row[0]) for row in database.run("SELECT hash FROM seals ORDER BY position")]
    moved, kept = (database.run(f"SELECT {ALL_OF[table]} FROM {table} ORDER BY seq") for table in ALL_OF)  # noqa: S608
    rows = [[2, "transfers", *row] for row in moved] + [[2, "receipts", *row] for row in kept]
    hashes, last = [], hashlib.sha256(_compact(["mintery-seals", DOMAIN.chain_id, DOMAIN.escrow])).digest()
    for row in rows:
        last = hashlib.sha256(last + _compact(row)).digest()
        hashes.append(last)

    assert stored == hashes


def _compact(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def test_every_column_of_what_is_sealed_is_covered():
    for rows in SEALED.values():
        assert rows.columns == tuple(column.name for column in rows.table.columns)


def test_what_is_new_waits_for_its_seal(ledger: LedgerStore, database: Database, alice: Wallet):
    spend(ledger, alice, 1)
    seal(ledger)
    spend(ledger, alice, 2)

    report = walked(database)

    assert (report.holds, report.checked, report.waiting, report.unsealed) == (True, 4, 3, 0)


def test_the_job_seals_what_there_is(
    ledger: LedgerStore, database: Database, alice: Wallet, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("mintery.usecases.seal_ledger.ROWS_AT_ONCE", 2)
    spend(ledger, alice, 1, 2, 3)

    assert seal_ledger(ledger, NOON) == 10
    assert seal_ledger(ledger, NOON) == 0
    assert walked(database).waiting == 0


def test_an_empty_ledger_has_no_head_and_holds(ledger: LedgerStore, database: Database):
    assert seal(ledger) == 0
    assert walked(database) == SealReport(0, None, 0, None, 0, 0, None)


def test_the_database_itself_refuses_to_change_seals(ledger: LedgerStore, database: Database, alice: Wallet):
    seal(ledger)
    for statement in ("UPDATE seals SET source = 2", "DELETE FROM seals"):
        with pytest.raises(DBAPIError, match="never changed"):
            database.run(statement)


def test_a_changed_amount_is_one_misfit(sealed: Database):
    tampered(sealed, "UPDATE transfers SET amount = 5 WHERE kind = 'capture' AND reference LIKE '%%2'")

    report = walked(sealed)

    assert (report.holds, report.misfits, report.unsealed) == (False, 1, 0)
    assert report.first is not None
    assert report.first.row == "transfers 5"
    assert report.first.expected != report.first.found


def test_a_changed_receipt_is_found(sealed: Database):
    tampered(sealed, "UPDATE receipts SET facts = replace(facts, 'acme', 'evil') WHERE seq = 3")

    report = walked(sealed)

    assert report.first is not None
    assert (report.misfits, report.first.row, report.first.position) == (1, "receipts 3", 10)


def test_a_deleted_row_is_named(sealed: Database):
    tampered(sealed, "DELETE FROM transfers WHERE seq = 4")

    report = walked(sealed)

    assert report.first is not None
    assert (report.misfits, report.first.row, report.first.found) == (1, "transfers 4", "no such row")


def test_a_swapped_pair_is_two_misfits(sealed: Database):
    tampered(
        sealed,
        "UPDATE transfers SET seq = -3 WHERE seq = 3",
        "UPDATE transfers SET seq = 3 WHERE seq = 4",
        "UPDATE transfers SET seq = 4 WHERE seq = -3",
    )

    report = walked(sealed)

    assert report.first is not None
    assert (report.misfits, report.first.row) == (2, "transfers 3")


def test_a_deleted_seal_leaves_a_hole_and_a_row_without_one(sealed: Database):
    tampered(sealed, "DELETE FROM seals WHERE position = 5")

    report = walked(sealed)

    assert report.first is not None
    assert (report.misfits, report.first.position, report.first.found) == (1, 5, "none")
    assert (report.unsealed, report.first_unsealed) == (1, "transfers 5")


def test_deleted_last_seals_leave_rows_without_one(sealed: Database):
    tampered(sealed, "DELETE FROM seals WHERE position >= 9")

    report = walked(sealed)

    assert (report.misfits, report.unsealed, report.first_unsealed, report.holds) == (0, 2, "receipts 2", False)


def test_a_changed_seal_fits_neither_its_row_nor_the_next(sealed: Database):
    tampered(sealed, "UPDATE seals SET hash = (SELECT hash FROM seals WHERE position = 1) WHERE position = 7")

    assert walked(sealed).misfits == 2


def test_a_rewritten_tail_is_seen_by_a_head_that_was_noted(sealed: Database):
    """Whoever can write the file can also compute the chain again; only what is kept elsewhere shows that."""
    noted = walked(sealed).head
    assert noted is not None
    tampered(
        sealed,
        "UPDATE transfers SET amount = 5 WHERE seq = 6",
        "DELETE FROM seals",
        "UPDATE seal_marks SET through = 0",
    )
    with open_ledger(sealed.url, IDENTITY) as ledger:
        assert seal(ledger) == 10
    assert walked(sealed).holds

    report = walked(sealed, noted=noted)

    assert (report.holds, report.misfits) == (False, 1)
    assert report.first is not None
    assert (report.first.position, report.first.row, report.first.expected) == (10, "the noted head", noted.hash)


def test_a_noted_head_stays_true_while_the_chain_grows(sealed: Database):
    noted = walked(sealed).head
    with open_ledger(sealed.url, IDENTITY) as ledger:
        spend(ledger, wallet(1), 9)
        seal(ledger)

    assert walked(sealed, noted=noted).holds
    assert not walked(sealed, noted=Seal(99, "00" * 32)).holds


def test_a_walk_may_begin_later(sealed: Database):
    tampered(sealed, "UPDATE transfers SET amount = 5 WHERE seq = 6")

    assert walked(sealed, start=7).checked == 4
    assert walked(sealed, start=7).holds
    assert not walked(sealed, start=6).holds


def test_a_row_that_appears_late_is_sealed_then_and_once(ledger: LedgerStore, database: Database, alice: Wallet):
    """Sequence numbers are given when a row is written, and rows are seen when their transactions end."""
    spend(ledger, alice, 1)
    seal(ledger)
    late(database, 21)
    assert seal(ledger) == 1
    assert walked(database).waiting == 0

    late(database, 12)
    late(database, 13)
    assert walked(database).waiting == 2

    assert [seal(ledger), seal(ledger)] == [2, 0]
    late(database, 20)
    late(database, 5)
    late(database, 16)
    assert [seal(ledger, limit=1) for _ in range(4)] == [1, 1, 1, 0]
    report = walked(database)
    assert (report.holds, report.checked, report.waiting, report.unsealed) == (True, 10, 0, 0)
    forget(database)


def test_a_gap_is_forgotten_after_a_day_and_what_appears_later_is_found(
    ledger: LedgerStore, database: Database, alice: Wallet
):
    spend(ledger, alice, 1)
    late(database, 9)
    seal(ledger)
    seal(ledger, at=NOON + GAP_LIFE + timedelta(seconds=1))
    late(database, 7)

    assert seal(ledger) == 0
    report = walked(database)

    assert (report.holds, report.unsealed, report.first_unsealed) == (False, 1, "transfers 7")
    forget(database)


def late(database: Database, seq: int) -> None:
    """A transfer of two system books under a sequence number that was passed over."""
    database.run(
        "INSERT INTO transfers (seq, id, kind, debit, credit, amount, at, reference) "  # noqa: S608 -- a number
        f"VALUES ({seq}, 'late/{seq}', 'late', 'unpaid:t', 'losses:t', 1, 0, 'late')"
    )


def forget(database: Database) -> None:
    """The books are checked once more when a test is over."""
    disarm(database, "transfers")
    database.run("DELETE FROM transfers WHERE kind = 'late'")


def test_a_file_that_is_no_ledger_is_not_checked(tmp_path: Path):
    stray = tmp_path / "notes.sqlite"
    sqlite_database(stray).run("CREATE TABLE notes (text TEXT)")

    with pytest.raises(MalformedFile):
        open_audit(stray)


def test_a_transaction_that_ends_late_is_sealed_when_it_ends(postgres_database: Database):
    """Two writers at once: the one that began first, and has the smaller sequence number, commits last."""
    with open_ledger(postgres_database.url, IDENTITY) as ledger:
        ledger.commit([Chain().block(deposit(wallet(1), 1_000))])
        engine = create_engine(postgres_database.url)
        with engine.connect() as slow:
            slow.exec_driver_sql(
                "INSERT INTO transfers (id, kind, debit, credit, amount, at, reference) "
                "VALUES ('slow', 'late', 'unpaid:t', 'losses:t', 1, 0, 'late')"
            )
            spend(ledger, wallet(1), 1)
            assert [seal(ledger), seal(ledger)] == [4, 0]
            slow.commit()
        engine.dispose()

        assert [seal(ledger), seal(ledger)] == [1, 0]
    order = postgres_database.run("SELECT row_seq FROM seals WHERE source = 1 ORDER BY position")
    assert [row[0] for row in order] == [1, 3, 4, 2]
    assert walked(postgres_database).holds


def test_whoever_seals_is_not_waited_for(postgres_database: Database):
    with open_ledger(postgres_database.url, IDENTITY) as ledger:
        ledger.commit([Chain().block(deposit(wallet(1), 1_000))])
        with locked_rows(postgres_database, "seal_marks"):
            assert seal(ledger) == 0
        assert seal(ledger) == 1


@contextmanager
def locked_rows(database: Database, table: str) -> Iterator[None]:
    engine = create_engine(database.url)
    with engine.connect() as connection:
        connection.exec_driver_sql(f"SELECT * FROM {table} FOR UPDATE")  # noqa: S608 -- a constant
        yield
    engine.dispose()
