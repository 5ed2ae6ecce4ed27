"""Signed top-ups and deposits as JSON: what a holder hands in, and what an order keeps until it is used."""

from typing import Any

import orjson

from mintery.chain.credit_token import Authorization
from mintery.crypto.keys import Signature
from mintery.domain.voucher import AccountKey
from mintery.errors import MalformedRequest
from mintery.units import CreditUnits, UnixSeconds
from mintery.usecases.deposit_credits import SignedDeposit
from mintery.usecases.top_up import SignedTopUp

_SIGNATURE_BYTES = 65
_WORD = 32


def top_up_text(signed: SignedTopUp) -> str:
    return _text({"min_credits": str(signed.min_credits), "salt": signed.salt.hex(), **_fields(signed.authorization)})


def deposit_text(signed: SignedDeposit) -> str:
    return _text({"salt": signed.salt.hex(), **_fields(signed.authorization)})


def read_top_up(text: str, key: AccountKey) -> SignedTopUp:
    """Raises MalformedRequest."""
    fields = _read(text)
    try:
        return SignedTopUp(key, _word(fields["salt"]), CreditUnits(int(fields["min_credits"])), _authorization(fields))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise MalformedRequest(f"the signed top-up is not of its form: {error}", field="signed") from None


def read_deposit(text: str, key: AccountKey) -> SignedDeposit:
    """Raises MalformedRequest."""
    fields = _read(text)
    try:
        return SignedDeposit(key, _word(fields["salt"]), _authorization(fields))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise MalformedRequest(f"the signed deposit is not of its form: {error}", field="signed") from None


def authorization_text(signed: Authorization) -> str:
    return _text(_fields(signed))


def read_authorization(text: str) -> Authorization:
    """Raises MalformedRequest."""
    fields = _read(text)
    try:
        return _authorization(fields)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise MalformedRequest(f"the authorization is not of its form: {error}", field="signed") from None


def _text(fields: dict[str, Any]) -> str:
    return orjson.dumps(fields, option=orjson.OPT_SORT_KEYS).decode()


def _read(text: str) -> dict[str, Any]:
    try:
        fields = orjson.loads(text)
    except orjson.JSONDecodeError:
        fields = None
    if not isinstance(fields, dict):
        raise MalformedRequest("what was signed is a JSON object", field="signed")
    return fields


def _fields(signed: Authorization) -> dict[str, Any]:
    return {
        "from": signed.sender,
        "to": signed.receiver,
        "amount": str(signed.amount),
        "valid_after": signed.valid_after,
        "valid_before": signed.valid_before,
        "nonce": signed.nonce.hex(),
        "signature": signed.signature.long.hex(),
    }


def _authorization(fields: dict[str, Any]) -> Authorization:
    signature = bytes.fromhex(fields["signature"].removeprefix("0x"))
    if len(signature) != _SIGNATURE_BYTES or signature[-1] not in {27, 28}:
        raise ValueError("a signature is 65 bytes r, s, v, with v 27 or 28")
    r, s = signature[:_WORD], int.from_bytes(signature[_WORD:-1])
    return Authorization(
        sender=fields["from"],
        receiver=fields["to"],
        amount=int(fields["amount"]),
        valid_after=UnixSeconds(int(fields["valid_after"])),
        valid_before=UnixSeconds(int(fields["valid_before"])),
        nonce=_word(fields["nonce"]),
        signature=Signature(r, (s | (signature[-1] - 27) << 255).to_bytes(_WORD)),
    )


def _word(text: str) -> bytes:
    word = bytes.fromhex(text.removeprefix("0x"))
    if len(word) != _WORD:
        raise ValueError("32 bytes as hex")
    return word
