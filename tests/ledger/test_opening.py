import re
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError
from tests.databases import Database, sqlite_database
from tests.ledger.samples import IDENTITY, OTHER_TOKEN, Chain, Wallet, capture, deposit, place, wallet

import mintery
from mintery.domain.hold import Constraint, Ending
from mintery.domain.voucher import Address
from mintery.errors import LedgerInconsistent, LedgerOfAnotherChain, LedgerRefused, LedgerUnavailable, MalformedFile
from mintery.ledger.columns import metadata
from mintery.ledger.migrations import FOLDER, HEAD, REVISIONS, VERSION_TABLE
from mintery.ledger.store import LedgerStore, open_ledger
from mintery.units import NanoCredits

ROOT = Path(mintery.__file__).parents[2]


def test_what_was_committed_is_there_again(database: Database, chain: Chain):
    with open_ledger(database.url, IDENTITY) as ledger:
        ledger.commit([chain.block(deposit(wallet(1), 1_000)), place(1, wallet(1), 300)])
    with open_ledger(database.url, IDENTITY) as ledger:
        assert ledger.account(wallet(1).id).held == 300
        assert ledger.last_block() == chain.last


@pytest.mark.parametrize(
    "other",
    [
        replace(IDENTITY, chain_id=1),
        replace(IDENTITY, genesis_hash="0x" + "cd" * 32),
        replace(IDENTITY, escrow=Address(OTHER_TOKEN)),
    ],
)
def test_a_ledger_of_another_chain_is_refused_and_left_alone(database: Database, other: object):
    open_ledger(database.url, IDENTITY).close()
    before = database.contents()

    with pytest.raises(LedgerOfAnotherChain) as refused:
        open_ledger(database.url, other)

    assert refused.value.recorded == str(IDENTITY)
    assert refused.value.expected == str(other)
    assert database.contents() == before


def test_a_file_of_something_else_is_refused_and_left_alone(tmp_path: Path):
    path = tmp_path / "notes"
    path.write_bytes(b"a text file of someone" * 100)
    with pytest.raises(MalformedFile):
        open_ledger(path, IDENTITY)
    assert path.read_bytes() == b"a text file of someone" * 100


def test_a_database_of_something_else_is_refused_and_left_alone(bare_database: Database):
    bare_database.run("CREATE TABLE notes (text TEXT)")

    with pytest.raises(MalformedFile):
        open_ledger(bare_database.url, IDENTITY)

    assert bare_database.contents() == {"notes": []}


def test_a_ledger_of_a_newer_version_is_refused(database: Database):
    open_ledger(database.url, IDENTITY).close()
    database.run(f"UPDATE {VERSION_TABLE} SET version_num = '9999'")  # noqa: S608 -- a constant

    with pytest.raises(MalformedFile, match="9999"):
        open_ledger(database.url, IDENTITY)


def test_a_server_that_is_away_is_named_without_the_password():
    with pytest.raises(LedgerUnavailable, match=r"@127\.0\.0\.1:1/mine") as refused:
        open_ledger("postgresql://me:hunter2@127.0.0.1:1/mine", IDENTITY)

    assert "hunter2" not in str(refused.value)


OPENING = """
import sys
from mintery.ledger.store import open_ledger
from tests.ledger.samples import IDENTITY

sys.stdin.readline()
with open_ledger(sys.argv[1], IDENTITY) as ledger:
    ledger.check()
"""


def test_four_processes_open_one_new_database_at_once(bare_database: Database):
    command = [sys.executable, "-c", OPENING, bare_database.url]
    opening = [subprocess.Popen(command, stdin=subprocess.PIPE, cwd=ROOT) for _ in range(4)]
    for process in opening:
        process.communicate(b"\n")

    assert [process.returncode for process in opening] == [0] * 4
    assert bare_database.run("SELECT chain_id FROM identity") == [(IDENTITY.chain_id,)]


def test_the_migrations_have_one_head():
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    scripts = ScriptDirectory.from_config(config)

    assert scripts.get_heads() == [HEAD]
    assert [each.revision for each in reversed(list(scripts.walk_revisions()))] == list(REVISIONS)


def test_the_migrations_make_the_tables_of_the_schema(bare_database: Database):
    open_ledger(bare_database.url, IDENTITY).close()
    migrated = create_engine(bare_database.url)

    with migrated.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        assert compare_metadata(context, metadata) == []
    migrated.dispose()


def test_the_migrations_write_what_sqlalchemy_would(tmp_path: Path):
    """Checks, keys and partial indexes to the letter, which the comparison above does not look at."""
    open_ledger(tmp_path / "ledger.sqlite", IDENTITY).close()
    migrated = create_engine(f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    created = create_engine(f"sqlite:///{tmp_path / 'created.sqlite'}")
    metadata.create_all(created)

    assert sources(migrated) == sources(created)
    migrated.dispose()
    created.dispose()


def sources(engine: object) -> dict[str, list[str]]:
    """Every table's and index's own SQL, its columns and constraints in one order: a column added later stands last."""
    with engine.connect() as connection:
        rows = connection.exec_driver_sql(
            "SELECT name, sql FROM sqlite_master WHERE type IN ('table', 'index') AND sql IS NOT NULL"
        )
        return {name: sorted(parts_of(sql)) for name, sql in rows if name != VERSION_TABLE}


def parts_of(sql: str) -> list[str]:
    """What stands before, between the commas of, and after the outermost parentheses."""
    begin, end = sql.index("("), sql.rindex(")")
    between = re.split(r",(?![^(]*\))", sql[begin + 1 : end])
    return [" ".join(part.split()) for part in (sql[:begin], *between, sql[end + 1 :])]


@pytest.mark.parametrize("table", ["transfers", "receipts"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET seq = seq + 1", "DELETE FROM {}"])
def test_records_are_never_changed(ledger: LedgerStore, database: Database, alice: Wallet, table: str, statement: str):
    placed = place(1, alice, 10)
    ledger.commit([placed, capture(placed, alice, 5)])

    with pytest.raises(DBAPIError, match="never changed"):
        database.run(statement.format(table))


@pytest.mark.parametrize("table", ["transfers", "receipts"])
def test_records_are_never_emptied(postgres_database: Database, table: str):
    open_ledger(postgres_database.url, IDENTITY).close()

    with pytest.raises(DBAPIError, match="never changed"):
        postgres_database.run(f"TRUNCATE {table}")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("UPDATE accounts SET available = available + 1", "balance available"),
        ("UPDATE requests SET backed = backed - 1", "held of account"),
        ("UPDATE counters SET used = used + 1", "counter budget"),
    ],
)
def test_the_check_finds_what_does_not_add_up(database: Database, chain: Chain, change: str, named: str):
    limit = Constraint("budget", NanoCredits(100), Ending.NEVER)
    with open_ledger(database.url, IDENTITY) as ledger:
        ledger.commit([chain.block(deposit(wallet(1), 100)), place(1, wallet(1), 10, constraints=(limit,))])
        ledger.check()
        database.run(change)

        with pytest.raises(LedgerInconsistent, match=named):
            ledger.check()


def test_no_float_can_be_stored(tmp_path: Path):
    """PostgreSQL's BIGINT rounds it away; SQLite would keep it, but for STRICT."""
    ledger = sqlite_database(tmp_path / "ledger.sqlite")
    with open_ledger(ledger.url, IDENTITY) as store:
        store.commit([Chain().block(deposit(wallet(1), 1))])

    with pytest.raises(DBAPIError):
        ledger.run("UPDATE accounts SET available = 0.5")


def test_amounts_beyond_63_bits_fail_loudly(ledger: LedgerStore, chain: Chain, alice: Wallet):
    with pytest.raises(LedgerRefused):
        ledger.commit([chain.block(deposit(alice, 2**63 - 1))])
    assert ledger.account(alice.id).available == 1_000


CHILD = """
import sys
from mintery.ledger.store import open_ledger
from tests.ledger.samples import IDENTITY, Chain, capture, deposit, place, wallet

ledger = open_ledger(sys.argv[1], IDENTITY)
own = wallet(1)
ledger.commit([Chain().block(deposit(own, 10**9))])
number = 0
while True:
    number += 1
    placed = place(number, own, 10)
    ledger.commit([placed])
    ledger.commit([capture(placed, own, 7)])
    print(number, flush=True)
"""


def test_what_was_acknowledged_survives_a_kill(database: Database):
    child = subprocess.Popen([sys.executable, "-c", CHILD, database.url], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert child.stdout is not None
    for line in child.stdout:
        if int(line) >= 60:
            break
    child.send_signal(signal.SIGKILL)
    acknowledged = max([60, *(int(line) for line in child.stdout if line.endswith("\n"))])
    child.wait()
    child.stdout.close()

    with open_ledger(database.url, IDENTITY) as ledger:
        ledger.check()
        receipts = ledger.receipts(limit=10**6)
        assert acknowledged <= len(receipts) <= acknowledged + 1
        balance = ledger.account(wallet(1).id)
        assert balance.captured == 7 * len(receipts)
        assert balance.held in {0, 10}
        assert len(ledger.open_holds()) == balance.held // 10
