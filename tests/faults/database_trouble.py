"""What happens to a database while gateways use it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

import psycopg
from tests.faults.control import Gate
from tests.faults.databases import Connection, Database, PostgresDatabase

LONGEST_FULL = 0.15
"""Seconds until somebody makes room on the disk."""


async def while_locked(database: Database, millis: int, busy: Awaitable[None]) -> None:
    """Nobody else can write."""
    other = database.connect()
    if isinstance(database, PostgresDatabase):
        other.run("BEGIN")
        other.run("LOCK TABLE accounts, requests IN EXCLUSIVE MODE")
    else:
        other.run("BEGIN IMMEDIATE")
    task = asyncio.ensure_future(busy)
    await asyncio.sleep(millis / 1000)
    other.run("ROLLBACK")
    other.close()
    await task


async def while_entangled(
    database: PostgresDatabase, accounts: Sequence[str], busy: Awaitable[None], say: Callable[[str], None]
) -> None:
    """Locks rows from the last to the first, where gateways lock them from the first to the last."""
    other = database.connect()
    other.run("BEGIN")
    other.run("SET lock_timeout = '400ms'")
    task = asyncio.ensure_future(busy)
    try:
        for account in sorted(accounts, reverse=True):
            await asyncio.to_thread(other.rows, "SELECT id FROM accounts WHERE id = ? FOR UPDATE", [account])
            await asyncio.sleep(0.02)
    except psycopg.Error as error:
        say(f"the other one was refused: {type(error).__name__}")
    _give_up(other)
    await task


async def while_stopped(database: PostgresDatabase, millis: int, busy: Awaitable[None]) -> None:
    task = asyncio.ensure_future(busy)
    await asyncio.sleep(0.01)
    await database.stop()
    await asyncio.sleep(millis / 1000)
    await database.start()
    await task


async def while_full(gate: Gate, room: int, busy: Awaitable[None]) -> None:
    gate.send({"do": "fill disk", "room": room})
    task = asyncio.ensure_future(busy)
    await asyncio.sleep(LONGEST_FULL)
    gate.send({"do": "free disk"})
    await task


def _give_up(other: Connection) -> None:
    with suppress(psycopg.Error):
        other.run("ROLLBACK")
    other.close()
