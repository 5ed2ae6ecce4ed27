"""The chain's blocks and events into the ledger, at a confirmed depth, each once."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from mintery.chain.blocks import ChainBlock, ChainEvent, read_blocks
from mintery.chain.events import BatchSettled, Deposited, ExitCancelled, ExitExecuted, ExitStarted, Released
from mintery.domain.voucher import AccountId, AccountKey, Address
from mintery.errors import BlockReplaced, LedgerInconsistent, OutcomeMismatch
from mintery.ledger import commands
from mintery.ledger.commands import (
    AppendBlock,
    BatchSettledSeen,
    Block,
    DepositSeen,
    ExitCancelledSeen,
    ExitExecutedSeen,
    ExitStartedSeen,
    NotNext,
    ReleasedSeen,
)
from mintery.ledger.reads import Ledger
from mintery.units import nanocredits
from mintery.usecases.alarms import Alarm, Alarms
from mintery.usecases.onchain import OnChain

BLOCKS_AT_ONCE = 500

Knows = Callable[[AccountId], bool]


@dataclass(frozen=True, slots=True)
class Synced:
    """``last`` is the newest block recorded, None while there is none; ``blocks`` and ``events`` count the news."""

    last: Block | None
    blocks: int
    events: int


def sync_chain(
    chain: OnChain, ledger: Ledger, gateway: Address, alarms: Alarms, now: datetime, *, through: int | None = None
) -> Synced:
    """Record every confirmed block that concerns this gateway's ledger, and the newest one.

    ``through``: no block after it, which is how a gateway keeps its ledger from running ahead of its market. A settlement
    that freed room in the ledger, but not yet taken it from the market's payout window, would let the window be sold twice.

    Raises:
        BlockReplaced: a recorded block is not of the chain; an alarm stands until it is again.
        OutcomeMismatch: the chain settled a batch that is not the one recorded; an alarm stands from then on.
        LedgerInconsistent: the chain says what this ledger cannot follow; likewise.
    """
    try:
        synced = _sync(chain, ledger, gateway, through)
    except BlockReplaced as error:
        alarms.sound(Alarm.BLOCK_REPLACED, str(error), now)
        raise
    except OutcomeMismatch as error:
        alarms.sound(Alarm.OUTCOME_MISMATCH, str(error), now)
        raise
    except LedgerInconsistent as error:
        alarms.sound(Alarm.LEDGER_INCONSISTENT, str(error), now)
        raise
    # Every recorded block is of the chain: another node's moment on a fork is over.
    alarms.clear(Alarm.BLOCK_REPLACED)
    return synced


def _sync(chain: OnChain, ledger: Ledger, gateway: Address, through: int | None) -> Synced:
    last = ledger.last_block()
    confirmed = chain.confirmed_block().number
    target = confirmed if through is None else min(confirmed, through)
    if last is not None:
        _check_still_there(chain, last)
    first = chain.deployment.first_block if last is None else last.number + 1
    blocks = events = 0
    for low in range(first, target + 1, BLOCKS_AT_ONCE):
        read = read_blocks(chain.rpc, chain.deployment, low, min(low + BLOCKS_AT_ONCE - 1, target))
        appended = to_commands(read, last, gateway, ledger, escrow=chain.escrow.address)
        last = _append(ledger, appended, last)
        blocks += len(appended)
        events += sum(len(command.events) for command in appended)
    return Synced(last, blocks, events)


def _check_still_there(chain: OnChain, last: Block) -> None:
    connected = chain.rpc.block(last.number)
    if connected.hash != last.hash:
        raise BlockReplaced(last.number, recorded=last.hash, connected=connected.hash)


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
            return ReleasedSeen(account, nanocredits(credits_))
        case BatchSettled(owner, batch_id, root, outcomes) if owner == gateway:
            return BatchSettledSeen(batch_id, root, outcomes, seen.tx_hash)
        case _:
            return None


def _append(ledger: Ledger, appended: Sequence[AppendBlock], last: Block | None) -> Block | None:
    for command, result in zip(appended, ledger.commit(appended), strict=True):
        if isinstance(result, NotNext):
            # Another process recorded further meanwhile, which is no fault; a fork below it would have shown above.
            return result.last
        last = command.block
    return last
