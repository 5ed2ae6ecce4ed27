"""What the chain says, applied block by block: the ledger never argues with it, and never plugs a difference."""

import json
from dataclasses import dataclass

from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects.postgresql import Insert

from mintery.domain.hold import Ending
from mintery.domain.voucher import AccountId, AccountKey
from mintery.errors import LedgerInconsistent
from mintery.ledger.apply_endings import free_limits
from mintery.ledger.apply_settled import apply_settled
from mintery.ledger.books import Book, Move, OpenAccount
from mintery.ledger.commands import (
    AppendBlock,
    BatchSettledSeen,
    Block,
    BlockAppended,
    ChainEvent,
    DepositSeen,
    ExitCancelledSeen,
    ExitExecutedSeen,
    ExitStartedSeen,
    NotNext,
    ReleasedSeen,
)
from mintery.ledger.schema import accounts, blocks, events, receipts, requests
from mintery.ledger.work import Statement, Work, insert_of
from mintery.units import UnixSeconds

_last_block = Statement(
    select(blocks.c.number, blocks.c.hash, blocks.c.parent, blocks.c.timestamp)
    .order_by(blocks.c.number.desc())
    .limit(1)
)
_block = Statement(select(blocks.c.number).where(blocks.c.hash == bindparam("hash")))
_insert_block = Statement(insert_of(blocks))
_insert_event = Statement(insert_of(events))
_insert_account = Statement(
    Insert(accounts)
    .values({name: bindparam(name) for name in ("id", "token", "gateway", "holder", "signer")})
    .on_conflict_do_nothing()
)
_name_account = Statement(
    update(accounts)
    .where(accounts.c.id == bindparam("account"), accounts.c.token.is_(None))
    .values({name: bindparam(f"its_{name}") for name in ("token", "gateway", "holder", "signer")})
)
_set_exit = Statement(
    update(accounts)
    .where(accounts.c.id == bindparam("account"))
    .values(exiting=bindparam("amount"), exit_unlock=bindparam("unlock"), closing=bindparam("flag"))
)
_set_epoch = Statement(update(accounts).where(accounts.c.id == bindparam("account")).values(epoch=bindparam("new")))
_facts = Statement(
    select(
        accounts.c.epoch, accounts.c.spent_settled, accounts.c.exiting, accounts.c.exit_unlock, accounts.c.closing
    ).where(accounts.c.id == bindparam("account"))
)
_limited = Statement(
    select(receipts.c.request)
    .join_from(receipts, requests, requests.c.id == receipts.c.request)
    .where(receipts.c.account == bindparam("account"), receipts.c.epoch < bindparam("new"), requests.c.limits > 0)
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where an event stands in the chain; ``at`` in microseconds since 1970."""

    block: Block
    log_index: int

    @property
    def reference(self) -> str:
        return f"{self.block.hash}/{self.log_index}"

    @property
    def at(self) -> int:
        return self.block.timestamp * 1_000_000


def append_block(work: Work, command: AppendBlock) -> BlockAppended | NotNext:
    """Record the block and apply its events in their order.

    Raises:
        LedgerInconsistent: an event takes more than the ledger knows of.
        OutcomeMismatch: a batch settled that is not the one recorded here.
    """
    block = command.block
    if work.row(_block, hash=block.hash) is not None:
        return BlockAppended(news=False)
    last = last_block(work)
    if last is not None and (block.parent != last.hash or block.number <= last.number):
        return NotNext(last)

    work.run(_insert_block, number=block.number, hash=block.hash, parent=block.parent, timestamp=block.timestamp)
    for log_index, event in command.events:
        place = Place(block, log_index)
        _record_event(work, place, event)
        _apply(work, place, event)
    return BlockAppended(news=True)


def last_block(work: Work) -> Block | None:
    row = work.row(_last_block)
    return None if row is None else Block(row[0], row[1], row[2], UnixSeconds(row[3]))


def _record_event(work: Work, place: Place, event: ChainEvent) -> None:
    work.run(
        _insert_event,
        block_hash=place.block.hash,
        log_index=place.log_index,
        kind=type(event).__name__.removesuffix("Seen"),
        account=getattr(event, "account", None),
        amount=getattr(event, "amount", None),
        batch_id=getattr(event, "batch_id", None),
        earlier=_earlier(work, event),
    )


def _earlier(work: Work, event: ChainEvent) -> str | None:
    """The account's facts that an exit's events overwrite, and that taking them back restores."""
    if not isinstance(event, ExitStartedSeen | ExitCancelledSeen | ExitExecutedSeen):
        return None
    row = work.row(_facts, account=event.account)
    return json.dumps([0, 0, 0, None, 0] if row is None else list(row))


def _apply(work: Work, place: Place, event: ChainEvent) -> None:
    match event:
        case DepositSeen():
            _ensure_account(work, event.account, event.key)
            opened = _open(work, place, event.account)
            opened.move(Move.DEPOSIT, event.amount)
            opened.save()
        case ExitStartedSeen():
            _ensure_account(work, event.account)
            closing = int(event.closing)
            work.run(_set_exit, account=event.account, amount=event.amount, unlock=event.unlock, flag=closing)
        case ExitCancelledSeen():
            work.run(_set_exit, account=event.account, amount=0, unlock=None, flag=0)
        case ExitExecutedSeen():
            _ensure_account(work, event.account)
            _apply_exit(work, place, event)
        case ReleasedSeen():
            opened = _open(work, place, event.account)
            opened.free(event.amount)
            opened.move(Move.RELEASED_ON_CHAIN, event.amount)
            opened.save()
        case BatchSettledSeen():
            apply_settled(work, event, block=place.block, reference=place.reference, at=place.at)


def _ensure_account(work: Work, account: AccountId, key: AccountKey | None = None) -> None:
    """Exits name an account by its hash alone, and may come before its first deposit: its key is then not known yet."""
    fields = (None,) * 4 if key is None else (key.token, key.gateway, key.holder, key.signer)
    token, gateway, holder, signer = fields
    if not work.run(_insert_account, id=account, token=token, gateway=gateway, holder=holder, signer=signer) and key:
        work.run(
            _name_account, account=account, its_token=token, its_gateway=gateway, its_holder=holder, its_signer=signer
        )


def _open(work: Work, place: Place, account: AccountId) -> OpenAccount:
    opened = OpenAccount.lock(work, account, reference=place.reference, at=place.at)
    if opened is None or opened.token is None:
        raise LedgerInconsistent(f"the chain moved credits of account {account}, whose deposit was never recorded here")
    return opened


def _apply_exit(work: Work, place: Place, event: ExitExecutedSeen) -> None:
    """Pay out, and where the account closed, void its vouchers: what is still owed under them is lost."""
    work.run(_set_exit, account=event.account, amount=0, unlock=None, flag=0)
    if event.amount == 0:
        opened = OpenAccount.lock(work, event.account, reference=place.reference, at=place.at)
        if opened is None or opened.token is None:
            work.run(_set_epoch, account=event.account, new=event.epoch)
            return
    opened = _open(work, place, event.account)
    opened.free(event.amount)
    opened.move(Move.EXIT, event.amount)
    if event.epoch != opened.epoch:
        if opened.on_chain:
            raise LedgerInconsistent(f"account {opened.id} closed on chain and has {opened.on_chain} left here")
        opened.move(Move.LOSS, opened[Book.UNCOVERED])
        opened.epoch, opened.spent_settled = event.epoch, 0
        for (request,) in work.rows(_limited, account=event.account, new=event.epoch):
            free_limits(work, request, {Ending.SETTLEMENT: 0})
    opened.save()
