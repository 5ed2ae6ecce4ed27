"""What the holder's side asks the ledger to write. Each answers ``Done``, or ``NotWritten`` where a rule refuses."""

from dataclasses import dataclass
from datetime import datetime

from mintery.domain.keys import GatewayKey, KeyId, KeyRules, KeySecret, StandingVoucher
from mintery.domain.limits import LimitId, SpendLimit
from mintery.domain.sign_in import Nonce, SignIn, SignInId
from mintery.domain.voucher import AccountId, Address


@dataclass(frozen=True, slots=True)
class BeginSignIn:
    """Refused where ``nonce`` was used or has expired. None: what was shown needs no nonce.

    ``token_hash``: 32 bytes; sign-ins that are over go, and nonces that have expired.
    """

    sign_in: SignIn
    token_hash: bytes
    nonce: Nonce | None


@dataclass(frozen=True, slots=True)
class EndSignIn:
    """Done(0) where it is over already."""

    id: SignInId
    at: datetime


@dataclass(frozen=True, slots=True)
class AddStandingVoucher:
    """Kept for the keys that spend by it. Done(0) where it is kept already."""

    voucher: StandingVoucher


@dataclass(frozen=True, slots=True)
class MakeKey:
    """A key with its first secret and the limits that are its own."""

    key: GatewayKey
    secret: KeySecret
    limits: tuple[SpendLimit, ...] = ()


@dataclass(frozen=True, slots=True)
class RotateKey:
    """A new secret beside the old ones, which open the key until ``old_until``. Refused once the key is revoked."""

    holder: Address
    secret: KeySecret
    old_until: datetime


@dataclass(frozen=True, slots=True)
class ChangeKey:
    """Label, rules and expiry at once; ``voucher`` is the digest of a standing one of the key's account."""

    holder: Address
    key: KeyId
    label: str
    rules: KeyRules
    expires_at: datetime | None
    voucher: bytes


@dataclass(frozen=True, slots=True)
class RevokeKey:
    """For good. Done(0) where it was revoked before."""

    holder: Address
    key: KeyId
    at: datetime


@dataclass(frozen=True, slots=True)
class RevokeVoucher:
    """Nothing more is placed by vouchers of this account with this key hash, nor by keys under them."""

    holder: Address
    account: AccountId
    key_hash: bytes
    at: datetime


@dataclass(frozen=True, slots=True)
class SetLimit:
    """A new limit. It counts from now on."""

    limit: SpendLimit


@dataclass(frozen=True, slots=True)
class ChangeLimit:
    """Another ceiling for a limit that stands; what it has counted stays."""

    holder: Address
    limit: LimitId
    ceiling: int


@dataclass(frozen=True, slots=True)
class EndLimit:
    holder: Address
    limit: LimitId
    at: datetime


@dataclass(frozen=True, slots=True)
class SetTimeZone:
    """``time_zone``: a name of the IANA database."""

    holder: Address
    time_zone: str


@dataclass(frozen=True, slots=True)
class SpreadAuthority:
    """Accounts that were opened while their holder changed something take over the change."""

    holder: Address


AuthorityCommand = (
    MakeKey | RotateKey | ChangeKey | RevokeKey | RevokeVoucher | SetLimit | ChangeLimit | EndLimit | SetTimeZone
)
"""What changes what a holder allows: from its commit on, no hold is placed by what was read before."""
WalletCommand = BeginSignIn | EndSignIn | AddStandingVoucher | AuthorityCommand | SpreadAuthority
