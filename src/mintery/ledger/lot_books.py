"""What each of an account's lots gives and gets back, transfer by transfer.

An account's free credits are those that nothing has charged: available and held. Every transfer that lowers them takes from
the account's lots, the oldest first; what raises them again goes back to the newest that gave something. A deposit is a new
lot; one that the chain took back gives up what it still has, and the older ones the rest. So what remains in an account's
lots is its free credits, to the unit, at every point of the chain of seals. Of each lot:

    amount = remaining + refunded + (uses - what was given back)        each of the three is 0 or more

- What a refund took is gone for good: nothing is given back into that room, or a lot would be refunded twice. Only the chain's
  taking back of the very release gives it back, to the lot that it came from.
- What is set aside for a refund under way is the last that anything else takes: uses are paid by the other lots, and by what
  the lot has beside it. Requests never get to it, as what is set aside is not theirs to hold; only the chain can.
- What is frozen in a lot when it is followed (see ``freezing``) gives just before that: so it is still there when its dispute
  ends, as long as anything else is.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from mintery.ledger.books import Move
from mintery.ledger.bulk import Row

_TAKES = frozenset(
    each.kind for each in (Move.CAPTURE, Move.RECAPTURE, Move.EXIT, Move.RELEASED_ON_CHAIN, Move.UNDO_DEPOSIT)
)
_GIVES_BACK = frozenset(each.kind for each in (Move.UNCAPTURE, Move.UNDO_EXIT, Move.UNDO_RELEASED_ON_CHAIN))
DEPOSIT, UNDO_DEPOSIT, _CAPTURE = Move.DEPOSIT.kind, Move.UNDO_DEPOSIT.kind, Move.CAPTURE.kind
CHANGES: Mapping[str, int] = {DEPOSIT: 1, **dict.fromkeys(_TAKES, -1), **dict.fromkeys(_GIVES_BACK, 1)}
"""How a kind of transfer changes the free credits of its account."""
RELEASES = frozenset({Move.RELEASED_ON_CHAIN.kind, Move.UNDO_RELEASED_ON_CHAIN.kind})
_UNDO = "undo/"


@dataclass(frozen=True, slots=True)
class TransferSeen:
    """One that changes its account's free credits. ``amount``: nanocredits; ``at``: microseconds since 1970."""

    seq: int
    kind: str
    account: str
    token: str
    amount: int
    reference: str
    at: int

    @property
    def undone(self) -> str:
        """The reference of what it undoes; its own, if it undoes nothing."""
        return self.reference.removeprefix(_UNDO)


@dataclass(slots=True)
class LotState:
    seq: int
    amount: int
    remaining: int
    refunded: int
    reference: str
    undone_at: int | None
    claimed: int = 0
    frozen: int = 0

    @property
    def room(self) -> int:
        """What can be given back to it: what uses took, and no refund."""
        return 0 if self.undone_at is not None else self.amount - self.remaining - self.refunded


@dataclass(slots=True)
class RefundState:
    """``asked_after``, ``failed_after``: the last transfer before. ``followed``: its release was, and stands."""

    id: str
    lot: int
    amount: int
    asked_after: int
    failed_after: int | None
    followed: bool

    def is_set_aside_at(self, transfer: int) -> bool:
        failed = self.failed_after is not None and self.failed_after < transfer
        return self.asked_after < transfer and not failed and not self.followed


@dataclass(slots=True)
class LotBook:
    """The lots of one account as far as they matter, its refunds, and what lies outside of lots (``outside``: taken from none).

    ``uses``: rows of ``lot_uses`` without their sequence; ``changed``, ``followed``: lots and refunds to be written.
    """

    account: str
    outside: int = 0
    lots: dict[int, LotState] = field(default_factory=dict)
    refunds: dict[str, RefundState] = field(default_factory=dict)
    uses: list[Row] = field(default_factory=list)
    changed: set[int] = field(default_factory=set)
    followed: set[str] = field(default_factory=set)

    def left_of(self, lot: int, *, at: int) -> int:
        """What a lot has that is not frozen and that no refund under way has set aside, before the transfer ``at``."""
        found = self.lots.get(lot)
        return 0 if found is None else max(0, found.remaining - self._set_aside(found, at) - found.frozen)

    def claimed_lots(self) -> list[int]:
        """Of those that changed."""
        return [seq for seq in sorted(self.changed) if self.lots[seq].claimed]

    def follow(self, transfer: TransferSeen, refund: str | None = None) -> None:
        """Any but a deposit. ``refund``: whose release the transfer is, or undoes."""
        released = None if refund is None else self.refunds[refund]
        if transfer.kind in _TAKES:
            self._take(transfer, released)
        else:
            self._give_back(transfer, released)

    def deposit(self, lot: LotState, transfer: TransferSeen) -> None:
        self.lots[lot.seq] = lot
        if (early := min(self.outside, transfer.amount)) > 0:
            self._use(lot, early, transfer)
            self._outside(-early, transfer)

    def _take(self, transfer: TransferSeen, released: RefundState | None) -> None:
        left = transfer.amount
        if released is not None:
            left -= self._refund(released, left, transfer)
        if self.outside < 0:
            left -= (free := min(left, -self.outside))
            self._outside(free, transfer)
        for lot, offered in self._in_turn(transfer):
            if left == 0:
                break
            left -= (given := min(left, offered))
            self._use(lot, given, transfer)
        self._outside(left, transfer)

    def _give_back(self, transfer: TransferSeen, released: RefundState | None) -> None:
        left = transfer.amount
        if released is not None:
            left -= self._unrefund(released, left, transfer)
        if self.outside > 0:
            left -= (owed := min(left, self.outside))
            self._outside(-owed, transfer)
        for lot in sorted(self.lots.values(), key=lambda each: -each.seq):
            left -= (fits := min(left, lot.room))
            self._use(lot, -fits, transfer)
        self._outside(-left, transfer)

    def _refund(self, released: RefundState, most: int, transfer: TransferSeen) -> int:
        """What the refunded lot gives of its own release."""
        released.followed = True
        self.followed.add(released.id)
        lot = self.lots.get(released.lot)
        if lot is None:
            return 0
        given = min(most, lot.remaining)
        self._use(lot, given, transfer)
        lot.refunded += given
        return given

    def _unrefund(self, released: RefundState, most: int, transfer: TransferSeen) -> int:
        """What the lot gets back of a release that the chain took back."""
        released.followed = False
        self.followed.add(released.id)
        lot = self.lots.get(released.lot)
        if lot is None or lot.undone_at is not None:
            return 0
        back = min(most, lot.refunded)
        lot.refunded -= back
        self._use(lot, -back, transfer)
        return back

    def _in_turn(self, transfer: TransferSeen) -> Iterator[tuple[LotState, int]]:
        """What each lot offers, oldest first: before all, the lot of a deposit that the chain took back; after all, what is
        frozen, and then what is set aside.
        """
        ordered = sorted(self.lots.values(), key=lambda each: each.seq)
        if transfer.kind == UNDO_DEPOSIT:
            for lot in ordered:
                if lot.reference == transfer.undone:
                    lot.undone_at = transfer.at
                    self.changed.add(lot.seq)
                    yield lot, lot.remaining
        for lot in ordered:
            yield lot, max(0, lot.remaining - self._set_aside(lot, transfer.seq) - lot.frozen)
        for lot in ordered:
            yield lot, lot.remaining - self._set_aside(lot, transfer.seq)
        for lot in ordered:
            yield lot, lot.remaining

    def _set_aside(self, lot: LotState, at: int) -> int:
        open_ = (each.amount for each in self.refunds.values() if each.lot == lot.seq and each.is_set_aside_at(at))
        return min(lot.remaining, sum(open_))

    def _use(self, lot: LotState, amount: int, transfer: TransferSeen) -> None:
        if amount:
            lot.remaining -= amount
            self.changed.add(lot.seq)
            self.uses.append((lot.seq, *self._of(transfer, amount)))

    def _outside(self, amount: int, transfer: TransferSeen) -> None:
        if amount:
            self.outside += amount
            self.uses.append((None, *self._of(transfer, amount)))

    def _of(self, transfer: TransferSeen, amount: int) -> Row:
        request = transfer.reference if transfer.kind == _CAPTURE else None
        return self.account, transfer.seq, transfer.kind, request, amount, transfer.at
