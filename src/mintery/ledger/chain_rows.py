"""The recorded chain's rows: its last block, and the facts of an account that its events set."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import bindparam, func, select, update

from mintery.ledger.commands import Block
from mintery.ledger.schema import accounts, blocks, identity, undone_blocks
from mintery.ledger.work import Statement, Work
from mintery.units import UnixSeconds

_the_only_row = Statement(select(identity.c.one).with_for_update())
_last_block = Statement(
    select(blocks.c.number, blocks.c.hash, blocks.c.parent, blocks.c.timestamp)
    .order_by(blocks.c.number.desc())
    .limit(1)
)
_times_undone = Statement(select(func.count()).where(undone_blocks.c.hash == bindparam("hash")))
set_exit = Statement(
    update(accounts)
    .where(accounts.c.id == bindparam("account"))
    .values(exiting=bindparam("amount"), exit_unlock=bindparam("unlock"), closing=bindparam("flag"))
)
set_epoch = Statement(update(accounts).where(accounts.c.id == bindparam("account")).values(epoch=bindparam("new")))


@dataclass(frozen=True, slots=True)
class Place:
    """Where an event stands in the chain; ``at`` in microseconds since 1970."""

    block: Block
    log_index: int
    recording: int
    """How often the block was recorded and undone before: the names of its transfers must differ."""

    @property
    def reference(self) -> str:
        again = f"~{self.recording}" if self.recording else ""
        return f"{self.block.hash}{again}/{self.log_index}"

    @property
    def undone(self) -> str:
        """The reference of what undoes the event."""
        return f"undo/{self.reference}"

    @property
    def at(self) -> int:
        return self.block.timestamp * 1_000_000


def lock_chain(work: Work) -> None:
    """Nobody else records or undoes a block until this transaction ends."""
    work.row(_the_only_row)


def last_block(work: Work) -> Block | None:
    row = work.row(_last_block)
    return None if row is None else Block(row[0], row[1], row[2], UnixSeconds(row[3]))


def place_of(work: Work, block: Block) -> Callable[[int], Place]:
    """The place of a log index in ``block``."""
    row = work.row(_times_undone, hash=block.hash)
    recording = 0 if row is None else row[0]
    return lambda log_index: Place(block, log_index, recording)
