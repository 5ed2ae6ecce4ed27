"""How far ahead a request waits where there is no room: by what its account has paid, or can pay."""

import asyncio

from mintery.domain.market import Market
from mintery.domain.membership import Period, Standing
from mintery.usecases.parts import GatewayParts
from mintery.usecases.quote_request import quote_fee
from mintery.usecases.verify_credential import Credential


async def priority_of(parts: GatewayParts, market: Market, credential: Credential, standing: Standing) -> int:
    """What the call buys counts only where the account has the credits for its fee: whoever has none would else push out
    those that have, and pay nothing. What its months have paid for counts as it is.

    Raises:
        ModelNotCovered, NotAvailable: what it buys is not sold now.
    """
    paid = parts.standings.of(credential.account, parts.clock()).priority
    if not standing.pays or standing.priority <= paid:
        return paid
    project = market.projects[credential.admits.voucher.token]
    fee = quote_fee(parts, market, project, parts.standings.offers.fee(project.kind, standing.pays, Period.REQUEST))
    balance = await asyncio.to_thread(parts.ledger.account, credential.account)
    return paid if balance is None or balance.available < fee.amount else standing.priority
