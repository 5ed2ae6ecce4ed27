"""Gateway keys: what an app presents instead of a voucher, under a voucher that stands at the gateway."""

from dataclasses import dataclass
from datetime import datetime
from typing import NewType

from mintery.domain.voucher import AccountId, Address, SignedVoucher
from mintery.errors import KeyExpired, KeyRevoked, ModelNotAllowed, WayNotAllowed

KeyId = NewType("KeyId", str)
"""``key_`` and 16 hex digits: names a key in receipts and statements, whatever secret it has at the time."""
KEY_TEXT_PREFIX = "mk_"
LONGEST_LABEL = 80
MOST_NAMES = 64


@dataclass(frozen=True, slots=True)
class KeyRules:
    """What a key may be used for. None: anything.

    Attributes:
        models: routes' ids, and names that routes share.
        ways: intents, and ``named`` for requests that name a model itself.
    """

    models: frozenset[str] | None = None
    ways: frozenset[str] | None = None

    def check_model(self, model: str, serves: str) -> None:
        """Raises ModelNotAllowed."""
        if self.models is not None and model not in self.models and serves not in self.models:
            raise ModelNotAllowed(model)

    def check_way(self, way: str) -> None:
        """Raises WayNotAllowed."""
        if self.ways is not None and way not in self.ways:
            raise WayNotAllowed(way)


NO_RULES = KeyRules()


@dataclass(frozen=True, slots=True)
class GatewayKey:
    """One key, whatever its secrets are. ``voucher`` is the digest of the voucher that it spends by."""

    id: KeyId
    holder: Address
    account: AccountId
    voucher: bytes
    label: str
    created_at: datetime
    rules: KeyRules = NO_RULES
    expires_at: datetime | None = None
    revoked_at: datetime | None = None

    def check_open(self, now: datetime) -> None:
        """Raises KeyRevoked, KeyExpired."""
        if self.revoked_at is not None:
            raise KeyRevoked(self.id)
        if self.expires_at is not None and now >= self.expires_at:
            raise KeyExpired(self.id)


@dataclass(frozen=True, slots=True)
class KeySecret:
    """What opens a key: ``hash`` is SHA-256 of its text, ``hint`` the last four characters.

    ``ends_at``: when a rotated one stops opening it.
    """

    hash: bytes
    key: KeyId
    hint: str
    made_at: datetime
    ends_at: datetime | None = None

    def check_open(self, now: datetime) -> None:
        """Raises KeyRevoked."""
        if self.ends_at is not None and now >= self.ends_at:
            raise KeyRevoked(self.key)


@dataclass(frozen=True, slots=True)
class StandingVoucher:
    """A voucher that the gateway keeps for its holder's keys. Its secret is nobody's: it opens nothing by itself."""

    account: AccountId
    digest: bytes
    signed: SignedVoucher
    added_at: datetime
