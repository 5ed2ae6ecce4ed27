"""Vouchers signed, checked, and written as API keys.

Two texts exist, both base64url of fixed-width fields:

``mr1.``  chain id 8 | token 20 | gateway 20 | holder 20 | signer 20 | epoch 4 | maxSpend 12 | deadline 5 | keyHash 16 | r 32 | vs 32:
          a raised voucher, for the header ``Mintery-Voucher``.
``mv1.``  the same and the 32-byte secret behind it: an API key.
"""

import base64
import binascii
import hmac
import secrets
import struct
from dataclasses import dataclass

from mintery.crypto.eip712 import domain_separator, hash_struct, typed_digest
from mintery.crypto.hashing import address_bytes, checksum_address, keccak
from mintery.crypto.keys import PrivateKey, recover
from mintery.domain.voucher import (
    KEY_HASH_BYTES,
    SECRET_BYTES,
    AccountId,
    AccountKey,
    EscrowDomain,
    SignedVoucher,
    Voucher,
    VoucherKey,
)
from mintery.errors import InvalidSignature, MalformedVoucher, VoucherMismatch, WrongSecret
from mintery.units import CreditUnits, UnixSeconds

VOUCHER_TYPE = "SpendVoucher(address token,address gateway,address holder,uint32 epoch,uint96 maxSpend,uint40 deadline,bytes16 keyHash)"
KEY_PREFIX = "mv1."
RAISED_PREFIX = "mr1."
_SIGNED = struct.Struct(">Q20s20s20s20sI12s5s16s32s32s")
_SIGNED_BYTES = _SIGNED.size


@dataclass(frozen=True, slots=True)
class Opened:
    """A voucher key as read from text: nothing in it is believed yet."""

    signed: SignedVoucher
    secret: bytes


def account_id(key: AccountKey) -> AccountId:
    """keccak256(abi.encode(token, gateway, holder, signer)), as the escrow derives it."""
    words = (key.token, key.gateway, key.holder, key.signer)
    return AccountId("0x" + keccak(b"".join(address_bytes(word).rjust(32, b"\0") for word in words)).hex())


def key_hash(secret: bytes) -> bytes:
    return keccak(secret)[:KEY_HASH_BYTES]


def new_secret() -> bytes:
    return secrets.token_bytes(SECRET_BYTES)


def voucher_digest(voucher: Voucher, domain: EscrowDomain) -> bytes:
    """What the signer signs; equal to ``SpendEscrow.voucherDigest``."""
    return typed_digest(
        domain_separator("Mintery", "1", domain.chain_id, domain.escrow),
        hash_struct(
            VOUCHER_TYPE,
            voucher.token,
            voucher.gateway,
            voucher.holder,
            voucher.epoch,
            voucher.max_spend,
            voucher.deadline,
            voucher.key_hash,
        ),
    )


def sign_voucher(voucher: Voucher, domain: EscrowDomain, key: PrivateKey) -> SignedVoucher:
    signature = key.sign_digest(voucher_digest(voucher, domain))
    return SignedVoucher(domain.chain_id, voucher, key.address, signature.r, signature.vs)


def check_signature(signed: SignedVoucher, domain: EscrowDomain) -> bytes:
    """The voucher's digest, if its signature is its signer's.

    Raises:
        InvalidSignature
    """
    digest = voucher_digest(signed.voucher, domain)
    if recover(digest, signed.r, signed.vs) != signed.signer:
        raise InvalidSignature("another key signed it, or a field was changed")
    return digest


def check_secret(opened: Opened) -> VoucherKey:
    """Raises WrongSecret when the secret is not the one whose hash was signed."""
    if not hmac.compare_digest(key_hash(opened.secret), opened.signed.voucher.key_hash):
        raise WrongSecret
    return VoucherKey(opened.signed, opened.secret)


def check_raised(raised: SignedVoucher, key: SignedVoucher) -> None:
    """Whether a raised voucher belongs to the same account, epoch and secret as the key it came with.

    Raises:
        VoucherMismatch
    """
    if raised.account != key.account:
        raise VoucherMismatch("account")
    if raised.chain_id != key.chain_id:
        raise VoucherMismatch("chain")
    if raised.voucher.epoch != key.voucher.epoch:
        raise VoucherMismatch("epoch")
    if raised.voucher.key_hash != key.voucher.key_hash:
        raise VoucherMismatch("key hash")


def encode_key(key: VoucherKey) -> str:
    """The API key: ``mv1.…``."""
    return KEY_PREFIX + _base64url(_pack(key.signed) + key.secret)


def encode_raised(signed: SignedVoucher) -> str:
    """The header's value: ``mr1.…``."""
    return RAISED_PREFIX + _base64url(_pack(signed))


def decode_key(text: str) -> Opened:
    """Reads ``mv1.…``. Nothing is checked but its form.

    Raises:
        MalformedVoucher
    """
    raw = _body(text, KEY_PREFIX, _SIGNED_BYTES + SECRET_BYTES)
    return Opened(_unpack(raw), raw[_SIGNED_BYTES:])


def decode_raised(text: str) -> SignedVoucher:
    """Reads ``mr1.…``. Nothing is checked but its form.

    Raises:
        MalformedVoucher
    """
    return _unpack(_body(text, RAISED_PREFIX, _SIGNED_BYTES))


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _body(text: str, prefix: str, wanted: int) -> bytes:
    if not text.startswith(prefix):
        raise MalformedVoucher(f"it does not begin with {prefix}")
    body = text.removeprefix(prefix)
    try:
        raw = base64.b64decode(body + "=" * (-len(body) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise MalformedVoucher("it is not base64url") from None
    if len(raw) != wanted:
        raise MalformedVoucher(f"it has {len(raw)} bytes, not {wanted}; was it copied whole?")
    return raw


def _pack(signed: SignedVoucher) -> bytes:
    voucher = signed.voucher
    return _SIGNED.pack(
        signed.chain_id,
        address_bytes(voucher.token),
        address_bytes(voucher.gateway),
        address_bytes(voucher.holder),
        address_bytes(signed.signer),
        voucher.epoch,
        voucher.max_spend.to_bytes(12),
        voucher.deadline.to_bytes(5),
        voucher.key_hash,
        signed.r,
        signed.vs,
    )


def _unpack(raw: bytes) -> SignedVoucher:
    chain_id, token, gateway, holder, signer, epoch, max_spend, deadline, hashed, r, vs = _SIGNED.unpack_from(raw)
    voucher = Voucher(
        token=checksum_address(token),
        gateway=checksum_address(gateway),
        holder=checksum_address(holder),
        epoch=epoch,
        max_spend=CreditUnits(int.from_bytes(max_spend)),
        deadline=UnixSeconds(int.from_bytes(deadline)),
        key_hash=hashed,
    )
    return SignedVoucher(chain_id, voucher, checksum_address(signer), r, vs)


def account_of(signed: SignedVoucher) -> AccountId:
    return account_id(signed.account)
