"""The gateway processes of one run: each slot has one, started again when it is gone."""

import asyncio
import json
import os
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.faults.control import Gate, Gates, GatewayHangs
from tests.faults.databases import Database
from tests.faults.gateway import REFUSED, Launch
from tests.faults.page import Page
from tests.faults.points import POINTS
from tests.faults.scenario import Behaviour, Mischief, Scenario, Trouble

STARTS = 24
AGAIN_SECONDS = 0.1
"""Between two starts by a supervisor."""
START_SECONDS = 15.0
SHORT = 0.12
"""Seconds that a gateway waits for an endpoint or a provider that stalls in its scenario."""
_STALLING = frozenset({Behaviour.STALLS, Behaviour.STALLS_MIDWAY})

Say = Callable[[str], None]


class Fleet:
    """``launch_pipe`` is where the fork server hears what to start; ``accuse`` is told of what no fault explains."""

    def __init__(
        self,
        scenario: Scenario,
        page: Page,
        directory: Path,
        database: Database,
        launch_pipe: int,
        *,
        say: Say,
        accuse: Say,
    ) -> None:
        self.scenario, self.page, self.directory, self.database = scenario, page, directory, database
        self._launch_pipe = launch_pipe
        self.say, self.accuse = say, accuse
        self.slots: dict[int, Gate] = {}
        self.lives = 0
        self.alarms: set[str] = set()
        self._gates = Gates(say)
        self._given_up = False
        """A gateway broke in a way that nothing here explains: another start would break likewise."""
        self._starting: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def begin(self, rpc_url: str, provider_url: str) -> None:
        """``rpc_url`` may name several, separated by commas."""
        self._rpc_url, self._provider_url = rpc_url, provider_url
        control = await asyncio.start_server(self._gates.connected, "127.0.0.1", 0)
        self._control: int = control.sockets[0].getsockname()[1]

    async def gate(self, slot: int, *, clean: bool = False) -> Gate:
        """The gateway of ``slot``, started again if it is gone; ``clean``: one that nothing kills.

        Raises:
            GatewayHangs: it never comes up.
        """
        async with self._starting[slot]:
            failed = ""
            for _ in range(STARTS):
                if self._given_up:
                    break
                if slot in self.slots and self.slots[slot].alive:
                    return self.slots[slot]
                await self.database.usable()
                started = await self._start(slot, clean=clean)
                if started.alive:
                    self.slots[slot] = started
                    if self.scenario.processes > 1:
                        await started.order("market")  # tells the others how far its market is
                    await started.order("sync")
                else:
                    failed = started.failed
                    await asyncio.sleep(AGAIN_SECONDS)
            raise GatewayHangs(f"the gateway in slot {slot} does not come up: {failed}")

    async def _start(self, slot: int, *, clean: bool) -> Gate:
        life, self.lives = self.lives, self.lives + 1
        death = None
        if not clean:
            death = next(((one.point, one.count) for one in self.scenario.deaths if one.life == life), None)
        gate = self._gates.expected[life] = Gate(life)
        launch = Launch(
            slot=slot,
            life=life,
            seed=self.scenario.seed,
            directory=str(self.directory),
            ledger=self.database.url,
            rpc_url=self._rpc_url,
            provider_url=self._provider_url,
            control=self._control,
            confirmations=self.scenario.confirmations,
            finality=self.scenario.finality,
            batch_lines=self.scenario.batch_lines,
            death=death,
            rpc_timeout=SHORT if self._rpc_stalls and not clean else 10,
            provider_timeout=SHORT if self._provider_stalls and not clean else 5,
        )
        os.write(self._launch_pipe, b'{"launch": ' + launch.encode().rstrip() + b"}\n")
        try:
            async with asyncio.timeout(START_SECONDS):
                await asyncio.wait(
                    [asyncio.ensure_future(gate.ready.wait()), asyncio.ensure_future(gate.gone.wait())],
                    return_when=asyncio.FIRST_COMPLETED,
                )
        except TimeoutError:
            raise GatewayHangs(f"process {life} does not start within {START_SECONDS} s") from None
        self.say(
            f"process {life} is up in slot {slot}" if gate.alive else f"process {life} did not start: {gate.failed}"
        )
        return gate

    @property
    def _rpc_stalls(self) -> bool:
        return any(isinstance(one, Trouble) and one.mischief is Mischief.STALLS for one in self.scenario.happenings)

    @property
    def _provider_stalls(self) -> bool:
        return any(call.behaviour in _STALLING for call in self.scenario.calls)

    def hear_of_exits(self, told: bytes) -> None:
        """Lines of the fork server about processes that ended."""
        for line in told.splitlines():
            gone = json.loads(line)
            gate = self._gates.expected[gone["gone"]]
            died = self.page.died_at(gate.life)
            why = f"{POINTS[died]}" if died is not None else f"with status {gone['status']}"
            self.say(f"process {gate.life} is gone, {why}")
            if gone["status"] not in {0, -9, REFUSED}:
                self.accuse(f"process {gate.life} ended by itself with status {gone['status']}")
                gate.failed = "it ended by itself"
                self._given_up = True
            self._gates.lost(gate)

    async def work(self, jobs: Sequence[str], slot: int) -> None:
        for job in jobs:
            gate = await self.gate(slot)
            done = await gate.order(job)
            while done == "followed" and self._leads_alone(slot):
                await asyncio.sleep(0.05)  # a dead leader's locks go when its database notices
                done = await gate.order(job)
            self.alarms.update(gate.alarms)
            why = "; ".join(alarm[:120] for alarm in gate.alarms) if done == "failed" else ""
            self.say(f"process {gate.life}: {job} {done or 'died'} {why}")

    def _leads_alone(self, slot: int) -> bool:
        return not any(gate.alive for other, gate in self.slots.items() if other != slot)
