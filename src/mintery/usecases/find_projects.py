"""Which projects the vault has opened, by its own events."""

from collections.abc import Iterator

from mintery.chain.events import ProjectOpened, events_of
from mintery.chain.rpc import BlockRef
from mintery.usecases.onchain import OnChain

BLOCKS_AT_ONCE = 2_000
"""What public rpcs answer in one request for logs."""


def find_projects(chain: OnChain, *, first: int | None = None, at: BlockRef | None = None) -> Iterator[ProjectOpened]:
    """Projects opened in blocks ``first`` (by default the deployment's) to ``at``, oldest first."""
    start = chain.deployment.first_block if first is None else first
    last = (at or chain.rpc.block()).number
    topic = chain.vault.abi.topic("ProjectOpened")
    for low in range(start, last + 1, BLOCKS_AT_ONCE):
        logs = chain.rpc.logs(low, min(low + BLOCKS_AT_ONCE - 1, last), [chain.vault.address], [topic])
        yield from events_of(logs, chain.vault.address, ProjectOpened)
