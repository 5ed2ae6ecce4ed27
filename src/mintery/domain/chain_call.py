"""A call that takes effect on chain at most once, and what became of it.

What names the effect is an authorization (EIP-3009): whoever sends the call, and however often, the token takes the
authorizer's nonce once. A call without one is kept to one effect by the account nonce of its only sender.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

from mintery.domain.voucher import Address
from mintery.units import CreditUnits

CallId = NewType("CallId", str)
"""``ord_…/mint``, ``rfd_…/release``: whose call it is, and its kind."""


class CallKind(StrEnum):
    TOP_UP = "top_up"
    """The holder's asset into credits in the holder's account."""
    MINT = "mint"
    """The treasury's asset into credits in the holder's wallet."""
    DEPOSIT = "deposit"
    """Credits from the holder's wallet into the holder's account."""
    RELEASE = "release"
    """Credits from the account back to the holder's wallet."""
    COLLECT = "collect"
    """Credits from the holder's wallet to the treasury."""


@dataclass(frozen=True, slots=True)
class Authority:
    """Which nonce of whose, at which token, the call uses up."""

    token: Address
    authorizer: Address
    nonce: bytes


@dataclass(frozen=True, slots=True)
class Effect:
    """Where the chain has it, final. ``credits`` is what it moved; ``log_index`` is of the event that says so."""

    tx_hash: str
    block_hash: str
    block_number: int
    log_index: int
    at: datetime
    credits: CreditUnits


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainCall:
    """Facts of one call. Done when it has an effect, or when it failed: it never will have one.

    Attributes:
        subject: the order or refund that it is made for.
        first_block: no effect of it is in an earlier block.
        after: the call whose effect it needs.
    """

    subject: str
    kind: CallKind
    to: Address
    calldata: bytes
    authority: Authority | None
    first_block: int
    planned_at: datetime
    after: CallId | None = None
    effect: Effect | None = None
    failed_at: datetime | None = None
    failed_why: str | None = None

    @property
    def id(self) -> CallId:
        return CallId(f"{self.subject}/{self.kind.value}")


@dataclass(frozen=True, slots=True)
class CallAttempt:
    """One signed transaction of a call, saved before it left."""

    tx_hash: str
    call: CallId
    sender: Address
    nonce: int
    raw: bytes
    signed_at: datetime
    broadcast_at: datetime | None = None
