"""One file per area; importing this package fills the table."""

from mintery.chain.devchain.methods import blocks, events, fees, sending, state, testing

__all__ = ["blocks", "events", "fees", "sending", "state", "testing"]
