"""Every cell of the matrix of an order's transitions, on each rail and both databases.

A cell is tried by every way that a writer of the table might: what the database itself refuses is not left to our own code.
"""

from collections.abc import Iterator
from contextlib import closing

import pytest
from sqlalchemy import Connection, create_engine, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool
from tests.databases import Database
from tests.ledger.orders import DOLLARS, SECOND, a_payment, an_order, commands_to, decide, found, moment, take
from tests.ledger.samples import IDENTITY

from mintery.domain.order import Decision, Order, OrderStatus, Rail
from mintery.ledger.commands import NotWritten
from mintery.ledger.commands_orders import PlaceOrder
from mintery.ledger.rows_orders import ORDER_COLUMNS, order_of
from mintery.ledger.schema_orders import orders
from mintery.ledger.store import LedgerStore, open_ledger
from mintery.ledger.work import micros

PENDING, PAID, EXPIRED = OrderStatus.PENDING, OrderStatus.PAID, OrderStatus.EXPIRED
FAILED, REVIEW, REFUNDED = OrderStatus.FAILED, OrderStatus.MANUAL_REVIEW, OrderStatus.REFUNDED
DISPUTED = OrderStatus.DISPUTED

ALLOWED = {
    Rail.CARD: {
        PENDING: {PENDING, PAID, EXPIRED, FAILED},
        PAID: {PAID, REFUNDED, DISPUTED},
        EXPIRED: {EXPIRED, PAID, REFUNDED, DISPUTED},
        FAILED: {FAILED, REFUNDED, DISPUTED},
        REFUNDED: {REFUNDED},
        DISPUTED: {DISPUTED, PAID, REFUNDED},
    },
    Rail.BANK: {
        PENDING: {PENDING, EXPIRED, FAILED, REVIEW},
        PAID: {PAID, REFUNDED},
        EXPIRED: {EXPIRED, REVIEW},
        FAILED: {FAILED, REVIEW},
        REVIEW: {REVIEW, PAID, REFUNDED},
        REFUNDED: {REFUNDED},
    },
    Rail.CHAIN: {
        PENDING: {PENDING, PAID, EXPIRED, FAILED, REVIEW},
        PAID: {PAID, REFUNDED},
        EXPIRED: {EXPIRED, PAID, REVIEW},
        FAILED: {FAILED, REVIEW},
        REVIEW: {REVIEW, PAID, REFUNDED},
        REFUNDED: {REFUNDED},
    },
}
"""From each status, where an order may go. An expired one becomes paid by news of a payment that was in time."""

FACTS = (
    *("payment", "paid_assets", "paid_at", "payment_seen_at", "review_at", "review_why", "decided_at", "decision"),
    *(
        "decided_by",
        "decided_why",
        "accepted_at",
        "failed_at",
        "failed_why",
        "minting_at",
        "refund_due_at",
        "refund_why",
    ),
)
NOTHING = ", ".join(f"{fact} = NULL" for fact in FACTS)


def ways(order: Order, before: OrderStatus, after: OrderStatus) -> Iterator[list[str]]:  # noqa: C901, PLR0912 -- one case for each status
    """What a writer might set, each a list of updates, to make the order what ``after`` says. None of it takes a payment to
    have come before the order was looked at: one that is pending is paid in time.
    """
    now = micros(moment(order, before))
    in_time, late = micros(order.expires_at - SECOND), micros(order.expires_at)
    paid = [_paid(order, in_time, now), _paid(order, in_time, now, assets=DOLLARS - 1)]
    if before is not PENDING:
        paid += [_paid(order, late, now)]
    reviewed, accepted = f"review_at = {now}, review_why = 'x'", f"accepted_at = {now}"
    yes, no = _decided("accepted", now), _decided("refused", now)
    failed, due = f"failed_at = {now}, failed_why = 'x'", f"refund_due_at = {now}, refund_why = 'x'"
    match after:
        case OrderStatus.DISPUTED:
            yield ["disputed = paid_assets"]
            yield ["disputed = 1"]
            for payment in paid:
                yield [f"{payment}, disputed = 1"]
                yield [payment, "disputed = 1"]
                yield [f"{payment}, {accepted}, disputed = 1"]
                yield [f"{payment}, {due}", "disputed = 1"]
        case OrderStatus.PENDING:
            yield [NOTHING]
            yield [f"expires_at = {late + 3_600_000_000}"]
            yield [f"expires_at = {late + 3_600_000_000}, {NOTHING}"]
        case OrderStatus.EXPIRED:
            yield [NOTHING, f"expires_at = {in_time}"]
            yield [f"{NOTHING}, expires_at = {in_time}"]
        case OrderStatus.FAILED:
            yield [failed]
            yield [f"{NOTHING}, {failed}"]
            for payment in paid[:2]:
                yield [f"{payment}, {failed}"]
        case OrderStatus.PAID:
            yield [accepted]
            yield ["disputed = 0"]
            yield [f"{yes}, {accepted}"]
            for payment in paid:
                yield [f"{payment}, {accepted}"]
                yield [f"{payment}, {reviewed}, {yes}, {accepted}"]
        case OrderStatus.MANUAL_REVIEW:
            yield [reviewed]
            yield [f"{reviewed}, accepted_at = NULL"]
            for payment in paid:
                yield [f"{payment}, {reviewed}"]
        case OrderStatus.REFUNDED:
            all_of_it = "refunded = paid_assets"
            yield [all_of_it]
            yield ["disputed = 0, lost = paid_assets"]
            yield [f"{paid[0]}, lost = {DOLLARS}"]
            yield [f"{due}, {all_of_it}"]
            yield [due, all_of_it]
            yield [f"{no}, {due}", all_of_it]
            for payment in paid:
                yield [f"{payment}, {due}, refunded = {DOLLARS}"]
                yield [f"{payment}, {accepted}, {due}, refunded = {DOLLARS}"]
                yield [f"{payment}, {due}", all_of_it]


def _paid(order: Order, at: int, seen: int, assets: int = DOLLARS) -> str:
    return f"payment = 'pay_{order.id}', paid_assets = {assets}, paid_at = {at}, payment_seen_at = {seen}"


def _decided(decision: str, at: int) -> str:
    return f"decision = '{decision}', decided_at = {at}, decided_by = 'x', decided_why = 'x'"


def goes_to(connection: Connection, order: Order, before: OrderStatus, updates: list[str]) -> OrderStatus | None:
    """What the order is after ``updates``, all but the last of which leave it what it was; None where one is refused. Nothing
    of it stays.
    """
    at = moment(order, before)
    try:
        for step, changes in enumerate(updates, 1):
            connection.exec_driver_sql(f"UPDATE orders SET {changes} WHERE id = '{order.id}'")  # noqa: S608 -- our own words
            row = connection.execute(select(*ORDER_COLUMNS).where(orders.c.id == order.id)).one()
            status = order_of(row).status_at(at)
            if step < len(updates) and status is not before:
                return None
    except DBAPIError:
        return None
    finally:
        connection.rollback()
    return status


def by_time_alone(order: Order) -> OrderStatus:
    return order.status_at(order.expires_at)


@pytest.mark.parametrize("rail", Rail)
def test_every_cell(database: Database, rail: Rail):
    reached: dict[OrderStatus, set[OrderStatus]] = {}
    with open_ledger(database.url, IDENTITY) as ledger:
        for number, before in enumerate(ALLOWED[rail], 1):
            assert all(
                not isinstance(r, NotWritten) for r in ledger.commit(commands_to(an_order(number, rail), before))
            )
        with closing(create_engine(database.url, poolclass=NullPool).connect()) as connection:
            for number, before in enumerate(ALLOWED[rail], 1):
                order = found(ledger, an_order(number, rail))
                assert order.status_at(moment(order, before)) is before
                reached[before] = {before, by_time_alone(order)} if before is PENDING else {before}
                reached[before] |= {
                    goes_to(connection, order, before, updates) or before
                    for after in OrderStatus
                    for updates in ways(order, before, after)
                }

    assert reached == ALLOWED[rail]


@pytest.mark.parametrize("rail", Rail)
def test_only_what_is_pending_changes_with_the_time(ledger: LedgerStore, rail: Rail):
    for number, status in enumerate(set(ALLOWED[rail]) - {PENDING}, 1):
        ledger.commit(commands_to(an_order(number, rail), status))
        order = found(ledger, an_order(number, rail))
        assert {order.status_at(order.expires_at + later) for later in (0 * SECOND, 10**6 * SECOND)} == {status}


def test_a_card_is_never_reviewed(ledger: LedgerStore):
    order = an_order()
    ledger.commit([PlaceOrder(order), take(order, a_payment(order, late=True))])

    (answer,) = ledger.commit([decide(order, Decision.ACCEPTED)])

    assert isinstance(answer, NotWritten)
    assert found(ledger, order).review_at is None


FORBIDDEN = (
    "DELETE FROM orders",
    "DELETE FROM payments",
    "UPDATE payments SET assets = 1",
    "DELETE FROM order_events",
    "UPDATE order_events SET actor = 'nobody'",
    "DELETE FROM refunds",
    "UPDATE refunds SET assets = 1",
    "UPDATE orders SET minting_at = 1",
    "UPDATE orders SET refunded = 1, refund_due_at = NULL",
    "UPDATE orders SET paid_assets = paid_assets + 1",
    "UPDATE orders SET holder = 'another'",
    "INSERT INTO payments SELECT rail, id, order_id, assets, paid_at, seen_at FROM payments",
    """INSERT INTO refunds (id, order_id, rail, payment, kind, why, assets, due_at)
    SELECT 'again', order_id, rail, payment, 'surplus', why, assets, due_at FROM refunds""",
)


def test_what_was_recorded_stays(database: Database):
    order = an_order()
    with open_ledger(database.url, IDENTITY) as ledger:
        ledger.commit([PlaceOrder(order), take(order, a_payment(order, late=True))])
    before = database.contents()

    for statement in FORBIDDEN:
        with pytest.raises(DBAPIError):
            database.run(statement)

    assert database.contents() == before


def test_an_order_begins_without_a_payment(ledger: LedgerStore, database: Database):
    order = an_order()
    ledger.commit([PlaceOrder(order), take(order, a_payment(order))])
    names = ", ".join(column.name for column in ORDER_COLUMNS)
    values = names.replace("id,", f"'{an_order(2).id}',", 1).replace("reference", "'another'")

    with pytest.raises(DBAPIError):
        database.run(f"INSERT INTO orders ({names}) SELECT {values} FROM orders")  # noqa: S608 -- our own names
