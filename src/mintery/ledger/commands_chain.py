"""What the ledger can be asked to write of the chain's blocks, and what it answers. Amounts are nanocredits."""

from dataclasses import dataclass
from datetime import datetime

from mintery.domain.batch import LineOutcome
from mintery.domain.hold import RequestId
from mintery.domain.voucher import AccountId, AccountKey
from mintery.units import NanoCredits, UnixSeconds


@dataclass(frozen=True, slots=True)
class DepositSeen:
    """``Deposited``: opens the account when it is new."""

    account: AccountId
    key: AccountKey
    amount: NanoCredits


@dataclass(frozen=True, slots=True)
class ExitStartedSeen:
    """``ExitStarted``: from here on that much is not available for new holds; everything when ``closing``."""

    account: AccountId
    amount: NanoCredits
    unlock: UnixSeconds
    closing: bool


@dataclass(frozen=True, slots=True)
class ExitCancelledSeen:
    account: AccountId


@dataclass(frozen=True, slots=True)
class ExitExecutedSeen:
    """``ExitExecuted``: ``epoch`` is the account's afterwards; a higher one than before zeroes what was spent."""

    account: AccountId
    amount: NanoCredits
    epoch: int


@dataclass(frozen=True, slots=True)
class ReleasedSeen:
    """``Released`` by a settler to the holder. ``tx_hash`` tells whose call it was, where one of ours was."""

    account: AccountId
    amount: NanoCredits
    tx_hash: str | None = None


@dataclass(frozen=True, slots=True)
class BatchSettledSeen:
    """``BatchSettled`` of our gateway: ``outcomes`` in the order of the batch's lines, over all its tokens."""

    batch_id: int
    receipts_root: bytes
    outcomes: tuple[LineOutcome, ...]
    tx_hash: str


ChainEvent = DepositSeen | ExitStartedSeen | ExitCancelledSeen | ExitExecutedSeen | ReleasedSeen | BatchSettledSeen


@dataclass(frozen=True, slots=True)
class Block:
    """Hashes are 32 bytes as lower-case ``0x`` hex; ``timestamp`` in unix seconds."""

    number: int
    hash: str
    parent: str
    timestamp: UnixSeconds


@dataclass(frozen=True, slots=True)
class AppendBlock:
    """A confirmed block with the events that concern this ledger, in log order, each with its log index.

    Applied once by hash; refused (NotNext) unless ``parent`` is the last block recorded, or, when blocks without
    events were left out, unless its number is higher (``parent`` is then the hash of the last one recorded).
    """

    block: Block
    events: tuple[tuple[int, ChainEvent], ...]


@dataclass(frozen=True, slots=True)
class RollBackBlock:
    """The chain no longer has the last recorded block: undo all that its events did, by transfers that say so.

    Refused (NotWritten) for any other block, and for a final one.
    """

    hash: str
    at: datetime


@dataclass(frozen=True, slots=True)
class MarkFinal:
    """No block up to ``number`` is ever rolled back; a lower number than before changes nothing."""

    number: int


@dataclass(frozen=True, slots=True)
class BlockAppended:
    """``news`` is False when the block was already there. ``undone``: receipts whose write-off it undid, by settling them."""

    news: bool
    undone: tuple[RequestId, ...] = ()


@dataclass(frozen=True, slots=True)
class NotNext:
    last: Block | None
