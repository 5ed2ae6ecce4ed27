"""JSON from strangers, with its numbers as exact as they are written."""

import json
from decimal import Decimal
from typing import Any

import orjson

from mintery.providers.charges import Unpriced


def parse_exactly(body: bytes) -> Any:
    """Numbers become Decimal.

    Raises:
        Unpriced: it is no JSON, is nested deeper than 1,024 levels, has a number that no float can hold, or one that no Decimal can.
    """
    try:
        # Python's own parser follows any depth that the recursion limit allows, and others here raise that limit.
        orjson.loads(body)
        return json.loads(body, parse_float=Decimal, parse_int=Decimal)
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise Unpriced(f"it is no JSON: {type(error).__name__}") from None
