"""``/v1/wallet/top-ups/offer``: what a holder signs for a top-up; the order then takes ``signed`` with the signature in it."""

from typing import Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from mintery.crypto.hashing import parse_address
from mintery.errors import (
    MalformedInput,
    MoveRefused,
    NotSignedIn,
    OwnTransactionNeeded,
    RelayMissing,
    SignerNeeded,
    UnknownProject,
)
from mintery.gateway.entry import till_of
from mintery.gateway.errors import Problems
from mintery.units import format_assets, parse_assets
from mintery.usecases.offer_top_up import TopUpWay, offer_top_up
from mintery.wallet.callers import HolderDep
from mintery.wallet.holdings import relay_of, token_of


class TopUpOfferIn(BaseModel):
    way: Literal["dollars", "deposit"] = Field(
        description="`dollars`: the signature pays from the holder's own wallet. `deposit`: it puts credits that are paid for "
        "otherwise into the holder's account."
    )
    token: str = Field(pattern=r"^0x[0-9a-fA-F]{40}$")
    usd: str = Field(max_length=40, description="Plain digits, like 20.")
    signer: str | None = Field(
        None, pattern=r"^0x[0-9a-fA-F]{40}$", description="For a contract wallet: whose vouchers may spend the credits."
    )


def top_up_offers_router(problems: Problems) -> APIRouter:
    router = APIRouter(tags=["wallet: orders"], responses=problems.responses(NotSignedIn))

    @router.get("/v1/wallet/dollars")
    def get_dollars(request: Request, caller: HolderDep) -> dict[str, Any]:
        """What the holder's own wallet has of the stablecoin that credits are bought with."""
        relay = relay_of(till_of(request).parts)
        return {"object": "dollars", "usd": format_assets(relay.chain.asset.balance_of(caller.holder))}

    @router.post(
        "/v1/wallet/top-ups/offer",
        responses=problems.responses(
            MalformedInput, MoveRefused, OwnTransactionNeeded, RelayMissing, SignerNeeded, UnknownProject
        ),
    )
    def post_offer(request: Request, caller: HolderDep, body: TopUpOfferIn) -> dict[str, Any]:
        """What the holder's wallet is asked to sign."""
        parts = till_of(request).parts
        offer = offer_top_up(
            relay_of(parts),
            parts.gateway,
            way=TopUpWay(body.way),
            holder=caller.holder,
            token=token_of(parts, parse_address(body.token)),
            assets=parse_assets(body.usd),
            signer=None if body.signer is None else parse_address(body.signer),
        )
        return {"object": "top_up_offer", "way": body.way, "signed": offer.fields, "typed_data": offer.typed_data}

    return router
