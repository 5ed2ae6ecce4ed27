"""One file per area; importing this package fills the table that ``invoke`` looks in."""

from mintery.chain.devchain.methods import blocks, events, fees, sending, state, testing
from mintery.chain.devchain.registry import invoke

__all__ = ["blocks", "events", "fees", "invoke", "sending", "state", "testing"]
