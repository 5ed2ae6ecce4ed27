"""The world's end of its gateways: where they listen, what they are ordered to do, and when they are gone."""

import asyncio
import json
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

ORDER_SECONDS = 20.0


class GatewayHangs(Exception):
    """An order, a start or a stop took longer than anything here may take."""


@dataclass(slots=True)
class Gate:
    """One gateway process. ``gone`` is set when its connection ends, whatever ended it."""

    life: int
    url: str = ""
    pid: int = 0
    failed: str = ""
    closed: bool = False
    alarms: tuple[str, ...] = ()
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    writer: asyncio.StreamWriter | None = None
    orders: dict[int, asyncio.Future[str | None]] = field(default_factory=dict)

    @property
    def alive(self) -> bool:
        return self.ready.is_set() and not self.gone.is_set()

    def kill(self) -> None:
        if self.alive:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    def send(self, order: dict[str, Any]) -> None:
        if self.writer is not None and not self.writer.is_closing():
            self.writer.write(json.dumps(order).encode() + b"\n")

    async def order(self, job: str) -> str | None:
        """How the job ended (a ``RunEnd``); None when its gateway was gone before that.

        Raises:
            GatewayHangs
        """
        if not self.alive:
            return None
        number = len(self.orders) + 1
        done = self.orders[number] = asyncio.get_running_loop().create_future()
        self.send({"do": job, "number": number})
        try:
            return await asyncio.wait_for(done, ORDER_SECONDS)
        except TimeoutError:
            raise GatewayHangs(f"process {self.life} is at {job!r} for {ORDER_SECONDS} s") from None


class Gates:
    """Awaits the gateways' own connections, by the number of their lives."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self.expected: dict[int, Gate] = {}

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        gate: Gate | None = None
        try:
            while line := await reader.readline():
                message = json.loads(line)
                if gate is None:
                    gate = self.expected[message["life"]]
                    gate.writer = writer
                self._heard(gate, message)
        except ConnectionError:
            pass
        finally:
            if gate is not None:
                self.lost(gate)
            writer.close()

    def lost(self, gate: Gate) -> None:
        gate.gone.set()
        for order in gate.orders.values():
            if not order.done():
                order.set_result(None)

    def _heard(self, gate: Gate, message: dict[str, Any]) -> None:
        match message:
            case {"url": url, "pid": pid}:
                gate.url, gate.pid = url, pid
                gate.ready.set()
            case {"failed": why}:
                gate.failed = why
            case {"closed": True}:
                gate.closed = True
            case {"did": number, "done": done, "alarms": alarms}:
                gate.alarms = tuple(alarms)
                gate.orders[number].set_result(done)
            case _:
                self._say(f"process {gate.life} said {message}")
