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
from mintery.domain.voucher import AccountId, SignedVoucher, VoucherKey, check_addressed, check_usable
from mintery.errors import CredentialMissing
from mintery.usecases.parts import GatewayParts


@dataclass(frozen=True, slots=True)
class Credential:
    """A key that opens ``account``.

    Attributes:
        admits: the voucher that admits a hold: the raised one, or the key's own.
        digest: of ``admits``.
        raised: digest of the raised voucher, None without one.
        identity: names the credential for retries: account and secret, so it outlives any one voucher.
    """

    key: VoucherKey
    account: AccountId
    admits: SignedVoucher
    digest: bytes
    raised: bytes | None
    identity: bytes


def verify_credential(parts: GatewayParts, market: Market, key: str | None, raised: str | None) -> Credential:
    """Whether the key and the raised voucher are what they claim; whether they may still spend is another question.

    Raises:
        CredentialMissing, MalformedVoucher, WrongChain, WrongGateway, WrongToken, InvalidSignature, WrongSecret,
        VoucherMismatch
    """
    if not key:
        raise CredentialMissing
    opened = decode_key(key)
    tokens = frozenset(market.projects)
    check_addressed(opened.signed, chain_id=parts.domain.chain_id, gateway=parts.gateway, tokens=tokens)
    digest = check_signature(opened.signed, parts.domain)
    voucher_key = check_secret(opened)
    account = account_of(opened.signed)
    identity = hashlib.sha256(account.encode() + opened.signed.voucher.key_hash).digest()
    if raised is None:
        return Credential(voucher_key, account, opened.signed, digest, None, identity)

    signed = decode_raised(raised)
    check_raised(signed, opened.signed)
    raised_digest = check_signature(signed, parts.domain)
    return Credential(voucher_key, account, signed, raised_digest, raised_digest, identity)


def check_may_spend(parts: GatewayParts, market: Market, credential: Credential) -> None:
    """Whether time to settle remains until the voucher's deadline.

    Its epoch is the ledger's to judge, in the same statement that places the hold.

    Raises:
        VoucherExpired
    """
    voucher = credential.admits.voucher
    check_usable(voucher, epoch=voucher.epoch, now=parts.chain_now(market), settle_seconds=parts.exit_delay)
