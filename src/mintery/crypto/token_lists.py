"""The signature of a token list, beside the list: the format of lists has no room for one."""

from collections.abc import Mapping
from typing import Any

import orjson

from mintery.crypto.hashing import keccak
from mintery.crypto.keys import PrivateKey, recover
from mintery.domain.voucher import Address
from mintery.errors import InvalidSignature, MalformedInput, TokenListRefused

TOKEN_LIST_FORMAT = "mintery-tokenlist-1"  # noqa: S105 -- the name of a format


def token_list_digest(content: Mapping[str, Any]) -> bytes:
    """keccak256 of the format and the list as JSON with sorted keys and no white space."""
    facts = {"format": TOKEN_LIST_FORMAT, "list": dict(content)}
    return keccak(orjson.dumps(facts, option=orjson.OPT_SORT_KEYS))


def sign_token_list(content: Mapping[str, Any], key: PrivateKey) -> dict[str, str]:
    """What stands in the file beside the list."""
    signature = key.sign_digest(token_list_digest(content)).compact
    return {"format": TOKEN_LIST_FORMAT, "signer": key.address, "signature": "0x" + signature.hex()}


def token_list_signer(content: Mapping[str, Any], signed: Mapping[str, Any]) -> Address:
    """Who signed the list, as ``sign_token_list`` wrote it.

    Raises:
        MalformedInput: it is no such signature.
        TokenListRefused: no key made it, or another than it names, or for another list.
    """
    try:
        raw = bytes.fromhex(str(signed["signature"]).removeprefix("0x"))
        named, form = str(signed["signer"]), signed["format"]
    except (KeyError, ValueError, TypeError):
        raise MalformedInput("it is no signature of a token list") from None
    if form != TOKEN_LIST_FORMAT or len(raw) != 64:
        raise MalformedInput("it is no signature of a token list")
    try:
        signer = recover(token_list_digest(content), raw[:32], raw[32:])
    except InvalidSignature:
        raise TokenListRefused("no key made its signature") from None
    if signer != named:
        raise TokenListRefused("it was changed after it was signed, or the signature is another list's")
    return signer
