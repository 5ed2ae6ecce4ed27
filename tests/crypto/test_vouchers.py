import base64
import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mintery.crypto import vouchers
from mintery.crypto.hashing import checksum_address
from mintery.crypto.keys import CURVE_ORDER, PrivateKey, Signature, recover
from mintery.domain.voucher import EscrowDomain, SignedVoucher, Voucher, VoucherKey
from mintery.errors import InvalidSignature, MalformedVoucher, VoucherMismatch, WrongSecret
from mintery.units import CreditUnits, UnixSeconds

SIGNER = PrivateKey.from_bytes(b"\x11" * 32)
OTHER = PrivateKey.from_bytes(b"\x22" * 32)
SECRET = b"\x33" * 32

addresses = st.binary(min_size=20, max_size=20).map(checksum_address)
domains = st.builds(EscrowDomain, st.integers(0, 2**64 - 1), addresses)
voucher_terms = st.builds(
    Voucher,
    token=addresses,
    gateway=addresses,
    holder=addresses,
    epoch=st.integers(0, 2**32 - 1),
    max_spend=st.integers(0, 2**96 - 1).map(CreditUnits),
    deadline=st.integers(0, 2**40 - 1).map(UnixSeconds),
    key_hash=st.just(vouchers.key_hash(SECRET)),
)


@given(voucher_terms, domains)
def test_a_key_reads_back_as_it_was_written(voucher: Voucher, domain: EscrowDomain):
    signed = vouchers.sign_voucher(voucher, domain, SIGNER)

    opened = vouchers.decode_key(vouchers.encode_key(VoucherKey(signed, SECRET)))

    assert opened.signed == signed
    assert vouchers.check_secret(opened) == VoucherKey(signed, SECRET)
    assert vouchers.decode_raised(vouchers.encode_raised(signed)) == signed
    vouchers.check_signature(opened.signed, domain)


CHANGED = {
    "token": OTHER.address,
    "gateway": OTHER.address,
    "holder": OTHER.address,
    "epoch": 7,
    "max_spend": CreditUnits(7),
    "deadline": UnixSeconds(7),
    "key_hash": b"\x07" * 16,
}


@pytest.mark.parametrize("field", CHANGED)
def test_no_field_can_be_changed_under_the_signature(field: str):
    signed, domain = a_signed_voucher()
    changed = dataclasses.replace(signed, voucher=dataclasses.replace(signed.voucher, **{field: CHANGED[field]}))

    with pytest.raises(InvalidSignature):
        vouchers.check_signature(changed, domain)


@pytest.mark.parametrize("domain", [EscrowDomain(2, SIGNER.address), EscrowDomain(1, OTHER.address)])
def test_a_voucher_of_another_chain_or_escrow_is_not_its_signers(domain: EscrowDomain):
    signed, _ = a_signed_voucher()

    with pytest.raises(InvalidSignature):
        vouchers.check_signature(signed, domain)


def test_a_signature_in_the_upper_half_is_refused():
    signed, domain = a_signed_voucher()
    low = Signature(signed.r, signed.vs)
    high = CURVE_ORDER - int.from_bytes(low.s)
    flipped = dataclasses.replace(signed, vs=(high % 2**255 | (28 - low.v) << 255).to_bytes(32))

    with pytest.raises(InvalidSignature):
        vouchers.check_signature(flipped, domain)


@pytest.mark.parametrize(
    ("r", "vs"), [(bytes(32), b"\x01" * 32), (b"\x01" * 32, bytes(32)), (b"\xff" * 32, b"\x01" * 32)]
)
def test_zero_and_oversized_signatures_are_refused(r: bytes, vs: bytes):
    with pytest.raises(InvalidSignature):
        recover(b"\x01" * 32, r, vs)


def test_the_secret_must_be_the_one_whose_hash_was_signed():
    signed, _ = a_signed_voucher()
    opened = vouchers.decode_key(vouchers.encode_key(VoucherKey(signed, b"\x44" * 32)))

    with pytest.raises(WrongSecret):
        vouchers.check_secret(opened)


def test_what_settlement_publishes_does_not_make_a_key():
    """A settlement line carries every field of the voucher but the secret."""
    signed, _ = a_signed_voucher()
    published = vouchers.encode_raised(signed).removeprefix("mr1.")

    forged = "mv1." + published
    with pytest.raises(MalformedVoucher):
        vouchers.decode_key(forged)

    raw = base64.urlsafe_b64decode(published + "=" * (-len(published) % 4))
    padded = "mv1." + base64.urlsafe_b64encode(raw + signed.voucher.key_hash.ljust(32, b"\0")).decode().rstrip("=")
    with pytest.raises(WrongSecret):
        vouchers.check_secret(vouchers.decode_key(padded))


@given(st.text(max_size=600))
def test_garbage_is_no_key(text: str):
    with pytest.raises(MalformedVoucher):
        vouchers.decode_key(text)


@given(st.integers(0, 290))
def test_a_key_that_was_cut_is_no_key(length: int):
    signed, _ = a_signed_voucher()

    with pytest.raises(MalformedVoucher):
        vouchers.decode_key(vouchers.encode_key(VoucherKey(signed, SECRET))[:length])


def test_the_message_of_a_bad_key_does_not_repeat_it():
    with pytest.raises(MalformedVoucher) as refused:
        vouchers.decode_key("mv1.c2VjcmV0")

    assert "c2VjcmV0" not in str(refused.value)


@pytest.mark.parametrize(("field", "value"), [("holder", OTHER.address), ("epoch", 9), ("key_hash", b"\x09" * 16)])
def test_a_raised_voucher_belongs_to_the_keys_account_epoch_and_secret(field: str, value: object):
    signed, domain = a_signed_voucher()
    raised = vouchers.sign_voucher(dataclasses.replace(signed.voucher, **{field: value}), domain, SIGNER)

    with pytest.raises(VoucherMismatch):
        vouchers.check_raised(raised, signed)


def test_a_raised_voucher_of_another_signer_is_refused():
    signed, domain = a_signed_voucher()

    with pytest.raises(VoucherMismatch):
        vouchers.check_raised(vouchers.sign_voucher(signed.voucher, domain, OTHER), signed)


def test_a_private_key_shows_itself_to_no_log():
    assert "11111111" not in repr(SIGNER) + str(SIGNER)


def a_signed_voucher() -> tuple[SignedVoucher, EscrowDomain]:
    domain = EscrowDomain(1, SIGNER.address)
    voucher = Voucher(
        token=SIGNER.address,
        gateway=SIGNER.address,
        holder=SIGNER.address,
        epoch=0,
        max_spend=CreditUnits(10**18),
        deadline=UnixSeconds(2_000_000_000),
        key_hash=vouchers.key_hash(SECRET),
    )
    return vouchers.sign_voucher(voucher, domain, SIGNER), domain
