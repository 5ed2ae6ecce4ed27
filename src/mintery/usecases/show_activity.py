"""What happened last in a holder's wallets, newest first, and what is under way."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import islice
from struct import Struct
from typing import Any

from mintery.crypto.cursors import open_place, seal_place
from mintery.domain.market import Market
from mintery.domain.statement import LineKind, Mark, StatementLine
from mintery.domain.voucher import AccountId
from mintery.errors import MalformedRequest
from mintery.ledger.reads_statement import OpenRequest
from mintery.usecases.name_wallet import Wallet, amount_facts, wallet_facts, wallet_named
from mintery.usecases.parts import GatewayParts
from mintery.usecases.statement_facts import line_facts

MOST_LOOKED_AT = 2_000
"""Lines that one page looks through for those that are wanted; the next goes on where it stopped."""
MOST_RUNNING = 50
_EVER = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_PLACE = Struct(">QBQ")
"""Microseconds since 1970, whether it is a charge, and the row's number."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which lines are asked for. None: any."""

    kind: LineKind | None = None
    wallet: str | None = None
    key: str | None = None
    model: str | None = None

    def has(self, line: StatementLine, wallet: str | None) -> bool:
        if self.kind not in {None, line.kind} or self.wallet not in {None, wallet}:
            return False
        if self.key is None and self.model is None:
            return True
        paid = line.charge
        return paid is not None and self.key in {None, paid.key} and self.model in {None, paid.model, paid.route}


@dataclass(frozen=True, slots=True)
class Page:
    """``reader``: who asks; ``cursor``: where the page before this one ended, for that reader alone."""

    limit: int
    reader: str
    cursor: str | None = None
    wanted: Wanted = field(default_factory=Wanted)


def show_activity(
    parts: GatewayParts,
    market: Market,
    accounts: Sequence[AccountId],
    page: Page,
    *,
    zone: tzinfo,
    labels: Mapping[str, str],
) -> dict[str, Any]:
    """A page as JSON values; ``next`` is the cursor of the one after it, None at the end. A page may be short of its limit, or
    empty, and not be the last: its lines were looked through for those that are wanted.

    Raises:
        MalformedRequest: the cursor is none that this reader was given.
    """
    before = None if page.cursor is None else _mark_of(parts, page.reader, page.cursor)
    with parts.ledger.reading() as reading:
        wallets = {account: wallet_named(market, token) for account, token in reading.tokens(accounts).items()}
        lines = reading.lines(accounts, _EVER, before=before, newest_first=True)
        found, last = _look(lines, page, {account: wallet.kind for account, wallet in wallets.items()})
        running = [] if before else reading.open_requests(accounts, limit=MOST_RUNNING)
    return {
        "object": "list",
        "data": [line_facts(line, wallets[line.account], zone, labels) for line in found],
        "running": [
            _running(each, wallets[each.account], zone) for each in running if page.wanted.key in {None, each.key}
        ],
        "next": None if last is None else _cursor_of(parts, page.reader, last),
    }


def _look(
    lines: Iterator[StatementLine], page: Page, kinds: Mapping[AccountId, str | None]
) -> tuple[list[StatementLine], Mark | None]:
    """Those that are wanted, and the last one that was looked at where there may be more."""
    found: list[StatementLine] = []
    last: Mark | None = None
    for line in islice(lines, MOST_LOOKED_AT):
        if len(found) == page.limit:
            return found, last
        last = line.mark
        if page.wanted.has(line, kinds[line.account]):
            found.append(line)
    return found, last if next(lines, None) is not None else None


def _running(request: OpenRequest, wallet: Wallet, zone: tzinfo) -> dict[str, Any]:
    return {
        "at": request.placed_at.astimezone(zone).isoformat(),
        "request": request.id,
        "key": request.key,
        "model": request.asked,
        **wallet_facts(wallet),
        **amount_facts("held", request.amount, wallet.par),
    }


def _cursor_of(parts: GatewayParts, reader: str, mark: Mark) -> str:
    """Sealed: the last line that was looked at may be another app's, whose time and number are no business of this one."""
    place = _PLACE.pack((mark.at - _EVER) // _MICROSECOND, mark.charge, mark.seq)
    return seal_place(parts.settler, reader, place)


def _mark_of(parts: GatewayParts, reader: str, cursor: str) -> Mark:
    place = open_place((parts.settler, *parts.former_settlers), reader, cursor)
    if place is None:
        raise MalformedRequest("cursor is none that a page gave", field="cursor")
    micros, charge, seq = _PLACE.unpack(place)
    return Mark(_EVER + micros * _MICROSECOND, bool(charge), seq)
