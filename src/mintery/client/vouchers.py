"""Vouchers from the spender's side: made, raised, and written as texts."""

from dataclasses import replace

from mintery.crypto.keys import PrivateKey
from mintery.crypto.vouchers import (
    decode_key,
    encode_key,
    encode_raised,
    key_hash,
    new_secret,
    sign_voucher,
)
from mintery.domain.voucher import Address, EscrowDomain, Voucher, VoucherKey
from mintery.errors import VoucherMismatch
from mintery.units import CreditUnits, UnixSeconds


def sign_voucher_key(
    signer: PrivateKey,
    domain: EscrowDomain,
    *,
    token: Address,
    gateway: Address,
    max_spend: CreditUnits,
    deadline: UnixSeconds,
    holder: Address | None = None,
    epoch: int = 0,
    secret: bytes | None = None,
) -> str:
    """An API key (``mv1.…``) that lets ``gateway`` spend up to ``max_spend`` of the account, over its whole epoch.

    ``signer`` is the holder's key, or that of the session key its account names; then ``holder`` says whose account it is.
    ``max_spend`` is credit base units (1e-18 credit), counted from the start of the epoch; ``deadline`` the last second to
    settle: the gateway takes requests until one exit delay before it. ``secret`` is 32 bytes that stay with the key, new
    ones by default; the same again makes a key that an older one's raised vouchers still belong to.
    """
    secret = new_secret() if secret is None else secret
    voucher = Voucher(
        token=token,
        gateway=gateway,
        holder=signer.address if holder is None else holder,
        epoch=epoch,
        max_spend=max_spend,
        deadline=deadline,
        key_hash=key_hash(secret),
    )
    return encode_key(VoucherKey(sign_voucher(voucher, domain, signer), secret))


def raise_voucher(voucher_key: str, signer: PrivateKey, domain: EscrowDomain, max_spend: CreditUnits) -> str:
    """A voucher of the same account and secret up to ``max_spend``, for the header ``Mintery-Voucher`` (``mr1.…``).

    It admits one request. Two of one amount must differ, so let the part below one nanocredit differ: no request uses it.

    Raises:
        MalformedVoucher: ``voucher_key`` is no key.
        VoucherMismatch: ``signer`` is not the key's signer, or ``domain`` is of another chain.
    """
    signed = decode_key(voucher_key).signed
    if signer.address != signed.signer:
        raise VoucherMismatch("signer")
    if domain.chain_id != signed.chain_id:
        raise VoucherMismatch("chain")
    return encode_raised(sign_voucher(replace(signed.voucher, max_spend=max_spend), domain, signer))
