"""Event logs with posting lists, so a query costs what it returns and not what the chain has lived through."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from heapq import merge

Posting = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One event as a receipt holds it. Addresses are 20 bytes, topics and hashes 32."""

    address: bytes
    topics: tuple[bytes, ...]
    body: bytes
    block_number: int
    block_hash: bytes
    block_time: int
    transaction_hash: bytes
    index: int


@dataclass(frozen=True, slots=True)
class LogQuery:
    """Blocks first..last inclusive; no addresses means any; an empty topic position matches any topic."""

    first: int
    last: int
    addresses: frozenset[bytes] = frozenset()
    topics: tuple[frozenset[bytes], ...] = ()

    def matches(self, entry: LogEntry) -> bool:
        if self.addresses and entry.address not in self.addresses:
            return False
        if len(entry.topics) < len(self.topics):
            return False
        return all(not wanted or topic in wanted for wanted, topic in zip(self.topics, entry.topics, strict=False))


class LogIndex:
    """All logs in chain order, with the positions of each address, of each topic, and of address + first topic."""

    def __init__(self) -> None:
        self._entries: list[LogEntry] = []
        self._blocks: list[int] = []
        self._postings: defaultdict[Posting, list[int]] = defaultdict(list)

    def append(self, entry: LogEntry) -> None:
        position = len(self._entries)
        self._entries.append(entry)
        self._blocks.append(entry.block_number)
        for key in _postings_of(entry):
            self._postings[key].append(position)

    def truncate(self, head_number: int) -> None:
        """Forget the logs of every block after ``head_number``."""
        while self._entries and self._entries[-1].block_number > head_number:
            self._blocks.pop()
            for key in _postings_of(self._entries.pop()):
                self._postings[key].pop()

    def of_block(self, number: int) -> Sequence[LogEntry]:
        return self._entries[bisect_left(self._blocks, number) : bisect_left(self._blocks, number + 1)]

    def search(self, query: LogQuery) -> Iterator[LogEntry]:
        """The matching entries, in chain order."""
        start = bisect_left(self._blocks, query.first)
        end = bisect_left(self._blocks, query.last + 1)
        for position in self._candidates(query, start, end):
            entry = self._entries[position]
            if query.matches(entry):
                yield entry

    def _candidates(self, query: LogQuery, start: int, end: int) -> Iterable[int]:
        """Positions in start..end to look at: those of whichever condition of the query is rarest."""
        best: Iterable[int] = range(start, end)
        fewest = end - start
        for keys in _conditions(query):
            slices = [self._slice(key, start, end) for key in keys]
            count = sum(len(part) for part in slices)
            if count < fewest:
                fewest = count
                best = merge(*slices)
        return best

    def _slice(self, key: Posting, start: int, end: int) -> Sequence[int]:
        positions = self._postings.get(key, [])
        return positions[bisect_left(positions, start) : bisect_left(positions, end)]


def _postings_of(entry: LogEntry) -> Iterator[Posting]:
    yield (entry.address,)
    yield from enumerate(entry.topics)
    if entry.topics:
        yield (entry.address, entry.topics[0])


def _conditions(query: LogQuery) -> Iterator[list[Posting]]:
    """Alternative ways to enumerate a superset of the matches, each a list of disjoint postings."""
    if query.addresses:
        if query.topics and query.topics[0]:
            yield [(address, topic) for address in query.addresses for topic in query.topics[0]]
        yield [(address,) for address in query.addresses]
    for place, wanted in enumerate(query.topics):
        if wanted:
            yield [(place, topic) for topic in wanted]
