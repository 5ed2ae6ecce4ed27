"""EIP-712 for the flat structs that Mintery signs: addresses, uints, bytesN, bytes and strings."""

from functools import lru_cache

from mintery.crypto.hashing import address_bytes, keccak

Word = str | int | bytes
DOMAIN_TYPE = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"


@lru_cache(maxsize=64)
def _fields(struct_type: str) -> tuple[bytes, tuple[str, ...]]:
    inner = struct_type[struct_type.index("(") + 1 : -1]
    return keccak(struct_type.encode()), tuple(member.split(" ")[0] for member in inner.split(","))


def _word(solidity_type: str, value: Word) -> bytes:
    match solidity_type, value:
        case "address", str():
            return address_bytes(value).rjust(32, b"\0")
        case "string", str():
            return keccak(value.encode())
        case "bytes", bytes():
            return keccak(value)
        case kind, bytes() if kind.startswith("bytes") and len(value) == int(kind[5:]):
            return value.ljust(32, b"\0")
        case kind, int() if kind.startswith("uint") and 0 <= value < 2 ** int(kind[4:]):
            return value.to_bytes(32)
    raise ValueError(f"{type(value).__name__} does not fit {solidity_type}")


def hash_struct(struct_type: str, *values: Word) -> bytes:
    """keccak256 of the type hash and one word for each member; ``struct_type`` as EIP-712's encodeType writes it."""
    type_hash, types = _fields(struct_type)
    return keccak(type_hash + b"".join(_word(kind, value) for kind, value in zip(types, values, strict=True)))


@lru_cache(maxsize=64)
def domain_separator(name: str, version: str, chain_id: int, contract: str) -> bytes:
    return hash_struct(
        DOMAIN_TYPE,
        name,
        version,
        chain_id,
        contract,
    )


def typed_digest(separator: bytes, struct_hash: bytes) -> bytes:
    return keccak(b"\x19\x01" + separator + struct_hash)
