"""The signature of an operator's price file."""

from collections.abc import Mapping

import orjson

from mintery.crypto.hashing import keccak
from mintery.crypto.keys import PrivateKey, recover
from mintery.domain.voucher import Address

PRICE_FILE_FORMAT = "mintery-prices-1"


def price_file_digest(prices: Mapping[str, str], valid_until: int) -> bytes:
    """keccak256 of format, end of validity (unix seconds) and prices as JSON with sorted keys and no white space."""
    facts = {"format": PRICE_FILE_FORMAT, "prices": dict(prices), "valid_until": valid_until}
    return keccak(orjson.dumps(facts, option=orjson.OPT_SORT_KEYS))


def sign_price_file(prices: Mapping[str, str], valid_until: int, key: PrivateKey) -> bytes:
    """64 bytes, EIP-2098."""
    return key.sign_digest(price_file_digest(prices, valid_until)).compact


def price_file_signer(prices: Mapping[str, str], valid_until: int, signature: bytes) -> Address:
    """Raises InvalidSignature."""
    return recover(price_file_digest(prices, valid_until), signature[:32], signature[32:])
