"""Who is asking: an API key, and the raised voucher beside it where there is one.

What the holder allows (limits, a key's rules, what was revoked) comes with a number. A voucher key is taken to be one of a holder
who never set anything, which costs nothing to find out: the hold is refused where that is not so, or where anything was changed
since it was read, and ``refresh_credential`` reads it again.
"""

import hashlib
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from mintery.crypto.vouchers import (
    account_of,
    check_raised,
    check_secret,
    check_signature,
    decode_key,
    decode_raised,
)
from mintery.domain.keys import KEY_TEXT_PREFIX, NO_RULES, GatewayKey, KeyId, KeyRules, KeySecret
from mintery.domain.limits import UTC_ZONE, SpendLimit
from mintery.domain.market import Market
from mintery.domain.period import zone_of
from mintery.domain.voucher import AccountId, SignedVoucher, check_addressed, check_usable
from mintery.errors import CredentialMissing, CredentialRefused, UnknownKey, VoucherMismatch, VoucherRevoked
from mintery.ledger.reads_wallet import Allowance
from mintery.usecases.parts import GatewayParts


@dataclass(frozen=True, slots=True)
class Credential:
    """A key that opens ``account``. The secret is checked and not kept.

    Attributes:
        signed: the key's own voucher.
        admits: the voucher that admits a hold: the raised one, or the key's own.
        digest: of ``admits``.
        raised: digest of the raised voucher, None without one.
        identity: names the credential for retries: account and secret, so it outlives any one voucher; a gateway key by itself.
        name: names the texts that presented it.
        key, secret: of a gateway key.
        authority: the number of the holder's last change that all below was read by.
        limits: those that count what this credential spends, in the periods of ``zone``.
    """

    signed: SignedVoucher
    account: AccountId
    admits: SignedVoucher
    digest: bytes
    raised: bytes | None
    identity: bytes
    name: bytes = b""
    key: GatewayKey | None = None
    secret: KeySecret | None = None
    authority: int = 0
    zone: ZoneInfo = UTC_ZONE
    limits: tuple[SpendLimit, ...] = ()

    @property
    def rules(self) -> KeyRules:
        return NO_RULES if self.key is None else self.key.rules

    @property
    def key_id(self) -> KeyId | None:
        return None if self.key is None else self.key.id

    def may_read(self, account: AccountId | None, key: KeyId | None) -> bool:
        """What ``key`` asked for of ``account``: a gateway key reads what it spent itself, a voucher its whole account."""
        return account == self.account and self.key_id in {None, key}


def verify_credential(parts: GatewayParts, market: Market, key: str | None, raised: str | None) -> Credential:
    """Whether the key and the raised voucher are what they claim; whether they may still spend is another question.

    What was found good once is found again by its digest. Only which projects exist is asked each time: that alone changes.

    A gateway key that is not known yet is read in the ledger.

    Raises:
        CredentialMissing, MalformedVoucher, WrongChain, WrongGateway, WrongToken, InvalidSignature, WrongSecret,
        VoucherMismatch, UnknownKey, VoucherRevoked
    """
    if not key:
        raise CredentialMissing
    name = _digest_of(key, raised)
    if (known := parts.credentials.find(name)) is not None and known.signed.voucher.token in market.projects:
        return known
    if key.startswith(KEY_TEXT_PREFIX):
        if raised is not None:
            raise VoucherMismatch("key")
        credential = _read_key(parts, market, name)
    else:
        credential = _verify(parts, market, name, key, raised)
    parts.credentials.keep(name, credential)
    return credential


def is_known(parts: GatewayParts, key: str, raised: str | None) -> bool:
    """Whether ``verify_credential`` need not ask the ledger."""
    return parts.credentials.find(_digest_of(key, raised)) is not None


def refresh_credential(parts: GatewayParts, market: Market, credential: Credential) -> Credential:
    """The same with what its holder allows now.

    Raises:
        UnknownKey, VoucherRevoked, WrongToken
    """
    try:
        fresh = _read_key(parts, market, credential.name) if credential.key is not None else _read(parts, credential)
    except CredentialRefused:
        parts.credentials.forget(credential.name)
        raise
    parts.credentials.keep(credential.name, fresh)
    return fresh


def _read_key(parts: GatewayParts, market: Market, name: bytes) -> Credential:
    """Of a gateway key whose text has this hash: its text was presented alone."""
    if (found := parts.ledger.key_by_hash(name)) is None:
        raise UnknownKey
    signed, key = found.voucher.signed, found.key
    check_addressed(signed, chain_id=parts.domain.chain_id, gateway=parts.gateway, tokens=market.projects)
    identity = hashlib.sha256(key.id.encode()).digest()
    credential = Credential(
        signed, key.account, signed, key.voucher, None, identity, name, key=key, secret=found.secret
    )
    return _allowed(credential, found.standing)


def _read(parts: GatewayParts, credential: Credential) -> Credential:
    voucher = credential.admits.voucher
    return _allowed(credential, parts.ledger.standing(credential.account, voucher.holder, voucher.token))


def _allowed(credential: Credential, standing: Allowance) -> Credential:
    """Raises VoucherRevoked."""
    if credential.admits.voucher.key_hash in standing.revoked:
        raise VoucherRevoked
    own = credential.key_id
    return replace(
        credential,
        authority=standing.authority,
        zone=UTC_ZONE if standing.time_zone is None else zone_of(standing.time_zone),
        limits=tuple(limit for limit in standing.limits if limit.key is None or limit.key == own),
    )


def _verify(parts: GatewayParts, market: Market, name: bytes, key: str, raised: str | None) -> Credential:
    opened = decode_key(key)
    check_addressed(opened.signed, chain_id=parts.domain.chain_id, gateway=parts.gateway, tokens=market.projects)
    digest = check_signature(opened.signed, parts.domain)
    check_secret(opened)
    account = account_of(opened.signed)
    identity = hashlib.sha256(account.encode() + opened.signed.voucher.key_hash).digest()
    if raised is None:
        return Credential(opened.signed, account, opened.signed, digest, None, identity, name)

    signed = decode_raised(raised)
    check_raised(signed, opened.signed)
    raised_digest = check_signature(signed, parts.domain)
    return Credential(opened.signed, account, signed, raised_digest, raised_digest, identity, name)


def _digest_of(key: str, raised: str | None) -> bytes:
    """Names the two texts: neither has a line break, as no header has."""
    return hashlib.sha256(key.encode() if raised is None else f"{key}\n{raised}".encode()).digest()


def check_key_open(parts: GatewayParts, credential: Credential) -> None:
    """Raises KeyExpired, KeyRevoked."""
    if credential.key is not None and credential.secret is not None:
        now = parts.clock()
        credential.key.check_open(now)
        credential.secret.check_open(now)


def check_may_spend(parts: GatewayParts, market: Market, credential: Credential) -> None:
    """Whether time to settle remains until the voucher's deadline, and a gateway key is open.

    Its epoch is the ledger's to judge, in the same statement that places the hold.

    Raises:
        VoucherExpired, KeyExpired, KeyRevoked
    """
    check_key_open(parts, credential)
    voucher = credential.admits.voucher
    check_usable(voucher, epoch=voucher.epoch, now=parts.chain_now(market), settle_seconds=parts.exit_delay)
