"""What the ledger can be asked to write of settlement."""

from dataclasses import dataclass
from datetime import datetime

from mintery.domain.batch import Batch
from mintery.domain.hold import RequestId


@dataclass(frozen=True, slots=True)
class FormBatch:
    """Intent: these receipts go into this batch. Refused (NotWritten) when one is in another batch already."""

    batch: Batch
    receipts: tuple[RequestId, ...]
    formed_at: datetime


@dataclass(frozen=True, slots=True)
class SaveAttempt:
    """A signed transaction of a batch, saved before it is broadcast. ``raw`` is as sent; ``nonce`` the settler's."""

    batch_id: int
    tx_hash: str
    raw: bytes
    nonce: int
    signed_at: datetime


@dataclass(frozen=True, slots=True)
class MarkBroadcast:
    tx_hash: str
    at: datetime


@dataclass(frozen=True, slots=True)
class AbandonBatch:
    """The batch can never settle as formed (its simulation reverts); its receipts are free for another.

    ``dead_attempts``: how many of its attempts can take effect no more, as their nonces are used in a confirmed block.
    Refused when more were saved: another process may be sending one now.
    """

    batch_id: int
    why: str
    at: datetime
    dead_attempts: int = 0


@dataclass(frozen=True, slots=True)
class WriteOff:
    """The operator gives up what a receipt charged, as it can never settle: it is the operator's loss.

    Refused (NotWritten) while a batch has the receipt.
    """

    request: RequestId
    reason: str
    at: datetime
