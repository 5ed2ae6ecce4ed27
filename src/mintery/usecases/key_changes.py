"""A gateway key is known from an earlier request. Where no hold would find out that it was changed since, it is read again."""

import asyncio

from mintery.domain.market import Market
from mintery.errors import CredentialRefused
from mintery.usecases.parts import GatewayParts
from mintery.usecases.verify_credential import Credential, check_may_spend, refresh_credential


async def key_as_it_is(parts: GatewayParts, market: Market, credential: Credential, *, repeats: bool) -> Credential:
    """``repeats``: it may be answered by an attempt that was paid before, and then no hold is placed.

    Raises:
        CredentialRefused: what ``check_may_spend`` and ``refresh_credential`` raise.
    """
    if credential.key is not None:
        try:
            check_may_spend(parts, market, credential)
        except CredentialRefused:
            repeats = True  # or it has been renewed since
        if repeats:
            credential = await asyncio.to_thread(refresh_credential, parts, market, credential)
    check_may_spend(parts, market, credential)
    return credential


async def if_changed(parts: GatewayParts, market: Market, credential: Credential) -> Credential | None:
    """None where it allows what it did, so that what was refused by it stays refused.

    Raises:
        CredentialRefused
    """
    if credential.key is None:
        return None
    fresh = await asyncio.to_thread(refresh_credential, parts, market, credential)
    return None if fresh.authority == credential.authority else fresh
