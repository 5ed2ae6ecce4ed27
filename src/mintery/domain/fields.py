"""Fields of JSON that somebody else wrote, taken only in the type they must have: no float, bool or text for a number."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from mintery.domain.voucher import Address

MOST = 2**63 - 1
_DIGITS = re.compile(r"[0-9]{1,60}", re.ASCII)
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}", re.ASCII)

T = TypeVar("T")
Fields = Mapping[str, Any]
"""Every reader here raises KeyError where the field is missing, ValueError where it is something else."""


def parse_json(written: str) -> Any:
    """JSON in which no name stands twice in one object: two readers could each believe another one.

    Raises:
        ValueError
    """
    try:
        return json.loads(written, object_pairs_hook=_once)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return found


def text(fields: Fields, name: str) -> str:
    return _typed(fields, name, str)


def flag(fields: Fields, name: str) -> bool:
    return _typed(fields, name, bool)


def mapping(fields: Fields, name: str) -> Fields:
    return _typed(fields, name, dict)


def mappings(fields: Fields, name: str) -> Sequence[Fields]:
    found = _typed(fields, name, list)
    if any(type(each) is not dict for each in found):
        raise ValueError(f"{name} is no list of objects")
    return found


def whole(fields: Fields, name: str) -> int:
    """A JSON integer from 0 to ``MOST``."""
    found = _typed(fields, name, int)
    if not 0 <= found <= MOST:
        raise ValueError(f"{name} is out of range")
    return found


def digits(fields: Fields, name: str) -> int:
    """An amount that may pass 2**53, written as text of digits alone."""
    found = text(fields, name)
    if not _DIGITS.fullmatch(found):
        raise ValueError(f"{name} is no text of digits")
    return int(found)


def address(fields: Fields, name: str) -> Address:
    found = text(fields, name)
    if not _ADDRESS.fullmatch(found):
        raise ValueError(f"{name} is no address")
    return Address(found)


def _typed(fields: Fields, name: str, wanted: type[T]) -> T:
    found = fields[name]
    if type(found) is not wanted:
        raise ValueError(f"{name} is of type {type(found).__name__}")
    return found
