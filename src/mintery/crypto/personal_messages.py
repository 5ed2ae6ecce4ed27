"""Texts that people sign in their wallets (EIP-191, ``personal_sign``)."""

import re

from mintery.crypto.hashing import keccak
from mintery.crypto.keys import PrivateKey, recover
from mintery.domain.voucher import Address
from mintery.errors import InvalidSignature, MalformedInput

_HEX = re.compile(r"0x([0-9a-fA-F]{128}|[0-9a-fA-F]{130})", re.ASCII)
_PARITIES = {0: 0, 1: 1, 27: 0, 28: 1}


def personal_digest(text: str) -> bytes:
    """EIP-191, version 0x45: keccak256 of its prefix, the text's length in bytes, and the text."""
    message = text.encode()
    return keccak(b"\x19Ethereum Signed Message:\n%d" % len(message) + message)


def sign_personal(text: str, key: PrivateKey) -> str:
    """65 bytes r, s, v as ``0x`` hex, as wallets return them."""
    return "0x" + key.sign_digest(personal_digest(text)).long.hex()


def signer_of(text: str, signature: str) -> Address:
    """Whose key signed ``text``. ``signature``: 65 bytes r, s, v, or 64 bytes of EIP-2098, as ``0x`` hex.

    Raises:
        MalformedInput: it is no signature.
        InvalidSignature: no key made it.
    """
    r, vs = split_signature(signature)
    return recover.__wrapped__(personal_digest(text), r, vs)  # nobody shows the same one twice: it is not kept


def is_signed_by(text: str, signature: bytes, holder: Address) -> bool:
    """Whether the key of ``holder`` signed ``text``; whatever code stands there, a key that signed it is the holder's."""
    try:
        return signer_of(text, f"0x{signature.hex()}") == holder
    except (MalformedInput, InvalidSignature):
        return False


def split_signature(signature: str) -> tuple[bytes, bytes]:
    """``r`` and ``vs`` of EIP-2098, from either form. Raises MalformedInput."""
    if not _HEX.fullmatch(signature):
        raise MalformedInput("a signature is 65 bytes of hex: r, s and v")
    raw = bytes.fromhex(signature[2:])
    if len(raw) == 64:
        return raw[:32], raw[32:]
    if (parity := _PARITIES.get(raw[64])) is None or raw[32] >> 7:
        raise MalformedInput("the signature's last byte is no recovery id")
    return raw[:32], bytes([raw[32] | parity << 7]) + raw[33:64]
