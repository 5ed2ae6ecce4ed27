"""Requests that were refused before they had a hold: remembered under an id of their own, so that they can be explained."""

import asyncio
from collections import Counter
from dataclasses import replace

from mintery.domain.attempt import Refusal
from mintery.domain.hold import RequestId
from mintery.domain.voucher import AccountId
from mintery.errors import MinteryError
from mintery.ledger.commands import RecordRefusals
from mintery.ledger.texts import without_nul
from mintery.usecases.attempts import Attempts
from mintery.usecases.meters import log_alarm
from mintery.usecases.parts import GatewayParts

GATHER_SECONDS = 0.5
MOST_AT_ONCE = 100
"""Of all accounts. Whoever sends what is refused pays nothing for it: what comes faster than this is answered and not
written down.
"""
MOST_OF_ONE = 20
MOST_OF_NOBODY = 10
"""Without a key that opens an account; beside ``MOST_AT_ONCE``, for anyone can send these."""


class Refusals:
    def __init__(self, parts: GatewayParts, attempts: Attempts) -> None:
        self._parts = parts
        self._attempts = attempts
        self._noted: dict[RequestId, Refusal] = {}
        self._noted_of: Counter[AccountId | None] = Counter()

    def note(self, refusal: Refusal) -> None:
        """It is written soon, and before the gateway stops; until then it is shown as it will be written."""
        if not self._has_room(refusal.account):
            return
        self._noted[refusal.request] = replace(
            refusal,
            asked=without_nul(refusal.asked),
            message=without_nul(refusal.message),
            evidence=without_nul(dict(refusal.evidence)),
        )
        self._noted_of[refusal.account] += 1
        if len(self._noted) == 1:
            self._attempts.spawn(self._write())

    def find(self, request: RequestId) -> Refusal | None:
        """Asks the ledger for one that was written."""
        return self._noted.get(request) or self._parts.ledger.refusal(request)

    def _has_room(self, account: AccountId | None) -> bool:
        of_nobody = self._noted_of[None]
        if account is None:
            return of_nobody < MOST_OF_NOBODY
        return self._noted_of[account] < MOST_OF_ONE and len(self._noted) - of_nobody < MOST_AT_ONCE

    async def _write(self) -> None:
        await asyncio.sleep(GATHER_SECONDS)
        noted, self._noted = self._noted, {}
        self._noted_of.clear()
        try:
            await self._parts.ledger.commit_async([RecordRefusals(tuple(noted.values()))])
        except MinteryError as error:
            log_alarm("refusals_not_recorded", requests=list(noted), why=type(error).__name__)
