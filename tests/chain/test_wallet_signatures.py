"""What contract wallets say of a signature, and what of it is believed."""

import pytest
from eth_abi.abi import encode
from hypothesis import given
from hypothesis import strategies as st
from tests.chain import code_wallets
from tests.chain.code_wallets import deploy_code, name_owner

from mintery.chain.rpc import Rpc
from mintery.chain.sender import Sender
from mintery.chain.wallet_signatures import (
    MOST_SIGNATURE_BYTES,
    accepts,
    is_contract,
    is_counterfactual,
    unwrapped,
)
from mintery.crypto.hashing import keccak
from mintery.crypto.keys import PrivateKey, dev_key
from mintery.domain.voucher import Address
from mintery.errors import MalformedInput

DIGEST = keccak(b"a message")
OWNER, FORMER = PrivateKey.generate(), PrivateKey.generate()
WRAP = bytes.fromhex("6492" * 16)


@pytest.fixture(scope="module")
def sender(rpc: Rpc) -> Sender:
    return Sender(rpc, dev_key(0))


def says(rpc: Rpc, wallet: Address, signature: bytes = b"", digest: bytes = DIGEST) -> bool:
    return accepts(rpc, wallet, digest, signature, at=rpc.block())


def test_a_wallet_accepts_its_owners_signature_and_no_other(rpc: Rpc, sender: Sender):
    wallet = deploy_code(sender, code_wallets.OWNED)
    name_owner(sender, wallet, OWNER.address)

    assert says(rpc, wallet, OWNER.sign_digest(DIGEST).long)
    assert not says(rpc, wallet, FORMER.sign_digest(DIGEST).long)
    assert not says(rpc, wallet, OWNER.sign_digest(DIGEST).long, keccak(b"another"))
    assert not says(rpc, wallet)


def test_an_answer_is_of_its_block(rpc: Rpc, sender: Sender):
    wallet = deploy_code(sender, code_wallets.OWNED)
    name_owner(sender, wallet, FORMER.address)
    before = rpc.block()
    name_owner(sender, wallet, OWNER.address)
    signature = FORMER.sign_digest(DIGEST).long

    assert accepts(rpc, wallet, DIGEST, signature, at=before)
    assert not says(rpc, wallet, signature)


@pytest.mark.parametrize("name", ["ACCEPTS", "SAYS_MUCH"])
def test_the_first_word_is_what_counts(rpc: Rpc, sender: Sender, name: str):
    wallet = deploy_code(sender, getattr(code_wallets, name))

    assert says(rpc, wallet)
    assert says(rpc, wallet, b"\xff" * MOST_SIGNATURE_BYTES)


@pytest.mark.parametrize("name", ["NEVER_ENDS", "REVERTS", "SAYS_LITTLE", "SAYS_ONE", "WRITES", "LOW_BYTES"])
def test_what_does_not_say_yes_says_no(rpc: Rpc, sender: Sender, name: str):
    assert not says(rpc, deploy_code(sender, getattr(code_wallets, name)))


def test_an_address_without_code_says_nothing(rpc: Rpc):
    assert not says(rpc, OWNER.address, OWNER.sign_digest(DIGEST).long)


def test_a_delegated_key_is_no_contract():
    assert not is_contract(b"")
    assert not is_contract(bytes.fromhex("ef0100") + b"\1" * 20)
    assert is_contract(bytes.fromhex("ef0100") + b"\1" * 19)
    assert is_contract(b"\x60")


def test_what_a_deployed_wallet_is_asked_about_lies_within_the_wrapping():
    wrapped = encode(["address", "bytes", "bytes"], ["0x" + "11" * 20, b"deploy", b"inner"]) + WRAP

    assert is_counterfactual(wrapped)
    assert unwrapped(wrapped) == b"inner"
    assert unwrapped(b"inner") == b"inner"


@given(st.binary(max_size=200))
def test_a_wrapping_that_cannot_be_read_is_refused_as_such(wrapped: bytes):
    try:
        assert isinstance(unwrapped(wrapped + WRAP), bytes)
    except MalformedInput:
        assert is_counterfactual(wrapped + WRAP)
