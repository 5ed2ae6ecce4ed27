import pytest
from hypothesis import given
from hypothesis import strategies as st

from mintery.client import raise_voucher, sign_voucher_key
from mintery.crypto.keys import PrivateKey
from mintery.crypto.vouchers import check_raised, check_secret, check_signature, decode_key, decode_raised
from mintery.domain.voucher import Address, EscrowDomain
from mintery.errors import MalformedVoucher, VoucherMismatch
from mintery.units import CreditUnits, UnixSeconds

SIGNER = PrivateKey.from_bytes((7).to_bytes(32))
OTHER = PrivateKey.from_bytes((8).to_bytes(32))
DOMAIN = EscrowDomain(1337, Address("0x00000000000000000000000000000000000000EE"))
TOKEN = Address("0x00000000000000000000000000000000000000Aa")
GATEWAY = Address("0x00000000000000000000000000000000000000bb")
AMOUNTS = st.integers(0, 2**96 - 1).map(CreditUnits)


def voucher_key(max_spend: int = 10**18, **fields: object) -> str:
    return sign_voucher_key(
        SIGNER,
        DOMAIN,
        token=TOKEN,
        gateway=GATEWAY,
        max_spend=CreditUnits(max_spend),
        deadline=UnixSeconds(2_000_000_000),
        **fields,  # type: ignore[arg-type]  # holder, epoch and secret, as a test gives them
    )


@given(amount=AMOUNTS)
def test_a_key_carries_a_voucher_of_its_signer(amount: CreditUnits) -> None:
    opened = check_secret(decode_key(voucher_key(amount)))

    check_signature(opened.signed, DOMAIN)
    assert opened.signed.voucher.max_spend == amount
    assert opened.signed.voucher.holder == SIGNER.address


def test_each_key_has_its_own_secret() -> None:
    assert decode_key(voucher_key()).secret != decode_key(voucher_key()).secret


def test_a_session_key_signs_for_the_holder() -> None:
    opened = decode_key(voucher_key(holder=OTHER.address))

    assert (opened.signed.voucher.holder, opened.signed.signer) == (OTHER.address, SIGNER.address)
    check_signature(opened.signed, DOMAIN)


@given(amount=AMOUNTS)
def test_a_raised_voucher_belongs_to_its_key(amount: CreditUnits) -> None:
    key = voucher_key(0)

    raised = decode_raised(raise_voucher(key, SIGNER, DOMAIN, amount))

    check_signature(raised, DOMAIN)
    check_raised(raised, decode_key(key).signed)
    assert raised.voucher.max_spend == amount


def test_only_the_keys_own_signer_raises_it() -> None:
    with pytest.raises(VoucherMismatch, match="signer"):
        raise_voucher(voucher_key(), OTHER, DOMAIN, CreditUnits(1))


def test_a_key_of_another_chain_is_not_raised() -> None:
    with pytest.raises(VoucherMismatch, match="chain"):
        raise_voucher(voucher_key(), SIGNER, EscrowDomain(1, DOMAIN.escrow), CreditUnits(1))


@pytest.mark.parametrize("text", ["", "mv1.", "mv1.????", "sk-not-a-voucher", voucher_key()[:-9]])
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(MalformedVoucher):
        raise_voucher(text, SIGNER, DOMAIN, CreditUnits(1))
