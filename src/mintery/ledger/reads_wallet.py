"""What the ledger tells of what holders allow."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from mintery.domain.keys import GatewayKey, KeySecret, StandingVoucher
from mintery.domain.limits import LimitId, SpendLimit


class Allowance(NamedTuple):
    """What a holder allows of one account, as of one moment.

    Attributes:
        authority: the number of that moment: a hold that is asked for by another one is refused.
        time_zone: by its IANA name; None where the holder never said.
        limits: of the account's token, those of other keys among them.
        revoked: key hashes of the account's vouchers that spend no more.
    """

    authority: int
    time_zone: str | None
    limits: tuple[SpendLimit, ...]
    revoked: frozenset[bytes]


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """A key with the voucher that it spends by, and its secrets' hashes, the newest first."""

    key: GatewayKey
    voucher: StandingVoucher
    secrets: tuple[KeySecret, ...]


@dataclass(frozen=True, slots=True)
class SecretRecord:
    """What one secret opens; all as of one moment."""

    secret: KeySecret
    key: GatewayKey
    voucher: StandingVoucher
    standing: Allowance


@dataclass(frozen=True, slots=True)
class LimitAlert:
    """A limit was used to ``level`` per cent in the period that began on ``first`` (a date, where its holder lives)."""

    limit: LimitId
    first: str
    level: int
    at: datetime
