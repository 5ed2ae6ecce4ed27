"""The chain's blocks and events into the ledger, at a confirmed depth, each once, and out of it when the chain left them."""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from mintery.chain.blocks import ChainBlock, ChainEvent, read_ranges
from mintery.chain.events import BatchSettled, Deposited, ExitCancelled, ExitExecuted, ExitStarted, Released
from mintery.domain.hold import RequestId
from mintery.domain.voucher import AccountId, AccountKey, Address
from mintery.errors import BlockReplaced, FinalBlockReplaced, LedgerInconsistent, OutcomeMismatch
from mintery.ledger import commands
from mintery.ledger.commands import (
    AppendBlock,
    BatchSettledSeen,
    Block,
    BlockAppended,
    Command,
    DepositSeen,
    ExitCancelledSeen,
    ExitExecutedSeen,
    ExitStartedSeen,
    MarkFinal,
    NotNext,
    ReleasedSeen,
    RollBackBlock,
)
from mintery.ledger.reads import Ledger
from mintery.units import nanocredits
from mintery.usecases.alarms import Alarm, Alarms
from mintery.usecases.onchain import OnChain

BLOCKS_AT_ONCE = 500
BLOCKS_BACK = 50

log = logging.getLogger(__name__)

Knows = Callable[[AccountId], bool]


@dataclass(frozen=True, slots=True)
class Synced:
    """``last`` is the newest block recorded, None while there is none; ``blocks`` and ``events`` count the news, ``undone``
    the blocks that the chain took back; ``written_off`` names receipts whose write-off they undid, by settling them.
    """

    last: Block | None
    blocks: int
    events: int
    undone: int = 0
    written_off: tuple[RequestId, ...] = ()


def sync_chain(
    chain: OnChain, ledger: Ledger, gateway: Address, alarms: Alarms, now: datetime, *, through: int | None = None
) -> Synced:
    """Record every confirmed block that concerns this gateway's ledger, and the newest one.

    Recorded blocks that the chain has replaced are rolled back first, in the same commit as what came instead, unless
    they were final.

    ``through``: no block after it, which is how a gateway keeps its ledger from running ahead of its market. A settlement
    that freed room in the ledger, but not yet taken it from the market's payout window, would let the window be sold twice.

    Raises:
        FinalBlockReplaced: a block that was recorded as final is not of the chain; an alarm stands until it is again.
        BlockReplaced: the chain changed while it was read; the next call sorts it out.
        OutcomeMismatch: the chain settled a batch that is not the one recorded; an alarm stands from then on.
        LedgerInconsistent: the chain says what this ledger cannot follow; likewise.
    """
    before = ledger.last_block()
    if before is not None and before.number > chain.rpc.block().number:
        # This node is behind: it says nothing of what is recorded, nor that a halt is over.
        return Synced(before, 0, 0)
    try:
        synced = _sync(chain, ledger, gateway, through, now)
    except FinalBlockReplaced as error:
        alarms.sound(Alarm.BLOCK_REPLACED, f"{error} {error.hint}", now)
        raise
    except OutcomeMismatch as error:
        alarms.sound(Alarm.OUTCOME_MISMATCH, str(error), now)
        raise
    except LedgerInconsistent as error:
        alarms.sound(Alarm.LEDGER_INCONSISTENT, str(error), now)
        raise
    for request in synced.written_off:
        why = f"an attempt that was believed dead settled receipt {request}: its write-off is undone, and its holder is charged"
        log.error("write-off undone", extra={"request": request})
        alarms.sound(Alarm.WRITE_OFF_UNDONE, why, now, subject=request)
    # Every recorded block is of the chain: another node's moment on a fork is over.
    alarms.clear(Alarm.BLOCK_REPLACED)
    return synced


def _sync(chain: OnChain, ledger: Ledger, gateway: Address, through: int | None, now: datetime) -> Synced:
    final, confirmed = chain.finalized_block().number, chain.confirmed_block().number
    target = confirmed if through is None else min(confirmed, through)
    undone, last = _replaced(chain, ledger, final)
    pending: list[Command] = [RollBackBlock(block.hash, now) for block in undone]
    first = chain.deployment.first_block if last is None else last.number + 1
    blocks = events = 0
    written_off: list[RequestId] = []
    for read in read_ranges(chain.rpc, chain.deployment, first, target, at_once=BLOCKS_AT_ONCE):
        appended = to_commands(read, last, gateway, ledger, escrow=chain.escrow.address)
        last = _commit(ledger, pending, appended, last, written_off)
        pending = []
        if appended and last != appended[-1].block:
            # Overtaken: what lies between the other's last block and the next range was read by nobody.
            return Synced(last, blocks, events, len(undone), tuple(written_off))
        blocks += len(appended)
        events += sum(len(command.events) for command in appended)
    last = _commit(ledger, pending, (), last, written_off)
    _mark_final(ledger, min(final, target))
    return Synced(last, blocks, events, len(undone), tuple(written_off))


def _replaced(chain: OnChain, ledger: Ledger, final: int) -> tuple[list[Block], Block | None]:
    """Recorded blocks that the chain no longer has, newest first, and the one on which both agree.

    Raises:
        FinalBlockReplaced
    """
    marked = ledger.final_block()
    bound = final if marked is None else marked
    undone: list[Block] = []
    while True:
        recorded = ledger.blocks(limit=BLOCKS_BACK, below=undone[-1].number if undone else None)
        for block in recorded:
            connected = chain.rpc.block(block.number)
            if connected.hash == block.hash:
                return undone, block
            if block.number <= bound:
                raise FinalBlockReplaced(block.number, recorded=block.hash, connected=connected.hash)
            log.warning("block replaced", extra={"number": block.number, "was": block.hash, "is": connected.hash})
            undone.append(block)
        if len(recorded) < BLOCKS_BACK:
            return undone, None


def _mark_final(ledger: Ledger, number: int) -> None:
    marked = ledger.final_block()
    if marked is None or number > marked:
        ledger.commit([MarkFinal(number)])


def to_commands(
    blocks: Sequence[ChainBlock], last: Block | None, gateway: Address, ledger: Ledger, *, escrow: Address
) -> list[AppendBlock]:
    """Blocks with events of ours, and the newest of ``blocks``; each names the one recorded before it as its parent.

    Raises:
        BlockReplaced: ``blocks`` do not follow ``last``.
    """
    if not blocks:
        return []
    first = blocks[0]
    if last is not None and first.number == last.number + 1 and first.parent != last.hash:
        raise BlockReplaced(last.number, recorded=last.hash, connected=first.parent)

    opened: set[AccountId] = set()
    parent = first.parent if last is None else last.hash
    appended = []
    for block in blocks:
        ours = tuple(_ours(block.events, gateway, ledger, opened, escrow))
        if not ours and block is not blocks[-1]:
            continue
        appended.append(AppendBlock(Block(block.number, block.hash, parent, block.timestamp), ours))
        parent = block.hash
    return appended


def _ours(
    events: Iterable[ChainEvent], gateway: Address, ledger: Ledger, opened: set[AccountId], escrow: Address
) -> Iterable[tuple[int, commands.ChainEvent]]:
    def knows(account: AccountId) -> bool:
        return account in opened or ledger.account(account) is not None

    for seen in events:
        mapped = map_event(seen, gateway, knows) if seen.contract == escrow else None
        if isinstance(mapped, DepositSeen):
            opened.add(mapped.account)
        if mapped is not None:
            yield seen.log_index, mapped


def map_event(  # noqa: PLR0911 -- one return for each event
    seen: ChainEvent, gateway: Address, knows: Knows
) -> commands.ChainEvent | None:
    """What the ledger is told of an event of the escrow; None for what is another gateway's.

    Deposits and batches name the gateway; the rest names the account alone. An account that paid something out and of
    which no deposit was seen is another gateway's. An exit may be started before the first deposit, so that is kept.
    """
    match seen.event:
        case Deposited(account, token, owner, holder, signer, credits_) if owner == gateway:
            return DepositSeen(account, AccountKey(token, owner, holder, signer), nanocredits(credits_))
        case ExitStarted(account, credits_, unlock, closing):
            return ExitStartedSeen(account, nanocredits(credits_), unlock, closing)
        case ExitCancelled(account):
            return ExitCancelledSeen(account)
        case ExitExecuted(account, _, credits_, epoch) if not credits_ or knows(account):
            return ExitExecutedSeen(account, nanocredits(credits_), epoch)
        case Released(account, _, credits_) if knows(account):
            return ReleasedSeen(account, nanocredits(credits_), seen.tx_hash)
        case BatchSettled(owner, batch_id, root, outcomes) if owner == gateway:
            return BatchSettledSeen(batch_id, root, outcomes, seen.tx_hash)
        case _:
            return None


def _commit(
    ledger: Ledger,
    undone: Sequence[Command],
    appended: Sequence[AppendBlock],
    last: Block | None,
    written_off: list[RequestId],
) -> Block | None:
    """In one transaction, so that nobody ever reads the books between two branches. ``written_off`` is added to."""
    if not undone and not appended:
        return last
    results = ledger.commit([*undone, *appended])[len(undone) :]
    for command, result in zip(appended, results, strict=True):
        if isinstance(result, NotNext):
            # Another process recorded further meanwhile, which is no fault; a fork below it would have shown above.
            return result.last
        if isinstance(result, BlockAppended):
            written_off += result.undone
        last = command.block
    return last
