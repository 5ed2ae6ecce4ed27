"""Which receipts the next batch carries: as many of the oldest as the chain takes in one transaction."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

from mintery.chain.sender import TRANSACTION_GAS_CAP
from mintery.crypto.vouchers import account_id
from mintery.domain.receipt import Receipt
from mintery.domain.voucher import AccountId
from mintery.errors import TransactionReverted
from mintery.units import nanocredits, nanocredits_down, pro_rata_down
from mintery.usecases.form_batch import FormedBatch, LeftOut, OnChainStanding, count_lines, form_batch
from mintery.usecases.settlement import Settlement

CONTENT_ERRORS = frozenset(
    {
        "OverBurn",
        "PayoutAboveCap",
        "PriceVersionExpired",
        "ProjectRetired",
        "ProviderNotInTerms",
        "SettlementEnded",
        "UnknownPriceVersion",
    }
)
"""Refusals that some receipts cause, and that the others need not share."""
TRANSACTION_BYTES = 120 * 1024
"""Calldata of one transaction; nodes pass on no transaction above 128 KiB."""
TOO_LARGE = "it needs more gas, or bytes, than a settlement may have in one block"
_ONE_IN_PERCENT = 100


@dataclass(frozen=True, slots=True)
class _Weight:
    """How much of what is allowed a batch needs; ``refusal`` where the chain would refuse what it carries."""

    needed: int = 0
    allowed: int = 1
    refusal: str | None = None

    @property
    def fits(self) -> bool:
        return self.refusal is None and self.needed <= self.allowed


def choose_batch(settlement: Settlement, batch_id: int, busy: AbstractSet[AccountId]) -> FormedBatch:
    """The next batch. ``busy`` accounts have a batch under way, whose outcome would move their counters.

    Looks past receipts that no batch can carry, however many: they must not keep the newer ones waiting.
    """
    left_out: list[LeftOut] = []
    passed, most = 0, settlement.max_receipts
    while True:
        receipts = settlement.ledger.unbatched(limit=passed + most)[passed:]
        free = [receipt for receipt in receipts if account_id(receipt.account) not in busy]
        formed = _largest_settleable(settlement, batch_id, free)
        left_out += formed.left_out
        if formed.batch is not None or len(receipts) < most:
            return replace(formed, left_out=tuple(left_out))
        passed += len(receipts)


def refusal_of(settlement: Settlement, formed: FormedBatch) -> str | None:
    """Why the chain would refuse the batch for what it carries or for its size; None when it takes it.

    Raises:
        TransactionReverted: it refuses every batch now.
    """
    weight = _weigh(settlement, formed)
    return weight.refusal if weight.refusal is not None or weight.fits else TOO_LARGE


def _largest_settleable(settlement: Settlement, batch_id: int, receipts: Sequence[Receipt]) -> FormedBatch:
    """The batch of as many of the receipts as the chain takes, found by halving where it refuses some."""
    formed, refusal = _lightened(settlement, batch_id, receipts)
    if formed.batch is None or refusal is None:
        return formed
    carried = formed.receipts
    if len(carried) == 1:
        return FormedBatch(None, (), (*formed.left_out, LeftOut(carried[0].id, refusal)), formed.waiting)

    half = len(carried) >> 1
    older, newer = (_largest_settleable(settlement, batch_id, part) for part in (carried[:half], carried[half:]))
    left_out = (*formed.left_out, *older.left_out, *newer.left_out)
    together, refusal = _lightened(settlement, batch_id, (*older.receipts, *newer.receipts))
    if together.batch is not None and refusal is None:
        return FormedBatch(together.batch, together.receipts, left_out, formed.waiting + together.waiting)
    # Each half alone is taken and both are not: together they pass a cap. The newer ones wait for its next window.
    first, later = (older, newer) if older.batch is not None else (newer, older)
    return FormedBatch(first.batch, first.receipts, left_out, formed.waiting + len(later.receipts))


def _lightened(settlement: Settlement, batch_id: int, receipts: Sequence[Receipt]) -> tuple[FormedBatch, str | None]:
    """The batch with as many lines as one transaction can have, and why the chain refuses it nonetheless."""
    most = settlement.max_lines
    while True:
        formed = _form(settlement, batch_id, receipts, most)
        weight = _weigh(settlement, formed)
        if weight.fits or weight.refusal is not None:
            return formed, weight.refusal
        lines = 0 if formed.batch is None else count_lines(formed.batch)
        if lines <= 1:
            return formed, TOO_LARGE
        most = max(1, min(lines - 1, pro_rata_down(lines, weight.allowed, weight.needed)))


def _form(settlement: Settlement, batch_id: int, receipts: Sequence[Receipt], max_lines: int) -> FormedBatch:
    accounts = {account_id(receipt.account): receipt.account for receipt in receipts}
    head = settlement.chain.rpc.block()
    seen = settlement.chain.escrow.positions_of(list(accounts.values()), at=head)
    standings = {
        account: OnChainStanding(found.epoch, nanocredits(found.spent), nanocredits_down(found.balance))
        for account, found in zip(accounts, seen, strict=True)
    }
    return form_batch(
        receipts,
        gateway=settlement.gateway,
        batch_id=batch_id,
        standings=standings,
        find_voucher=settlement.ledger.highest_voucher,
        max_lines=max_lines,
        now=settlement.chain.next_time(),
    )


def _weigh(settlement: Settlement, formed: FormedBatch) -> _Weight:
    if formed.batch is None:
        return _Weight()
    call = settlement.chain.escrow.settle_call(formed.batch)
    if len(call.calldata) > TRANSACTION_BYTES:
        return _Weight(len(call.calldata), TRANSACTION_BYTES)
    try:
        gas = settlement.settler.gas_needed(call)
    except TransactionReverted as error:
        if error.error not in CONTENT_ERRORS:
            raise
        return _Weight(refusal=str(error))
    allowed = gas_allowed(settlement)
    # More than the node even tries: how much more is not known, so half of it is tried next.
    return _Weight(2 * allowed, allowed) if gas is None else _Weight(gas, allowed)


def gas_allowed(settlement: Settlement) -> int:
    """The most gas that one batch may need. What is signed is a quarter above the need, and stays below EIP-7825's cap."""
    block = pro_rata_down(settlement.chain.rpc.block().gas_limit, settlement.gas_percent, _ONE_IN_PERCENT)
    return min(block, pro_rata_down(TRANSACTION_GAS_CAP, 4, 5))
