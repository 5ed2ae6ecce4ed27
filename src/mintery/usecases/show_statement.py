"""A holder's statement: what each wallet had, got, used and gave back in a period, and every line of it.

A wallet is all that a holder has of one project's credits at this gateway, in however many accounts. Wallets are never added
up: official and routed credits do not pay for each other, and neither do those of two projects.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

from mintery.domain.market import Market
from mintery.domain.period import Period
from mintery.domain.statement import AccountStatement, StatementLine, Sums, Use
from mintery.domain.voucher import AccountId, Address
from mintery.errors import StatementTooSlow
from mintery.ledger.commands import Block
from mintery.ledger.reads_statement import Reading
from mintery.units import NanoCredits
from mintery.usecases.name_wallet import Wallet, wallet_named
from mintery.usecases.parts import GatewayParts

LONGEST = timedelta(minutes=10)
"""A reader who takes longer is cut off: a reading keeps the database from tidying up behind it."""
_LINES_BETWEEN_LOOKS = 500


@dataclass(frozen=True, slots=True)
class WalletStatement:
    """One project's credits of the holder. opening + sums.change == closing.

    Attributes:
        days: cost and number of requests of each day of the holder's calendar on which there was any.
    """

    wallet: Wallet
    accounts: tuple[AccountStatement, ...]
    uses: tuple[Use, ...]
    days: Mapping[date, tuple[NanoCredits, int]]

    @property
    def sums(self) -> Sums:
        added = Sums()
        for account in self.accounts:
            added.include(account.sums)
        return added

    def total(self, figure: Callable[[AccountStatement], NanoCredits]) -> NanoCredits:
        return NanoCredits(sum(map(figure, self.accounts)))


@dataclass(frozen=True, slots=True)
class Statement:
    """What stands above the lines.

    Attributes:
        block: the last one that the ledger had recorded, None before the first.
        final: nothing that the chain may still take back can change it.
        labels: of keys that their holder named.
        test: the chain is one of play money.
    """

    holder: Address
    period: Period
    made_at: datetime
    block: Block | None
    final: bool
    wallets: tuple[WalletStatement, ...]
    labels: Mapping[str, str]
    test: bool

    def label(self, key: str) -> str:
        return self.labels.get(key, key)


@dataclass(frozen=True, slots=True)
class StatementOf:
    """Whose statement of what is asked for. ``accounts`` are all ``holder``'s; ``labels`` by key."""

    holder: Address
    accounts: Sequence[AccountId]
    period: Period
    labels: Mapping[str, str]


class Entry(NamedTuple):
    """A line, the wallet it is in, and what that wallet had after it, in nanocredits."""

    line: StatementLine
    wallet: Wallet
    balance: int


@contextmanager
def open_statement(
    parts: GatewayParts, market: Market, asked: StatementOf
) -> Iterator[tuple[Statement, Iterator[Entry]]]:
    """The statement, and its lines as they are asked for: all of one moment.

    Raises:
        LedgerUnavailable
        StatementTooSlow: while lines are read.
    """
    with parts.ledger.reading() as reading:
        statement = _summary(parts, market, reading, asked)
        lines = reading.lines(asked.accounts, asked.period.start, asked.period.end)
        yield statement, _entries(parts, statement, lines)


def _summary(parts: GatewayParts, market: Market, reading: Reading, asked: StatementOf) -> Statement:
    accounts, period = asked.accounts, asked.period
    made = reading.statements(accounts, period.start, period.end)
    uses: dict[AccountId, list[Use]] = {}
    for use in reading.uses(accounts, period.start, period.end):
        uses.setdefault(use.account, []).append(use)
    days: dict[AccountId, dict[date, tuple[NanoCredits, int]]] = {}
    for account, at, cost, requests in reading.quarter_hours(accounts, period.start, period.end):
        _add(days.setdefault(account, {}), period.day_of(at), cost, requests)
    final = reading.final_block()
    return Statement(
        holder=asked.holder,
        period=period,
        made_at=parts.clock(),
        block=reading.last_block(),
        final=final is not None and final.timestamp >= period.end.timestamp(),
        wallets=tuple(_wallets(market, made, uses, days)),
        labels=asked.labels,
        test=parts.public is not None and parts.public.is_test,
    )


def _add(days: dict[date, tuple[NanoCredits, int]], day: date, cost: NanoCredits, requests: int) -> None:
    before, count = days.get(day, (NanoCredits(0), 0))
    days[day] = (NanoCredits(before + cost), count + requests)


def _wallets(
    market: Market,
    made: Sequence[AccountStatement],
    uses: Mapping[AccountId, Sequence[Use]],
    days: Mapping[AccountId, Mapping[date, tuple[NanoCredits, int]]],
) -> Iterator[WalletStatement]:
    """Official ones first, each kind by symbol."""
    by_token: dict[Address, list[AccountStatement]] = {}
    for account in made:
        by_token.setdefault(account.token, []).append(account)
    wallets = []
    for token, accounts in by_token.items():
        together: dict[date, tuple[NanoCredits, int]] = {}
        for account in accounts:
            for day, (cost, requests) in days.get(account.account, {}).items():
                _add(together, day, cost, requests)
        wallets.append(
            WalletStatement(
                wallet=wallet_named(market, token),
                accounts=tuple(accounts),
                uses=tuple(use for account in accounts for use in uses.get(account.account, ())),
                days=dict(sorted(together.items())),
            )
        )
    yield from sorted(wallets, key=lambda each: (each.wallet.kind or "~", each.wallet.symbol, each.wallet.token))


def _entries(parts: GatewayParts, statement: Statement, lines: Iterator[StatementLine]) -> Iterator[Entry]:
    """With the balance carried on from line to line."""
    wallets = {account.account: each.wallet for each in statement.wallets for account in each.accounts}
    balances = {each.wallet.token: each.total(lambda account: account.opening) for each in statement.wallets}
    until = statement.made_at + LONGEST
    for index, line in enumerate(lines):
        if index % _LINES_BETWEEN_LOOKS == 0 and parts.clock() > until:
            raise StatementTooSlow(int(LONGEST.total_seconds()))
        wallet = wallets[line.account]
        balances[wallet.token] = NanoCredits(balances[wallet.token] + line.change)
        yield Entry(line, wallet, balances[wallet.token])
