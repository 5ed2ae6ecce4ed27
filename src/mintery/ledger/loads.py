"""What a sheet reads, for all of a group's commands at once: many rows by many keys in one statement.

On PostgreSQL the accounts are locked before anything else is read, in the order of their ids, and the counters last, in the
order of their keys; whoever writes a request has its account locked. SQLite holds its one write lock already.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from mintery.ledger.limits import parse_limits
from mintery.ledger.texts import json_text
from mintery.ledger.work import Work

ACCOUNT = (
    "id, token, epoch, available, held, captured, uncovered, spent_settled, exiting + refunding + frozen, closing, retried_at, requests_until, "
    "tokens_until, authority"
)
REQUEST = (
    "id, account, epoch, amount, backed, limited, placed_at, lease_until, dispatched_at, captured, released_for, ended_at, "
    "delivered_at, idempotency_key"
)
_LIMITED = REQUEST.split(", ").index("limited")
_UNDELIVERED = " AND delivered_at IS NULL AND released_for IS NULL"
_RETRY = " AND retry IS NOT NULL AND released_for IS NULL"
_KNOWN = "id, placed_at, credential, idempotency_key, account, raised, body"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Keys that a group of commands touches.

    Attributes:
        requests: ids of requests that are there, or may be.
        accounts: ids of accounts, beside those of ``requests``.
        counters: their keys, beside those that limit ``ending``; SQLite is asked for those of all ``requests``.
        ending: ids of requests that may end.
        keyed: (credential, idempotency key) of new requests.
        raised: (account, digest of the raised voucher) of new requests.
        repeated: (credential, body) of new requests that say that they were sent before.
    """

    requests: Sequence[str] = ()
    accounts: Sequence[str] = ()
    counters: Sequence[str] = ()
    ending: Sequence[str] = ()
    keyed: Sequence[tuple[bytes, str]] = ()
    raised: Sequence[tuple[str, bytes]] = ()
    repeated: Sequence[tuple[bytes, bytes]] = ()


@dataclass(frozen=True, slots=True)
class Loaded:
    """Rows in the order of the columns above; ``known`` are requests with a wanted idempotency key or raised voucher,
    ``undelivered`` those that a repeated one may join.
    """

    accounts: Sequence[Any]
    requests: Sequence[Any]
    counters: Sequence[Any]
    known: Sequence[Any]
    undelivered: Sequence[Any]


def load(work: Work, wanted: Wanted) -> Loaded:
    return _load_sqlite(work, wanted) if work.dialect.name == "sqlite" else _load_postgresql(work, wanted)


def load_retries(work: Work, repeated: Sequence[tuple[bytes, bytes]]) -> Sequence[Any]:
    """Declared retries by (credential, body), as ``Loaded.undelivered``; delivered ones are among them."""
    if work.dialect.name == "sqlite":
        return _sqlite_by_pair(work, ("credential", "body"), repeated, _RETRY)
    (found,) = work.ask_all([(_RETRIES, [_bodies(repeated)])])
    return found


def _load_sqlite(work: Work, wanted: Wanted) -> Loaded:
    requests = _sqlite_by_key(work, REQUEST, "requests", "id", wanted.requests)
    accounts = sorted({*wanted.accounts, *(row[1] for row in requests)})
    counters = sorted({*wanted.counters, *(limit.key for row in requests for limit in parse_limits(row[_LIMITED]))})
    return Loaded(
        accounts=_sqlite_by_key(work, ACCOUNT, "accounts", "id", accounts),
        requests=requests,
        counters=_sqlite_by_key(work, "key, used", "counters", "key", counters),
        known=[
            *_sqlite_by_pair(work, ("credential", "idempotency_key"), wanted.keyed),
            *_sqlite_by_pair(work, ("account", "raised"), wanted.raised),
        ],
        undelivered=_sqlite_by_pair(work, ("credential", "body"), wanted.repeated, _UNDELIVERED),
    )


def _sqlite_by_key(work: Work, columns: str, table: str, key: str, keys: Sequence[str]) -> Sequence[Any]:
    """The last key is repeated up to a power of two: few statements are prepared, and none of them twice."""
    if not keys:
        return ()
    size = 1 << (len(keys) - 1).bit_length()
    return work.ask(_sqlite_by_key_text(columns, table, key, size), [*keys, *[keys[-1]] * (size - len(keys))])


@cache
def _sqlite_by_key_text(columns: str, table: str, key: str, size: int) -> str:
    return f"SELECT {columns} FROM {table} WHERE {key} IN ({', '.join('?' * size)})"  # noqa: S608 -- our own names


def _sqlite_by_pair(
    work: Work, names: tuple[str, str], pairs: Sequence[tuple[Any, Any]], beside: str = ""
) -> Sequence[Any]:
    if not pairs:
        return ()
    size = 1 << (len(pairs) - 1).bit_length()
    padded = [*pairs, *[pairs[-1]] * (size - len(pairs))]
    return work.ask(_sqlite_by_pair_text(names, size, beside), [field for pair in padded for field in pair])


@cache
def _sqlite_by_pair_text(names: tuple[str, str], size: int, beside: str) -> str:
    """Rows may come twice. A cross join is never reordered: the pairs look up the index."""
    first, second = names
    return (
        f"SELECT {_KNOWN} FROM (VALUES {', '.join(['(?, ?)'] * size)}) AS v "  # noqa: S608 -- our own names
        f"CROSS JOIN requests ON {first} = v.column1 AND {second} = v.column2{beside}"
    )


_IDS, _MORE_IDS = (f"(SELECT json_array_elements_text(${number}::json))" for number in (1, 2))
_LOCK_ACCOUNTS = (
    f"SELECT {ACCOUNT} FROM accounts WHERE id IN (SELECT account FROM requests WHERE id IN {_IDS} "  # noqa: S608 -- our own
    f"UNION {_MORE_IDS}) ORDER BY id FOR NO KEY UPDATE"
)
_REQUESTS = f"SELECT {REQUEST} FROM requests WHERE id IN {_IDS}"  # noqa: S608 -- as above
_LOCK_COUNTERS = (
    "SELECT key, used FROM counters WHERE key IN ("  # noqa: S608 -- as above
    f"SELECT l ->> 0 FROM requests, json_array_elements(limited::json) AS l WHERE id IN {_IDS} "
    f"UNION {_MORE_IDS}) ORDER BY key FOR NO KEY UPDATE"
)
_BY_KEY = (
    f"SELECT {_KNOWN} FROM json_to_recordset($1::json) AS v(a text, b text) "  # noqa: S608 -- as above
    "JOIN requests ON credential = a::bytea AND idempotency_key = b"
)
_BY_RAISED = (
    f"SELECT {_KNOWN} FROM json_to_recordset($1::json) AS v(a text, b text) "  # noqa: S608 -- as above
    "JOIN requests ON account = a AND raised = b::bytea"
)

_BY_BODY = (
    f"SELECT {_KNOWN} FROM json_to_recordset($1::json) AS v(a text, b text) "  # noqa: S608 -- as above
    f"JOIN requests ON credential = a::bytea AND body = b::bytea{_UNDELIVERED}"
)
_RETRIES = (
    f"SELECT {_KNOWN} FROM json_to_recordset($1::json) AS v(a text, b text) "  # noqa: S608 -- as above
    f"JOIN requests ON credential = a::bytea AND body = b::bytea{_RETRY}"
)
_NEW_COUNTERS = f"INSERT INTO counters (key, used) SELECT k, 0 FROM {_IDS} AS v(k) ORDER BY k ON CONFLICT DO NOTHING"  # noqa: S608
_LOCK_NEW_COUNTERS = f"SELECT key, used FROM counters WHERE key IN {_IDS} ORDER BY key FOR NO KEY UPDATE"  # noqa: S608


def _load_postgresql(work: Work, wanted: Wanted) -> Loaded:
    requests = json_text(wanted.requests)
    questions = {
        "accounts": (_LOCK_ACCOUNTS, [requests, json_text(wanted.accounts)]),
        "requests": (_REQUESTS, [requests]),
    }
    if wanted.ending or wanted.counters:
        questions["counters"] = (_LOCK_COUNTERS, [json_text(wanted.ending), json_text(wanted.counters)])
    if wanted.keyed:
        questions["by key"] = (_BY_KEY, [json_text([{"a": _hex(a), "b": b} for a, b in wanted.keyed])])
    if wanted.raised:
        questions["by raised"] = (_BY_RAISED, [json_text([{"a": a, "b": _hex(b)} for a, b in wanted.raised])])
    if wanted.repeated:
        questions["undelivered"] = (_BY_BODY, [_bodies(wanted.repeated)])
    found = dict(zip(questions, work.ask_all(list(questions.values())), strict=True))
    counters = found.get("counters", ())
    new = sorted(set(wanted.counters).difference(row[0] for row in counters))
    if new:  # another process may be making the same ones: there is nothing to lock until they are there
        _, made = work.ask_all([(_NEW_COUNTERS, [json_text(new)]), (_LOCK_NEW_COUNTERS, [json_text(new)])])
        counters = [*counters, *made]
    return Loaded(
        accounts=found["accounts"],
        requests=found["requests"],
        counters=counters,
        known=[*found.get("by key", ()), *found.get("by raised", ())],
        undelivered=found.get("undelivered", ()),
    )


def _bodies(pairs: Sequence[tuple[bytes, bytes]]) -> bytes:
    return json_text([{"a": _hex(a), "b": _hex(b)} for a, b in pairs])


def _hex(value: bytes) -> str:
    return "\\x" + value.hex()
