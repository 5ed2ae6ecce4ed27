"""Nonces of sign-in messages that nobody has to keep: each says until when it is good, under a code that only the gateway makes.

So whoever asks for many fills no table. What was used is kept until then, and nothing else.
"""

import hmac
import re
from collections.abc import Sequence
from hashlib import sha256

from mintery.crypto.keys import PrivateKey
from mintery.units import UnixSeconds

_PURPOSE = b"mintery nonces of sign-ins"
_END_BYTES = 5
RANDOM_BYTES = 11
_CODE_BYTES = 16
_WRITTEN = re.compile(rf"[0-9a-f]{{{2 * (_END_BYTES + RANDOM_BYTES + _CODE_BYTES)}}}", re.ASCII)


def seal_nonce(key: PrivateKey, ledger: str, end: UnixSeconds, random: bytes) -> str:
    """64 hex digits, as long as EIP-4361's readers here take. ``ledger``: where it counts once; ``random``: 11 bytes."""
    if len(random) != RANDOM_BYTES:
        raise ValueError(len(random))
    said = end.to_bytes(_END_BYTES) + random
    return (said + _code(key, ledger, said)).hex()


def nonce_end(keys: Sequence[PrivateKey], ledger: str, nonce: str) -> UnixSeconds | None:
    """Until when it is good, exclusive; None where it is none that one of ``keys`` sealed for this ledger."""
    if not _WRITTEN.fullmatch(nonce):
        return None
    raw = bytes.fromhex(nonce)
    said, code = raw[:-_CODE_BYTES], raw[-_CODE_BYTES:]
    if not any(hmac.compare_digest(_code(key, ledger, said), code) for key in keys):
        return None
    return UnixSeconds(int.from_bytes(said[:_END_BYTES]))


def _code(key: PrivateKey, ledger: str, said: bytes) -> bytes:
    secret = hmac.digest(key.secret_bytes(), _PURPOSE, sha256)
    return hmac.digest(secret, ledger.encode() + b"/" + said, sha256)[:_CODE_BYTES]
