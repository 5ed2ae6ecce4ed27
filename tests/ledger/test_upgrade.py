"""A ledger that an earlier version wrote, opened by this one: nothing in it is lost, and it goes on."""

import json
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import MetaData, create_engine, select
from sqlalchemy.exc import IntegrityError
from tests.databases import Database
from tests.ledger.samples import IDENTITY, NOON, QUOTED, capture, place, request_id, wallet

from mintery.domain.hold import Ending
from mintery.ledger.audit import open_audit
from mintery.ledger.commands import Answer, Done, MarkDelivered, SealRows, WriteOff
from mintery.ledger.migrations import FOLDER
from mintery.ledger.sealing import Source, seal_hash
from mintery.ledger.store import LedgerStore, open_ledger

ALICE = wallet(1)
WRITTEN = Path(__file__).parent / "revision_0005.json"
"""Each table's rows as revision 0005 had them. Of alice's 500, request 1 was charged 60 of 100 and has a kept answer, 2 holds
30, 3 was released, and 4 was charged 10, which batch 1 settles. 1 and 4 count against both limits, 2 against one. All of it
is sealed.
"""


@pytest.fixture
def written(bare_database: Database) -> Database:
    engine = create_engine(bare_database.url)
    with engine.begin() as connection:
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", str(FOLDER))
        command.upgrade(config, "0005")
        tables = MetaData()
        tables.reflect(connection)
        connection.execute(tables.tables["seal_marks"].delete())
        for name, rows in json.loads(WRITTEN.read_text()).items():
            connection.execute(tables.tables[name].insert(), [_unhexed(row) for row in rows])
        if bare_database.kind == "postgresql":
            for name in ("transfers", "receipts", "batches"):
                last = f"(SELECT max(seq) FROM {name})"  # noqa: S608 -- our own names
                connection.exec_driver_sql(f"SELECT setval(pg_get_serial_sequence('{name}', 'seq'), {last})")
    engine.dispose()
    return bare_database


def _unhexed(row: dict[str, Any]) -> dict[str, Any]:
    return {name: bytes.fromhex(value["hex"]) if isinstance(value, dict) else value for name, value in row.items()}


def counted(ledger: LedgerStore) -> tuple[int, int]:
    return ledger.used(f"limit:{Ending.SETTLEMENT.value}"), ledger.used(f"limit:{Ending.NEVER.value}")


def test_an_earlier_ledger_is_opened_with_all_that_it_held(written: Database):
    with open_ledger(written.url, IDENTITY) as ledger:
        ledger.check()
        balance = ledger.account(ALICE.id)
        assert balance is not None
        assert (balance.available, balance.held, balance.captured) == (400, 30, 70)
        assert counted(ledger) == (60 + 30 + 10, 60 + 10)
        first = ledger.request(request_id(1))
        assert first is not None
        assert (first.quoted, first.answer) == (QUOTED, Answer(200, "application/json", b"{}"))


def test_what_was_open_ends_as_it_would_have(written: Database):
    with open_ledger(written.url, IDENTITY) as ledger:
        second = place(2, ALICE, 30)
        ledger.commit([capture(second, ALICE, 20), MarkDelivered(request_id(4), NOON)])

        ledger.check()
        assert counted(ledger) == (60 + 20 + 10, 60 + 10)
        fourth = ledger.request(request_id(4))
        assert fourth is not None
        assert fourth.answer is None


def test_earlier_seals_hold_and_new_ones_follow_them(written: Database):
    with open_ledger(written.url, IDENTITY) as ledger:
        second = place(2, ALICE, 30)
        ledger.commit([capture(second, ALICE, 20), SealRows(100, NOON)])
    with open_audit(written.url) as audit:
        report = audit.verify()

    assert (report.holds, report.checked, report.waiting) == (True, 11 + 2, 0)


def test_what_an_earlier_seal_does_not_cover_must_not_be_there(written: Database):
    open_ledger(written.url, IDENTITY).close()
    trigger = "transfers_no_update" if written.kind == "sqlite" else "transfers_no_change ON transfers"
    written.run(f"DROP TRIGGER {trigger}")
    written.run("UPDATE transfers SET rest = 1 WHERE kind = 'capture' AND reference LIKE '%%4'")

    with open_audit(written.url) as audit:
        report = audit.verify()

    assert (report.holds, report.misfits) == (False, 1)


@pytest.mark.parametrize("name", ["id", "pending"])
def test_a_hold_and_its_end_are_written_once_still(written: Database, name: str):
    open_ledger(written.url, IDENTITY).close()
    columns = "id, kind, debit, credit, amount, pending, at, reference"
    kind = "hold" if name == "id" else "capture"

    with pytest.raises(IntegrityError):
        written.run(f"INSERT INTO transfers ({columns}) SELECT {columns} FROM transfers WHERE kind = '{kind}'")  # noqa: S608


def test_calls_that_were_recorded_before_they_were_counted_are_kept_and_sealed(written: Database):
    engine = create_engine(written.url)
    with engine.begin() as connection:
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", str(FOLDER))
        command.upgrade(config, "0016")
        for position, outcome in ((1, "delivered"), (0, "refused")):
            connection.exec_driver_sql(
                "INSERT INTO route_attempts (request, position, route, provider, outcome, began_at, ended_at) "  # noqa: S608 -- our own names
                f"VALUES ('{request_id(1)}', {position}, 'a/m', 'a', '{outcome}', 1, {2 + position})"
            )
    engine.dispose()

    with open_ledger(written.url, IDENTITY) as ledger:
        assert [each.outcome.value for each in ledger.attempts(request_id(1))] == ["refused", "delivered"]
        ledger.commit([SealRows(1_000, NOON)])
        ledger.check()
    with open_audit(written.url) as audit:
        assert audit.verify().holds
    assert written.run("SELECT row_seq FROM seals WHERE source = 5 ORDER BY position") == [(1,), (2,)]


def test_what_refunds_took_of_a_lot_is_known_of_earlier_ones(written: Database):
    engine = create_engine(written.url)
    with engine.begin() as connection:
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", str(FOLDER))
        command.upgrade(config, "0024")
        for into, values in (
            (
                "transfers (seq, id, kind, debit, credit, amount, at, reference)",
                "900, 'x', 'released_on_chain', 'a', 'b', 4, 1, 'b/9'",
            ),
            (
                "lots (seq, account, token, reference, transfer, amount, remaining, at)",
                f"1, '{ALICE.id}', 't', 'd/0', 1, 10, 2, 1",
            ),
            ("lot_uses (lot, account, transfer, kind, amount, at)", f"1, '{ALICE.id}', 900, 'released_on_chain', 4, 1"),
            ("lot_uses (lot, account, transfer, kind, amount, at)", f"1, '{ALICE.id}', 1, 'capture', 4, 1"),
            (
                "lot_refunds (id, lot, account, amount, way, asked_at, released)",
                f"'r1', 1, '{ALICE.id}', 4, 'wallet', 1, 'b/9'",
            ),
            (
                "lot_refunds (id, lot, account, amount, way, asked_at, failed_at, failed_why)",
                f"'r2', 1, '{ALICE.id}', 2, 'wallet', 1, 2, 'x'",
            ),
        ):
            connection.exec_driver_sql(f"INSERT INTO {into} VALUES ({values})")  # noqa: S608 -- our own names
    engine.dispose()

    open_ledger(written.url, IDENTITY).close()

    assert written.run("SELECT refunded FROM lots") == [(4,)]
    assert written.run("SELECT refund, asked_after, failed_after, followed FROM lot_set_asides ORDER BY refund") == [
        ("r1", 0, None, 1),
        ("r2", 0, 0, 0),
    ]
    assert written.run("SELECT place, refund FROM lot_releases") == [("b/9", "r1")]


def test_an_earlier_write_off_that_was_undone_can_be_written_off_again(written: Database):
    """Its rows were sealed before what undoes one said which."""
    row, undone = (1, request_id(1), ALICE.id, 60, "a reason", 7), (1, request_id(1), 1, 8)
    engine = create_engine(written.url)
    with engine.begin() as connection:
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", str(FOLDER))
        command.upgrade(config, "0026")
        tables = MetaData()
        tables.reflect(connection, only=["write_offs", "undone_write_offs", "seals", "seal_marks"])
        seals, marks = tables.tables["seals"], tables.tables["seal_marks"]
        position, sealed = connection.execute(select(seals.c.position, seals.c.hash).order_by(seals.c.position)).all()[
            -1
        ]
        for source, values, version in ((Source.WRITE_OFFS, row, 2), (Source.UNDONE_WRITE_OFFS, undone, 1)):
            connection.execute(tables.tables[source.name.lower()].insert().values(values))
            position, sealed = position + 1, seal_hash(bytes(sealed), source, values, version)
            connection.execute(seals.insert().values((position, int(source), version, 1, sealed)))
            connection.execute(marks.update().where(marks.c.source == int(source)).values(through=1))
        if written.kind == "postgresql":
            for name in ("write_offs", "undone_write_offs"):
                connection.exec_driver_sql(f"SELECT setval(pg_get_serial_sequence('{name}', 'seq'), 1)")
    engine.dispose()

    with open_ledger(written.url, IDENTITY) as ledger:
        (earlier,) = ledger.write_offs()
        assert earlier.undone_at is not None
        again = WriteOff(request_id(1), "once more", NOON)
        assert ledger.commit([again, again]) == [Done(1), Done(0)]
        assert [each.undone_at is None for each in ledger.write_offs()] == [True, False]
        ledger.commit([SealRows(100, NOON)])
    with open_audit(written.url) as audit:
        assert audit.verify().holds
