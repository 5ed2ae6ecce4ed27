"""One run in the world's own process."""

import asyncio
import os
from pathlib import Path

from tests.faults.base import Base
from tests.faults.control import GatewayHangs
from tests.faults.ending import PROBE, end, judge
from tests.faults.endpoint import Memo
from tests.faults.page import Page
from tests.faults.scenario import Scenario
from tests.faults.world import World

MEMO: Memo = {}
"""Filled before the first fork, so that what every run asks first is known to all."""


def run_world(scenario: Scenario, base: Base, page: Page, directory: Path, pipes: tuple[int, int]) -> None:
    asyncio.run(_run(World(scenario, base, page, directory, memo=MEMO, pipes=pipes)))
    os.close(pipes[0])


async def _run(world: World) -> None:
    world.provider.known = {**world.provider.known, PROBE.name: PROBE}
    try:
        await world.begin()
        await world.play()
        await end(world)
    except GatewayHangs as error:
        world.accuse(str(error))
        world.result({})
        return
    world.result(judge(world))
