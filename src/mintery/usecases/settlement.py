"""What settling needs, what one step of it can end in, and what a person reads when it waits."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from mintery.chain.delivery import Delivery
from mintery.chain.sender import Sender
from mintery.domain.voucher import Address
from mintery.ledger.reads import Ledger
from mintery.units import Wei
from mintery.usecases.alarms import Alarms
from mintery.usecases.form_batch import LeftOut
from mintery.usecases.onchain import OnChain

MAX_FEE = Wei(100 * 10**9)
GAS_PERCENT = 50
MAX_OPEN = 8


@dataclass(frozen=True, slots=True)
class Settlement:
    """What settling needs. One step runs at a time.

    Attributes:
        max_lines, max_receipts: of one batch.
        bump_after: seconds in no block after which the fees rise.
        max_fee: the most that is offered, wei per gas; above it the batch waits.
        gas_percent: the most of a block's gas that one batch may need.
        max_open: batches that may be under way at once; the next is formed when those before it are in a block.
    """

    chain: OnChain
    ledger: Ledger
    settler: Sender
    gateway: Address
    alarms: Alarms
    max_lines: int
    max_receipts: int
    bump_after: int
    max_fee: Wei = MAX_FEE
    gas_percent: int = GAS_PERCENT
    max_open: int = MAX_OPEN
    lock: threading.Lock = field(default_factory=threading.Lock)


class Wait(StrEnum):
    """Why a batch is in no block yet."""

    FOR_A_BLOCK = "for_a_block"
    FEE_CAP = "fee_cap"
    ATTEMPT_LIVE = "attempt_live"
    MAYBE_SENT = "maybe_sent"
    NONCE_TAKEN = "nonce_taken"
    NONCE_GAP = "nonce_gap"
    OUTBID = "outbid"
    FUNDS_MISSING = "funds_missing"
    REFUSED = "refused"


WAIT_OF: Mapping[Delivery, Wait] = {
    Delivery.MAYBE: Wait.MAYBE_SENT,
    Delivery.NONCE_USED: Wait.NONCE_TAKEN,
    Delivery.NONCE_AHEAD: Wait.NONCE_GAP,
    Delivery.UNDERPRICED: Wait.OUTBID,
    Delivery.FUNDS_MISSING: Wait.FUNDS_MISSING,
    Delivery.TOO_LARGE: Wait.REFUSED,
    Delivery.REFUSED: Wait.REFUSED,
}

WORDS: Mapping[Wait, str] = {
    Wait.FOR_A_BLOCK: "Sent, and in no block yet. Its fee rises by itself; nothing to do.",
    Wait.FEE_CAP: "Blocks cost more than MINTERY_MAX_FEE_GWEI allows. It goes on by itself when they are cheaper; raise the "
    "setting to pay more.",
    Wait.ATTEMPT_LIVE: "The chain refuses the batch as it was formed, and an attempt of it may still be mined. It is formed "
    "anew when that attempt's nonce is used; nothing to do.",
    Wait.MAYBE_SENT: "No endpoint said whether it took the transaction. It is saved and looked up by its hash; check the "
    "endpoints if this lasts.",
    Wait.NONCE_TAKEN: "Another transaction of the settler's key took its nonce; it is signed again. If that transaction is "
    "not yours, someone has the key: revoke the settler at once.",
    Wait.NONCE_GAP: "Earlier transactions of the settler's key are missing. The gap is filled by itself; does anything else "
    "use the key?",
    Wait.OUTBID: "Another transaction with its nonce offers more, or its fee is below what nodes take. Its fee rises by "
    "itself.",
    Wait.FUNDS_MISSING: "The settler cannot pay for gas. Send ether to its address; the batch then leaves by itself.",
    Wait.REFUSED: "Every endpoint refuses the transaction. It is tried again; read what they say.",
}
"""What each means and what to do about it, for whoever is woken by it."""


@dataclass(frozen=True, slots=True)
class NothingToSettle:
    left_out: tuple[LeftOut, ...]


@dataclass(frozen=True, slots=True)
class BatchSent:
    """It left in this call, or again; ``tx_hash`` is its newest attempt."""

    batch_id: int
    tx_hash: str
    lines: int
    receipts: int
    left_out: tuple[LeftOut, ...] = ()


@dataclass(frozen=True, slots=True)
class BatchWaiting:
    """It is under way: in one block without its confirmations (``mined``), or in none yet, and ``why``."""

    batch_id: int
    mined: bool
    why: Wait = Wait.FOR_A_BLOCK


@dataclass(frozen=True, slots=True)
class BatchAbandoned:
    batch_id: int
    why: str


SettleResult = NothingToSettle | BatchSent | BatchWaiting | BatchAbandoned
