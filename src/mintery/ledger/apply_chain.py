"""What the chain says, applied block by block: the ledger never argues with it, and never plugs a difference."""

import json

from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects.postgresql import Insert

from mintery.domain.hold import RequestId
from mintery.domain.voucher import AccountId, AccountKey
from mintery.errors import LedgerInconsistent
from mintery.ledger.apply_authorities import spread_authority
from mintery.ledger.apply_settled import apply_settled
from mintery.ledger.books import Move, OpenAccount
from mintery.ledger.chain_rows import Place, last_block, lock_chain, place_of, set_epoch, set_exit
from mintery.ledger.commands import (
    AppendBlock,
    BatchSettledSeen,
    BlockAppended,
    ChainEvent,
    DepositSeen,
    ExitCancelledSeen,
    ExitExecutedSeen,
    ExitStartedSeen,
    NotNext,
    ReleasedSeen,
)
from mintery.ledger.commands_wallet import SpreadAuthority
from mintery.ledger.covering import cover, turn_epoch
from mintery.ledger.refund_marks import refund_released
from mintery.ledger.schema import accounts, blocks, events
from mintery.ledger.work import Statement, Work, insert_of

_block = Statement(
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
_facts = Statement(
    select(
        accounts.c.epoch, accounts.c.spent_settled, accounts.c.exiting, accounts.c.exit_unlock, accounts.c.closing
    ).where(accounts.c.id == bindparam("account"))
)


def append_block(work: Work, command: AppendBlock) -> BlockAppended | NotNext:
    """Record the block and apply its events in their order.

    Raises:
        LedgerInconsistent: an event takes more than the ledger knows of.
        OutcomeMismatch: a batch settled that is not the one recorded here.
    """
    lock_chain(work)
    block = command.block
    if work.row(_block, hash=block.hash) is not None:
        return BlockAppended(news=False)
    last = last_block(work)
    if last is not None and (block.parent != last.hash or block.number <= last.number):
        return NotNext(last)

    work.run(_insert_block, number=block.number, hash=block.hash, parent=block.parent, timestamp=block.timestamp)
    place_at = place_of(work, block)
    undone: list[RequestId] = []
    for log_index, event in command.events:
        place = place_at(log_index)
        _record_event(work, place, event)
        undone += _apply(work, place, event)
    return BlockAppended(news=True, undone=tuple(undone))


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


def _apply(work: Work, place: Place, event: ChainEvent) -> tuple[RequestId, ...]:
    """Receipts whose write-off the event undid."""
    match event:
        case DepositSeen():
            _ensure_account(work, event.account, event.key)
            opened = _open(work, place, event.account)
            opened.move(Move.DEPOSIT, event.amount)
            cover(opened)
            opened.save()
        case ExitStartedSeen():
            _ensure_account(work, event.account)
            closing = int(event.closing)
            work.run(set_exit, account=event.account, amount=event.amount, unlock=event.unlock, flag=closing)
        case ExitCancelledSeen():
            work.run(set_exit, account=event.account, amount=0, unlock=None, flag=0)
        case ExitExecutedSeen():
            _ensure_account(work, event.account)
            _apply_exit(work, place, event)
        case ReleasedSeen():
            opened = _open(work, place, event.account)
            opened.free(event.amount)
            opened.move(Move.RELEASED_ON_CHAIN, event.amount)
            opened.save()
            refund_released(work, event.account, event.amount, place.reference, tx_hash=event.tx_hash)
        case BatchSettledSeen():
            return apply_settled(work, event, block=place.block, reference=place.reference, at=place.at)
    return ()


def _ensure_account(work: Work, account: AccountId, key: AccountKey | None = None) -> None:
    """Exits name an account by its hash alone, and may come before its first deposit: its key is then not known yet."""
    fields = (None,) * 4 if key is None else (key.token, key.gateway, key.holder, key.signer)
    token, gateway, holder, signer = fields
    if not work.run(_insert_account, id=account, token=token, gateway=gateway, holder=holder, signer=signer) and key:
        work.run(
            _name_account, account=account, its_token=token, its_gateway=gateway, its_holder=holder, its_signer=signer
        )
    if key is not None:
        spread_authority(work, SpreadAuthority(key.holder))


def _open(work: Work, place: Place, account: AccountId) -> OpenAccount:
    opened = OpenAccount.lock(work, account, reference=place.reference, at=place.at)
    if opened is None or opened.token is None:
        raise LedgerInconsistent(f"the chain moved credits of account {account}, whose deposit was never recorded here")
    return opened


def _apply_exit(work: Work, place: Place, event: ExitExecutedSeen) -> None:
    """Pay out, and where the account closed, void its vouchers: what is still owed under them is lost."""
    work.run(set_exit, account=event.account, amount=0, unlock=None, flag=0)
    if event.amount == 0:
        opened = OpenAccount.lock(work, event.account, reference=place.reference, at=place.at)
        if opened is None or opened.token is None:
            work.run(set_epoch, account=event.account, new=event.epoch)
            return
    opened = _open(work, place, event.account)
    opened.free(event.amount)
    opened.move(Move.EXIT, event.amount)
    if event.epoch != opened.epoch:
        if opened.on_chain:
            raise LedgerInconsistent(f"account {opened.id} closed on chain and has {opened.on_chain} left here")
        turn_epoch(opened, event.epoch, 0)
    opened.save()
