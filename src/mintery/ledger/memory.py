"""What a writer knows of the tables without asking: rows as its own last commit left them.

A request's hold and its capture touch the same rows, and so do those of the next request of its account. SQLite says whether
another connection wrote meanwhile; where one did, or where this one wrote otherwise than by a sheet, all is forgotten. On
PostgreSQL others write beside us, so nothing is known at the beginning of a transaction.
"""

from dataclasses import dataclass, field

from mintery.domain.hold import Hold, ReleaseReason, RequestId
from mintery.domain.voucher import AccountId
from mintery.ledger.limits import Limit, limits_text
from mintery.ledger.work import instant_of
from mintery.units import NanoCredits

_MOST = 50_000
"""Rows of a kind; beyond that all is forgotten."""


@dataclass(slots=True)
class AccountRow:
    """Nanocredits. ``token`` is None until the first deposit."""

    id: AccountId
    token: str | None
    epoch: int
    available: int
    held: int
    captured: int
    uncovered: int
    spent_settled: int
    exiting: int
    closing: int
    retried_at: int | None
    """Microseconds since 1970: when a declared retry last placed a hold here, its original not being there."""
    requests_until: int | None
    tokens_until: int | None
    """Likewise: when the buckets of its rates will be empty; see ``domain.rates``."""
    authority: int
    """The number of its holder's last change of what may be spent."""


@dataclass(slots=True)
class RequestRow:
    """Instants are microseconds since 1970."""

    id: RequestId
    account: AccountId
    epoch: int
    amount: int
    backed: int
    limits: list[Limit]
    placed_at: int
    lease_until: int
    dispatched_at: int | None
    captured: int | None
    released_for: str | None
    ended_at: int | None
    delivered_at: int | None
    idempotency_key: str | None

    @property
    def limited(self) -> str | None:
        return limits_text(self.limits)

    @property
    def hold(self) -> Hold:
        return Hold(
            id=self.id,
            account=self.account,
            amount=NanoCredits(self.amount),
            placed_at=instant_of(self.placed_at),
            lease_until=instant_of(self.lease_until),
            dispatched_at=None if self.dispatched_at is None else instant_of(self.dispatched_at),
            captured=None if self.captured is None else NanoCredits(self.captured),
            released_for=None if self.released_for is None else ReleaseReason(self.released_for),
        )


@dataclass(slots=True)
class Memory:
    """Rows by their keys. The account and the counters of each request that is here are here too.

    Attributes:
        used: counters that have a row, by key.
        version: SQLite's, of the data that this is true of.
        trusted: requests that are not here, and that a command makes, are taken to be new. Where one is not, its row is
            refused, and the group is decided again without trust.
    """

    accounts: dict[str, AccountRow] = field(default_factory=dict)
    requests: dict[str, RequestRow] = field(default_factory=dict)
    used: dict[str, int] = field(default_factory=dict)
    version: int | None = None
    trusted: bool = False

    def forget(self) -> None:
        self.accounts.clear()
        self.requests.clear()
        self.used.clear()
        self.trusted = False

    def hold_true_of(self, version: int) -> None:
        """The transaction that has begun sees the data of this version, and nobody else writes before it ends."""
        if version != self.version:
            self.forget()
            self.version = version

    def committed(self) -> None:
        """What is here was written."""
        if max(len(self.accounts), len(self.requests), len(self.used)) > _MOST:
            self.forget()
        self.trusted = True
