"""Blocks with their events, read so that they belong to one chain."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from mintery.chain.completeness import emitters_of, is_complete
from mintery.chain.deployment import Deployment
from mintery.chain.events import Event, decode_log
from mintery.chain.rpc import BlockRef, Log, Rpc
from mintery.domain.voucher import Address
from mintery.errors import RpcRefused, RpcUnavailable
from mintery.units import UnixSeconds

_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class ChainEvent:
    """An event and where it happened: (block, log_index) orders them, (tx_hash, log_index) names them."""

    event: Event
    contract: Address
    tx_hash: str
    log_index: int


@dataclass(frozen=True, slots=True)
class ChainBlock:
    """One block and what our contracts emitted in it, in order."""

    number: int
    hash: str
    parent: str
    timestamp: UnixSeconds
    events: tuple[ChainEvent, ...]


def read_ranges(rpc: Rpc, deployment: Deployment, first: int, last: int, *, at_once: int) -> Iterator[list[ChainBlock]]:
    """Blocks ``first..last``, both included, in ranges that follow each other, of ``at_once`` blocks or fewer.

    Who refuses a range is asked for half of it: endpoints bound how many blocks or events one answer has, and anybody may
    fill blocks with events.

    Raises:
        RpcRefused: it refuses a block alone, or does not have it (yet).
        RpcUnavailable: as ``read_blocks``.
    """
    width = at_once
    while first <= last:
        high = min(first + width - 1, last)
        try:
            read = read_blocks(rpc, deployment, first, high)
        except RpcRefused:
            if high == first:
                raise
            width = (high - first + 1) >> 1
            continue
        yield read
        first, width = high + 1, min(2 * width, at_once)


def read_blocks(rpc: Rpc, deployment: Deployment, first: int, last: int) -> list[ChainBlock]:
    """Blocks ``first..last``, both included, each the parent of the next.

    Raises:
        RpcRefused: the range is too wide for the rpc, or a block is not there (yet).
        RpcUnavailable: the chain changed at every attempt to read it, or events were left out of every answer.
    """
    for _ in range(_ATTEMPTS):
        headers = rpc.blocks(first, last)
        logs = rpc.logs(first, last, emitters_of(deployment)) if headers else ()
        if _is_one_chain(headers, logs) and is_complete(rpc, deployment, headers, logs):
            return _joined(headers, logs)
    raise RpcUnavailable(rpc.url, f"blocks {first} to {last} changed while they were read, or events were left out")


def _is_one_chain(headers: list[BlockRef], logs: tuple[Log, ...]) -> bool:
    """Headers and logs come from several requests, and a reorganisation may lie between them."""
    hashes = {header.number: header.hash for header in headers}
    linked = all(child.parent == parent.hash for parent, child in pairwise(headers))
    return linked and all(hashes.get(log.block) == log.block_hash for log in logs)


def _joined(headers: list[BlockRef], logs: tuple[Log, ...]) -> list[ChainBlock]:
    events: defaultdict[int, list[ChainEvent]] = defaultdict(list)
    for log in sorted(logs, key=lambda log: (log.block, log.index)):
        if (event := decode_log(log)) is not None:
            events[log.block].append(ChainEvent(event, log.address, log.tx_hash, log.index))
    return [
        ChainBlock(header.number, header.hash, header.parent, header.timestamp, tuple(events[header.number]))
        for header in headers
    ]
