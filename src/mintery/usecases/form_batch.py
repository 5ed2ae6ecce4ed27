"""Receipts to one settlement batch. Pure: what the chain and the ledger say comes in as facts."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from mintery.crypto.receipts import merkle_root, receipt_digest
from mintery.crypto.vouchers import account_id
from mintery.domain.batch import Batch, SettlementLine, TokenBatch, sum_usage
from mintery.domain.hold import RequestId
from mintery.domain.receipt import Receipt
from mintery.domain.voucher import AccountId, Address, SignedVoucher
from mintery.units import NanoCredits, UnixSeconds, credit_units

FindVoucher = Callable[[AccountId, int, UnixSeconds], SignedVoucher | None]
"""The stored voucher of an account and epoch with the largest maxSpend whose deadline has not passed at that time."""


@dataclass(frozen=True, slots=True)
class OnChainStanding:
    """Where an account stands on chain: its epoch, what it has settled in that epoch, what it can still pay."""

    epoch: int
    spent: NanoCredits
    balance: NanoCredits


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A receipt that this batch cannot carry, and why."""

    receipt: RequestId
    why: str


@dataclass(frozen=True, slots=True)
class FormedBatch:
    """``batch`` is None when it carries nothing. ``waiting`` counts receipts that only had no room."""

    batch: Batch | None
    receipts: tuple[Receipt, ...]
    left_out: tuple[LeftOut, ...]
    waiting: int = 0


def form_batch(
    receipts: Sequence[Receipt],
    *,
    gateway: Address,
    batch_id: int,
    standings: Mapping[AccountId, OnChainStanding],
    find_voucher: FindVoucher,
    max_lines: int,
    now: UnixSeconds,
) -> FormedBatch:
    """One line for each account, oldest receipts first, at most ``max_lines`` lines; later accounts wait. An account whose
    receipts no line can carry takes none: it must not keep the later ones waiting.

    For each account, spentAfter is what it had settled and what these receipts charged, within its balance and within the
    largest voucher that has not expired at ``now``, the chain's time (S6). A receipt leaves together with its usage. The usage of
    a token is the sum over its receipts' lines, and ``requests`` their number, one nanocredit of rounding each (S5).
    """
    groups, left_out = _grouped(receipts, standings)
    formed: dict[AccountId, tuple[SignedVoucher, list[Receipt]]] = {}
    waiting = 0
    for account, charged in groups.items():
        if len(formed) == max_lines:
            waiting += len(charged)
            continue
        signed, covered, beyond = _carried_of(charged, standings[account], find_voucher, now)
        left_out += beyond
        if signed is not None and covered:
            formed[account] = signed, covered

    lines: dict[Address, list[SettlementLine]] = {}
    carried: dict[Address, list[Receipt]] = {}
    for account, (signed, covered) in sorted(formed.items()):
        spent_after = NanoCredits(standings[account].spent + _charged(covered))
        lines.setdefault(signed.voucher.token, []).append(SettlementLine(signed, credit_units(spent_after)))
        carried.setdefault(signed.voucher.token, []).extend(covered)

    tokens = sorted(lines, key=str.lower)
    ordered = tuple(receipt for token in tokens for receipt in carried[token])
    if not ordered:
        return FormedBatch(None, (), tuple(left_out), waiting)
    parts = tuple(_token_batch(token, lines[token], carried[token]) for token in tokens)
    return FormedBatch(Batch(gateway, batch_id, receipts_root(ordered), parts), ordered, tuple(left_out), waiting)


def receipts_root(receipts: Iterable[Receipt]) -> bytes:
    return merkle_root([receipt_digest(receipt) for receipt in receipts])


def count_lines(batch: Batch) -> int:
    return sum(len(part.lines) for part in batch.tokens)


def _grouped(
    receipts: Sequence[Receipt], standings: Mapping[AccountId, OnChainStanding]
) -> tuple[dict[AccountId, list[Receipt]], list[LeftOut]]:
    """By account, those with the oldest receipts first."""
    groups: dict[AccountId, list[Receipt]] = {}
    left_out = []
    for receipt in receipts:
        account = account_id(receipt.account)
        standing = standings.get(account)
        if standing is None or standing.epoch != receipt.epoch:
            left_out.append(LeftOut(receipt.id, "its account's epoch has ended"))
        else:
            groups.setdefault(account, []).append(receipt)
    return groups, left_out


def _carried_of(
    receipts: Sequence[Receipt], standing: OnChainStanding, find_voucher: FindVoucher, now: UnixSeconds
) -> tuple[SignedVoucher | None, list[Receipt], list[LeftOut]]:
    """What one line can carry of an account's receipts, and by which voucher."""
    held, unpaid = _within(receipts, standing.balance)
    account = account_id(receipts[0].account)
    signed = find_voucher(account, standing.epoch, now) if held else None
    room = 0 if signed is None else signed.voucher.max_nanocredits - standing.spent
    covered, unsigned = _within(held, room)
    left_out = [LeftOut(receipt.id, "its account no longer holds what it charged") for receipt in unpaid]
    left_out += [LeftOut(receipt.id, "no voucher that has not expired covers it") for receipt in unsigned]
    return signed, covered, left_out


def _within(receipts: Sequence[Receipt], room: int) -> tuple[list[Receipt], list[Receipt]]:
    """The receipts that ``room`` (nanocredits) covers, oldest first, and the rest."""
    covered: list[Receipt] = []
    beyond: list[Receipt] = []
    left = room
    for receipt in receipts:
        if receipt.cost <= left:
            left -= receipt.cost
            covered.append(receipt)
        else:
            beyond.append(receipt)
    return covered, beyond


def _charged(receipts: Iterable[Receipt]) -> int:
    return sum(receipt.cost for receipt in receipts)


def _token_batch(token: Address, lines: list[SettlementLine], receipts: list[Receipt]) -> TokenBatch:
    usage = sum_usage(line for receipt in receipts for line in receipt.lines)
    return TokenBatch(token, len(receipts), tuple(lines), usage)
