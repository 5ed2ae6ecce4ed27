"""Blocks with their events, read so that they belong to one chain."""

from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise

from mintery.chain.deployment import Deployment
from mintery.chain.events import Event, decode_log
from mintery.chain.rpc import BlockRef, Log, Rpc
from mintery.domain.voucher import Address
from mintery.errors import RpcUnavailable
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


def read_blocks(rpc: Rpc, deployment: Deployment, first: int, last: int) -> list[ChainBlock]:
    """Blocks ``first..last``, both included, each the parent of the next.

    Raises:
        RpcRefused: the range is too wide for the rpc, or a block is not there (yet).
        RpcUnavailable: the chain changed at every attempt to read it, or events were left out of every answer.
    """
    emitters = _emitters(deployment)
    for _ in range(_ATTEMPTS):
        headers = rpc.blocks(first, last)
        logs = rpc.logs(first, last, emitters) if headers else ()
        if _is_one_chain(headers, logs) and _is_complete(rpc, headers, logs, emitters):
            return _joined(headers, logs)
    raise RpcUnavailable(rpc.url, f"blocks {first} to {last} changed while they were read, or events were left out")


def _emitters(deployment: Deployment) -> tuple[Address, ...]:
    return (deployment.escrow, deployment.vault, deployment.oracle, deployment.registry)


def _is_one_chain(headers: list[BlockRef], logs: tuple[Log, ...]) -> bool:
    """Headers and logs come from several requests, and a reorganisation may lie between them."""
    hashes = {header.number: header.hash for header in headers}
    linked = all(child.parent == parent.hash for parent, child in pairwise(headers))
    return linked and all(hashes.get(log.block) == log.block_hash for log in logs)


def _is_complete(rpc: Rpc, headers: list[BlockRef], logs: tuple[Log, ...], emitters: tuple[Address, ...]) -> bool:
    """A node that has a block before its events are indexed answers a range without them, and says nothing.

    A block whose bloom speaks of events and of which the range had none is asked for alone.
    """
    seen = {log.block for log in logs}
    silent = (header for header in headers if header.number not in seen)
    doubtful = [header for header in silent if any(header.may_hold_events_of(address) for address in emitters)]
    return not any(rpc.block_logs(header.hash, emitters) for header in doubtful)


def _joined(headers: list[BlockRef], logs: tuple[Log, ...]) -> list[ChainBlock]:
    events: defaultdict[int, list[ChainEvent]] = defaultdict(list)
    for log in sorted(logs, key=lambda log: (log.block, log.index)):
        if (event := decode_log(log)) is not None:
            events[log.block].append(ChainEvent(event, log.address, log.tx_hash, log.index))
    return [
        ChainBlock(header.number, header.hash, header.parent, header.timestamp, tuple(events[header.number]))
        for header in headers
    ]
