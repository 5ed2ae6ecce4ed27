"""What the ledger can be asked. Reads see the last commit; amounts are nanocredits."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from mintery.domain.attempt import Refusal, RouteAttempt
from mintery.domain.batch import Batch
from mintery.domain.channel import ChannelChange
from mintery.domain.hold import Hold, RequestId
from mintery.domain.keys import KeyId, StandingVoucher
from mintery.domain.limits import SpendLimit
from mintery.domain.long_job import LongJob
from mintery.domain.model import Endpoint
from mintery.domain.quoted import Quoted
from mintery.domain.receipt import Receipt
from mintery.domain.reserve import ReserveObservation
from mintery.domain.sign_in import SignIn
from mintery.domain.voucher import AccountId, AccountKey, Address, SignedVoucher
from mintery.errors import LongJobUnreadable
from mintery.ledger.commands import Answer, Block, Command, FlowSums, RequestKey, Result
from mintery.ledger.queries_memberships import MembershipReads
from mintery.ledger.reads_wallet import Allowance, KeyRecord, LimitAlert, SecretRecord
from mintery.units import NanoCredits, UnixSeconds

if TYPE_CHECKING:
    from mintery.ledger.reads_statement import Reading


@dataclass(frozen=True, slots=True)
class AccountBalance:
    """One account's buckets. On chain: balance == available + held + captured.

    Attributes:
        available: not set aside. ``exiting`` of it is not for new holds: pending exits, what is set aside for refunds, and
            what is ``frozen``.
        held: in open holds.
        captured: charged, not settled yet.
        spent: charged in this epoch, settled or not; what vouchers count against.
        exit_unlock: unix seconds, None when no exit is pending.
        frozen: of what is available, what was bought with payments that are disputed, or were taken back.
    """

    id: AccountId
    key: AccountKey
    epoch: int
    available: NanoCredits
    held: NanoCredits
    captured: NanoCredits
    spent: NanoCredits
    exiting: NanoCredits
    exit_unlock: UnixSeconds | None
    closing: bool
    frozen: NanoCredits = NanoCredits(0)


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """A request as recorded: its key, its hold with what it is for, and where its answer stands.

    ``epoch`` is the account's when the hold was placed.
    """

    id: RequestId
    key: RequestKey
    hold: Hold
    epoch: int
    quoted: Quoted
    delivered_at: datetime | None
    answer: Answer | None


@dataclass(frozen=True, slots=True)
class Attempt:
    batch_id: int
    tx_hash: str
    raw: bytes
    nonce: int
    signed_at: datetime
    broadcast_at: datetime | None


@dataclass(frozen=True, slots=True)
class BatchRecord:
    """Facts of one batch; open while it is neither settled nor abandoned."""

    batch: Batch
    receipts: tuple[RequestId, ...]
    formed_at: datetime
    attempts: tuple[Attempt, ...]
    settled_in: Block | None
    abandoned_at: datetime | None


@dataclass(frozen=True, slots=True)
class WrittenOff:
    """What the operator gave up of one receipt, and why. ``undone_at``: the chain settled it after all."""

    request: RequestId
    amount: NanoCredits
    reason: str
    at: datetime
    undone_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ReceiptRecord:
    """A receipt with where it was settled; ``batch_id`` is None until it is in a batch, ``tx_hash`` until the chain has it."""

    receipt: Receipt
    batch_id: int | None
    tx_hash: str | None
    written_off: WrittenOff | None = None


@dataclass(frozen=True, slots=True)
class Halt:
    """What no settlement may pass, for every process on this ledger, until it is cleared."""

    id: int
    alarm: str
    subject: str
    why: str
    since: datetime


@dataclass(frozen=True, slots=True)
class StandingDifference:
    """What the last reconciliation found; base units. ``last_equal``: number of the last block where it was compared and
    agreed, None where it never did. ``since``: when it was first found.
    """

    what: str
    chain: int
    books: int
    last_equal: int | None
    since: datetime


@dataclass(frozen=True, slots=True)
class Reconciled:
    """The last reconciliation, of whichever process: the block that it compared at, and when it was made."""

    number: int
    hash: str
    at: datetime


@dataclass(frozen=True, slots=True)
class TokenTotals:
    """Sums over all accounts of one token; ``deposited - exited - burned == available + held + captured``.

    ``receipts`` is the sum of all receipts' costs, ``losses`` what the operator bore (never the holder).
    """

    token: Address
    deposited: NanoCredits
    exited: NanoCredits
    burned: NanoCredits
    available: NanoCredits
    held: NanoCredits
    captured: NanoCredits
    receipts: NanoCredits
    losses: NanoCredits


class Ledger(Protocol):
    """The ledger as use cases see it. ``commit`` may be called from any thread."""

    def commit(self, commands: Sequence[Command]) -> Sequence[Result]:
        """Write and wait until it is durable: one result for each command, in order."""

    async def commit_async(self, commands: Sequence[Command]) -> Sequence[Result]:
        """As ``commit``, for event loops."""

    @property
    def memberships(self) -> MembershipReads: ...

    def account(self, account: AccountId) -> AccountBalance | None: ...

    def accounts(self, *, holder: Address | None = None) -> Sequence[AccountBalance]: ...

    def reading(self) -> AbstractContextManager["Reading"]:
        """One snapshot for several questions. It keeps a connection: a few at once, and none for long."""

    def request(self, request: RequestId) -> RequestRecord | None: ...

    def undelivered(self, key: RequestKey) -> RequestRecord | None:
        """The newest attempt with this credential and body that was not fully delivered: open, or captured and not
        marked delivered.
        """

    def by_idempotency_key(self, credential: bytes, idempotency_key: str) -> RequestRecord | None: ...

    def by_raised(self, account: AccountId, digest: bytes) -> RequestRecord | None: ...

    def receipt(self, request: RequestId) -> ReceiptRecord | None: ...

    def attempts(self, request: RequestId) -> Sequence[RouteAttempt]:
        """Its calls to providers, in their order; none where the first one delivered, or nothing ended yet."""

    def last_route(self, account: AccountId, session: str, *, limit: int) -> str | None:
        """What answered last of the requests with this session's mark, among the account's newest ``limit`` receipts."""

    def refusal(self, request: RequestId) -> Refusal | None: ...

    def receipts(
        self, *, account: AccountId | None = None, key: KeyId | None = None, limit: int = 100
    ) -> Sequence[ReceiptRecord]:
        """Newest first; of one gateway key of the account alone where one is named."""

    def open_holds(self) -> Sequence[Hold]: ...

    def long_job(self, request: RequestId) -> LongJob | None:
        """Raises LongJobUnreadable."""

    def long_jobs(
        self,
        account: AccountId,
        form: Endpoint,
        *,
        key: KeyId | None = None,
        limit: int = 20,
        before: RequestId | None = None,
    ) -> Sequence[LongJob]:
        """The account's, or one gateway key's of it, newest first; ``before`` is the last one that was seen already."""

    def open_long_jobs(self) -> Sequence[LongJob]:
        """Those whose requests have not ended, oldest first, but for what cannot be read of them."""

    def unreadable_long_jobs(self) -> Sequence[LongJobUnreadable]:
        """What keeps which of them from being followed."""

    def unbatched(self, *, limit: int) -> Sequence[Receipt]:
        """Receipts with a cost that are in no batch, oldest first."""

    def highest_voucher(self, account: AccountId, epoch: int, at: UnixSeconds) -> SignedVoucher | None:
        """The stored voucher with the largest maxSpend of those that settle at ``at``, the chain's time."""

    def spent_settled(self, account: AccountId) -> NanoCredits:
        """Burned in this epoch, as the chain last said."""

    def settled_by_account(self) -> Mapping[AccountId, NanoCredits]:
        """``spent_settled`` of every account."""

    def halts(self) -> Sequence[Halt]:
        """Those that stand, oldest first."""

    def differences(self) -> Sequence[StandingDifference]: ...

    def last_reconciliation(self) -> Reconciled | None:
        """None before the first."""

    def reserve_history(self, token: Address, *, limit: int) -> Sequence[ReserveObservation]:
        """The newest ``limit``, oldest first."""

    def flow_sums(self) -> FlowSums | None: ...

    def batch(self, batch_id: int) -> BatchRecord | None: ...

    def open_batches(self) -> Sequence[BatchRecord]: ...

    def last_block(self) -> Block | None: ...

    def blocks(self, *, limit: int = 100, below: int | None = None) -> Sequence[Block]:
        """Recorded blocks, newest first, with numbers under ``below``."""

    def final_block(self) -> int | None:
        """The number up to which nothing is ever rolled back."""

    def write_offs(self, *, limit: int = 100) -> Sequence[WrittenOff]:
        """Newest first."""

    def used(self, constraint: str) -> NanoCredits: ...

    def totals(self) -> Sequence[TokenTotals]: ...

    def channel_mark(self) -> tuple[int, int]:
        """Another one than before where a channel was changed since: how many changes there are, and the last one's place."""

    def channel_settings(self) -> Sequence[ChannelChange]:
        """The newest change of each subject."""

    def channel_changes(self, *, name: str | None = None, limit: int = 100) -> Sequence[ChannelChange]:
        """Newest first; ``name`` of the channel, provider or shared name."""

    def sign_in_by_token(self, token_hash: bytes, now: datetime) -> SignIn | None:
        """The sign-in that stands under this hash, if any."""

    def sign_ins(self, holder: Address, now: datetime) -> Sequence[SignIn]:
        """Those of a holder that stand, newest first."""

    def standing(self, account: AccountId, holder: Address, token: Address) -> Allowance:
        """What its holder allows of an account; all as of one moment."""

    def time_zone(self, holder: Address) -> str | None:
        """Where the holder lives, as an IANA name; None where that was never said."""

    def key_by_hash(self, hashed: bytes) -> SecretRecord | None: ...

    def key(self, key: KeyId) -> KeyRecord | None: ...

    def keys(self, holder: Address) -> Sequence[KeyRecord]:
        """Newest first, revoked ones among them."""

    def standing_vouchers(self, holder: Address) -> Sequence[StandingVoucher]:
        """Newest first."""

    def vouchers_of(self, holder: Address) -> Sequence[tuple[AccountId, SignedVoucher]]:
        """Those that requests were admitted by, in the epochs that their accounts are in: of each account and key hash, that
        with the largest maxSpend.
        """

    def revoked_vouchers(self, holder: Address) -> frozenset[tuple[AccountId, bytes]]:
        """Accounts and key hashes."""

    def spend_limits(self, holder: Address) -> Sequence[SpendLimit]:
        """Those that stand, oldest first."""

    def limit_alerts(self, holder: Address, *, limit: int = 100) -> Sequence[LimitAlert]:
        """Newest first."""

    def check(self) -> None:
        """Every invariant of the tables themselves: transfers sum to zero, stored balances equal their transfers.

        Raises:
            LedgerInconsistent
        """
