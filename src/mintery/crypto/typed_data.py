"""Typed data as a wallet is asked to sign it: the JSON of ``eth_signTypedData_v4`` beside the digest that we compute ourselves."""

from typing import Any

from mintery.crypto.eip712 import DOMAIN_TYPE, Word


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
