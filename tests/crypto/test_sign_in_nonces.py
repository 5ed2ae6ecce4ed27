"""A nonce is good until the end that it says, for the ledger it was sealed for, and cannot be made up."""

from hypothesis import given
from hypothesis import strategies as st

from mintery.crypto.keys import PrivateKey
from mintery.crypto.sign_in_nonces import RANDOM_BYTES, nonce_end, seal_nonce
from mintery.units import UnixSeconds

KEY, OTHER = PrivateKey.from_bytes(b"\x01" * 32), PrivateKey.from_bytes(b"\x02" * 32)


@given(st.integers(0, 2**40 - 1).map(UnixSeconds), st.binary(min_size=RANDOM_BYTES, max_size=RANDOM_BYTES))
def test_a_nonce_says_its_end_to_whoever_sealed_it(end: UnixSeconds, random: bytes) -> None:
    nonce = seal_nonce(KEY, "here", end, random)

    assert (len(nonce), nonce.isalnum()) == (64, True)
    assert nonce_end([OTHER, KEY], "here", nonce) == end
    assert nonce_end([OTHER], "here", nonce) is None
    assert nonce_end([KEY], "there", nonce) is None


@given(st.integers(0, 63), st.sampled_from("0123456789abcdefABCDEFg"))
def test_one_changed_digit_makes_it_none(at: int, digit: str) -> None:
    nonce = seal_nonce(KEY, "here", UnixSeconds(1_700_000_000), b"\x05" * RANDOM_BYTES)
    changed = nonce[:at] + digit + nonce[at + 1 :]

    assert (nonce_end([KEY], "here", changed) is None) == (changed != nonce)
