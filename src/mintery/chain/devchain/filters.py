"""Polling filters: what has happened since the caller last asked."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import Any

from mintery.chain.devchain.codec import hex_bytes
from mintery.chain.devchain.engine import Engine
from mintery.chain.devchain.faults import refused
from mintery.chain.devchain.logs import LogQuery
from mintery.chain.devchain.views import log_view


@dataclass
class Filter:
    """``query`` None reports block hashes, or nothing for a pending-transaction filter."""

    query: LogQuery | None
    next_block: int
    silent: bool = False


class Filters:
    """Filters by their id, a hex quantity. They live until uninstalled or until the chain ends."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._ids = itertools.count(1)
        self._filters: dict[str, Filter] = {}

    def add(self, query: LogQuery | None, *, silent: bool = False) -> str:
        name = hex(next(self._ids))
        self._filters[name] = Filter(query, self._engine.head.number + 1, silent)
        return name

    def remove(self, name: str) -> bool:
        return self._filters.pop(name, None) is not None

    def rewind(self) -> None:
        """The chain went back: report the blocks that replace those it forgot."""
        for one in self._filters.values():
            one.next_block = min(one.next_block, self._engine.head.number + 1)

    def changes(self, name: str) -> list[Any]:
        """Logs or block hashes since the last call."""
        chosen = self._require(name)
        head = self._engine.head.number
        first = chosen.next_block
        chosen.next_block = head + 1
        if chosen.silent:
            return []
        if chosen.query is None:
            return [hex_bytes(block.hash) for block in self._engine.blocks.between(first, head)]
        since = replace(chosen.query, first=max(first, chosen.query.first), last=min(head, chosen.query.last))
        return [log_view(entry) for entry in self._engine.logs.search(since)]

    def logs(self, name: str) -> list[dict[str, Any]]:
        """Everything a log filter matches, from its own first block."""
        query = self._require(name).query
        if query is None:
            raise refused("filter not found")
        return [log_view(entry) for entry in self._engine.logs.search(query)]

    def _require(self, name: str) -> Filter:
        chosen = self._filters.get(name)
        if chosen is None:
            raise refused("filter not found")
        return chosen
