"""Whether a node left events out: one that has a block before its events are indexed answers with fewer, and says nothing.

A header's bloom tells who may have emitted what in its block, and is never wrong about what is not there. Where it speaks of
events that the answer lacks, the block is asked for alone; where that lacks them too, the receipts of its transactions
decide, which no index of events stands behind. A bloom also speaks of events by chance; then nothing is found, and
nothing was left out.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache

from mintery.chain.artifact import load_artifact
from mintery.chain.deployment import Deployment
from mintery.chain.rpc import BlockRef, Log, Rpc
from mintery.domain.voucher import Address


def emitters_of(deployment: Deployment) -> tuple[Address, ...]:
    """The contracts whose events are read."""
    return (deployment.escrow, deployment.vault, deployment.oracle, deployment.registry)


def is_complete(rpc: Rpc, deployment: Deployment, headers: Iterable[BlockRef], logs: Sequence[Log]) -> bool:
    """Whether ``logs``, read as a range, are all events of our contracts in the blocks of ``headers``."""
    return all(_block_is_complete(rpc, deployment, header, logs) for header in headers)


def _block_is_complete(rpc: Rpc, deployment: Deployment, header: BlockRef, logs: Sequence[Log]) -> bool:
    seen = [log for log in logs if log.block == header.number]
    emitters = emitters_of(deployment)
    silent = set(emitters).difference(log.address for log in seen)
    unseen = _unseen_topics(deployment.escrow, header, seen)
    if not unseen and not any(header.may_hold_events_of(address) for address in silent):
        return True
    if _places(rpc.block_logs(header.hash, emitters)) != _places(seen):
        return False
    if not unseen:
        return True
    receipts = rpc.receipt_logs(header.hash, emitters)
    return receipts is None or _places(receipts) == _places(seen)


def _unseen_topics(escrow: Address, header: BlockRef, seen: Sequence[Log]) -> bool:
    """What moves money in accounts is looked at event by event: others of the same contract may stand beside it."""
    if not header.may_hold_events_of(escrow):
        return False
    topics = {log.topics[0] for log in seen if log.address == escrow and log.topics}
    return any(header.may_hold_topic(topic) for topic in _topics() if topic not in topics)


def _places(logs: Iterable[Log]) -> list[int]:
    return sorted(log.index for log in logs)


@cache
def _topics() -> tuple[bytes, ...]:
    return tuple(_moving())


def _moving() -> Iterator[bytes]:
    moving = {"Deposited", "ExitStarted", "ExitCancelled", "ExitExecuted", "Released", "BatchSettled"}
    for topic, signature in load_artifact("SpendEscrow").abi.events.items():
        if signature.name in moving:
            yield topic
