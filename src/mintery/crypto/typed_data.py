"""Typed data as a wallet is asked to sign it: the JSON of ``eth_signTypedData_v4`` beside the digest that we compute ourselves."""

from collections.abc import Mapping
from typing import Any

from mintery.crypto.eip712 import DOMAIN_TYPE, Word, domain_separator, hash_struct, typed_digest
from mintery.errors import MalformedInput


def typed_data(
    struct_type: str, *values: Word, name: str, version: str, chain_id: int, contract: str
) -> dict[str, Any]:
    """``struct_type`` as EIP-712's encodeType writes it, with one value for each member. Whole numbers are decimal text, which
    no wallet rounds.
    """
    primary, members = _members(struct_type)
    _, of_domain = _members(DOMAIN_TYPE)
    named = zip(members, values, strict=True)
    return {
        "types": {"EIP712Domain": of_domain, primary: members},
        "primaryType": primary,
        "domain": {"name": name, "version": version, "chainId": chain_id, "verifyingContract": contract},
        "message": {member["name"]: _json(value) for member, value in named},
    }


def _members(struct_type: str) -> tuple[str, list[dict[str, str]]]:
    primary, _, inner = struct_type.removesuffix(")").partition("(")
    pairs = (member.split(" ") for member in inner.split(","))
    return primary, [{"name": name, "type": kind} for kind, name in pairs]


def _json(value: Word) -> str:
    match value:
        case bytes():
            return "0x" + value.hex()
        case int():
            return str(value)
        case str():
            return value


def digest_of(asked: Mapping[str, Any]) -> bytes:
    """What a wallet signs when it is asked for this: the inverse of ``typed_data``, for flat structs.

    Raises:
        MalformedInput
    """
    try:
        primary, message, domain = asked["primaryType"], asked["message"], asked["domain"]
        members = [(member["type"], member["name"]) for member in asked["types"][primary]]
        struct_type = f"{primary}({','.join(f'{kind} {name}' for kind, name in members)})"
        values = [_word(kind, message[name]) for kind, name in members]
        separator = domain_separator(
            domain["name"], domain["version"], int(domain["chainId"]), domain["verifyingContract"]
        )
        return typed_digest(separator, hash_struct(struct_type, *values))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise MalformedInput(f"this is no typed data that can be signed here: {error}") from None


def _word(kind: str, value: Any) -> Word:
    """Raises ValueError, TypeError."""
    if kind.startswith("uint"):
        return int(value)
    if kind.startswith("bytes"):
        return bytes.fromhex(value.removeprefix("0x"))
    return str(value)
