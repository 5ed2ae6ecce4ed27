"""Which projects the vault has opened, by its own events."""

from collections.abc import Iterator

from mintery.chain.artifact import load_artifact
from mintery.chain.events import ProjectOpened, events_of
from mintery.usecases.onchain import OnChain

BLOCKS_AT_ONCE = 2_000
"""What public rpcs answer in one request for logs."""


def find_projects(chain: OnChain, *, first: int | None = None, last: int | None = None) -> Iterator[ProjectOpened]:
    """Projects opened in blocks ``first`` (by default the deployment's) to ``last`` (the newest), oldest first."""
    start = chain.deployment.first_block if first is None else first
    end = chain.rpc.block().number if last is None else last
    topics = [t for t, event in load_artifact("ReserveVault").abi.events.items() if event.name == "ProjectOpened"]
    for low in range(start, end + 1, BLOCKS_AT_ONCE):
        logs = chain.rpc.logs(low, min(low + BLOCKS_AT_ONCE - 1, end), [chain.vault.address], topics)
        yield from events_of(logs, chain.vault.address, ProjectOpened)
