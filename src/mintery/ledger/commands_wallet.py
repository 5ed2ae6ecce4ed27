"""What the holder's side asks the ledger to write. Each answers ``Done``, or ``NotWritten`` where a rule refuses."""

from dataclasses import dataclass
from datetime import datetime

from mintery.domain.sign_in import SignIn, SignInId


@dataclass(frozen=True, slots=True)
class OfferNonce:
    """A nonce that may be signed once until ``expires_at``. Those that expired before ``now`` go."""

    nonce: str
    expires_at: datetime
    now: datetime


@dataclass(frozen=True, slots=True)
class BeginSignIn:
    """Refused unless ``nonce`` was offered, has not expired and was not used. None: what was shown needs no nonce.

    ``token_hash``: 32 bytes; sign-ins that are over go.
    """

    sign_in: SignIn
    token_hash: bytes
    nonce: str | None


@dataclass(frozen=True, slots=True)
class EndSignIn:
    """Done(0) where it is over already."""

    id: SignInId
    at: datetime


WalletCommand = OfferNonce | BeginSignIn | EndSignIn
