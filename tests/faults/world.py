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
from tests.faults.database_trouble import while_entangled, while_full, while_locked, while_stopped
from tests.faults.databases import Database, PostgresDatabase
from tests.faults.endpoint import Endpoint, Memo
from tests.faults.fleet import Fleet
from tests.faults.http import serve
from tests.faults.ledgers import LedgerEye
from tests.faults.page import Page
from tests.faults.people import act
from tests.faults.points import POINTS
from tests.faults.provider import WorldProvider
from tests.faults.requests import Wallets
from tests.faults.scenario import (
    Ask,
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
    Reorganise,
    Scenario,
    Skew,
    Skip,
    StopDatabase,
    Trouble,
    Work,
)

from mintery.crypto.hashing import keccak

BACKOFF_SECONDS = 0.6
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
        self.tries: defaultdict[str, list[Seen]] = defaultdict(list)
        self.wrong: list[str] = []
        self.fleet = Fleet(scenario, page, directory, database, pipes[0], say=self.say, accuse=self.accuse)

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
            if dispatched < max(self.provider.calls_of(call.name)):
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
        rpcs = [await serve(endpoint.answer) for endpoint in self.endpoints]
        _, provider_url = await serve(self.provider.answer)
        await self.fleet.begin(",".join(url for _, url in rpcs), provider_url)
        asyncio.get_running_loop().add_reader(
            self._down, lambda: self.fleet.hear_of_exits(os.read(self._down, 1 << 16))
        )

    async def play(self) -> None:
        for number, happening in enumerate(self.scenario.happenings):
            self.say(f"── {number}. {type(happening).__name__}")
            await self.do(happening)

    async def do(self, happening: Happening) -> None:  # noqa: C901, PLR0912 -- one flat table
        match happening:
            case Ask(calls, jobs, slot, meanwhile):
                await (self.ask_meanwhile if meanwhile else self.ask_all)(calls, jobs, slot)
            case Work(jobs, slot, together):
                slots = range(self.scenario.processes) if together else (slot,)
                await asyncio.gather(*(self.fleet.work(jobs, one) for one in slots))
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
                if slot in self.fleet.slots:
                    self.fleet.slots[slot].kill()
                    await self.fleet.slots[slot].gone.wait()
            case LockLedger(millis, calls, jobs):
                await self.fleet.gate(0)
                await while_locked(self.database, millis, self.ask_all(calls, jobs, 0))
            case Entangle(calls):
                await self.fleet.gate(0)
                accounts = [self.base.members[call.member].id for call in calls]
                await while_entangled(self.postgres, accounts, self.ask_all(calls, (), 0), self.say)
            case CutCommit(spared, committed):
                self.postgres.cut_commit(spared, committed=committed)
            case StopDatabase(millis, calls, jobs):
                await self.fleet.gate(0)
                await while_stopped(self.postgres, millis, self.ask_all(calls, jobs, 0))
            case FullDisk(room, calls, jobs):
                await while_full(await self.fleet.gate(0), room, self.ask_all(calls, jobs, 0))

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

    # ── clients ──────────────────────────────────────────────────────────────────────────────────────────────────

    async def ask_all(self, calls: Sequence[Call], jobs: Sequence[str], slot: int) -> None:
        await self.fleet.gate(slot)
        processes = self.scenario.processes
        asking = [self.ask(call, (slot + number) % processes) for number, call in enumerate(calls)]
        await asyncio.gather(*asking, self.fleet.work(jobs, slot))

    async def ask_meanwhile(self, calls: Sequence[Call], jobs: Sequence[str], slot: int) -> None:
        """The jobs run while calls are under way at the provider, if any arrives there."""
        self.provider.hold_back()
        asking = asyncio.ensure_future(self.ask_all(calls, (), slot))
        called = asyncio.ensure_future(self.provider.called.wait())
        await asyncio.wait([asking, called], return_when=asyncio.FIRST_COMPLETED)
        try:
            await self.fleet.work(jobs, slot)
        finally:
            self.provider.answers.set()
            called.cancel()
        await asking

    async def ask(self, call: Call, slot: int) -> Seen:
        """Once, and again while the client has retries left and saw no end."""
        for retry in range(call.retries + 1):
            gate = await self.fleet.gate((slot + retry) % self.scenario.processes)
            sent = self.wallets.sent(call, retry)
            manners = call.manners if not retry else Manners.GOOD
            seen = await ask(gate.url, "POST", sent.path, sent.headers, sent.body, manners=manners, at=call.leaves_at)
            self.tries[call.name].append(seen)
            self.say(f"{call.name}{' again' if retry else ''} at process {gate.life}: {seen.words()}")
            if not seen.whole and self.page.died_at(gate.life) is not None:
                await gate.gone.wait()  # a process that dies now is not up
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
        died = any(self.page.died_at(life) is not None for life in range(self.fleet.lives))
        stirred = any(isinstance(one, stirring) for one in self.scenario.happenings)
        return not died and not stirred and closes_well(self.scenario)

    def result(self, facts: dict[str, Any]) -> None:
        died = [self.page.died_at(life) for life in range(self.fleet.lives)]
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
