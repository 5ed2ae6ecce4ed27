import signal
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Dialect, create_engine
from sqlalchemy.dialects import postgresql
from tests.ledger.samples import IDENTITY, OTHER_TOKEN, Chain, Wallet, capture, deposit, place, wallet

import mintery
from mintery.domain.hold import Constraint, Ending
from mintery.domain.voucher import Address
from mintery.errors import LedgerInconsistent, LedgerOfAnotherChain, MalformedFile
from mintery.ledger import apply_batches, apply_chain, apply_endings, apply_holds, apply_settled, books
from mintery.ledger.columns import metadata
from mintery.ledger.migrations import FOLDER, HEAD, REVISIONS, VERSION_TABLE
from mintery.ledger.store import LedgerStore, open_ledger
from mintery.ledger.work import Statement
from mintery.units import NanoCredits

ROOT = Path(mintery.__file__).parents[2]


def test_what_was_committed_is_there_again(path: Path, chain: Chain):
    with open_ledger(path, IDENTITY) as ledger:
        ledger.commit([chain.block(deposit(wallet(1), 1_000)), place(1, wallet(1), 300)])
    with open_ledger(path, IDENTITY) as ledger:
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
def test_a_ledger_of_another_chain_is_refused_and_left_alone(path: Path, other: object):
    open_ledger(path, IDENTITY).close()
    before = path.read_bytes()

    with pytest.raises(LedgerOfAnotherChain) as refused:
        open_ledger(path, other)

    assert refused.value.recorded == str(IDENTITY)
    assert refused.value.expected == str(other)
    assert path.read_bytes() == before


def test_what_is_no_ledger_is_refused_and_left_alone(path: Path):
    path.write_bytes(b"a text file of someone" * 100)
    with pytest.raises(MalformedFile):
        open_ledger(path, IDENTITY)
    assert path.read_bytes() == b"a text file of someone" * 100

    path.unlink()
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE notes (text TEXT)")
    database.close()
    before = path.read_bytes()
    with pytest.raises(MalformedFile):
        open_ledger(path, IDENTITY)
    assert path.read_bytes() == before


def test_a_ledger_of_a_newer_version_is_refused(path: Path):
    open_ledger(path, IDENTITY).close()
    with sqlite3.connect(path) as database:
        database.execute(f"UPDATE {VERSION_TABLE} SET version_num = '9999'")  # noqa: S608 -- a constant
    database.close()

    with pytest.raises(MalformedFile, match="9999"):
        open_ledger(path, IDENTITY)


def test_the_migrations_have_one_head():
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    scripts = ScriptDirectory.from_config(config)

    assert scripts.get_heads() == [HEAD]
    assert [each.revision for each in reversed(list(scripts.walk_revisions()))] == list(REVISIONS)


def test_the_migrations_make_the_tables_of_the_schema(path: Path, tmp_path: Path):
    open_ledger(path, IDENTITY).close()
    migrated = create_engine(f"sqlite:///{path}")
    created = create_engine(f"sqlite:///{tmp_path / 'created.sqlite'}")
    metadata.create_all(created)

    with migrated.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        assert compare_metadata(context, metadata) == []
    assert sources(migrated) == sources(created)
    migrated.dispose()
    created.dispose()


def sources(engine: object) -> dict[str, list[str]]:
    """Every table's and index's own SQL, its columns and constraints in one order."""
    with engine.connect() as connection:
        rows = connection.exec_driver_sql(
            "SELECT name, sql FROM sqlite_master WHERE type IN ('table', 'index') AND sql IS NOT NULL"
        )
        return {
            name: sorted(line.strip(" ,\t") for line in sql.splitlines()) for name, sql in rows if name != VERSION_TABLE
        }


def test_every_statement_compiles_for_postgresql():
    dialect: Dialect = postgresql.dialect()
    statements = [
        each
        for module in (apply_batches, apply_chain, apply_endings, apply_holds, apply_settled, books)
        for each in vars(module).values()
        if isinstance(each, Statement)
    ]

    assert len(statements) > 30
    assert all(each.on(dialect).sql for each in statements)


@pytest.mark.parametrize("table", ["transfers", "receipts"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET seq = seq + 1", "DELETE FROM {}"])
def test_records_are_never_changed(ledger: LedgerStore, path: Path, alice: Wallet, table: str, statement: str):
    placed = place(1, alice, 10)
    ledger.commit([placed, capture(placed, alice, 5)])
    database = sqlite3.connect(path)

    with pytest.raises(sqlite3.IntegrityError, match="never changed"):
        database.execute(statement.format(table))

    database.close()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("UPDATE accounts SET available = available + 1", "balance available"),
        ("UPDATE requests SET backed = backed - 1", "held of account"),
        ("UPDATE counters SET used = used + 1", "counter budget"),
    ],
)
def test_the_check_finds_what_does_not_add_up(path: Path, chain: Chain, change: str, named: str):
    limit = Constraint("budget", NanoCredits(100), Ending.NEVER)
    with open_ledger(path, IDENTITY) as ledger:
        ledger.commit([chain.block(deposit(wallet(1), 100)), place(1, wallet(1), 10, constraints=(limit,))])
        ledger.check()
        with sqlite3.connect(path) as database:
            database.execute(change)
        database.close()

        with pytest.raises(LedgerInconsistent, match=named):
            ledger.check()


def test_no_float_can_be_stored(ledger: LedgerStore, path: Path, alice: Wallet):
    database = sqlite3.connect(path)
    with pytest.raises(sqlite3.IntegrityError):
        database.execute("UPDATE accounts SET available = 0.5")
    database.close()


def test_amounts_beyond_63_bits_fail_loudly(ledger: LedgerStore, chain: Chain, alice: Wallet):
    with pytest.raises(OverflowError):
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


def test_what_was_acknowledged_survives_a_kill(path: Path):
    child = subprocess.Popen([sys.executable, "-c", CHILD, str(path)], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert child.stdout is not None
    for line in child.stdout:
        if int(line) >= 60:
            break
    child.send_signal(signal.SIGKILL)
    acknowledged = max([60, *(int(line) for line in child.stdout if line.endswith("\n"))])
    child.wait()
    child.stdout.close()

    with open_ledger(path, IDENTITY) as ledger:
        ledger.check()
        receipts = ledger.receipts(limit=10**6)
        assert acknowledged <= len(receipts) <= acknowledged + 1
        balance = ledger.account(wallet(1).id)
        assert balance.captured == 7 * len(receipts)
        assert balance.held in {0, 10}
        assert len(ledger.open_holds()) == balance.held // 10
