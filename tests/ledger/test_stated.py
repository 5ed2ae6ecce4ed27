"""Orders, payments, refunds and their calls are sealed as they are stated; what another hand does to their rows is found."""

import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError
from tests.databases import Database, sqlite_database
from tests.ledger.orders import a_payment, an_order, take
from tests.ledger.samples import IDENTITY, NOON, Chain, deposit, wallet

from mintery.domain.chain_call import CallId, CallKind, ChainCall, Effect
from mintery.domain.voucher import Address
from mintery.errors import LedgerInconsistent
from mintery.ledger.audit import open_audit
from mintery.ledger.commands import Done, ReleasedSeen, RollBackBlock, SealRows
from mintery.ledger.commands_calls import EndCall, FailCall, MintOrder
from mintery.ledger.commands_lots import TraceLots
from mintery.ledger.commands_orders import FinishRefund, PlaceOrder
from mintery.ledger.commands_refunds import AskRefund
from mintery.ledger.migrations import FOLDER
from mintery.ledger.store import LedgerStore, open_ledger
from mintery.ledger.verifying import SealReport
from mintery.units import CreditUnits, NanoCredits

ALICE = wallet(1)
NOBODY = Address("0x" + "00" * 20)
PAID, LATE = an_order(1), an_order(2)
TABLES = ("orders", "payments", "order_events", "refunds", "stated_facts", "chain_calls")


def call(subject: str, kind: CallKind) -> ChainCall:
    return ChainCall(
        subject=subject,
        kind=kind,
        to=NOBODY,
        calldata=subject.encode(),
        authority=None,
        first_block=1,
        planned_at=NOON,
    )


def lived(ledger: LedgerStore) -> None:
    """An order whose credits were minted, one that was paid late and refunded, and a refund of a lot that failed."""
    ledger.commit(
        [PlaceOrder(PAID), take(PAID, a_payment(PAID)), MintOrder(PAID.id, (call(PAID.id, CallKind.MINT),), NOON)]
    )
    effect = Effect("0x1", "0x2", 3, 4, NOON, CreditUnits(5))
    ledger.commit([EndCall(CallId(f"{PAID.id}/mint"), effect)])
    ledger.commit([PlaceOrder(LATE), take(LATE, a_payment(LATE, late=True))])
    (due,) = ledger.orders.refunds_due()
    ledger.commit([FinishRefund(due.id, "re_1", "rail", NOON)])
    ledger.commit([Chain().block(deposit(ALICE, 100)), SealRows(1_000, NOON), TraceLots(1_000)])
    (lot,) = ledger.lots.of_accounts([ALICE.id])
    asked = AskRefund("rfd_1", lot.id, NanoCredits(60), "wallet", (call("rfd_1", CallKind.RELEASE),), NOON)
    assert ledger.commit([asked]) == [Done(1)]
    ledger.commit([FailCall(CallId("rfd_1/release"), "ReleaseAboveBalance", NOON), SealRows(1_000, NOON)])


def walked(database: Database) -> SealReport:
    with open_audit(database.url) as audit:
        return audit.verify()


def test_what_is_written_of_them_is_stated_and_sealed(ledger: LedgerStore, database: Database):
    lived(ledger)

    report = walked(database)

    assert (report.holds, report.waiting, report.strayed) == (True, 0, 0)
    sealed = database.run("SELECT source, count(*) FROM seals WHERE source >= 7 GROUP BY source ORDER BY source")
    stated = database.run("SELECT count(*) FROM stated_facts")
    events = database.run("SELECT count(*) FROM order_events")
    assert [tuple(row) for row in sealed] == [(7, events[0][0]), (8, stated[0][0])]


def test_the_database_itself_refuses_to_change_what_was_stated(ledger: LedgerStore, database: Database):
    lived(ledger)
    for statement in ("UPDATE stated_facts SET facts = '{}'", "DELETE FROM stated_facts"):
        with pytest.raises(DBAPIError, match="never changed"):
            database.run(statement)


def test_a_release_that_the_chain_takes_back_is_stated_each_time(ledger: LedgerStore, database: Database):
    chain = Chain()
    ledger.commit([chain.block(deposit(ALICE, 100)), SealRows(1_000, NOON), TraceLots(1_000)])
    (lot,) = ledger.lots.of_accounts([ALICE.id])
    ledger.commit([AskRefund("rfd_1", lot.id, NanoCredits(60), "wallet", (call("rfd_1", CallKind.RELEASE),), NOON)])
    block = chain.block(ReleasedSeen(ALICE.id, NanoCredits(60)))
    ledger.commit([block])
    ledger.commit([RollBackBlock(block.block.hash, NOON), SealRows(1_000, NOON)])
    ledger.commit([chain.block(ReleasedSeen(ALICE.id, NanoCredits(60))), SealRows(1_000, NOON)])

    assert walked(database).holds


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("stated") / "ledger.sqlite"
    with open_ledger(path, IDENTITY) as ledger:
        lived(ledger)
    return path


@pytest.fixture
def held(written: Path, tmp_path: Path) -> Database:
    """A file that someone else has in hand, its triggers dropped."""
    database = sqlite_database(shutil.copy(written, tmp_path / "ledger.sqlite"))
    for (name,) in database.run("SELECT name FROM sqlite_master WHERE type = 'trigger'"):
        database.run(f"DROP TRIGGER {name}")
    return database


CHANGES = {
    "orders": "UPDATE orders SET refunded = 5 WHERE id LIKE '%1'",
    "orders ": "UPDATE orders SET holder = 'another' WHERE id LIKE '%1'",
    "orders  ": "UPDATE orders SET minting_at = NULL WHERE id LIKE '%1'",
    "orders   ": """INSERT INTO orders (id, account, token, gateway, holder, signer, rail, assets, placed_at, expires_at)
    SELECT 'ord_9', account, token, gateway, holder, signer, rail, assets, placed_at, expires_at
    FROM orders WHERE id LIKE '%1'""",
    "payments/card": "UPDATE payments SET assets = assets + 1",
    "payments/card ": "DELETE FROM payments WHERE id LIKE '%2'",
    "payments/bank": "UPDATE payments SET rail = 'bank' WHERE id LIKE '%2'",
    "refunds": "UPDATE refunds SET reference = 're_2'",
    "refunds ": "DELETE FROM refunds",
    "lot_refunds": "UPDATE lot_refunds SET failed_why = 'other'",
    "chain_calls": "UPDATE chain_calls SET credits = '6' WHERE credits IS NOT NULL",
}


@pytest.mark.parametrize("of", CHANGES)
def test_a_row_that_another_hand_changed_deleted_or_added_is_named(held: Database, of: str):
    held.run("PRAGMA foreign_keys=OFF")
    held.run(CHANGES[of])

    report = walked(held)

    assert (report.holds, report.misfits, report.unsealed) == (False, 0, 0)
    assert report.strayed >= 1
    with open_audit(held.url) as audit, pytest.raises(LedgerInconsistent, match="not what was stated"):
        audit.check()
    assert report.first_strayed is not None
    assert report.first_strayed.startswith("payments/" if "bank" in of else of.strip())


@pytest.mark.parametrize(
    ("statement", "misfits", "unsealed"),
    [
        ("UPDATE order_events SET actor = 'nobody' WHERE seq = 2", 1, 0),
        ("DELETE FROM order_events WHERE seq = 3", 1, 0),
        ("UPDATE stated_facts SET facts = replace(facts, 're_1', 're_2')", 1, 0),
        ("DELETE FROM stated_facts WHERE seq = 2", 1, 0),
        ("INSERT INTO stated_facts VALUES (0, 'orders', 'ord_0', '{}')", 0, 1),
        ("INSERT INTO stated_facts VALUES (0, 'others', 'x', '{}')", 0, 1),
    ],
)
def test_a_statement_that_another_hand_changed_is_found(held: Database, statement: str, misfits: int, unsealed: int):
    held.run(statement)

    report = walked(held)

    assert (report.holds, report.misfits, report.unsealed) == (False, misfits, unsealed)


def test_taking_back_a_fact_that_is_set_once_is_found_even_if_it_is_stated(held: Database):
    held.run("UPDATE orders SET reference = 'another' WHERE id LIKE '%1'")
    held.run(
        """INSERT INTO stated_facts (of_table, row_id, facts)
        SELECT 'orders', id, '{"reference":"another"}' FROM orders WHERE id LIKE '%1'"""
    )

    assert walked(held).first_strayed == f"orders {PAID.id}"


def test_what_an_earlier_version_wrote_is_stated_and_sealed(bare_database: Database):
    engine = create_engine(bare_database.url)
    calldata = "x'00ff'" if bare_database.kind == "sqlite" else "'\\x00ff'"
    with engine.begin() as connection:
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", str(FOLDER))
        command.upgrade(config, "0024")
        connection.exec_driver_sql(
            "INSERT INTO orders (id, account, token, gateway, holder, signer, rail, assets, placed_at, expires_at)"
            " VALUES ('ord_1', 'a', 't', 'g', 'h', 's', 'card', 5, 1, 9)"
        )
        connection.exec_driver_sql("INSERT INTO payments VALUES ('card', 'pi_1', 'ord_1', 5, 2, 3)")
        connection.exec_driver_sql(
            "INSERT INTO order_events (order_id, kind, actor, facts, at) VALUES ('ord_1', 'placed', 'h', '{}', 1)"
        )
        connection.exec_driver_sql(
            "INSERT INTO chain_calls (id, subject, kind, recipient, calldata, first_block, planned_at)"  # noqa: S608 -- our own names
            f" VALUES ('ord_1/mint', 'ord_1', 'mint', 'v', {calldata}, 1, 1)"
        )
    engine.dispose()

    with open_ledger(bare_database.url, IDENTITY) as ledger:
        ledger.check()
        ledger.commit([SealRows(1_000, NOON + timedelta(days=1))])

    report = walked(bare_database)
    assert (report.holds, report.checked, report.waiting) == (True, 4, 0)
