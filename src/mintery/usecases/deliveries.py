"""Which answers their clients have to the last byte: a retry of such a request is a new one from here on."""

import asyncio

from mintery.domain.hold import RequestId
from mintery.errors import MinteryError
from mintery.ledger.commands import MarkDelivered
from mintery.usecases.attempts import Attempts
from mintery.usecases.meters import log_alarm
from mintery.usecases.parts import GatewayParts

GATHER_SECONDS = 0.2
"""Nobody waits for these marks, so many go into one commit. A client that has its answer sends no retry of it, and one that
sends the same again on purpose and then retries that waits for half a second first.
"""


class Deliveries:
    def __init__(self, parts: GatewayParts, attempts: Attempts) -> None:
        self._parts = parts
        self._attempts = attempts
        self._noted: list[MarkDelivered] = []

    def note(self, request: RequestId, *, opened: bool = False) -> None:
        """It is written soon, and before the gateway stops. ``opened``: it is a long job's opening that was delivered."""
        self._noted.append(MarkDelivered(request, self._parts.clock(), opened))
        if len(self._noted) == 1:
            self._attempts.spawn(self._write())

    async def _write(self) -> None:
        await asyncio.sleep(GATHER_SECONDS)
        noted, self._noted = self._noted, []
        try:
            await self._parts.ledger.commit_async(noted)
        except MinteryError as error:
            log_alarm("delivery_not_recorded", requests=[each.request for each in noted], why=type(error).__name__)
