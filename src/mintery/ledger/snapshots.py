"""One snapshot of the ledger that several questions are put to. Implements ``reads_statement.Reading``."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, select

from mintery.domain.statement import AccountStatement, Mark, StatementLine, Use
from mintery.domain.voucher import AccountId, Address
from mintery.ledger import queries
from mintery.ledger import queries_statement as ask
from mintery.ledger.commands import Block
from mintery.ledger.queries_lines import lines_between, open_requests
from mintery.ledger.reads import AccountBalance
from mintery.ledger.reads_statement import OpenRequest, Reading
from mintery.ledger.schema import blocks, finality
from mintery.ledger.work import instant_of, micros
from mintery.units import NanoCredits

ROWS_AT_ONCE = 500


class Snapshot(Reading):
    """Lives as long as its connection's transaction does."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def accounts(self, *, holder: Address | None = None) -> Sequence[AccountBalance]:
        return queries.all_accounts(self._connection, holder)

    def last_block(self) -> Block | None:
        return queries.last_block(self._connection)

    def final_block(self) -> Block | None:
        marked = select(finality.c.number).scalar_subquery()
        query = select(*queries.BLOCK_COLUMNS).where(blocks.c.number <= marked).order_by(blocks.c.number.desc())
        row = self._connection.execute(query.limit(1)).one_or_none()
        return None if row is None else queries.block_of(row)

    def tokens(self, accounts: Sequence[AccountId]) -> Mapping[AccountId, Address]:
        return {account: balance.token for account, balance in ask.balances_of(self._connection, accounts).items()}

    def open_requests(self, accounts: Sequence[AccountId], *, limit: int) -> Sequence[OpenRequest]:
        return open_requests(self._connection, accounts, limit)

    def statements(self, accounts: Sequence[AccountId], start: datetime, end: datetime) -> Sequence[AccountStatement]:
        """Counted back from the balances as they are, which ``Ledger.check`` holds to all that ever moved."""
        begin, stop = micros(start), micros(end)
        stored = ask.balances_of(self._connection, accounts)
        within = ask.sums_between(self._connection, accounts, begin, stop)
        since = ask.sums_between(self._connection, accounts, stop, None)
        found = []
        for account in accounts:
            if (balance := stored.get(account)) is None:
                continue
            closing = balance.now - since[account].change
            found.append(
                AccountStatement(
                    account=account,
                    token=balance.token,
                    opening=NanoCredits(closing - within[account].change),
                    sums=within[account],
                    closing=NanoCredits(closing),
                    now=balance.now,
                    held=balance.held,
                    unsettled=balance.unsettled,
                )
            )
        return found

    def charged(
        self, account: AccountId, start: datetime, end: datetime | None = None, *, key: str | None = None
    ) -> tuple[NanoCredits, int]:
        until = None if end is None else micros(end)
        return ask.charged_between(self._connection, account, micros(start), until, key)

    def uses(self, accounts: Sequence[AccountId], start: datetime, end: datetime) -> Iterator[Use]:
        return ask.uses_between(self._connection, accounts, micros(start), micros(end))

    def quarter_hours(
        self, accounts: Sequence[AccountId], start: datetime, end: datetime
    ) -> Iterator[tuple[AccountId, datetime, NanoCredits, int]]:
        found = ask.quarter_hours_between(self._connection, accounts, micros(start), micros(end))
        return ((account, instant_of(at), cost, requests) for account, at, cost, requests in found)

    def lines(
        self,
        accounts: Sequence[AccountId],
        start: datetime,
        end: datetime | None = None,
        *,
        before: Mark | None = None,
        newest_first: bool = False,
    ) -> Iterator[StatementLine]:
        return lines_between(
            self._connection,
            accounts,
            micros(start),
            None if end is None else micros(end),
            at_once=ROWS_AT_ONCE,
            before=before,
            newest_first=newest_first,
        )
