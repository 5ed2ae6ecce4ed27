"""How a run ends: nothing goes wrong any more, a clean gateway comes up, time passes, everything is settled and compared."""

import asyncio
from typing import Any

from tests.faults.base import UNTOUCHED
from tests.faults.client import ask
from tests.faults.control import GatewayHangs
from tests.faults.scenario import Call, Shape
from tests.faults.verdict import Verdict, wrong_in_books
from tests.faults.world import World, closes_well

from mintery.ledger.audit import open_audit
from mintery.usecases.alarms import Alarm
from mintery.usecases.expire_holds import EVIDENCE_SECONDS

PAST_LEASES = EVIDENCE_SECONDS + 200 + 600
"""Of clocks that were ten minutes ahead, too."""
SETTLEMENTS = 14
PROBE = Call("probe", UNTOUCHED, Shape.JSON, prompt=11, completion=7)


async def end(world: World) -> None:
    world.say("── all is well again")
    world.heal()
    await _stop_all(world)
    world.page.skip(PAST_LEASES)
    gate = await world.fleet.gate(0, clean=True)
    await world.fleet.work(["expire_holds"], 0)
    await _probe(world, gate.url)
    await _settle(world)
    await world.fleet.work(["endpoints"], 0)
    if await gate.order("reconcile") != "done":
        world.accuse(f"the gateway's own reconciliation fails: {gate.alarms}")
    if alarms := [alarm for alarm in gate.alarms if not _is_due(world, alarm)]:
        world.accuse(f"alarms stand though all is well: {alarms}")
    await world.fleet.work(["seal_ledger"], 0)
    gate.send({"do": "close"})
    try:
        await asyncio.wait_for(gate.gone.wait(), 15)
    except TimeoutError:
        raise GatewayHangs(f"process {gate.life} does not close") from None
    if not gate.closed:
        world.accuse(f"process {gate.life} did not close well")


def _is_due(world: World, alarm: str) -> bool:
    """Somebody released credits that requests had been charged: the operator must hear of what cannot be collected."""
    return alarm.startswith(f"{Alarm.RECEIPTS_LEFT_OUT}(") and world.eye.owed_by_all_unsettled()


async def _stop_all(world: World) -> None:
    for gate in world.fleet.slots.values():
        if gate.alive and closes_well(world.scenario):
            gate.send({"do": "close"})
        else:
            gate.kill()
        await asyncio.wait_for(gate.gone.wait(), 15)


async def _probe(world: World, url: str) -> None:
    """The gateway still sells, and a key that was used still has its answer or its receipt's name."""
    seen = await world.ask(PROBE, 0)
    if not seen.paid_answer:
        world.accuse(f"a clean gateway does not answer: {seen.words()} {seen.body[:300]!r}")
    for call in world.scenario.calls:
        ends = [one for one in world.tries[call.name] if one.paid_answer]
        if call.key is None or not ends:
            continue
        sent = world.wallets.sent(call)
        again = await ask(url, "POST", sent.path, sent.headers, sent.body)
        same = again.paid_answer and again.body == ends[0].body and again.receipt == ends[0].receipt
        if not same:
            world.accuse(f"{call.name} asked again with its key is told {again.words()} {again.body[:200]!r}")
        return


async def _settle(world: World) -> None:
    for _ in range(SETTLEMENTS):
        await world.fleet.work(["settle"], 0)
        world.chain.mine_empty(world.scenario.confirmations)
        await world.fleet.work(["sync"], 0)
        receipts, batches = world.eye.unsettled()
        if not batches and (not receipts or not world.fleet.slots[0].alive):
            return
        world.page.skip(100)  # past the age at which a transaction is sent again with higher fees
    world.say(f"not all is settled: {world.eye.unsettled()}")


def judge(world: World) -> dict[str, Any]:
    """The facts of the run; what is wrong goes to the world."""
    verdict = Verdict(
        world.scenario,
        world.base,
        world.eye,
        tries=world.tries,
        provider_calls=world.provider.calls_of,
        answered=world.provider.answered,
        calm=world.calm,
        wallets=world.wallets,
    )
    for wrong in verdict.wrong():
        world.accuse(wrong)
    with open_audit(world.database.inner_url) as audit:
        for wrong in wrong_in_books(world.base, world.eye, audit):
            world.accuse(wrong)
    return {
        "lives": world.fleet.lives,
        "requests": len(verdict.requests),
        "charged": sum(one.captured is not None for one in verdict.requests),
        "stood_in": sum(one.captured is not None and one.calls > 1 for one in verdict.requests),
        "whole": sum(seen.paid_answer for tries in world.tries.values() for seen in tries),
        "alarms": sorted({alarm.partition("(")[0] for alarm in world.fleet.alarms}),
    }
