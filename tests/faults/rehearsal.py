"""One good run inside the fork server, so that every fork finds compiled statements, filled caches and known answers."""

import asyncio
import threading
from pathlib import Path

from tests.faults.base import Base
from tests.faults.chain import WorldChain
from tests.faults.client import ask
from tests.faults.endpoint import Endpoint, Memo
from tests.faults.gateway import Launch, build
from tests.faults.http import serve
from tests.faults.page import Page
from tests.faults.provider import WorldProvider
from tests.faults.requests import Wallets
from tests.faults.scenario import Call, Shape

from mintery.ledger.audit import open_audit

CALLS = tuple(Call(f"r{number}", number % 3, shape) for number, shape in enumerate(Shape))
JOBS = ("market", "sync", "settle", "sync", "expire_holds", "reconcile", "drop_answers", "endpoints", "seal_ledger")


def rehearse(base: Base, page: Page, memo: Memo) -> None:
    """Leaves no thread, and the chain as it was."""
    snapshot = base.node.engine.snapshot()
    page.begin(base.offset)
    asyncio.run(_rehearse(base, page, memo))
    base.node.engine.revert(snapshot)
    page.stand_still(base.offset)
    if threading.active_count() != 1:
        raise RuntimeError(f"the rehearsal left threads: {threading.enumerate()}")


def _audit(url: str) -> None:
    with open_audit(url) as audit:
        audit.check()
        audit.verify()


async def _rehearse(base: Base, page: Page, memo: Memo) -> None:
    path = Path(base.directory) / "rehearsal.sqlite"
    base.copy_ledger(path)
    rpc = Endpoint(WorldChain(base.node, page), memo, lambda _: None)
    provider = WorldProvider({call.name: call for call in CALLS}, lambda _: None)
    rpc_server, rpc_url = await serve(rpc.answer)
    provider_server, provider_url = await serve(provider.answer)
    launch = Launch(0, 0, 0, str(base.directory), str(path), rpc_url, provider_url, 0, 0, 0, 100)
    gateway = await asyncio.to_thread(build, launch, base, page)
    url = await asyncio.to_thread(gateway.serve, "127.0.0.1", 0)
    for job in JOBS[:2]:
        await asyncio.to_thread(gateway.jobs.run_once, job)
    wallets = Wallets(base)
    for call in CALLS:
        sent = wallets.sent(call)
        seen = await ask(url, "POST", sent.path, sent.headers, sent.body)
        if not seen.paid_answer:
            raise RuntimeError(f"the rehearsal's {call.name} failed: {seen.words()} {seen.body!r}")
    for job in JOBS:
        if await asyncio.to_thread(gateway.jobs.run_once, job) != "done":
            raise RuntimeError(f"the rehearsal's {job} failed: {gateway.alarms.standing()}")
    await asyncio.to_thread(gateway.close)
    await asyncio.to_thread(_audit, str(path))
    for server in (rpc_server, provider_server):
        server.close()
    path.unlink()
