"""Draws a scenario from a seed. Everything random of a run comes from here."""

import random
from dataclasses import replace

from tests.faults.points import NUMBER_OF, POINTS, Step
from tests.faults.scenario import (
    POSTGRESQL,
    SQLITE,
    Ask,
    Behaviour,
    Call,
    CutCommit,
    Death,
    Deposit,
    Entangle,
    Exit,
    Fate,
    FullDisk,
    Happening,
    Kill,
    LockLedger,
    Manners,
    Mempool,
    Mine,
    Mischief,
    Reorganise,
    Scenario,
    Shape,
    Skew,
    Skip,
    StopDatabase,
    Trouble,
    Work,
)

POSTGRES_SHARE = 0.12
_RARE = frozenset({Step.BATCH_ABANDONED, Step.ANSWERS_DROPPED, Step.HALT_RAISED})
_METHODS = (
    "",
    "eth_sendRawTransaction",
    "eth_sendRawTransaction",
    "eth_getLogs",
    "eth_getBlockByNumber",
    "eth_getTransactionReceipt",
    "eth_getTransactionByHash",
    "eth_getTransactionCount",
    "eth_call",
    "eth_estimateGas",
    "eth_chainId",
)
_ONLY_STREAMS = frozenset({Behaviour.REPEATS})
_ASKING = Ask | LockLedger | Entangle | StopDatabase | FullDisk
_FIRSTS = (
    Behaviour.DIES_EARLY,
    Behaviour.DIES_MIDWAY,
    Behaviour.ENDS_EARLY,
    Behaviour.NO_USAGE,
    Behaviour.REFUSES,
    Behaviour.NONSENSE,
    Behaviour.TENFOLD,
)
"""None that is waited for in real time."""


ROUTED_EVERY, ROUTED = 8, 1
"""Of so many seeds one has calls that two routes may answer; none of those that are kept for what they found."""


def draw(seed: int) -> Scenario:
    """What was drawn of a seed before there were routes is drawn of it still: their dice are others."""
    scenario = _Drawing(seed).scenario()
    if seed % ROUTED_EVERY != ROUTED:
        return scenario
    dice = random.Random(f"routes of {seed}")
    happenings = [
        replace(one, calls=tuple(_routed(call, dice) for call in one.calls)) if isinstance(one, _ASKING) else one
        for one in scenario.happenings
    ]
    return replace(scenario, happenings=tuple(happenings))


def _routed(call: Call, dice: random.Random) -> Call:
    first = dice.choice((Behaviour.GOOD, Behaviour.FAILS, Behaviour.FAILS, Behaviour.FAILS, *_FIRSTS))
    wanted = dice.random() < 0.8
    return replace(call, first=first) if wanted and call.shape is not Shape.EMBEDDING else call


class _Drawing:
    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.dice = random.Random(seed)
        self.calls = 0
        self.confirmations = self.dice.choice((0, 0, 1, 2, 3))
        self.finality = self.confirmations + self.dice.choice((0, 1, 2, 4))
        self.postgres = self.chance(POSTGRES_SHARE)
        self.processes = 2 if self.postgres and self.chance(0.6) else 1
        self.endpoints = 3 if self.chance(0.05) else 1

    def scenario(self) -> Scenario:
        happenings: list[Happening] = []
        if self.chance(0.25):
            happenings.append(Mempool(instant=False))
        for _ in range(self.dice.randint(2, 3)):
            happenings += self.before_asking()
            happenings.append(self.asking())
            happenings += self.after_asking()
        return Scenario(
            seed=self.seed,
            database=POSTGRESQL if self.postgres else SQLITE,
            processes=self.processes,
            confirmations=self.confirmations,
            finality=self.finality,
            batch_lines=self.dice.choice((1, 2, 100, 100)),
            endpoints=self.endpoints,
            happenings=tuple(happenings),
            deaths=self.deaths(),
        )

    def chance(self, share: float) -> bool:
        return self.dice.random() < share

    def deaths(self) -> tuple[Death, ...]:
        """Of the first process nearly always, of later ones sometimes."""
        return tuple(
            Death(life, self.point(), self.dice.choice((1, 1, 1, 1, 1, 2, 3)))
            for life, share in enumerate((0.9, 0.6, 0.4, 0.2, 0.1))
            if self.chance(share)
        )

    def point(self) -> int:
        while True:
            point = self.dice.choice(POINTS)
            if point.step not in _RARE or self.chance(0.2):
                return NUMBER_OF[point]

    # ── calls ────────────────────────────────────────────────────────────────────────────────────────────────────

    def asking(self) -> Happening:
        calls = tuple(self.call() for _ in range(self.dice.randint(1, 4)))
        if self.chance(0.05):
            return LockLedger(self.dice.choice((20, 120, 300)), calls)
        if not self.postgres and self.chance(0.05):
            return FullDisk(self.dice.choice((0, 5_000, 40_000)), calls)
        if self.postgres and self.chance(0.1):
            return Entangle(calls)
        if self.postgres and self.chance(0.07):
            return StopDatabase(self.dice.choice((1, 50, 200)), calls, self.jobs(0.3))
        return Ask(calls, self.jobs(0.4), self.dice.randrange(self.processes))

    def call(self) -> Call:
        self.calls += 1
        shape = self.dice.choice((Shape.JSON, Shape.JSON, Shape.STREAM, Shape.STREAM, Shape.STREAM, Shape.EMBEDDING))
        manners = Manners.GOOD if self.chance(0.75) else self.dice.choice([*Manners])
        return Call(
            name=f"c{self.calls}",
            member=self.dice.choice((0, 0, 1, 2, 3, 4, 5)),
            shape=shape,
            behaviour=self.behaviour(shape),
            manners=manners,
            key=f"key-{self.calls}" if self.chance(0.3) else None,
            raised=self.chance(0.2),
            retries=self.dice.choice((0, 1, 2)) if self.chance(0.6) else 0,
            leaves_at=self.dice.choice((0, 1, 40, 200, 400)),
            prompt=self.dice.randint(1, 40 if shape is Shape.EMBEDDING else 200),
            completion=self.dice.randint(0, 40),
            words=self.dice.randint(1, 6),
        )

    def behaviour(self, shape: Shape) -> Behaviour:
        if self.chance(0.6):
            return Behaviour.GOOD
        found = self.dice.choice([*Behaviour])
        if found in {Behaviour.STALLS, Behaviour.STALLS_MIDWAY} and self.chance(0.7):
            return Behaviour.SLOW  # a stall is waited for in real time
        return Behaviour.GOOD if shape is not Shape.STREAM and found in _ONLY_STREAMS else found

    def jobs(self, share: float) -> tuple[str, ...]:
        if not self.chance(share):
            return ()
        named = ("sync", "settle", "settle", "expire_holds", "reconcile", "drop_answers", "market", "seal_ledger")
        return tuple(self.dice.choice(named) for _ in range(self.dice.randint(1, 2)))

    # ── what happens around them ─────────────────────────────────────────────────────────────────────────────────

    def before_asking(self) -> list[Happening]:
        found: list[Happening] = []
        if self.chance(0.3):
            found.append(self.trouble())
        if self.chance(0.08):
            found += [
                Deposit(self.dice.randrange(6), 5),
                Mine(self.confirmations),
                self.silence(),
                self.work(("sync",)),
            ]
        if self.chance(0.15):
            found.append(Deposit(self.dice.randrange(6), self.dice.choice((1, 5, 100))))
        if self.chance(0.1):
            found.append(self.exit())
        if self.postgres and self.chance(0.25):
            found.append(CutCommit(self.dice.choice((0, 0, 1, 2, 5)), committed=self.chance(0.5)))
        if self.chance(0.12):
            found.append(Skew(self.dice.randrange(self.processes), self.dice.choice((-600, 600))))
            if self.chance(0.7):
                found.append(Work(("sync",)))
        if self.chance(0.08):
            found.append(Skip(self.dice.choice((50, 100, 700, 1_300))))
            if self.chance(0.7):
                found.append(Work(("expire_holds", "sync")))
        return found

    def after_asking(self) -> list[Happening]:
        found: list[Happening] = []
        if self.chance(0.25):
            found.append(self.trouble())
        if self.chance(0.8):
            found.append(self.work(("settle",)))
        if self.chance(0.15):
            found.append(Mempool(instant=self.chance(0.5), fee_factor=self.dice.choice((1, 1, 25))))
        if self.chance(0.2):
            found += [Skip(95), Work(("settle",))]
        if self.chance(0.5):
            found.append(Mine(self.dice.randint(0, self.confirmations + 1)))
        found += self.chain_moves()
        if self.chance(0.5):
            found.append(self.work(self.dice.choice((("sync",), ("settle",), ("sync", "settle"), ("reconcile",)))))
        if self.chance(0.06):
            found.append(Kill(self.dice.randrange(self.processes)))
        return found

    def chain_moves(self) -> list[Happening]:
        found: list[Happening] = []
        if self.chance(0.12):
            found += [Mine(self.confirmations), self.silence(), self.work(("sync",))]
        if self.finality and self.chance(0.3):
            found.append(Reorganise(self.dice.randint(1, self.finality), self.dice.choice([*Fate])))
            if self.chance(0.6):
                found.append(self.work(self.dice.choice((("sync",), ("settle",), ("reconcile",)))))
        return found

    def work(self, jobs: tuple[str, ...]) -> Work:
        return Work(jobs, self.dice.randrange(self.processes), together=self.processes > 1 and self.chance(0.5))

    def trouble(self) -> Trouble:
        mischief = self.dice.choice([*Mischief])
        if mischief is Mischief.STALLS and self.chance(0.6):
            mischief = Mischief.SILENT_AFTER  # a stall is waited for in real time
        method = self.dice.choice(_METHODS)
        if mischief is Mischief.EMPTY_LOGS:
            method = "eth_getLogs"
        if mischief is Mischief.WRONG_CHAIN:
            method = "eth_chainId"
        spared = self.dice.choice((0, 0, 1, 3)) if method else self.dice.randrange(25)
        count = self.dice.randint(4, 20) if mischief is Mischief.LAGS else self.dice.choice((1, 1, 2, 4))
        blocks = self.dice.randint(1, 3)
        return Trouble(mischief, method, spared, count, blocks, endpoint=self.dice.randrange(self.endpoints))

    def silence(self) -> Trouble:
        """Events that have just happened are left out of the next range, and of the search for new projects before it."""
        return Trouble(Mischief.EMPTY_LOGS, "eth_getLogs", count=2, endpoint=self.dice.randrange(self.endpoints))

    def exit(self) -> Exit:
        what = self.dice.choice(("start", "start", "close", "cancel", "execute", "release"))
        return Exit(self.dice.randrange(6), what, self.dice.choice((1, 2, 40, 9_000)))
