"""Reads of accounts, requests, receipts and totals. Each takes a connection, whose transaction is one snapshot."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, Select, or_, select

from mintery.domain.hold import Hold, RequestId
from mintery.domain.keys import KeyId
from mintery.domain.quoted import parse_quoted
from mintery.domain.receipt import Receipt, parse_receipt
from mintery.domain.voucher import AccountId, AccountKey, Address, SignedVoucher
from mintery.ledger.books import Book
from mintery.ledger.commands import Answer, Block, RequestKey
from mintery.ledger.reads import AccountBalance, ReceiptRecord, RequestRecord, TokenTotals, WrittenOff
from mintery.ledger.rows import (
    HOLD_COLUMNS,
    VOUCHER_COLUMNS,
    exact_sum,
    hold_of,
    member_of,
    signed_voucher_of,
    whole,
)
from mintery.ledger.schema import (
    accounts,
    answers,
    batches,
    blocks,
    counters,
    finality,
    receipts,
    requests,
    transfers,
    undone_write_offs,
    vouchers,
    write_offs,
)
from mintery.ledger.work import instant_of
from mintery.ledger.written_off import is_standing, is_written_off, undoes
from mintery.units import NanoCredits, UnixSeconds

_records = select(
    *HOLD_COLUMNS,
    requests.c.credential,
    requests.c.body,
    requests.c.idempotency_key,
    requests.c.raised,
    requests.c.epoch,
    requests.c.quoted,
    requests.c.delivered_at,
    answers.c.status,
    answers.c.content_type,
    answers.c.body.label("answer_body"),
).join_from(
    requests,
    answers,
    (answers.c.kept_since == requests.c.ended_at) & (answers.c.request == requests.c.id),
    isouter=True,
)
_receipts = (
    select(
        receipts.c.facts,
        receipts.c.signature,
        batches.c.batch_id,
        batches.c.settled_tx,
        write_offs.c.amount,
        write_offs.c.reason,
        write_offs.c.at,
    )
    .join_from(receipts, requests, requests.c.id == receipts.c.request)
    .join(batches, batches.c.seq == requests.c.batch, isouter=True)
    .join(write_offs, (write_offs.c.request == receipts.c.request) & is_standing(), isouter=True)
)
_accounts = select(accounts).where(accounts.c.token.is_not(None))
BLOCK_COLUMNS = (blocks.c.number, blocks.c.hash, blocks.c.parent, blocks.c.timestamp)


def account(connection: Connection, wanted: AccountId) -> AccountBalance | None:
    row = connection.execute(_accounts.where(accounts.c.id == wanted)).one_or_none()
    return None if row is None else _balance(row)


def all_accounts(connection: Connection, holder: Address | None) -> Sequence[AccountBalance]:
    query = _accounts.order_by(accounts.c.id)
    if holder is not None:
        query = query.where(accounts.c.holder == holder)
    return [_balance(row) for row in connection.execute(query)]


def _balance(row: Any) -> AccountBalance:
    closing = bool(row.closing)
    return AccountBalance(
        id=AccountId(row.id),
        key=AccountKey(row.token, row.gateway, row.holder, row.signer),
        epoch=row.epoch,
        available=NanoCredits(row.available),
        held=NanoCredits(row.held),
        captured=NanoCredits(row.captured),
        spent=NanoCredits(row.spent_settled + row.captured + row.uncovered),
        exiting=NanoCredits(row.available if closing else min(row.exiting + row.refunding + row.frozen, row.available)),
        exit_unlock=None if row.exit_unlock is None else UnixSeconds(row.exit_unlock),
        closing=closing,
        frozen=NanoCredits(min(row.frozen, row.available)),
    )


def spent_settled(connection: Connection, wanted: AccountId) -> NanoCredits:
    found = connection.scalar(select(accounts.c.spent_settled).where(accounts.c.id == wanted))
    return NanoCredits(found or 0)


def settled_by_account(connection: Connection) -> Mapping[AccountId, NanoCredits]:
    query = select(accounts.c.id, accounts.c.spent_settled).where(accounts.c.token.is_not(None))
    return {AccountId(id_): NanoCredits(settled) for id_, settled in connection.execute(query)}


def request(connection: Connection, wanted: RequestId) -> RequestRecord | None:
    return _record(connection, _records.where(requests.c.id == wanted))


def undelivered(connection: Connection, key: RequestKey) -> RequestRecord | None:
    """A released attempt has nothing to deliver."""
    query = _records.where(
        requests.c.credential == key.credential,
        requests.c.body == key.body,
        requests.c.delivered_at.is_(None),
        requests.c.released_for.is_(None),
    )
    return _record(connection, query.order_by(requests.c.placed_at.desc(), requests.c.id.desc()).limit(1))


def by_idempotency_key(connection: Connection, credential: bytes, idempotency_key: str) -> RequestRecord | None:
    return _record(
        connection,
        _records.where(requests.c.credential == credential, requests.c.idempotency_key == idempotency_key),
    )


def by_raised(connection: Connection, of: AccountId, digest: bytes) -> RequestRecord | None:
    return _record(connection, _records.where(requests.c.account == of, requests.c.raised == digest))


def _record(connection: Connection, query: Select[Any]) -> RequestRecord | None:
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    return RequestRecord(
        id=RequestId(row.id),
        key=RequestKey(bytes(row.credential), bytes(row.body), row.idempotency_key, row.raised),
        hold=hold_of(row),
        epoch=row.epoch,
        quoted=parse_quoted(row.quoted),
        delivered_at=None if row.delivered_at is None else instant_of(row.delivered_at),
        answer=None if row.status is None else Answer(row.status, row.content_type, bytes(row.answer_body)),
    )


def open_holds(connection: Connection) -> Sequence[Hold]:
    """Oldest first."""
    query = select(*HOLD_COLUMNS).where(requests.c.ended_at.is_(None)).order_by(requests.c.placed_at, requests.c.id)
    return [hold_of(row) for row in connection.execute(query)]


def receipt(connection: Connection, wanted: RequestId) -> ReceiptRecord | None:
    row = connection.execute(_receipts.where(receipts.c.request == wanted)).one_or_none()
    return None if row is None else _receipt_record(row)


def some_receipts(
    connection: Connection, of: AccountId | None, key: KeyId | None, limit: int
) -> Sequence[ReceiptRecord]:
    query = _receipts.limit(limit)
    if of is None:
        query = query.order_by(receipts.c.seq.desc())
    else:
        query = query.where(receipts.c.account == of).order_by(receipts.c.captured_at.desc(), receipts.c.seq.desc())
    if key is not None:
        query = query.where(member_of(connection, receipts.c.facts, "key") == key)
    return [_receipt_record(row) for row in connection.execute(query)]


def _receipt_record(row: Any) -> ReceiptRecord:
    found = _receipt(row)
    gone = None if row.at is None else WrittenOff(found.id, NanoCredits(row.amount), row.reason, instant_of(row.at))
    return ReceiptRecord(found, row.batch_id, row.settled_tx, gone)


def _receipt(row: Any) -> Receipt:
    signature = None if row.signature is None else "0x" + bytes(row.signature).hex()
    return parse_receipt(orjson.loads(row.facts) | {"signature": signature})


def unbatched(connection: Connection, limit: int) -> Sequence[Receipt]:
    """Those of an ended epoch are left out, as their vouchers are void, and those that were written off: both are lost."""
    query = (
        select(receipts.c.facts, receipts.c.signature)
        .join_from(requests, receipts, receipts.c.request == requests.c.id)
        .join(accounts, accounts.c.id == requests.c.account)
        .where(
            requests.c.captured > 0,
            requests.c.batch.is_(None),
            requests.c.epoch == accounts.c.epoch,
            ~is_written_off(requests.c.id),
        )
        .order_by(requests.c.ended_at, requests.c.id)
        .limit(limit)
    )
    return [_receipt(row) for row in connection.execute(query)]


def highest_voucher(connection: Connection, of: AccountId, epoch: int, at: UnixSeconds) -> SignedVoucher | None:
    """Of equal ones, that with the latest deadline."""
    query = (
        select(*VOUCHER_COLUMNS)
        .join_from(vouchers, accounts, accounts.c.id == vouchers.c.account)
        .where(
            vouchers.c.account == of,
            vouchers.c.epoch == epoch,
            vouchers.c.deadline >= at,
        )
        .order_by(vouchers.c.max_spend.desc(), vouchers.c.deadline.desc())
        .limit(1)
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else signed_voucher_of(row)


def last_block(connection: Connection) -> Block | None:
    row = connection.execute(select(*BLOCK_COLUMNS).order_by(blocks.c.number.desc()).limit(1)).one_or_none()
    return None if row is None else block_of(row)


def some_blocks(connection: Connection, limit: int, below: int | None) -> Sequence[Block]:
    """Newest first."""
    query = select(*BLOCK_COLUMNS).order_by(blocks.c.number.desc()).limit(limit)
    if below is not None:
        query = query.where(blocks.c.number < below)
    return [block_of(row) for row in connection.execute(query)]


def final_block(connection: Connection) -> int | None:
    found: int | None = connection.scalar(select(finality.c.number))
    return found


def some_write_offs(connection: Connection, limit: int) -> Sequence[WrittenOff]:
    undone = undone_write_offs.c
    query = (
        select(write_offs, undone.at.label("undone_at"))
        .join_from(write_offs, undone_write_offs, undoes(), isouter=True)
        .order_by(write_offs.c.seq.desc())
        .limit(limit)
    )
    return [
        WrittenOff(
            RequestId(row.request),
            NanoCredits(row.amount),
            row.reason,
            instant_of(row.at),
            None if row.undone_at is None else instant_of(row.undone_at),
        )
        for row in connection.execute(query)
    ]


def block_of(row: Any) -> Block:
    return Block(row.number, row.hash, row.parent, UnixSeconds(row.timestamp))


def used(connection: Connection, constraint: str) -> NanoCredits:
    return NanoCredits(connection.scalar(select(counters.c.used).where(counters.c.key == constraint)) or 0)


def totals(connection: Connection) -> Sequence[TokenTotals]:
    """Tokens ascending."""
    columns = (accounts.c.available, accounts.c.held, accounts.c.captured, accounts.c.uncovered)
    sums = select(accounts.c.token, *(half for column in columns for half in exact_sum(column))).where(
        accounts.c.token.is_not(None)
    )
    costs = {
        token: whole(*halves)
        for token, *halves in connection.execute(
            select(receipts.c.token, *exact_sum(receipts.c.cost)).group_by(receipts.c.token)
        )
    }
    books = system_books(connection)
    found = []
    for token, *halves in connection.execute(sums.group_by(accounts.c.token).order_by(accounts.c.token)):
        available, held, captured, uncovered = (whole(*halves[at : at + 2]) for at in range(0, len(halves), 2))
        found.append(
            TokenTotals(
                token=Address(token),
                deposited=NanoCredits(-books.get((Book.DEPOSITS, token), 0)),
                exited=NanoCredits(books.get((Book.EXITED, token), 0)),
                burned=NanoCredits(books.get((Book.BURNED, token), 0)),
                available=NanoCredits(available),
                held=NanoCredits(held),
                captured=NanoCredits(captured),
                receipts=NanoCredits(costs.get(token, 0)),
                losses=NanoCredits(books.get((Book.LOSSES, token), 0) + uncovered),
            )
        )
    return found


SYSTEM_BOOKS = (Book.DEPOSITS, Book.EXITED, Book.BURNED, Book.UNPAID, Book.LOSSES)


def system_books(connection: Connection) -> dict[tuple[Book, str], int]:
    """Balance of each system book of each token: what it was given less what was taken from it."""
    balances: dict[tuple[Book, str], int] = {}
    for side, sign in ((transfers.c.credit, 1), (transfers.c.debit, -1)):
        chosen = or_(*(side.startswith(f"{book.value}:") for book in SYSTEM_BOOKS))
        query = select(side, *exact_sum(transfers.c.amount)).where(chosen).group_by(side)
        for name, *halves in connection.execute(query):
            book, _, token = str(name).partition(":")
            key = (Book(book), token)
            balances[key] = balances.get(key, 0) + sign * whole(*halves)
    return balances
