"""The chart of the books, and the only place that posts to them.

Every account has four buckets with stored balances; the other sides belong to the project's token and are sums:

    deposits ──deposit──► available ──hold──► held ──capture──► captured ──burn──► burned
                              ▲ ▲◄────release / rest / unback─┘       │
                              │ └───────────────uncapture─────────────┘        unpaid ──owe──► uncovered ──loss──► losses
                              └──exit / released_on_chain──► exited                  ◄─collect─┘

On chain, an account's balance is available + held + captured, always. *uncovered* is what was charged but that balance no
longer covers: a chain event took it first. A top-up before the batch settles collects it; otherwise the operator bears
it. So the costs of all receipts are burned + captured + uncovered + losses, and the holder never pays a loss. The cases:

- an exit or a release takes more than is available: it takes the backing of the newest open holds (unback), then what was
  captured (uncapture, owe). A hold without its backing is captured as far as it is backed, the rest is owed.
- a line burns less than is due, whatever its status: the rest is a loss. Nothing bills it again.
- an account closes and begins an epoch: its vouchers are void, so all that is owed is a loss, and so is any later capture
  of a hold of the old epoch.

What comes in (a deposit, or what a reorganisation gives back) covers what is owed first, then backs the open holds again,
oldest first, and only the rest is available (see ``covering``). A block that the chain took back is undone by transfers of
the ``undo_…`` kinds, which run the other way and whose reference names what they undo; no row is ever changed.
"""

from enum import Enum, StrEnum
from typing import Any

from sqlalchemy import bindparam, select, update

from mintery.domain.voucher import AccountId, Address
from mintery.errors import LedgerInconsistent
from mintery.ledger.schema import accounts, requests, transfers
from mintery.ledger.work import Statement, Work, insert_of


class Book(StrEnum):
    """A side of a transfer: an account's bucket, or one of its token's system books."""

    AVAILABLE = "available"
    HELD = "held"
    CAPTURED = "captured"
    UNCOVERED = "uncovered"
    DEPOSITS = "deposits"
    EXITED = "exited"
    BURNED = "burned"
    UNPAID = "unpaid"
    LOSSES = "losses"


BUCKETS = (Book.AVAILABLE, Book.HELD, Book.CAPTURED, Book.UNCOVERED)


class Move(Enum):
    """A transfer's kind, with the book it takes from and the book it gives to."""

    def __init__(self, kind: str, debit: Book, credit: Book) -> None:
        self.kind = kind
        self.sides = tuple((f"{book.value}:", book in BUCKETS) for book in (debit, credit))

    DEPOSIT = ("deposit", Book.DEPOSITS, Book.AVAILABLE)
    HOLD = ("hold", Book.AVAILABLE, Book.HELD)
    CAPTURE = ("capture", Book.HELD, Book.CAPTURED)
    REST = ("rest", Book.HELD, Book.AVAILABLE)
    RELEASE = ("release", Book.HELD, Book.AVAILABLE)
    UNBACK = ("unback", Book.HELD, Book.AVAILABLE)
    UNCAPTURE = ("uncapture", Book.CAPTURED, Book.AVAILABLE)
    RECAPTURE = ("recapture", Book.AVAILABLE, Book.CAPTURED)
    BURN = ("burn", Book.CAPTURED, Book.BURNED)
    EXIT = ("exit", Book.AVAILABLE, Book.EXITED)
    RELEASED_ON_CHAIN = ("released_on_chain", Book.AVAILABLE, Book.EXITED)
    OWE = ("owe", Book.UNPAID, Book.UNCOVERED)
    COLLECT = ("collect", Book.UNCOVERED, Book.UNPAID)
    LOSS = ("loss", Book.UNCOVERED, Book.LOSSES)
    REBACK = ("reback", Book.AVAILABLE, Book.HELD)
    UNDO_DEPOSIT = ("undo_deposit", Book.AVAILABLE, Book.DEPOSITS)
    UNDO_EXIT = ("undo_exit", Book.EXITED, Book.AVAILABLE)
    UNDO_RELEASED_ON_CHAIN = ("undo_released_on_chain", Book.EXITED, Book.AVAILABLE)
    UNDO_BURN = ("undo_burn", Book.BURNED, Book.CAPTURED)
    UNDO_LOSS = ("undo_loss", Book.LOSSES, Book.UNCOVERED)


def sides(move: Move, account: AccountId, token: Address | str) -> tuple[str, str]:
    """Both entries of a transfer, debit first."""
    (debit, of_account), (credit, to_account) = move.sides
    return debit + (account if of_account else token), credit + (account if to_account else token)


def entry(book: Book, account: AccountId | str, token: Address | str) -> str:
    """How a transfer names one side: ``available:0xaccount…`` or ``burned:0xToken…``."""
    return f"{book.value}:{account if book in BUCKETS else token}"


_insert_transfer = Statement(insert_of(transfers))


def post(
    work: Work,
    move: Move,
    amount: int,
    *,
    account: AccountId,
    token: Address,
    name: str,
    reference: str,
    at: int,
    pending: str | None = None,
) -> None:
    """Record one transfer of ``amount`` nanocredits. It moves no stored balance; nothing is recorded of nothing.

    ``name`` is the transfer's own id, unique for ever; ``at`` is microseconds since 1970; ``pending`` is the hold's transfer
    that this one resolves.
    """
    if amount == 0:
        return
    debit, credit = sides(move, account, token)
    work.run(
        _insert_transfer,
        id=name,
        kind=move.kind,
        debit=debit,
        credit=credit,
        amount=amount,
        pending=pending,
        at=at,
        reference=reference,
        rest=None,
    )


_lock_account = Statement(
    select(
        accounts.c.token,
        accounts.c.epoch,
        accounts.c.available,
        accounts.c.held,
        accounts.c.captured,
        accounts.c.uncovered,
        accounts.c.spent_settled,
    )
    .where(accounts.c.id == bindparam("account"))
    .with_for_update()
)
_write_account = Statement(
    update(accounts)
    .where(accounts.c.id == bindparam("account"))
    .values(
        {
            name: bindparam(f"new_{name}")
            for name in ("epoch", "available", "held", "captured", "uncovered", "spent_settled")
        }
    )
)
_backed_holds = Statement(
    select(requests.c.id, requests.c.backed)
    .where(requests.c.account == bindparam("account"), requests.c.ended_at.is_(None), requests.c.backed > 0)
    .order_by(requests.c.placed_at.desc(), requests.c.id.desc())
)
set_backed = Statement(update(requests).where(requests.c.id == bindparam("request")).values(backed=bindparam("left")))


class OpenAccount:
    """An account's row, locked, while one chain event is applied to it; ``save`` writes it back.

    ``reference`` names the event; its transfers are numbered under it. ``at`` is microseconds since 1970.
    """

    def __init__(self, work: Work, account: AccountId, row: Any, *, reference: str, at: int) -> None:
        self.id = account
        self.token: Address
        self.token, self.epoch, available, held, captured, uncovered, self.spent_settled = row
        self._balances: dict[Book, int] = dict(zip(BUCKETS, (available, held, captured, uncovered), strict=True))
        self.work = work
        self._reference = reference
        self._at = at
        self._posted = 0

    @classmethod
    def lock(cls, work: Work, account: AccountId, *, reference: str, at: int) -> "OpenAccount | None":
        """None when the account is unknown."""
        row = work.row(_lock_account, account=account)
        return None if row is None else cls(work, account, row, reference=reference, at=at)

    def __getitem__(self, bucket: Book) -> int:
        return self._balances[bucket]

    @property
    def on_chain(self) -> int:
        return self[Book.AVAILABLE] + self[Book.HELD] + self[Book.CAPTURED]

    def move(self, move: Move, amount: int) -> None:
        if amount == 0:
            return
        _, debit, credit = move.value
        for book, change in ((debit, -amount), (credit, amount)):
            if book in self._balances:
                self._balances[book] += change
                if self._balances[book] < 0:
                    raise LedgerInconsistent(f"{move.name} of {amount} overdraws {book} of account {self.id}")
        post(
            self.work,
            move,
            amount,
            account=self.id,
            token=self.token,
            name=f"{self._reference}/{self.id}/{self._posted}",
            reference=self._reference,
            at=self._at,
        )
        self._posted += 1

    def free(self, wanted: int) -> None:
        """Make ``wanted`` available: first the backing of open holds, newest first, then what was captured.

        Raises:
            LedgerInconsistent: the chain paid more than this ledger knows of.
        """
        if wanted > self.on_chain:
            raise LedgerInconsistent(f"the chain took {wanted} from account {self.id}, which has {self.on_chain} here")
        self.unback(wanted - self[Book.AVAILABLE])
        if (short := wanted - self[Book.AVAILABLE]) > 0:
            self.uncapture(short)

    def uncapture(self, wanted: int) -> None:
        """What was charged is owed again, and its credits are available."""
        self.move(Move.UNCAPTURE, wanted)
        self.move(Move.OWE, wanted)

    def recapture(self, wanted: int) -> None:
        """Make ``wanted`` captured, collecting what is owed: the chain burns it whatever it had been promised for."""
        if (short := wanted - self[Book.CAPTURED]) <= 0:
            return
        self.unback(short - self[Book.AVAILABLE])
        self.collect(short)

    def collect(self, wanted: int) -> None:
        """What is available pays for what is owed."""
        self.move(Move.RECAPTURE, wanted)
        self.move(Move.COLLECT, wanted)

    def unback(self, wanted: int) -> None:
        """Make that much of what backs open holds available, newest first; nothing when it is not positive."""
        if wanted <= 0:
            return
        for request, backed in self.work.rows(_backed_holds, account=self.id):
            taken = min(backed, wanted)
            self.work.run(set_backed, request=request, left=backed - taken)
            self.move(Move.UNBACK, taken)
            wanted -= taken
            if wanted == 0:
                return

    def save(self) -> None:
        self.work.run(
            _write_account,
            account=self.id,
            new_epoch=self.epoch,
            new_spent_settled=self.spent_settled,
            **{f"new_{bucket.value}": balance for bucket, balance in self._balances.items()},
        )
