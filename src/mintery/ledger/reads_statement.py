"""What a statement asks of the ledger: several questions to one snapshot of it."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from mintery.domain.hold import RequestId
from mintery.domain.statement import AccountStatement, Mark, StatementLine, Use
from mintery.domain.voucher import AccountId, Address
from mintery.ledger.commands import Block
from mintery.ledger.reads import AccountBalance
from mintery.units import NanoCredits


class OpenRequest(NamedTuple):
    """A request that is under way; ``amount`` nanocredits are set aside for it. ``key`` as a charge has it; ``asked``: the model,
    as it named it.
    """

    id: RequestId
    account: AccountId
    amount: NanoCredits
    placed_at: datetime
    key: str
    asked: str


class Reading(Protocol):
    """The ledger as it was at one moment, until the reading is closed. ``start`` and ``end`` are aware, and half-open."""

    def accounts(self, *, holder: Address | None = None) -> Sequence[AccountBalance]: ...

    def last_block(self) -> Block | None: ...

    def final_block(self) -> Block | None:
        """The last recorded block that no reorganisation takes back."""

    def tokens(self, accounts: Sequence[AccountId]) -> Mapping[AccountId, Address]:
        """Without accounts that are not known."""

    def open_requests(self, accounts: Sequence[AccountId], *, limit: int) -> Sequence[OpenRequest]:
        """Newest first."""

    def statements(self, accounts: Sequence[AccountId], start: datetime, end: datetime) -> Sequence[AccountStatement]:
        """In the order of ``accounts``; those that the ledger does not know are left out."""

    def charged(
        self, account: AccountId, start: datetime, end: datetime | None = None, *, key: str | None = None
    ) -> tuple[NanoCredits, int]:
        """Cost and number of what was charged; of one gateway key alone where one is named."""

    def uses(self, accounts: Sequence[AccountId], start: datetime, end: datetime) -> Iterator[Use]:
        """What was charged, by account, key, model and route."""

    def quarter_hours(
        self, accounts: Sequence[AccountId], start: datetime, end: datetime
    ) -> Iterator[tuple[AccountId, datetime, NanoCredits, int]]:
        """What was charged in each quarter of an hour, and how many requests that was."""

    def lines(
        self,
        accounts: Sequence[AccountId],
        start: datetime,
        end: datetime | None = None,
        *,
        before: Mark | None = None,
        newest_first: bool = False,
    ) -> Iterator[StatementLine]:
        """In their order, in memory that does not grow with their number."""
