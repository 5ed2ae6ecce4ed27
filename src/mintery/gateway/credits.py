"""``/v1/credits``: what a key's wallet has and may still spend."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from mintery.errors import CredentialRefused
from mintery.gateway import examples
from mintery.gateway.entry import credential_of, till_of
from mintery.gateway.errors import Problems
from mintery.gateway.openrouter import exact_json
from mintery.usecases.openrouter_forms import credits_form
from mintery.usecases.show_credits import show_credits


def credits_router(problems: Problems) -> APIRouter:
    router = APIRouter(tags=["money"])

    @router.get(
        "/v1/credits",
        response_class=Response,
        responses=examples.CREDITS_ANSWER | problems.responses(CredentialRefused),
    )
    def get_credits(request: Request) -> Response:
        """The balance, what is set aside, and the room that the voucher leaves. An expired key may still ask.

        Answered from the ledger although the chain cannot be read: `as_of` says how old the last reading is. `data` is the
        same in dollars, in OpenRouter's form.
        """
        parts = till_of(request).parts
        market, read_at = parts.reading()
        credential = credential_of(request, market)
        age = max(0, int((parts.clock() - read_at).total_seconds()))
        return exact_json(
            show_credits(parts, market, credential)
            | {
                "data": credits_form(parts, market, credential),
                "as_of": {"block": market.block_number, "age_seconds": age},
            }
        )

    return router
