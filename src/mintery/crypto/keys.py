"""secp256k1 keys: signing, recovery, and how they are kept.

Signatures are EIP-2098: 32 bytes ``r``, 32 bytes ``vs`` (s with the parity in the top bit).
"""

import secrets
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import coincurve

from mintery.crypto.hashing import checksum_address, keccak
from mintery.domain.voucher import Address
from mintery.errors import InvalidSignature, MalformedInput

CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_LOW_S = CURVE_ORDER // 2
_S_MASK = 2**255 - 1
DEV_MNEMONIC = "test test test test test test test test test test test junk"


@dataclass(frozen=True, slots=True)
class Signature:
    """EIP-2098. ``v`` is 27 or 28, as ecrecover and EIP-2612 want it."""

    r: bytes
    vs: bytes

    @property
    def v(self) -> int:
        return 27 + (self.vs[0] >> 7)

    @property
    def s(self) -> bytes:
        return (int.from_bytes(self.vs) & _S_MASK).to_bytes(32)

    @property
    def long(self) -> bytes:
        """65 bytes r, s, v: what contracts take that also ask contract wallets."""
        return self.r + self.s + bytes([self.v])

    @property
    def compact(self) -> bytes:
        return self.r + self.vs

    @classmethod
    def from_compact(cls, compact: bytes) -> "Signature":
        return cls(compact[:32], compact[32:])


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """A private key. Neither ``repr`` nor ``str`` shows it."""

    _key: coincurve.PrivateKey = field(repr=False)
    address: Address

    @classmethod
    def from_bytes(cls, secret: bytes) -> "PrivateKey":
        try:
            key = coincurve.PrivateKey(secret)
        except ValueError:
            raise MalformedInput("a private key is 32 bytes, not zero and below the curve's order") from None
        return cls(key, _address_of(key.public_key))

    @classmethod
    def from_hex(cls, text: str) -> "PrivateKey":
        try:
            secret = bytes.fromhex(text.strip().removeprefix("0x"))
        except ValueError:
            raise MalformedInput("a private key is 64 hex digits") from None
        return cls.from_bytes(secret)

    @classmethod
    def generate(cls) -> "PrivateKey":
        while True:
            number = secrets.randbelow(CURVE_ORDER)
            if number:
                return cls.from_bytes(number.to_bytes(32))

    def sign_digest(self, digest: bytes) -> Signature:
        """Deterministic (RFC 6979), low s."""
        raw = self._key.sign_recoverable(digest, hasher=None)
        s, parity = int.from_bytes(raw[32:64]), raw[64] & 1
        return Signature(raw[:32], (s | parity << 255).to_bytes(32))

    def secret_bytes(self) -> bytes:
        """The key itself, for keystores and transaction signers."""
        return self._key.secret


def _address_of(public: coincurve.PublicKey) -> Address:
    return checksum_address(keccak(public.format(compressed=False)[1:])[12:])


@lru_cache(maxsize=100_000)
def recover(digest: bytes, r: bytes, vs: bytes) -> Address:
    """The address whose key made this signature over ``digest``; cached by (digest, signature).

    Raises:
        InvalidSignature: zero or oversized r or s, high s, or no point on the curve.
    """
    r_number = int.from_bytes(r)
    packed = int.from_bytes(vs)
    s_number = packed & _S_MASK
    if not 0 < r_number < CURVE_ORDER or s_number == 0:
        raise InvalidSignature("r or s is zero or too large")
    if s_number > _LOW_S:
        raise InvalidSignature("s is in the upper half of the curve's order")
    raw = r + s_number.to_bytes(32) + bytes([packed >> 255])
    try:
        public = coincurve.PublicKey.from_signature_and_message(raw, digest, hasher=None)
    except Exception as error:  # coincurve raises bare Exception for points that are not on the curve
        raise InvalidSignature("no key made it") from error
    return _address_of(public)


def dev_key(index: int) -> PrivateKey:
    """Key number ``index`` of the well-known development mnemonic, which every dev chain funds."""
    from eth_account.hdaccount import key_from_seed, seed_from_mnemonic  # noqa: PLC0415 -- half a second to import

    seed = seed_from_mnemonic(DEV_MNEMONIC, "")
    return PrivateKey.from_bytes(key_from_seed(seed, f"m/44'/60'/0'/0/{index}"))


def sign_transaction(key: PrivateKey, fields: dict[str, Any]) -> tuple[bytes, bytes]:
    """The raw transaction and its hash."""
    from eth_account import Account  # noqa: PLC0415 -- half a second to import

    signed = Account.sign_transaction(fields, key.secret_bytes())
    return bytes(signed.raw_transaction), bytes(signed.hash)


def encrypt_keystore(key: PrivateKey, password: str) -> dict[str, Any]:
    """Web3 secret storage, version 3."""
    from eth_account import Account  # noqa: PLC0415 -- half a second to import

    return dict(Account.encrypt(key.secret_bytes(), password))


def decrypt_keystore(keystore: dict[str, Any], password: str) -> PrivateKey:
    """Raises MalformedInput for a wrong password or a file that is no keystore."""
    from eth_account import Account  # noqa: PLC0415 -- half a second to import

    try:
        secret = Account.decrypt(keystore, password)
    except (ValueError, KeyError, TypeError):
        raise MalformedInput("the keystore does not open: wrong password, or no keystore") from None
    return PrivateKey.from_bytes(bytes(secret))
