"""What became of an account's credits: opening + top-ups - use + waived - paid back = closing, to the nanocredit.

``test_model`` holds any history of requests, blocks, reorganisations and write-offs to the same sum.
"""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from tests.databases import Database
from tests.ledger.orders import a_payment, an_order, take
from tests.ledger.samples import (
    NOON,
    Chain,
    Wallet,
    burned,
    capture,
    deposit,
    form,
    place,
    request_id,
    settled,
    wallet,
)
from tests.ledger.statements import EVER, NEVER, statement

from mintery.domain.batch import LineStatus
from mintery.domain.chain_call import CallKind, ChainCall, Effect
from mintery.domain.statement import LineKind, StatementLine, total
from mintery.domain.voucher import Address
from mintery.ledger import queries_statement, snapshots
from mintery.ledger.books import BUCKETS, Move
from mintery.ledger.commands import ExitExecutedSeen, MarkFinal, ReleasedSeen, RollBackBlock, WriteOff
from mintery.ledger.commands_calls import EndCall, MintOrder
from mintery.ledger.commands_orders import PlaceOrder
from mintery.ledger.schema import PAID_IN, PAID_OUT
from mintery.ledger.store import LedgerStore
from mintery.units import CreditUnits, NanoCredits

HOUR = timedelta(hours=1)


def charge(ledger: LedgerStore, of: Wallet, number: int, cost: int, *, at: datetime = NOON) -> None:
    placed = place(number, of, cost + 10, at=at)
    ledger.commit([placed, capture(placed, of, cost)])


def shown(lines: list[StatementLine]) -> list[tuple[LineKind, int, bool]]:
    return [(line.kind, line.change, line.undone) for line in lines]


def test_every_kind_of_line_is_told_and_adds_up(ledger: LedgerStore, chain: Chain, alice: Wallet):
    charge(ledger, alice, 1, 300)
    charge(ledger, alice, 2, 40)
    formed = form(1, (alice, 340, [request_id(1), request_id(2)]))
    ledger.commit([formed, chain.block(settled(formed, burned(330, LineStatus.PARTIAL)))])
    ledger.commit([chain.block(ReleasedSeen(alice.id, NanoCredits(25)))])
    ledger.commit([chain.block(ExitExecutedSeen(alice.id, NanoCredits(100), 0))])

    made, lines = statement(ledger, alice.id)

    assert shown(lines) == [
        (LineKind.TOP_UP, 1_000, False),
        (LineKind.WAIVED, 10, False),
        (LineKind.RELEASE, -25, False),
        (LineKind.EXIT, -100, False),
        (LineKind.USE, -300, False),
        (LineKind.USE, -40, False),
    ]
    sums = made.sums
    assert (sums.top_ups, sums.use, sums.waived, sums.exits, sums.releases) == (1_000, 340, 10, 100, 25)
    assert (made.opening, made.closing, made.now, made.unsettled) == (0, 545, 545, 0)


def test_a_line_of_use_says_by_whom_with_what_and_for_what(ledger: LedgerStore, alice: Wallet):
    charge(ledger, alice, 7, 300)

    _, lines = statement(ledger, alice.id, NOON)

    (line,) = lines
    paid = line.charge
    assert paid is not None
    assert (line.reference, paid.request, paid.model, paid.route, paid.provider) == (
        request_id(7), request_id(7), "acme/small", "acme/small", "acme",
    )  # fmt: skip
    assert paid.usage == (("output_token", 300),)
    assert paid.usd == 300 * 10**9
    assert paid.key.startswith("mv1-")
    assert len(paid.key) == 16


def test_what_is_held_is_still_the_holders_and_is_told(ledger: LedgerStore, alice: Wallet):
    ledger.commit([place(1, alice, 400)])

    made, lines = statement(ledger, alice.id)

    assert (made.closing, made.held, len(lines)) == (1_000, 400, 1)


def test_one_periods_closing_is_the_nexts_opening(ledger: LedgerStore, chain: Chain, alice: Wallet):
    for number in range(6):
        charge(ledger, alice, number, 10 + number, at=NOON + number * HOUR)
    ledger.commit([chain.block(deposit(alice, 77))])
    cuts = [EVER, NOON - HOUR, *(NOON + number * HOUR for number in range(7)), NEVER]

    made = [statement(ledger, alice.id, start, end)[0] for start, end in pairwise(cuts)]

    assert made[0].opening == 0
    assert [one.closing for one in made[:-1]] == [one.opening for one in made[1:]]
    assert made[-1].closing == made[-1].now == 1_077 - sum(range(10, 16))
    assert [one.sums.use for one in made] == [0, 0, 10, 11, 12, 13, 14, 15, 0]


def test_an_instant_belongs_to_the_period_that_begins_with_it(ledger: LedgerStore, alice: Wallet):
    charge(ledger, alice, 1, 5, at=NOON - timedelta(seconds=1))  # captured at noon sharp

    assert statement(ledger, alice.id, EVER, NOON)[0].sums.use == 0
    assert statement(ledger, alice.id, NOON, NEVER)[0].sums.use == 5
    assert statement(ledger, alice.id, NOON + timedelta(microseconds=1), NEVER)[0].opening == 995


def test_what_the_chain_took_back_stands_beside_what_it_took_back(ledger: LedgerStore, chain: Chain, alice: Wallet):
    before = chain.last
    block = chain.block(deposit(alice, 500), ReleasedSeen(alice.id, NanoCredits(30)))
    ledger.commit([block])
    ledger.commit([RollBackBlock(block.block.hash, NOON + 9 * HOUR)])
    chain.go_back_to(before)

    made, lines = statement(ledger, alice.id)

    assert shown(lines)[1:] == [
        (LineKind.TOP_UP, 500, False),
        (LineKind.RELEASE, -30, False),
        (LineKind.RELEASE, 30, True),
        (LineKind.TOP_UP, -500, True),
    ]
    assert {line.at for line in lines[1:]} == {datetime.fromtimestamp(block.block.timestamp, UTC)}
    assert (made.sums.top_ups, made.sums.releases, made.closing) == (1_000, 0, 1_000)


def test_a_top_up_names_its_order_and_any_other_deposit_none(ledger: LedgerStore, chain: Chain, alice: Wallet):
    order = an_order(1)
    block = chain.block(deposit(alice, 500), deposit(alice, 600))
    call = ChainCall(
        subject=order.id,
        kind=CallKind.DEPOSIT,
        to=Address("0x" + "00" * 20),
        calldata=b"",
        authority=None,
        first_block=0,
        planned_at=NOON,
    )
    ledger.commit([PlaceOrder(order), take(order, a_payment(order)), MintOrder(order.id, (call,), NOON), block])
    effect = Effect("0xaa", block.block.hash, block.block.number, 1, NOON, CreditUnits(600))
    ledger.commit([EndCall(call.id, effect)])

    _, lines = statement(ledger, alice.id)

    assert [(line.change, line.subject) for line in lines] == [(1_000, None), (500, None), (600, order.id)]


def test_a_write_off_gives_back_what_it_charged_on_the_day_of_it(ledger: LedgerStore, alice: Wallet):
    charge(ledger, alice, 1, 300)
    ledger.commit([WriteOff(request_id(1), "it cannot settle", NOON + 24 * HOUR)])

    first, _ = statement(ledger, alice.id, EVER, NOON + HOUR)
    later, lines = statement(ledger, alice.id, NOON + HOUR, NEVER)

    assert (first.sums.use, first.closing) == (300, 700)
    assert (later.opening, later.sums.waived, later.closing) == (700, 300, 1_000)
    assert shown(lines) == [(LineKind.WAIVED, 300, False)]


def test_what_a_close_leaves_owing_is_waived(ledger: LedgerStore, chain: Chain, alice: Wallet):
    charge(ledger, alice, 1, 300)
    block = chain.block(ExitExecutedSeen(alice.id, NanoCredits(1_000), 1))
    ledger.commit([block])

    made, _ = statement(ledger, alice.id)
    assert (made.sums.use, made.sums.waived, made.sums.exits, made.closing) == (300, 300, 1_000, 0)

    ledger.commit([RollBackBlock(block.block.hash, NOON)])
    made, _ = statement(ledger, alice.id)
    assert (made.sums.waived, made.sums.exits, made.closing, made.unsettled) == (0, 0, 700, 300)


def test_several_accounts_come_in_one_order_and_apart_in_sums(ledger: LedgerStore, chain: Chain, alice: Wallet):
    bob = wallet(2)
    ledger.commit([chain.block(deposit(bob, 500))])
    for number in range(8):
        charge(ledger, (alice, bob)[number % 2], number, 1 + number, at=NOON + number * HOUR)

    with ledger.reading() as reading:
        lines = list(reading.lines([bob.id, alice.id], NOON, NEVER))
        made = reading.statements([bob.id, alice.id], NOON, NEVER)

    assert [line.charge.request for line in lines if line.charge] == [request_id(number) for number in range(8)]
    assert [(one.account, one.sums.use) for one in made] == [(bob.id, 2 + 4 + 6 + 8), (alice.id, 1 + 3 + 5 + 7)]


def test_an_account_that_nobody_paid_into_has_no_statement(ledger: LedgerStore, alice: Wallet):
    with ledger.reading() as reading:
        assert reading.statements([wallet(9).id], EVER, NEVER) == []
        assert list(reading.lines([wallet(9).id], EVER, NEVER)) == []
        assert list(reading.lines([], EVER, NEVER)) == []


@pytest.mark.parametrize("page", [4, 5, 40])
def test_lines_come_alike_in_pages_of_any_size_and_go_on_from_any_of_them(
    ledger: LedgerStore, alice: Wallet, page: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(snapshots, "ROWS_AT_ONCE", 2 * page)
    for number in range(11):  # several of one instant
        charge(ledger, alice, number, 1 + number, at=NOON + (number // 4) * HOUR)
    _, lines = statement(ledger, alice.id)

    assert [line.charge.request for line in lines if line.charge] == [request_id(number) for number in range(11)]
    for index, line in enumerate(lines):
        with ledger.reading() as reading:
            older = list(reading.lines([alice.id], EVER, before=line.mark, newest_first=True))
        assert older == lines[:index][::-1]


def test_the_sums_by_key_model_and_route(ledger: LedgerStore, alice: Wallet):
    charge(ledger, alice, 1, 300)
    charge(ledger, alice, 2, 40)

    with ledger.reading() as reading:
        uses = list(reading.uses([alice.id], EVER, NEVER))

    assert total(uses, "model") == {"acme/small": (340, 2)}
    assert total(uses, "provider") == {"acme": (340, 2)}
    assert {use.backup for use in uses} == {False}


def test_a_reading_sees_one_moment(ledger: LedgerStore, alice: Wallet):
    with ledger.reading() as reading:
        (before,) = reading.statements([alice.id], EVER, NEVER)
        charge(ledger, alice, 1, 300)
        assert reading.statements([alice.id], EVER, NEVER) == [before]
        assert len(list(reading.lines([alice.id], EVER, NEVER))) == 1
    assert statement(ledger, alice.id)[0].closing == 700


def test_what_is_final_is_told_by_block(ledger: LedgerStore, chain: Chain, alice: Wallet):
    with ledger.reading() as reading:
        assert reading.final_block() is None
    first = chain.last
    ledger.commit([chain.block(deposit(alice, 1)), MarkFinal(first.number)])

    with ledger.reading() as reading:
        assert (reading.final_block(), reading.last_block()) == (first, chain.last)


def test_every_transfer_that_changes_what_a_holder_has_is_indexed_for_statements():
    """Capture is told by its receipt; all others either move within the balance or are among those of the indexes."""
    counted = {"available": 1, "held": 1, "uncovered": -1}

    def effect(move: Move) -> int:
        _, debit, credit = move.value
        return counted.get(credit.value, 0) - counted.get(debit.value, 0)

    outside = {move.kind for move in Move if not {move.value[1], move.value[2]} <= set(BUCKETS)}
    changing = {move.kind for move in Move if effect(move) and move.kind in outside}
    # What is owed is charged by its receipt, like what is captured.
    assert changing - {"owe", "collect"} == set(queries_statement.FLOWS)
    indexed = {name for text in (PAID_IN, PAID_OUT) for name in str(text).split("'")[1::2]}
    assert indexed == set(queries_statement.FLOWS)


def test_a_statement_is_found_by_indexes_alone(ledger: LedgerStore, database: Database, alice: Wallet):
    """A holder's month must not cost a scan of everybody's history."""
    if database.kind != "sqlite":
        return
    names = ("ix_transfers_paid_in", "ix_transfers_paid_out", "ix_receipts_account_captured_at_seq")
    queries = (
        f"SELECT seq FROM transfers WHERE {PAID_IN} AND credit = 'available:x' AND at >= 1 ORDER BY at, seq LIMIT 9",  # noqa: S608 -- our own text
        f"SELECT seq FROM transfers WHERE {PAID_OUT} AND debit = 'available:x' AND at >= 1 ORDER BY at, seq LIMIT 9",  # noqa: S608 -- as above
        "SELECT cost FROM receipts WHERE account = 'x' AND captured_at >= 1 ORDER BY captured_at, seq LIMIT 9",
    )
    for name, query in zip(names, queries, strict=True):
        (plan,) = [row[-1] for row in database.run(f"EXPLAIN QUERY PLAN {query}")]
        assert name in plan
