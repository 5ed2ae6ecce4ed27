"""One short scenario for each way to break the product: it holds where nothing is broken, and tells the breakage by what
becomes of it. None of them depends on how fast anything is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tests.faults.breakages import BREAKAGES
from tests.faults.points import NUMBER_OF, Point, Stage, Step
from tests.faults.scenario import (
    SQLITE,
    Ask,
    Call,
    Death,
    Deposit,
    Fate,
    Happening,
    Mempool,
    Mine,
    Mischief,
    Reorganise,
    Scenario,
    Shape,
    Trouble,
    Work,
)

FIRST_SEED = 1_000_000
"""Of exercises; no range of drawn ones reaches it. All are even: each gateway is closed, none killed, in the end."""


@dataclass(frozen=True, slots=True)
class Exercise:
    """``found``: words of an accusation that the breakage brings about."""

    breakage: str
    scenario: Scenario
    found: str

    def missed(self, wrong: Sequence[str]) -> list[str]:
        """What is wrong with the harness if this is all that it found in the broken product."""
        return [] if any(self.found in one for one in wrong) else [f"{self.breakage} is not found out: {wrong}"]


def _exercise(
    breakage: str,
    found: str,
    *happenings: Happening,
    death: Point | None = None,
    confirmations: int = 0,
    finality: int = 0,
) -> Exercise:
    deaths = () if death is None else (Death(0, NUMBER_OF[death], 1),)
    return Exercise(
        breakage,
        Scenario(
            seed=FIRST_SEED + 2 * [*BREAKAGES].index(breakage),
            database=SQLITE,
            processes=1,
            confirmations=confirmations,
            finality=finality,
            batch_lines=100,
            endpoints=1,
            happenings=happenings,
            deaths=deaths,
        ),
        found,
    )


_CALL = Call("c1", 0, Shape.JSON)
_RETRIED = Call("c1", 0, Shape.JSON, retries=1)
_CAPTURED = Point(Step.CAPTURE_COMMITTED, Stage.AFTER)

_ALL = (
    # The answer has left long before the capture would commit, where the process dies.
    _exercise(
        "answer_before_capture", "saw its end and", Ask((_CALL,)), death=Point(Step.CAPTURE_COMMITTED, Stage.BEFORE)
    ),
    _exercise("call_before_hold", "before its hold was durable", Ask((_CALL,))),
    _exercise("told_before_commit", "before its hold was durable", Ask((_CALL,))),
    # The first try is charged and dies unanswered; its client says that it asks again.
    _exercise("join_nothing", "was charged again", Ask((_RETRIED,)), death=_CAPTURED),
    _exercise(
        "delivered_at_once",
        "stayed to the end and was charged 2 times",
        Ask((_RETRIED,)),
        death=Point(Step.ANSWER_BEGUN, Stage.BEFORE),
    ),
    _exercise("forget_idempotency_keys", "asked again with its key", Ask((Call("c1", 0, Shape.JSON, key="key"),))),
    _exercise("broadcast_before_saving", "before it was saved", Ask((_CALL,)), Work(("settle",))),
    # A node took the batch and did not say so. It is mined after the one that was formed in its place, of more receipts.
    _exercise(
        "forget_what_may_be_sent",
        "in the ledger",
        Mempool(instant=False),
        Ask((_CALL,)),
        Trouble(Mischief.SILENT_AFTER, "eth_sendRawTransaction"),
        Work(("settle",)),
        Ask((replace(_CALL, name="c2"),)),
        Work(("settle", "settle")),
        Mine(1),
    ),
    _exercise("expire_at_once", "was answered 1 times and charged 0", Ask((_CALL,), ("expire_holds",), meanwhile=True)),
    _exercise(
        "believe_empty_ranges",
        "reconciliation",
        Work(("sync",)),
        Deposit(0, 5),
        Trouble(Mischief.EMPTY_LOGS, "eth_getLogs", count=2),
        Work(("sync",)),
    ),
    # A deposit is gone with its block, which was not buried as deep as it had to be.
    _exercise(
        "believe_the_head",
        "",
        Work(("sync",)),
        Deposit(0, 5),
        Work(("sync",)),
        Reorganise(2, Fate.LOST),
        Work(("sync",)),
        confirmations=2,
        finality=2,
    ),
    _exercise("overlook_settlements", "in the ledger", Ask((_CALL,)), Work(("settle",))),
)
EXERCISES: Mapping[int, Exercise] = {one.scenario.seed: one for one in _ALL}
"""By their seeds."""
