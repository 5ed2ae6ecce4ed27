"""What became of a holder's credits in a period, line by line, and the sum that must come out:

    opening + top-ups - use + waived - paid back = closing

An account's *balance* here is what is left of it for its holder: available + held - uncovered of the books. What was charged
is spent, whether the chain has burned it yet or not; what is held is still the holder's. A charge that never settles is the
operator's loss, so it is waived. What a reorganisation took back stands as a line of its own that says so.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from mintery.domain.hold import RequestId
from mintery.domain.voucher import AccountId, Address
from mintery.units import NanoCredits, UsdWad


class LineKind(StrEnum):
    TOP_UP = "top_up"
    """Credits came into the account."""
    USE = "use"
    """A request was charged."""
    WAIVED = "waived"
    """A charge that the operator bears: nothing of it is taken from the holder."""
    EXIT = "exit"
    """Credits went back to the holder's wallet, by the holder's own doing."""
    RELEASE = "release"
    """They went back by the gateway's."""

    @property
    def gives(self) -> bool:
        """Whether the balance rises by it."""
        return self in {LineKind.TOP_UP, LineKind.WAIVED}


class Charge(NamedTuple):
    """What a line of use paid for.

    Attributes:
        key: the API key: its id where it has one, else a short name of the credential. See ``ledger.queries_statement``.
        model: as the request named it.
        route: the model's own id, of the route that answered.
        usage: units and quantities, as charged.
        usd: cost of the units without markup.
    """

    request: RequestId
    key: str
    model: str
    route: str
    provider: str
    backup: bool
    test: bool
    usage: tuple[tuple[str, int], ...]
    usd: UsdWad


class Mark(NamedTuple):
    """Where a line stands among the others. ``charge``: at one instant, what the chain did comes first."""

    at: datetime
    charge: bool
    seq: int


class StatementLine(NamedTuple):
    """One line; ``change`` is what the balance rose by, in nanocredits, negative where it fell.

    Attributes:
        undone: it takes back an earlier line, as the chain took back the block of that one.
        reference: the request's id, or the place in the chain as block hash and log index.
        seq: orders lines of one instant.
        subject: the order (``ord_…``) or refund (``rfd_…``) that it was done for, where it was one.
    """

    at: datetime
    kind: LineKind
    account: AccountId
    change: int
    undone: bool
    reference: str
    seq: int
    charge: Charge | None = None
    subject: str | None = None

    @property
    def mark(self) -> Mark:
        return Mark(self.at, self.charge is not None, self.seq)


@dataclass(slots=True)
class Sums:
    """Lines added up, nanocredits; what was undone is taken off again. ``requests`` counts the charges."""

    top_ups: int = 0
    use: int = 0
    waived: int = 0
    exits: int = 0
    releases: int = 0
    requests: int = 0

    @property
    def change(self) -> int:
        """What the balance rose by."""
        return self.top_ups - self.use + self.waived - self.paid_back

    @property
    def paid_back(self) -> int:
        return self.exits + self.releases

    def add(self, kind: LineKind, change: int, requests: int = 0) -> None:
        """``change`` as a line has it."""
        match kind:
            case LineKind.TOP_UP:
                self.top_ups += change
            case LineKind.USE:
                self.use -= change
            case LineKind.WAIVED:
                self.waived += change
            case LineKind.EXIT:
                self.exits -= change
            case LineKind.RELEASE:
                self.releases -= change
        self.requests += requests

    def include(self, other: "Sums") -> None:
        self.top_ups += other.top_ups
        self.use += other.use
        self.waived += other.waived
        self.exits += other.exits
        self.releases += other.releases
        self.requests += other.requests


class Use(NamedTuple):
    """Charges of one account that have these in common, added up."""

    account: AccountId
    key: str
    model: str
    route: str
    provider: str
    backup: bool
    cost: NanoCredits
    requests: int


@dataclass(frozen=True, slots=True)
class AccountStatement:
    """One account over a period. opening + sums.change == closing.

    Attributes:
        now: the balance now, whatever the period; ``held`` of it is set aside for open requests.
        unsettled: what was charged and is not burned on chain yet. On chain the account has now + unsettled.
    """

    account: AccountId
    token: Address
    opening: NanoCredits
    sums: Sums
    closing: NanoCredits
    now: NanoCredits
    held: NanoCredits
    unsettled: NanoCredits


def total(uses: Iterable[Use], part: str) -> Mapping[str, tuple[NanoCredits, int]]:
    """Cost and number of requests by one of a use's fields, the dearest first."""
    sums: dict[str, tuple[int, int]] = {}
    for use in uses:
        name = str(getattr(use, part))
        cost, requests = sums.get(name, (0, 0))
        sums[name] = (cost + use.cost, requests + use.requests)
    ordered = sorted(sums.items(), key=lambda each: (-each[1][0], each[0]))
    return {name: (NanoCredits(cost), requests) for name, (cost, requests) in ordered}
