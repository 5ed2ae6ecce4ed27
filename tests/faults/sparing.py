"""What every fork would do again and need not: statements are compiled and hashes are made once."""

from functools import lru_cache
from typing import Any

from eth_hash.auto import keccak
from sqlalchemy import Engine, create_engine

from mintery.ledger import engines, opening

_HASHES = 1 << 17
_first: list[Engine] = []


def spare() -> None:
    """In this process and its forks, from here on."""
    engines.create_engine = opening.create_engine = _create_engine
    keccak(b"")  # it chooses its backend now
    remembered = lru_cache(_HASHES)(keccak.hasher)
    keccak.hasher = lambda preimage: remembered(bytes(preimage))


def _create_engine(url: str, **options: Any) -> Engine:
    """A statement is compiled for one dialect: SQLite's engines share the first one's. PostgreSQL's asks its server."""
    if not url.startswith("sqlite"):
        return create_engine(url, **options)
    if not _first:
        _first.append(create_engine("sqlite://"))
        _first[0].connect().close()
    engine = create_engine(url, **options, _initialize=False)
    engine.dialect = engine.pool._dialect = _first[0].dialect
    engine._compiled_cache = _first[0]._compiled_cache
    return engine
