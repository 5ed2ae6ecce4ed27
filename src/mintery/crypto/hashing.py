"""keccak256 and addresses."""

from functools import lru_cache

from eth_hash.auto import keccak as _keccak

from mintery.domain.voucher import Address
from mintery.errors import MalformedInput


def keccak(preimage: bytes) -> bytes:
    return _keccak(preimage)


@lru_cache(maxsize=65_536)
def checksum_address(raw: bytes) -> Address:
    """EIP-55 of 20 bytes."""
    digits = raw.hex()
    mask = keccak(digits.encode()).hex()
    return Address("0x" + "".join(d.upper() if int(m, 16) >= 8 else d for d, m in zip(digits, mask, strict=False)))


def parse_address(text: str) -> Address:
    """Any case in, EIP-55 out.

    Raises:
        MalformedInput: not 20 bytes of hex, or mixed case with a wrong checksum.
    """
    digits = text.removeprefix("0x").removeprefix("0X")
    try:
        raw = bytes.fromhex(digits)
    except ValueError:
        raw = b""
    if len(raw) != 20 or len(digits) != 40:
        raise MalformedInput(f"{text[:60]!r} is no address: 0x and 40 hex digits")
    address = checksum_address(raw)
    if digits not in {digits.lower(), digits.upper(), address[2:]}:
        raise MalformedInput(f"{text!r} is no address: its checksum is wrong, so a letter may be mistyped")
    return address


def address_bytes(address: str) -> bytes:
    return bytes.fromhex(address[2:])
