"""What a lot gives, gets back and refunds is never more than was put in, whatever comes in which order."""

from hypothesis import given, settings
from hypothesis import strategies as st

from mintery.ledger.books import Move
from mintery.ledger.lot_books import DEPOSIT, LotBook, LotState, RefundState, TransferSeen

ACCOUNT = "0xaccount"
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["deposit", "use", "write off", "ask", "release", "take back", "fail"]),
        st.integers(1, 30),
        st.integers(0, 9),
    ),
    max_size=40,
)


class Town:
    """Does what a holder, the gateway and the chain may do, and counts as the account's row would."""

    def __init__(self) -> None:
        self.book = LotBook(ACCOUNT)
        self.seq = 0
        self.free = 0
        self.charged = 0
        self.released: list[tuple[str, int]] = []

    def transfer(self, move: Move, amount: int, reference: str = "") -> TransferSeen:
        self.seq += 1
        return TransferSeen(self.seq, move.kind, ACCOUNT, "0xtoken", amount, reference or f"t{self.seq}", self.seq)

    @property
    def set_aside(self) -> int:
        return sum(each.amount for each in self.book.refunds.values() if each.is_set_aside_at(self.seq + 1))

    def step(self, what: str, amount: int, choice: int) -> None:
        open_ = [each for each in self.book.refunds.values() if each.is_set_aside_at(self.seq + 1)]
        match what:
            case "deposit":
                seen = self.transfer(Move.DEPOSIT, amount)
                assert seen.kind == DEPOSIT
                self.book.deposit(LotState(self.seq, amount, amount, 0, seen.reference, None), seen)
                self.free += amount
            case "use" if (cost := min(amount, self.free - self.set_aside)) > 0:
                self.book.follow(self.transfer(Move.CAPTURE, cost))
                self.free, self.charged = self.free - cost, self.charged + cost
            case "write off" if (back := min(amount, self.charged)) > 0:
                self.book.follow(self.transfer(Move.UNCAPTURE, back))
                self.free, self.charged = self.free + back, self.charged - back
            case "ask" if self.book.lots:
                lot = sorted(self.book.lots)[choice % len(self.book.lots)]
                left = min(self.book.left_of(lot, at=self.seq + 1), self.free - self.set_aside)
                if (asked := min(amount, left)) > 0:
                    name = f"rfd_{self.seq}_{len(self.book.refunds)}"
                    self.book.refunds[name] = RefundState(name, lot, asked, self.seq, None, followed=False)
            case "release" if open_:
                self.release(open_[choice % len(open_)])
            case "take back" if self.released:
                name, paid = self.released.pop()
                self.book.follow(self.transfer(Move.UNDO_RELEASED_ON_CHAIN, paid, f"undo/{name}"), name)
                self.free += paid
            case "fail" if open_:
                open_[choice % len(open_)].failed_after = self.seq

    def release(self, refund: RefundState) -> None:
        lot = self.book.lots[refund.lot]
        before, already = lot.remaining, lot.refunded
        self.book.follow(self.transfer(Move.RELEASED_ON_CHAIN, refund.amount, refund.id), refund.id)
        assert (before - lot.remaining, lot.refunded - already) == (refund.amount, refund.amount)
        self.free -= refund.amount
        self.released.append((refund.id, refund.amount))


@settings(max_examples=150, deadline=None)
@given(STEPS)
def test_a_lot_is_never_used_and_refunded_for_more_than_it_had(steps: list[tuple[str, int, int]]) -> None:
    town = Town()
    for what, amount, choice in steps:
        town.step(what, amount, choice)

        lots = town.book.lots.values()
        for lot in lots:
            assert 0 <= lot.remaining <= lot.remaining + lot.refunded <= lot.amount
        assert sum(lot.remaining for lot in lots) == town.free
        assert sum(lot.room for lot in lots) == town.charged
        assert sum(lot.refunded for lot in lots) == sum(amount for _, amount in town.released)
        assert town.book.outside == 0


@settings(max_examples=60, deadline=None)
@given(STEPS, st.integers(1, 200))
def test_what_the_chain_takes_beside_leaves_no_lot_below_nothing(steps: list[tuple[str, int, int]], taken: int) -> None:
    """An exit knows of no refund: it may take what is set aside, and only then does a release take from other lots."""
    town = Town()
    for what, amount, choice in steps:
        town.step(what, amount, choice)
    if (gone := min(taken, town.free)) == 0:
        return
    set_aside = town.set_aside
    town.book.follow(town.transfer(Move.EXIT, gone))

    lots = town.book.lots.values()
    assert all(0 <= lot.remaining <= lot.remaining + lot.refunded <= lot.amount for lot in lots)
    left = sum(town.book.left_of(lot.seq, at=town.seq + 1) for lot in lots)
    assert left == max(0, town.free - set_aside - gone)


def test_a_deposit_that_the_chain_took_back_is_given_nothing_even_where_it_was_used_up() -> None:
    town = Town()
    for step in (("deposit", 10, 0), ("use", 10, 0), ("deposit", 10, 0)):
        town.step(*step)
    gone, kept = town.book.lots.values()
    town.book.follow(town.transfer(Move.UNDO_DEPOSIT, 10, f"undo/{gone.reference}"))
    town.book.follow(town.transfer(Move.UNCAPTURE, 4))

    assert (gone.remaining, gone.undone_at is not None, kept.remaining) == (0, True, 4)
