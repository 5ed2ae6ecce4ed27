"""Make an API key out of a holder's promise, and raise that promise."""

from dataclasses import dataclass, replace

from mintery.crypto.keys import PrivateKey
from mintery.crypto.vouchers import encode_key, encode_raised, key_hash, new_secret, sign_voucher
from mintery.domain.voucher import AccountKey, EscrowDomain, SignedVoucher, Voucher, VoucherKey
from mintery.errors import VoucherMismatch
from mintery.units import CreditUnits, UnixSeconds


@dataclass(frozen=True, slots=True)
class IssuedVoucher:
    """``text`` is the API key (``mv1.…``). It spends credits: show it once, and to its owner alone."""

    key: VoucherKey
    text: str


@dataclass(frozen=True, slots=True)
class RaisedVoucher:
    """``text`` is for the header ``Mintery-Voucher`` (``mr1.…``)."""

    signed: SignedVoucher
    text: str


def issue_voucher(
    domain: EscrowDomain,
    signer: PrivateKey,
    account: AccountKey,
    *,
    epoch: int,
    max_spend: CreditUnits,
    deadline: UnixSeconds,
) -> IssuedVoucher:
    """Signs with a new secret. ``max_spend`` counts all that the account spends in ``epoch``, settled before included.

    Raises:
        VoucherMismatch: ``signer`` is not the account's.
    """
    if signer.address != account.signer:
        raise VoucherMismatch("signer")
    secret = new_secret()
    voucher = Voucher(
        token=account.token,
        gateway=account.gateway,
        holder=account.holder,
        epoch=epoch,
        max_spend=max_spend,
        deadline=deadline,
        key_hash=key_hash(secret),
    )
    key = VoucherKey(sign_voucher(voucher, domain, signer), secret)
    return IssuedVoucher(key, encode_key(key))


def raise_voucher(
    domain: EscrowDomain,
    signer: PrivateKey,
    signed: SignedVoucher,
    max_spend: CreditUnits,
    *,
    deadline: UnixSeconds | None = None,
) -> RaisedVoucher:
    """The same account, epoch and secret with a higher limit; it admits one request.

    Raises:
        VoucherMismatch: ``signer`` did not sign the voucher, or ``max_spend`` is not above its own.
    """
    if signer.address != signed.signer:
        raise VoucherMismatch("signer")
    if max_spend <= signed.voucher.max_spend:
        raise VoucherMismatch("maxSpend")
    voucher = replace(signed.voucher, max_spend=max_spend, deadline=deadline or signed.voucher.deadline)
    raised = sign_voucher(voucher, domain, signer)
    return RaisedVoucher(raised, encode_raised(raised))
