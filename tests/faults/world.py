"""The process around the gateways: it is their chain, their provider and their clients, and it turns the scenario's pages."""

import asyncio
import json
import os
import sqlite3
import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
from tests.faults.base import Base
from tests.faults.chain import WorldChain
from tests.faults.client import Seen, ask
from tests.faults.control import Gate, Gates, GatewayHangs
from tests.faults.database_trouble import while_entangled, while_full, while_locked, while_stopped
from tests.faults.databases import Database, PostgresDatabase
from tests.faults.endpoint import Endpoint, Memo
from tests.faults.gateway import REFUSED, Launch
from tests.faults.http import serve
from tests.faults.ledgers import LedgerEye
from tests.faults.page import Page
from tests.faults.people import act
from tests.faults.points import POINTS
from tests.faults.provider import WorldProvider
from tests.faults.requests import Wallets
from tests.faults.scenario import (
    Ask,
    Behaviour,
    Call,
    CutCommit,
    Deposit,
    Entangle,
    Exit,
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
    Skew,
    Skip,
    StopDatabase,
    Trouble,
    Work,
)

from mintery.crypto.hashing import keccak

STARTS = 24
AGAIN_SECONDS = 0.1
"""Between two starts by a supervisor."""
START_SECONDS = 15.0
BACKOFF_SECONDS = 0.6
SHORT = 0.12
"""Seconds that a gateway waits for an endpoint or a provider that stalls in its scenario."""
_STALLING = frozenset({Behaviour.STALLS, Behaviour.STALLS_MIDWAY})
_RETRIED = frozenset({408, 409, 429})


class World:
    def __init__(
        self,
        scenario: Scenario,
        base: Base,
        page: Page,
        directory: Path,
        *,
        memo: Memo,
        pipes: tuple[int, int],
        database: Database,
    ) -> None:
        self.scenario, self.base, self.page, self.directory = scenario, base, page, directory
        self._up, self._down = pipes
        self._began = time.monotonic()
        self.chain = WorldChain(base.node, page)
        self.endpoints = tuple(
            Endpoint(self.chain, memo, self.say, self._on_transaction) for _ in range(scenario.endpoints)
        )
        self.database = database
        if isinstance(database, PostgresDatabase):
            database.on_cut = self.say
        self.provider = WorldProvider({call.name: call for call in scenario.calls}, self._on_provider_call)
        self.wallets = Wallets(base)
        self.gates = Gates(self.say)
        self.slots: dict[int, Gate] = {}
        self.lives = 0
        self.given_up = False
        """A gateway broke in a way that nothing here explains: another start would break likewise."""
        self.tries: defaultdict[str, list[Seen]] = defaultdict(list)
        self.wrong: list[str] = []
        self.alarms: set[str] = set()
        self._starting: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._urls: dict[str, str] = {}
        self._control = 0

    # ── what everybody hears ─────────────────────────────────────────────────────────────────────────────────────

    def say(self, what: str) -> None:
        told = f"{1000 * (time.monotonic() - self._began):7.1f} ms  {what}"
        os.write(self._up, json.dumps({"say": told}).encode() + b"\n")

    def accuse(self, what: str) -> None:
        self.say(f"WRONG: {what}")
        self.wrong.append(what)

    def _on_provider_call(self, call: Call) -> None:
        """A hold is durable before the first upstream byte: whoever is called finds it in the ledger."""
        self.say(f"provider is called for {call.name}; it {call.behaviour}")
        body = self.wallets.sent(call).known_by
        with suppress(sqlite3.OperationalError, psycopg.OperationalError):
            dispatched = self.eye.dispatched(body)
            if dispatched < self.provider.calls[call.name]:
                self.accuse(f"the provider was called for {call.name} before its hold was durable")

    def _on_transaction(self, raw: bytes) -> None:
        """An attempt is durable before it leaves: whatever the settler sends is found in the ledger."""
        tx_hash = "0x" + keccak(raw).hex()
        with suppress(sqlite3.OperationalError, psycopg.OperationalError):
            if not self.eye.attempts(tx_hash):
                self.accuse(f"transaction {tx_hash[:12]} left before it was saved")

    # ── from beginning to end ────────────────────────────────────────────────────────────────────────────────────

    async def begin(self) -> None:
        await self.database.begin()
        self.eye = LedgerEye(self.database.connect())
        loop = asyncio.get_running_loop()
        loop.add_reader(self._down, self._hear_of_exits)
        rpcs = [await serve(endpoint.answer) for endpoint in self.endpoints]
        self._urls["rpc"] = ",".join(url for _, url in rpcs)
        _, self._urls["provider"] = await serve(self.provider.answer)
        control = await asyncio.start_server(self.gates.connected, "127.0.0.1", 0)
        self._control = control.sockets[0].getsockname()[1]

    async def play(self) -> None:
        for number, happening in enumerate(self.scenario.happenings):
            self.say(f"── {number}. {type(happening).__name__}")
            await self.do(happening)

    async def do(self, happening: Happening) -> None:  # noqa: C901, PLR0912 -- one flat table
        match happening:
            case Ask():
                await self.ask_all(happening.calls, happening.jobs, happening.slot)
            case Work(jobs, slot, together):
                slots = range(self.scenario.processes) if together else (slot,)
                await asyncio.gather(*(self.work(jobs, one) for one in slots))
            case Mine(blocks):
                mined = self.chain.mine_waiting()
                self.chain.mine_empty(blocks)
                self.say(f"{mined} transactions mined, head is {self.chain.head.number}")
            case Reorganise(depth, fate):
                count = self.chain.reorganise(depth, fate)
                self.say(f"the last {depth} blocks with {count} transactions are replaced, those are {fate}")
            case Deposit() | Exit():
                self.say(act(self.base, happening))
            case Skip(seconds):
                self.page.skip(seconds)
            case Skew(slot, seconds):
                self.page.skew(slot, seconds)
            case Trouble():
                self.endpoints[happening.endpoint % len(self.endpoints)].make(happening)
            case Mempool(instant, fee_factor):
                self.chain.instant, self.chain.fee_factor = instant, fee_factor
            case Kill(slot):
                if slot in self.slots:
                    self.slots[slot].kill()
                    await self.slots[slot].gone.wait()
            case LockLedger(millis, calls, jobs):
                await self.gate(0)
                await while_locked(self.database, millis, self.ask_all(calls, jobs, 0))
            case Entangle(calls):
                await self.gate(0)
                accounts = [self.base.members[call.member].id for call in calls]
                await while_entangled(self.postgres, accounts, self.ask_all(calls, (), 0), self.say)
            case CutCommit(spared, committed):
                self.postgres.cut_commit(spared, committed=committed)
            case StopDatabase(millis, calls, jobs):
                await self.gate(0)
                await while_stopped(self.postgres, millis, self.ask_all(calls, jobs, 0))
            case FullDisk(room, calls, jobs):
                await while_full(await self.gate(0), room, self.ask_all(calls, jobs, 0))

    @property
    def postgres(self) -> PostgresDatabase:
        assert isinstance(self.database, PostgresDatabase)
        return self.database

    def heal(self) -> None:
        """Nothing goes wrong from here on."""
        for endpoint in self.endpoints:
            endpoint.heal()
        if isinstance(self.database, PostgresDatabase):
            self.database.heal()
        self.chain.instant, self.chain.fee_factor = True, 1
        for slot in range(self.scenario.processes):
            self.page.skew(slot, 0)
        self.chain.mine_waiting()

    # ── gateways ─────────────────────────────────────────────────────────────────────────────────────────────────

    async def gate(self, slot: int, *, clean: bool = False) -> Gate:
        """The gateway of ``slot``, started again if it is gone; ``clean``: one that nothing kills.

        Raises:
            GatewayHangs: it never comes up.
        """
        async with self._starting[slot]:
            failed = ""
            for _ in range(STARTS):
                if self.given_up:
                    break
                if slot in self.slots and self.slots[slot].alive:
                    return self.slots[slot]
                await self.database.usable()
                started = await self._start(slot, clean=clean)
                if started.alive:
                    self.slots[slot] = started
                    await started.order("market")
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
        gate = self.gates.expected[life] = Gate(life)
        launch = Launch(
            slot=slot,
            life=life,
            seed=self.scenario.seed,
            directory=str(self.directory),
            ledger=self.database.url,
            rpc_url=self._urls["rpc"],
            provider_url=self._urls["provider"],
            control=self._control,
            confirmations=self.scenario.confirmations,
            batch_lines=self.scenario.batch_lines,
            death=death,
            rpc_timeout=SHORT if self._rpc_stalls and not clean else 10,
            provider_timeout=SHORT if self._provider_stalls and not clean else 5,
        )
        os.write(self._up, b'{"launch": ' + launch.encode().rstrip() + b"}\n")
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

    def _hear_of_exits(self) -> None:
        for line in os.read(self._down, 1 << 16).splitlines():
            gone = json.loads(line)
            gate = self.gates.expected[gone["gone"]]
            died = self.page.died_at(gate.life)
            why = f"{POINTS[died]}" if died is not None else f"with status {gone['status']}"
            self.say(f"process {gate.life} is gone, {why}")
            if gone["status"] not in {0, -9, REFUSED}:
                self.accuse(f"process {gate.life} ended by itself with status {gone['status']}")
                gate.failed = "it ended by itself"
                self.given_up = True
            self.gates.lost(gate)

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

    # ── clients ──────────────────────────────────────────────────────────────────────────────────────────────────

    async def ask_all(self, calls: Sequence[Call], jobs: Sequence[str], slot: int) -> None:
        await self.gate(slot)
        processes = self.scenario.processes
        asking = [self.ask(call, (slot + number) % processes) for number, call in enumerate(calls)]
        await asyncio.gather(*asking, self.work(jobs, slot))

    async def ask(self, call: Call, slot: int) -> Seen:
        """Once, and again while the client has retries left and saw no end."""
        for retry in range(call.retries + 1):
            gate = await self.gate((slot + retry) % self.scenario.processes)
            sent = self.wallets.sent(call, retry)
            manners = call.manners if not retry else Manners.GOOD
            seen = await ask(gate.url, "POST", sent.path, sent.headers, sent.body, manners=manners, at=call.leaves_at)
            self.tries[call.name].append(seen)
            self.say(f"{call.name}{' again' if retry else ''} at process {gate.life}: {seen.words()}")
            if not seen.whole and not gate.gone.is_set():
                await asyncio.sleep(0.002)  # a process that dies now is not up
            if seen.paid_answer or not _may_retry(seen):
                return seen
            await self._back_off(sent.known_by)
        return seen

    async def _back_off(self, body: bytes) -> None:
        """As stock clients do, who wait half a second and more: a retry at another process must find the first try's hold."""
        until = time.monotonic() + (BACKOFF_SECONDS if self.scenario.processes > 1 else 0)
        while time.monotonic() < until and not self._placed(body):  # noqa: ASYNC110 -- another process writes it
            await asyncio.sleep(0.01)

    def _placed(self, body: bytes) -> bool:
        try:
            return bool(self.eye.dispatched(body))
        except (sqlite3.OperationalError, psycopg.OperationalError):
            return False

    @property
    def calm(self) -> bool:
        """No gateway died or lost its database, and no clock jumped while it may have been at work."""
        stirring = Kill | Skip | Skew | FullDisk | LockLedger | StopDatabase | CutCommit | Entangle
        died = any(self.page.died_at(life) is not None for life in range(self.lives))
        stirred = any(isinstance(one, stirring) for one in self.scenario.happenings)
        return not died and not stirred and closes_well(self.scenario)

    def result(self, facts: dict[str, Any]) -> None:
        died = [self.page.died_at(life) for life in range(self.lives)]
        deaths = [str(POINTS[point]) for point in died if point is not None]
        told = {"result": {"wrong": self.wrong, "deaths": deaths, "facts": facts}}
        os.write(self._up, json.dumps(told).encode() + b"\n")


def closes_well(scenario: Scenario) -> bool:
    """In the end even seeds stop what still runs as an operator does, odd ones kill it."""
    return scenario.seed % 2 == 0


def _may_retry(seen: Seen) -> bool:
    """As stock clients decide."""
    if seen.headers.get("x-should-retry") == "false" and seen.whole:
        return False
    return not seen.whole or seen.status in _RETRIED or seen.status >= 500
