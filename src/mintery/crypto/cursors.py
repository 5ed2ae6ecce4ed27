"""Places in a list that only whoever was given one can use, and that tell nothing of what stands there.

A place is sealed as by a synthetic initialisation vector (RFC 5297's idea, made of HMAC-SHA256): the vector is the code of
reader and place, and the place is hidden by a stream that begins with it. So one place looks the same each time, another
reader's is none, and neither a time nor a row's number can be read from it.
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Sequence
from hashlib import sha256

from mintery.crypto.keys import PrivateKey

_PURPOSE = b"mintery places in lists"
_VECTOR = 16
MOST_PLACE = 32
"""Bytes: what one block of the stream hides."""


def seal_place(key: PrivateKey, reader: str, place: bytes) -> str:
    """``place``: up to 32 bytes. The same for the same key, reader and place."""
    if len(place) > MOST_PLACE:
        raise ValueError(len(place))
    vector = _vector(key, reader, place)
    return urlsafe_b64encode(vector + _hidden(key, vector, place)).rstrip(b"=").decode()


def open_place(keys: Sequence[PrivateKey], reader: str, sealed: str) -> bytes | None:
    """None where it is none that one of ``keys`` sealed for this reader."""
    try:
        found = urlsafe_b64decode(sealed.encode() + b"=" * (-len(sealed) % 4))
    except (NotBase64, ValueError):
        return None
    vector, hidden = found[:_VECTOR], found[_VECTOR:]
    if len(hidden) > MOST_PLACE:
        return None
    for key in keys:
        place = _hidden(key, vector, hidden)
        if hmac.compare_digest(_vector(key, reader, place), vector):
            return place
    return None


def _vector(key: PrivateKey, reader: str, place: bytes) -> bytes:
    who = reader.encode()
    return hmac.digest(_secret(key, b"vector"), len(who).to_bytes(4) + who + place, sha256)[:_VECTOR]


def _hidden(key: PrivateKey, vector: bytes, place: bytes) -> bytes:
    stream = hmac.digest(_secret(key, b"stream"), vector, sha256)
    return bytes(one ^ other for one, other in zip(place, stream, strict=False))


def _secret(key: PrivateKey, purpose: bytes) -> bytes:
    return hmac.digest(key.secret_bytes(), _PURPOSE + b"/" + purpose, sha256)
