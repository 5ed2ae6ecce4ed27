"""A sheet of the books: everything that a group of requests touches, read at once, changed in memory, written at once.

Commands are decided on it in their order, each by what those before it left. What it changed is written set by set: the
CHECKs and unique indexes of the tables have the last word. It holds requests that are there and new ones alike.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from operator import attrgetter

from mintery.domain.hold import RequestId
from mintery.domain.quoted import quoted_text
from mintery.domain.voucher import AccountId
from mintery.ledger.alerts import Alert
from mintery.ledger.books import Move, sides
from mintery.ledger.bulk import Bulk, Row
from mintery.ledger.commands import CaptureHold, PlaceHold, ReleaseHold, RequestCommand
from mintery.ledger.known import Identity, KnownRow, is_retry, newest, overtaken_by_retries
from mintery.ledger.limits import parse_limits
from mintery.ledger.loads import Loaded, Wanted, load, load_retries
from mintery.ledger.memory import AccountRow, Memory, RequestRow
from mintery.ledger.rows import voucher_row
from mintery.ledger.schema import accounts, answers, counters, receipts, requests, route_attempts, transfers, vouchers
from mintery.ledger.schema_wallet import limit_alerts
from mintery.ledger.work import Work

_VOUCHERS = Bulk(
    "insert new",
    vouchers,
    ("account", "digest", "chain_id", "epoch", "max_spend", "deadline", "key_hash", "r", "vs"),
)
_FACTS = ("backed", "limited", "lease_until", "dispatched_at", "captured", "released_for", "ended_at", "delivered_at")
CAPTURED = ("backed", "limited", "captured", "ended_at")
RELEASED = ("backed", "limited", "released_for", "ended_at")
DISPATCHED = ("dispatched_at",)
LEASED = ("lease_until",)
DELIVERED = ("delivered_at",)
# What is not said to change is not written: each column has indexes of its own.
_REQUESTS: Mapping[tuple[str, ...], Bulk] = {
    facts: Bulk("update", requests, ("id", *facts))
    for facts in (CAPTURED, RELEASED, DISPATCHED, LEASED, DELIVERED, _FACTS)
}
_READ: Mapping[tuple[str, ...], Callable[[RequestRow], Row]] = {facts: attrgetter("id", *facts) for facts in _REQUESTS}
_ORIGIN = (
    *("id", "credential", "body", "idempotency_key", "raised", "account", "epoch", "voucher", "quoted", "amount"),
    *("limits", "placed_at", "retry"),
)
_NEW_REQUESTS = Bulk("insert", requests, (*_ORIGIN, *_FACTS))
_ACCOUNTS = Bulk("update", accounts, ("id", "available", "held", "captured", "uncovered"))
_ACCOUNTS_IN_FULL = Bulk("update", accounts, (*_ACCOUNTS.columns, "retried_at", "requests_until", "tokens_until"))
_COUNTERS = Bulk("update", counters, ("key", "used"))
_NEW_COUNTERS = Bulk("insert", counters, _COUNTERS.columns)
_RECEIPTS = Bulk(
    "insert",
    receipts,
    (
        *("request", "account", "token", "epoch", "cost", "held", "model", "provider", "captured_at", "facts"),
        "signature",
    ),
)
_ATTEMPTS = Bulk(
    "insert",
    route_attempts,
    ("request", "position", "route", "provider", "outcome", "status", "began_at", "ended_at"),
)
_ALERTS = Bulk("insert new", limit_alerts, ("limit_id", "first", "level", "at"))
_ANSWERS = Bulk("insert", answers, ("kept_since", "request", "status", "content_type", "body"))
_NO_ANSWERS = Bulk("delete", answers, ("kept_since", "request"), keys=2)
_TRANSFERS = Bulk(
    "insert", transfers, ("id", "kind", "debit", "credit", "amount", "pending", "at", "reference", "rest")
)


@dataclass(slots=True)
class Sheet:
    """Made by ``open_sheet``. Rows are changed in place, which ``touch`` records; ``close`` gives all to the transaction.

    ``accounts``, ``requests`` and ``used`` are the writer's memory itself.
    """

    work: Work
    accounts: dict[str, AccountRow]
    requests: dict[str, RequestRow]
    used: dict[str, int]
    by_key: dict[tuple[bytes, str], KnownRow]
    by_raised: dict[tuple[str, bytes], KnownRow]
    undelivered: dict[Identity, KnownRow]
    """By credential, body and raised voucher; of several, the newest."""
    retries: dict[Identity, KnownRow]
    """Likewise declared retries that found no original; those alone that a new request may have been overtaken by."""
    trusted: set[str]
    """Requests that are taken to be new without having been looked for."""
    receipts: dict[str, Row] = field(default_factory=dict)
    answers: dict[str, Row] = field(default_factory=dict)
    attempts: list[Row] = field(default_factory=list)
    _alerts: dict[Alert, Row] = field(default_factory=dict)
    _new: dict[str, PlaceHold] = field(default_factory=dict)
    _vouchers: dict[tuple[AccountId, bytes], Row] = field(default_factory=dict)
    _transfers: list[Row] = field(default_factory=list)
    _dropped: list[Row] = field(default_factory=list)
    _changed: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _changed_accounts: set[str] = field(default_factory=set)
    _in_full: set[str] = field(default_factory=set)
    _counters: set[str] = field(default_factory=set)
    _new_counters: set[str] = field(default_factory=set)

    def post(
        self, move: Move, amount: int, row: RequestRow, name: str, at: int, *, resolves: bool = False, rest: int = 0
    ) -> None:
        """Record one transfer of the request's account, as ``books.post`` does; ``resolves``: it ends the hold's own, and
        ``rest`` of that is available again.
        """
        if amount == 0:
            return
        token = self.accounts[row.account].token or ""
        debit, credit = sides(move, row.account, token)
        pending = f"{row.id}/hold" if resolves else None
        self._transfers.append(
            (f"{row.id}/{name}", move.kind, debit, credit, amount, pending, at, row.id, rest or None)
        )

    def add(self, row: RequestRow, placed: PlaceHold) -> None:
        """A new request, with the voucher that admits it."""
        self.requests[row.id] = row
        self._new[row.id] = placed
        key, known = placed.key, KnownRow(row.id, row.placed_at, placed.key.body)
        if key.idempotency_key is not None:
            self.by_key[key.credential, key.idempotency_key] = known
        if key.raised is not None:
            self.by_raised[row.account, key.raised] = known
        self.undelivered[key.credential, key.body, key.raised] = known
        if is_retry(placed):
            self.retries[key.credential, key.body, key.raised] = known
            account = self.accounts[row.account]
            account.retried_at = max(account.retried_at or 0, row.placed_at)
            self._in_full.add(account.id)
        if (voucher := (row.account, placed.digest)) not in self.work.known_vouchers:
            self._vouchers[voucher] = _new_voucher(placed)
            self.work.new_vouchers.add(voucher)

    def is_new_after_all(self, request: RequestId) -> bool:
        """Look for one that was taken to be new. What refuses the row of one that is not sees only holds that are placed."""
        if request not in self.trusted:
            return True
        self.trusted.discard(request)
        _remember(self.work.memory, load(self.work, Wanted(requests=[request])))
        return request not in self.requests

    def touch(self, row: RequestRow, facts: tuple[str, ...]) -> None:
        """These of its facts changed."""
        if row.id not in self._new and self._changed.setdefault(row.id, facts) is not facts:
            self._changed[row.id] = _FACTS

    def touch_account(self, row: AccountRow) -> None:
        """Its balances changed."""
        self._changed_accounts.add(row.id)

    def touch_rates(self, row: AccountRow) -> None:
        """So did what is left of its rates."""
        self._in_full.add(row.id)

    def count(self, key: str, change: int) -> None:
        before = self.used.get(key)
        if before is None:
            self._new_counters.add(key)
        elif key not in self._new_counters:
            self._counters.add(key)
        self.used[key] = (before or 0) + change

    def uncount(self, row: RequestRow, left: Mapping[str, int]) -> None:
        """Let the request count for ``left`` against its constraints, by when each ends; never for more than it did."""
        for limit in row.limits:
            if (stays := limit.stays(left)) != limit.counted:
                self.count(limit.key, stays - limit.counted)
                limit.counted = stays

    def alert(self, alert: Alert, at: int) -> None:
        """Kept once."""
        if alert not in self.work.known_alerts and alert not in self._alerts:
            self._alerts[alert] = (*alert, at)
            self.work.new_alerts.append(alert)

    def drop_answer(self, request: RequestId, ended_at: int) -> None:
        if self.answers.pop(request, None) is None:
            self._dropped.append((ended_at, request))

    def close(self) -> None:
        new = [(self.requests[each], placed) for each, placed in self._new.items()]
        changed: dict[tuple[str, ...], list[Row]] = {}
        for request, facts in sorted(self._changed.items()):
            row = self.requests[request]
            changed.setdefault(facts, []).append(_READ[facts](row))
        balances = [_balances(self.accounts[each]) for each in sorted(self._changed_accounts - self._in_full)]
        in_full = [_in_full(self.accounts[each]) for each in sorted(self._in_full)]
        self.work.write_later(
            [
                (_VOUCHERS, list(self._vouchers.values())),
                (_NEW_REQUESTS, [_new_request(row, placed) for row, placed in new]),
                *((_REQUESTS[facts], rows) for facts, rows in changed.items()),
                (_NEW_COUNTERS, [(key, self.used[key]) for key in sorted(self._new_counters)]),
                (_COUNTERS, [(key, self.used[key]) for key in sorted(self._counters)]),
                (_RECEIPTS, list(self.receipts.values())),
                (_ATTEMPTS, self.attempts),
                (_ALERTS, list(self._alerts.values())),
                (_ANSWERS, list(self.answers.values())),
                (_NO_ANSWERS, self._dropped),
                (_TRANSFERS, self._transfers),
                (_ACCOUNTS, balances),
                (_ACCOUNTS_IN_FULL, in_full),
            ]
        )
        for request in self._changed:  # nothing is asked of it any more
            row = self.requests[request]
            if row.delivered_at is not None or row.released_for is not None:
                del self.requests[request]


def open_sheet(work: Work, commands: Sequence[RequestCommand]) -> Sheet:
    """With all that ``commands`` may touch; on PostgreSQL their accounts and counters are locked from here on."""
    work.begin()
    memory = work.memory
    trusted = _taken_to_be_new(commands, memory)
    loaded = load(work, _wanted(commands, memory, trusted))
    _remember(memory, loaded)
    by_key, by_raised = {}, {}
    for id_, placed_at, credential, idempotency_key, account, raised, body in loaded.known:
        known = KnownRow(id_, placed_at, body)
        by_key[credential, idempotency_key] = known
        by_raised[account, raised] = known
    return Sheet(
        work=work,
        accounts=memory.accounts,
        requests=memory.requests,
        used=memory.used,
        by_key=by_key,
        by_raised=by_raised,
        undelivered=newest(loaded.undelivered),
        retries=newest(load_retries(work, overtaken) if (overtaken := overtaken_by_retries(commands, memory)) else ()),
        trusted=trusted,
    )


def _remember(memory: Memory, loaded: Loaded) -> None:
    """What is there already may have been changed by this sheet, and stays."""
    for row in loaded.accounts:
        memory.accounts.setdefault(row[0], AccountRow(*row))
    for row in loaded.requests:
        memory.requests.setdefault(row[0], _request_row(row))
    for key, used in loaded.counters:
        memory.used.setdefault(key, used)


def _taken_to_be_new(commands: Sequence[RequestCommand], memory: Memory) -> set[str]:
    """Requests that one command makes, and no other is about, where memory may be trusted."""
    if not memory.trusted:
        return set()
    asked = Counter(command.request for command in commands)
    places = {command.request for command in commands if isinstance(command, PlaceHold)}
    return {request for request in places if asked[request] == 1 and request not in memory.requests}


def _wanted(commands: Sequence[RequestCommand], memory: Memory, trusted: AbstractSet[str]) -> Wanted:
    """What ``commands`` touch, and ``memory`` neither has nor takes to be new."""
    places = [command for command in commands if isinstance(command, PlaceHold)]
    keys = [(each, each.key) for each in places]
    unknown = {command.request for command in commands if command.request not in memory.requests} - trusted
    return Wanted(
        requests=sorted(unknown),
        accounts=sorted({place.account for place in places}.difference(memory.accounts)),
        counters=sorted({each.key for place in places for each in place.constraints}.difference(memory.used)),
        ending=sorted({each.request for each in commands if isinstance(each, CaptureHold | ReleaseHold)}),
        keyed=sorted({(key.credential, key.idempotency_key) for _, key in keys if key.idempotency_key is not None}),
        raised=sorted({(place.account, key.raised) for place, key in keys if key.raised is not None}),
        repeated=sorted({(key.credential, key.body) for place, key in keys if place.repeats_since is not None}),
    )


def _request_row(stored: Row) -> RequestRow:
    row = RequestRow(*stored)
    row.limits = parse_limits(stored[5])
    return row


def _new_request(row: RequestRow, placed: PlaceHold) -> Row:
    key = placed.key
    return (
        row.id,
        key.credential,
        key.body,
        key.idempotency_key,
        key.raised,
        row.account,
        row.epoch,
        placed.digest,
        quoted_text(placed.quoted),
        row.amount,
        len(row.limits),
        row.placed_at,
        1 if is_retry(placed) else None,
        *_READ[_FACTS](row)[1:],
    )


def _new_voucher(placed: PlaceHold) -> Row:
    row = voucher_row(placed.signed, placed.digest, placed.account)
    return tuple(row[name] for name in _VOUCHERS.columns)


def _balances(row: AccountRow) -> Row:
    return row.id, row.available, row.held, row.captured, row.uncovered


def _in_full(row: AccountRow) -> Row:
    return *_balances(row), row.retried_at, row.requests_until, row.tokens_until
