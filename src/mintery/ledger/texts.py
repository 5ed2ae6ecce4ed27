"""Texts as both databases take them: PostgreSQL has no NUL in any, and whoever writes from outside may put one anywhere.

What is written and what is looked for goes through here alike. Only the one character changes; SQLite keeps what it is given.
"""

from typing import Any

import orjson
from psycopg.abc import Buffer
from psycopg.types.string import StrDumperUnknown

NUL, INSTEAD = "\0", "\ufffd"
NUL_IN_JSON = "\\u0000"
"""What says that there may be one: a text may as well tell of it, after a backslash of its own."""


def without_nul(value: Any) -> Any:
    """Of JSON values all texts, names included."""
    match value:
        case str():
            return value.replace(NUL, INSTEAD)
        case list() | tuple():
            return [without_nul(each) for each in value]
        case dict():
            return {without_nul(name): without_nul(each) for name, each in value.items()}
        case _:
            return value


def json_text(value: Any) -> bytes:
    """As JSON whose texts PostgreSQL reads."""
    text = orjson.dumps(value)
    return orjson.dumps(without_nul(value)) if NUL_IN_JSON.encode() in text else text


def kept_json(text: str) -> str:
    """JSON as it was written, unless PostgreSQL would not read that."""
    return json_text(orjson.loads(text)).decode() if NUL_IN_JSON in text else text


class TextParameter(StrDumperUnknown):
    """A parameter of a statement, on its way to PostgreSQL."""

    def dump(self, obj: str) -> Buffer | None:
        return super().dump(obj.replace(NUL, INSTEAD))
