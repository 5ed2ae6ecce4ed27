"""``/v1/credits``: what a key's wallet has and may still spend."""

from typing import Any

from fastapi import APIRouter, Request

from mintery.errors import CredentialRefused
from mintery.gateway import examples
from mintery.gateway.entry import credential_of, till_of
from mintery.gateway.errors import Problems
from mintery.usecases.show_credits import show_credits


def credits_router(problems: Problems) -> APIRouter:
    router = APIRouter(tags=["money"])

    @router.get("/v1/credits", responses=examples.CREDITS_ANSWER | problems.responses(CredentialRefused))
    def get_credits(request: Request) -> dict[str, Any]:
        """The balance, what is set aside, and the room that the voucher leaves. An expired key may still ask.

        Answered from the ledger although the chain cannot be read: `as_of` says how old the last reading is.
        """
        parts = till_of(request).parts
        market, read_at = parts.reading()
        shown = show_credits(parts, market, credential_of(request, market))
        age = max(0, int((parts.clock() - read_at).total_seconds()))
        return shown | {"as_of": {"block": market.block_number, "age_seconds": age}}

    return router
