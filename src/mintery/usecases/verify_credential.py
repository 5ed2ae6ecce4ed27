"""Who is asking: an API key, and the raised voucher beside it where there is one."""

import hashlib
from dataclasses import dataclass

from mintery.crypto.vouchers import (
    account_of,
    check_raised,
    check_secret,
    check_signature,
    decode_key,
    decode_raised,
)
from mintery.domain.market import Market
from mintery.domain.voucher import AccountId, SignedVoucher, check_addressed, check_usable
from mintery.errors import CredentialMissing
from mintery.usecases.parts import GatewayParts


@dataclass(frozen=True, slots=True)
class Credential:
    """A key that opens ``account``. The secret is checked and not kept.

    Attributes:
        signed: the key's own voucher.
        admits: the voucher that admits a hold: the raised one, or the key's own.
        digest: of ``admits``.
        raised: digest of the raised voucher, None without one.
        identity: names the credential for retries: account and secret, so it outlives any one voucher.
    """

    signed: SignedVoucher
    account: AccountId
    admits: SignedVoucher
    digest: bytes
    raised: bytes | None
    identity: bytes


def verify_credential(parts: GatewayParts, market: Market, key: str | None, raised: str | None) -> Credential:
    """Whether the key and the raised voucher are what they claim; whether they may still spend is another question.

    What was found good once is found again by its digest. Only which projects exist is asked each time: that alone changes.

    Raises:
        CredentialMissing, MalformedVoucher, WrongChain, WrongGateway, WrongToken, InvalidSignature, WrongSecret,
        VoucherMismatch
    """
    if not key:
        raise CredentialMissing
    name = _digest_of(key, raised)
    if (known := parts.credentials.find(name)) is not None and known.signed.voucher.token in market.projects:
        return known
    credential = _verify(parts, market, key, raised)
    parts.credentials.keep(name, credential)
    return credential


def _verify(parts: GatewayParts, market: Market, key: str, raised: str | None) -> Credential:
    opened = decode_key(key)
    check_addressed(opened.signed, chain_id=parts.domain.chain_id, gateway=parts.gateway, tokens=market.projects)
    digest = check_signature(opened.signed, parts.domain)
    check_secret(opened)
    account = account_of(opened.signed)
    identity = hashlib.sha256(account.encode() + opened.signed.voucher.key_hash).digest()
    if raised is None:
        return Credential(opened.signed, account, opened.signed, digest, None, identity)

    signed = decode_raised(raised)
    check_raised(signed, opened.signed)
    raised_digest = check_signature(signed, parts.domain)
    return Credential(opened.signed, account, signed, raised_digest, raised_digest, identity)


def _digest_of(key: str, raised: str | None) -> bytes:
    """Names the two texts: neither has a line break, as no header has."""
    return hashlib.sha256(key.encode() if raised is None else f"{key}\n{raised}".encode()).digest()


def check_may_spend(parts: GatewayParts, market: Market, credential: Credential) -> None:
    """Whether time to settle remains until the voucher's deadline.

    Its epoch is the ledger's to judge, in the same statement that places the hold.

    Raises:
        VoucherExpired
    """
    voucher = credential.admits.voucher
    check_usable(voucher, epoch=voucher.epoch, now=parts.chain_now(market), settle_seconds=parts.exit_delay)
