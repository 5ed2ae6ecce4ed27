"""What a wallet is asked to sign has the digest that the contracts check."""

from eth_account.messages import encode_typed_data
from hypothesis import given
from hypothesis import strategies as st

from mintery.crypto.authorizations import RECEIVE_TYPE, TRANSFER_TYPE, authorization_digest, token_domain
from mintery.crypto.hashing import checksum_address, keccak
from mintery.crypto.typed_data import digest_of, typed_data

ADDRESSES = st.binary(min_size=20, max_size=20).map(checksum_address)
AMOUNTS = st.integers(0, 2**256 - 1)


@given(
    struct_type=st.sampled_from([RECEIVE_TYPE, TRANSFER_TYPE]),
    sender=ADDRESSES,
    receiver=ADDRESSES,
    token=ADDRESSES,
    amount=AMOUNTS,
    valid_before=AMOUNTS,
    nonce=st.binary(min_size=32, max_size=32),
    name=st.text(max_size=31),
)
def test_a_wallet_signs_the_digest_that_the_token_checks(
    *, struct_type: str, sender: str, receiver: str, token: str, amount: int, valid_before: int, nonce: bytes, name: str
) -> None:
    asked = typed_data(
        struct_type,
        sender,
        receiver,
        amount,
        0,
        valid_before,
        nonce,
        name=name,
        version="1",
        chain_id=31_337,
        contract=token,
    )

    encoded = encode_typed_data(full_message=asked)
    digest = keccak(b"\x19" + encoded.version + encoded.header + encoded.body)

    assert digest_of(asked) == digest
    assert digest == authorization_digest(
        token_domain(name, 31_337, token),
        struct_type,
        sender=sender,
        receiver=receiver,
        amount=amount,
        valid_after=0,
        valid_before=valid_before,
        nonce=nonce,
    )
