"""One run in the world's own process."""

import asyncio
import os
from pathlib import Path

import uvloop
from tests.faults.base import Base
from tests.faults.control import GatewayHangs
from tests.faults.databases import Database, PostgresDatabase, Servers, SqliteFile
from tests.faults.ending import PROBE, end, judge
from tests.faults.endpoint import Memo
from tests.faults.page import Page
from tests.faults.scenario import POSTGRESQL, Scenario
from tests.faults.world import World

MEMO: Memo = {}
"""Filled before the first fork, so that what every run asks first is known to all."""


def run_world(  # noqa: PLR0917 -- the fork server calls it
    servers: Servers, scenario: Scenario, base: Base, page: Page, directory: Path, pipes: tuple[int, int]
) -> None:
    database: Database = SqliteFile(base, directory)
    if scenario.database == POSTGRESQL:
        database = PostgresDatabase(servers.postgres())
    world = World(scenario, base, page, directory, memo=MEMO, pipes=pipes, database=database)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_run(world))
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
    else:
        world.result(judge(world))
    finally:
        world.database.end()
