"""Statements for programs: JSON and CSV, written as their lines are read."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

import orjson

from mintery.usecases.show_statement import Entry, Statement
from mintery.usecases.statement_facts import entry_facts, statement_facts

COLUMNS: Sequence[str] = (
    "at",
    "kind",
    "undone",
    "wallet",
    "symbol",
    "change_nanocredits",
    "change_credits",
    "change_usd",
    "balance_nanocredits",
    "balance_credits",
    "balance_usd",
    "key",
    "label",
    "model",
    "route",
    "provider",
    "backup",
    "test",
    "usage",
    "request",
    "reference",
    "subject",
    "token",
)
_PIECE, _CHUNK = 8_192, 32_768
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def json_parts(statement: Statement, entries: Iterable[Entry]) -> Iterator[bytes]:
    """One object; its lines come last, so that neither side need hold them."""
    head = orjson.dumps(statement_facts(statement))
    yield head[:-1] + b',"lines":['
    comma = b""
    for entry in entries:
        yield comma + orjson.dumps(entry_facts(statement, entry))
        comma = b",\n"
    yield b"]}"


def csv_parts(statement: Statement, entries: Iterable[Entry]) -> Iterator[bytes]:
    """A row a line, between rows of kind ``opening`` and ``closing`` of each wallet, which change nothing."""
    facts = statement_facts(statement)
    buffer = io.StringIO()
    write = csv.writer(buffer, lineterminator="\r\n").writerow
    write(COLUMNS)
    rows: Iterable[dict[str, Any]] = (entry_facts(statement, entry) for entry in entries)
    for row in chain(_ends(facts, "opening", "start"), rows, _ends(facts, "closing", "end")):
        get = row.get
        write([get(name) if cell is None else cell(get(name)) for name, cell in _CELLS])
        if buffer.tell() > _PIECE:
            yield buffer.getvalue().encode()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue().encode()


def in_chunks(parts: Iterable[bytes], size: int = _CHUNK) -> Iterator[bytes]:
    """The same bytes in fewer pieces."""
    waiting: list[bytes] = []
    length = 0
    for part in parts:
        waiting.append(part)
        length += len(part)
        if length >= size:
            yield b"".join(waiting)
            waiting.clear()
            length = 0
    if waiting:
        yield b"".join(waiting)


def _ends(facts: dict[str, Any], kind: str, instant: str) -> Iterator[dict[str, Any]]:
    for wallet in facts["wallets"]:
        yield {
            "at": facts["period"][instant],
            "kind": kind,
            "undone": False,
            "wallet": wallet["kind"],
            "symbol": wallet["symbol"],
            "token": wallet["token"],
            **{f"balance_{unit}": wallet[f"{kind}_{unit}"] for unit in ("nanocredits", "credits", "usd")},
        }


def _word(value: str | None) -> str | None:
    """Text that a spreadsheet would take for a formula gets an apostrophe before it."""
    return f"'{value}" if value is not None and value.startswith(_FORMULA) else value


def _flag(value: bool | None) -> str | None:  # noqa: FBT001 -- what stands in a cell
    return None if value is None else "true" if value else "false"


def _usage(value: dict[str, int] | None) -> str | None:
    return None if value is None else _word(" ".join([f"{unit}={quantity}" for unit, quantity in value.items()]))


_SHOWN: Mapping[str, Callable[[Any], str | None]] = {
    **dict.fromkeys(("symbol", "key", "label", "model", "route", "provider", "reference", "wallet"), _word),
    **dict.fromkeys(("undone", "backup", "test"), _flag),
    "usage": _usage,
}
"""How what is no plain text is written; of words, those that somebody chose."""
_CELLS = tuple((name, _SHOWN.get(name)) for name in COLUMNS)
