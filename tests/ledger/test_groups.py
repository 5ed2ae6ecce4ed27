"""However commands are spread over lists and groups, each is answered as if it had come alone."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.conftest import new_database
from tests.databases import KINDS
from tests.ledger.samples import DOMAIN, IDENTITY, NOON, Chain, capture, deposit, place, receipt, wallet

from mintery.domain.hold import Constraint, Ending, ReleaseReason
from mintery.ledger.commands import (
    Answer,
    Command,
    DispatchHold,
    DropAnswers,
    ExtendLease,
    MarkDelivered,
    ReleaseHold,
    Result,
)
from mintery.ledger.engines import writer_engine
from mintery.ledger.groups import GroupWriter
from mintery.ledger.opening import ledger_url
from mintery.ledger.store import open_ledger
from mintery.units import NanoCredits

WALLETS = (wallet(1), wallet(2))
LIMITS = tuple(Constraint(f"ends:{until.value}", NanoCredits(120), until) for until in Ending)
ANSWER = Answer(200, "application/json", b"{}")


class Wish(NamedTuple):
    """A command in a few words, as a failing example shows it."""

    verb: str
    number: int
    amount: int
    most: int
    epoch: int
    key: str | None
    limits: tuple[int, ...]
    seconds: int
    cost: int
    flag: bool


wishes = st.builds(
    Wish,
    verb=st.sampled_from(["place"] * 3 + ["capture"] * 2 + ["dispatch", "extend", "release", "deliver", "drop"]),
    number=st.integers(1, 6),
    amount=st.sampled_from([10, 60]),
    most=st.sampled_from([10**6, 80]),
    epoch=st.sampled_from([0, 0, 0, 1]),
    key=st.sampled_from([None, None, "raised", "idempotency"]),
    limits=st.lists(st.integers(0, len(LIMITS) - 1), unique=True, max_size=2).map(tuple),
    seconds=st.sampled_from([0, 1, 299, 300, 600]),
    cost=st.integers(0, 12),
    flag=st.booleans(),
)
groups = st.lists(st.lists(st.lists(wishes, max_size=5), min_size=1, max_size=5), max_size=5)

A_WISH = Wish("", number=6, amount=10, most=10**6, epoch=0, key=None, limits=(), seconds=0, cost=1, flag=False)
AGAIN = A_WISH._replace(verb="place", key="idempotency")
"""A hold whose request is there already, by which it is known."""


def command(wish: Wish) -> Command:  # noqa: PLR0911 -- one table
    """Few requests and few accounts: most commands meet what others left."""
    own, at = WALLETS[wish.number % 2], NOON + timedelta(seconds=wish.seconds)
    placed = place(
        wish.number,
        own,
        wish.amount,
        most=wish.most,
        epoch=wish.epoch,
        raised=b"r" * 32 if wish.key == "raised" else None,
        idempotency_key="mine" if wish.key == "idempotency" else None,
        constraints=tuple(LIMITS[index] for index in wish.limits),
        dispatch=wish.flag,
    )
    match wish.verb:
        case "place":
            return placed
        case "capture":
            return capture(placed, own, wish.cost, answer=ANSWER if wish.flag else None)
        case "dispatch":
            return DispatchHold(placed.request, at)
        case "extend":
            return ExtendLease(placed.request, at)
        case "release":
            reason = list(ReleaseReason)[wish.cost % len(ReleaseReason)]
            return ReleaseHold(placed.request, reason, at, receipt(wish.number, own, 0, placed.amount))
        case "deliver":
            return MarkDelivered(placed.request, at)
        case _:
            return DropAnswers(at)


@contextmanager
def writer(url: str) -> Iterator[GroupWriter]:
    """Of a ledger with two accounts of 100 and 150; the ledger is checked at the end."""
    with open_ledger(url, IDENTITY) as ledger:
        ledger.commit([Chain().block(*(deposit(own, amount) for own, amount in zip(WALLETS, (100, 150), strict=True)))])
        engine = writer_engine(ledger_url(url))
        opened = GroupWriter(engine, DOMAIN)
        yield opened
        opened.close()
        engine.dispose()
        ledger.check()


@pytest.mark.parametrize("kind", KINDS)
def test_groups_answer_as_one_by_one(request: pytest.FixtureRequest, kind: str):
    @settings(max_examples=30 if kind == "sqlite" else 8, deadline=None, suppress_health_check=list(HealthCheck))
    @given(groups)
    @example(
        [[[AGAIN]], [[A_WISH._replace(verb="release")]], [[AGAIN._replace(epoch=1)], [A_WISH._replace(verb="release")]]]
    )
    @example([[[AGAIN]], [[A_WISH._replace(verb="place", number=4, amount=60)]], [[AGAIN]]])
    def each_as_alone(wished: list[list[list[Wish]]]) -> None:
        written = [[[command(wish) for wish in asked] for asked in lists] for lists in wished]
        with new_database(request, kind) as together, new_database(request, kind) as apart:
            with writer(together.url) as grouped, writer(apart.url) as alone:
                for lists in written:
                    expected = [[one_result(alone, each) for each in commands] for commands in lists]
                    assert grouped.write(lists) == expected
            assert without_order(together.contents()) == without_order(apart.contents())

    each_as_alone()


def one_result(alone: GroupWriter, asked: Command) -> Result:
    [[result]] = alone.write([[asked]])
    return result


def without_order(contents: dict[str, list[str]]) -> dict[str, list[str]]:
    """Sequence numbers count statements' rows, not facts."""
    return {
        name: sorted(row.partition(",")[2] if name in {"transfers", "receipts"} else row for row in rows)
        for name, rows in contents.items()
    }
