"""Where a forked gateway is watched and killed. The product has no hooks: its own methods are wrapped after the fork."""

import os
import signal
import threading
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import Any

from tests.faults.page import Page
from tests.faults.points import NUMBER_OF, Point, Stage, Step, step_of

from mintery.chain.rpc import Rpc
from mintery.ledger.commands import Command
from mintery.ledger.groups import GroupWriter
from mintery.ledger.store import LedgerStore
from mintery.ledger.work import Work
from mintery.providers.openai_compatible import OpenAICompatible

Asgi = Callable[[Any, Any, Any], Awaitable[None]]


class Reaper:
    """Counts the points that this process reaches, and kills it at the one that its scenario names."""

    def __init__(self, page: Page, life: int, death: tuple[int, int] | None) -> None:
        self._page = page
        self._life = life
        self._death = death
        self._counts: Counter[int] = Counter()
        self._lock = threading.Lock()

    def reach(self, step: Step | None, stage: Stage) -> None:
        if step is None:
            return
        number = NUMBER_OF[Point(step, stage)]
        with self._lock:
            self._counts[number] += 1
            self._page.reach(number)
            if self._death == (number, self._counts[number]):
                self._page.die(self._life, number)
                os.kill(os.getpid(), signal.SIGKILL)

    def awaits(self, steps: Sequence[Step], stage: Stage) -> bool:
        """Whether it dies at one of these, now or later."""
        return self._death is not None and any(self._death[0] == NUMBER_OF[Point(step, stage)] for step in steps)

    def reach_all(self, steps: Sequence[Step], stage: Stage) -> None:
        for step in steps:
            self.reach(step, stage)


def steps_of(commands: Sequence[Command]) -> list[Step]:
    """Each step once, in order."""
    return list(dict.fromkeys(step for command in commands if (step := step_of(command)) is not None))


def watch(reaper: Reaper) -> None:
    _watch_ledger(reaper)
    _watch_rpc(reaper)
    _watch_provider(reaper)


def _watch_ledger(reaper: Reaper) -> None:
    commit, commit_async = LedgerStore.commit, LedgerStore.commit_async
    transaction, commit_work = GroupWriter._transaction, Work.commit
    writing: list[Step] = []  # the one writer thread's transaction

    def told_commit(self: LedgerStore, commands: Sequence[Command]) -> Any:
        results = commit(self, commands)
        reaper.reach_all(steps_of(commands), Stage.TOLD)
        return results

    async def told_commit_async(self: LedgerStore, commands: Sequence[Command]) -> Any:
        results = await commit_async(self, commands)
        reaper.reach_all(steps_of(commands), Stage.TOLD)
        return results

    def watched_transaction(self: GroupWriter, lists: Sequence[Sequence[Command]]) -> Any:
        writing[:] = dict.fromkeys(step for commands in lists for step in steps_of(commands))
        return transaction(self, lists)

    def watched_work(self: Work) -> None:
        if reaper.awaits(writing, Stage.BEFORE):
            self._catch_up()  # PostgreSQL would be sent the last statements together with COMMIT
        reaper.reach_all(writing, Stage.BEFORE)
        commit_work(self)
        reaper.reach_all(writing, Stage.AFTER)

    LedgerStore.commit = told_commit
    LedgerStore.commit_async = told_commit_async
    GroupWriter._transaction = watched_transaction
    Work.commit = watched_work


def _watch_rpc(reaper: Reaper) -> None:
    broadcast = Rpc.broadcast

    def watched_broadcast(self: Rpc, raw: bytes) -> None:
        reaper.reach(Step.BROADCAST, Stage.BEFORE)
        broadcast(self, raw)
        reaper.reach(Step.BROADCAST, Stage.AFTER)

    Rpc.broadcast = watched_broadcast


def _watch_provider(reaper: Reaper) -> None:
    head, ask, stream = OpenAICompatible._head, OpenAICompatible.ask, OpenAICompatible.stream

    def read(step: Step) -> None:
        reaper.reach(step, Stage.BEFORE)
        reaper.reach(step, Stage.AFTER)

    async def watched_head(self: OpenAICompatible, *asked: Any) -> Any:
        reaper.reach(Step.UPSTREAM_CALLED, Stage.BEFORE)
        response = await head(self, *asked)
        reaper.reach(Step.UPSTREAM_CALLED, Stage.AFTER)
        return response

    async def watched_ask(self: OpenAICompatible, *asked: Any) -> Any:
        reply = await ask(self, *asked)
        read(Step.FIRST_BYTE)
        if reply.usage is not None:
            read(Step.USAGE_READ)
        return reply

    async def watched_stream(self: OpenAICompatible, *asked: Any) -> AsyncGenerator[Any]:
        first = True
        async with aclosing(stream(self, *asked)) as events:
            async for event in events:
                if first:
                    read(Step.FIRST_BYTE)
                first = False
                if event.usage is not None:
                    read(Step.USAGE_READ)
                yield event

    OpenAICompatible._head = watched_head
    OpenAICompatible.ask = watched_ask
    OpenAICompatible.stream = watched_stream


def watched_app(app: Asgi, reaper: Reaper) -> Asgi:
    """What leaves for clients of paid requests."""

    async def serve(scope: Any, receive: Any, send: Any) -> None:
        paid = scope["type"] == "http" and scope["method"] == "POST"

        async def watched_send(message: Any) -> None:
            step = _step_sent(message) if paid else None
            reaper.reach(step, Stage.BEFORE)
            await send(message)
            reaper.reach(step, Stage.AFTER)

        await app(scope, receive, watched_send)

    return serve


def _step_sent(message: Any) -> Step | None:
    match message:
        case {"type": "http.response.start", "status": 200}:
            return Step.ANSWER_BEGUN
        case {"type": "http.response.body", "more_body": True}:
            return Step.ANSWER_PIECE
        case {"type": "http.response.body"}:
            return Step.ANSWER_SENT
        case _:
            return None
