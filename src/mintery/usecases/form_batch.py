"""Receipts to one settlement batch, and what the escrow will make of its lines."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from mintery.chain.spend_escrow import Account
from mintery.crypto.receipts import merkle_root, receipt_digest
from mintery.crypto.vouchers import account_id
from mintery.domain.batch import Batch, LineOutcome, LineStatus, SettlementLine, TokenBatch, sum_usage
from mintery.domain.hold import RequestId
from mintery.domain.receipt import Receipt
from mintery.domain.voucher import AccountId, Address, SignedVoucher
from mintery.units import CreditUnits, NanoCredits, UnixSeconds, credit_units, nanocredits

FindVoucher = Callable[[AccountId, int, NanoCredits], SignedVoucher | None]
"""The stored voucher of an account and epoch with the largest maxSpend that covers that much spent."""


@dataclass(frozen=True, slots=True)
class Counter:
    """Where an account stands: its epoch, and what it has settled in that epoch."""

    epoch: int
    spent: NanoCredits


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A receipt that this batch cannot carry, and why."""

    receipt: RequestId
    why: str


@dataclass(frozen=True, slots=True)
class FormedBatch:
    """``batch`` is None when no receipt could be carried. Receipts of a line enter or leave together."""

    batch: Batch | None
    receipts: tuple[Receipt, ...]
    left_out: tuple[LeftOut, ...]


@dataclass(slots=True)
class _Group:
    """One account's receipts of its present epoch."""

    receipts: list[Receipt] = field(default_factory=list)

    @property
    def captured(self) -> int:
        return sum(receipt.cost for receipt in self.receipts)


def form_batch(
    receipts: Sequence[Receipt],
    *,
    gateway: Address,
    batch_id: int,
    counters: Mapping[AccountId, Counter],
    find_voucher: FindVoucher,
    max_lines: int,
) -> FormedBatch:
    """One line for each account, oldest receipts first, at most ``max_lines`` lines; later accounts wait.

    For each account: spentAfter is what it had settled and what these receipts charged (S6); the usage of a token is the
    sum over its receipts' lines, and ``requests`` their number, each worth one nanocredit of rounding (S5).
    """
    groups, left_out = _grouped(receipts, counters, max_lines)
    tokens: dict[Address, list[SettlementLine]] = {}
    carried: dict[Address, list[Receipt]] = {}
    for account in sorted(groups):
        group, counter = groups[account], counters[account]
        spent_after = NanoCredits(counter.spent + group.captured)
        signed = find_voucher(account, counter.epoch, spent_after)
        if signed is None:
            left_out += [LeftOut(receipt.id, "no stored voucher covers it") for receipt in group.receipts]
            continue
        token = signed.voucher.token
        tokens.setdefault(token, []).append(SettlementLine(signed, credit_units(spent_after)))
        carried.setdefault(token, []).extend(group.receipts)

    ordered = [receipt for token in tokens for receipt in carried[token]]
    if not ordered:
        return FormedBatch(None, (), tuple(left_out))
    parts = tuple(_token_batch(token, tokens[token], carried[token]) for token in sorted(tokens, key=str.lower))
    batch = Batch(gateway, batch_id, receipts_root(ordered), parts)
    return FormedBatch(batch, tuple(ordered), tuple(left_out))


def receipts_root(receipts: Iterable[Receipt]) -> bytes:
    return merkle_root([receipt_digest(receipt) for receipt in receipts])


def account_of_receipt(receipt: Receipt) -> AccountId:
    return account_id(receipt.account)


def _grouped(
    receipts: Sequence[Receipt], counters: Mapping[AccountId, Counter], max_lines: int
) -> tuple[dict[AccountId, _Group], list[LeftOut]]:
    groups: dict[AccountId, _Group] = {}
    left_out = []
    for receipt in receipts:
        account = account_of_receipt(receipt)
        counter = counters.get(account)
        if counter is None or counter.epoch != receipt.epoch:
            left_out.append(LeftOut(receipt.id, "its account's epoch has ended"))
        elif account in groups or len(groups) < max_lines:
            groups.setdefault(account, _Group()).receipts.append(receipt)
    return groups, left_out


def _token_batch(token: Address, lines: list[SettlementLine], receipts: list[Receipt]) -> TokenBatch:
    usage = sum_usage(line for receipt in receipts for line in receipt.lines)
    return TokenBatch(token, len(receipts), tuple(lines), usage)


def predict_outcome(line: SettlementLine, account: Account, now: UnixSeconds) -> LineOutcome:
    """What the escrow does with a line, by the same rules in the same order.

    ``account`` is the line's account as the chain has it, ``now`` its time. The signature was checked when the voucher
    was taken, and the account's id follows from its signer.
    """
    voucher = line.signed.voucher
    if now > voucher.deadline:
        return _skipped(LineStatus.EXPIRED)
    if voucher.epoch != account.epoch:
        return _skipped(LineStatus.WRONG_EPOCH)
    if line.spent_after > voucher.max_spend:
        return _skipped(LineStatus.ABOVE_VOUCHER)
    if line.spent_after <= account.spent:
        return _skipped(LineStatus.NOTHING_NEW)
    if account.balance == 0:
        return _skipped(LineStatus.EMPTY)
    wanted = line.spent_after - account.spent
    if wanted > account.balance:
        return LineOutcome(LineStatus.PARTIAL, nanocredits(account.balance))
    return LineOutcome(LineStatus.SETTLED, nanocredits(CreditUnits(wanted)))


def _skipped(status: LineStatus) -> LineOutcome:
    return LineOutcome(status, NanoCredits(0))


def lines_of(batch: Batch) -> tuple[SettlementLine, ...]:
    """All lines in the order of the outcomes."""
    return tuple(line for part in batch.tokens for line in part.lines)
