"""A project, a holder with credits, and an API key: what a newcomer needs before the first call."""

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mintery.chain.terms import Terms
from mintery.client import credits as read_credits
from mintery.domain.model import Endpoint
from mintery.domain.voucher import AccountKey, Address, Kind
from mintery.errors import Draining, GatewayRefused
from mintery.units import BasisPoints, CreditUnits, Par, UnixSeconds, parse_assets, parse_credits
from mintery.usecases.deposit_credits import deposit_credits
from mintery.usecases.issue_voucher import issue_voucher
from mintery.usecases.mint_credits import mint_credits
from mintery.usecases.open_project import open_project
from mintery.usecases.transfer_credits import transfer_credits

if TYPE_CHECKING:
    from mintery.bootstrap import LocalStack

NAME, SYMBOL = "PROJECTX_AI_CREDITS", "PXAI"
CREDITS = parse_credits("10000")
_DAYS = 30 * 86_400
_READY_SECONDS = 30


@dataclass(frozen=True, slots=True)
class FirstWallet:
    """``api_key`` spends up to ``credits`` (base units) of the dev holder."""

    api_key: str
    model: str
    embedding_model: str
    token: Address
    symbol: str
    credits: CreditUnits


def fill_first_wallet(stack: "LocalStack") -> FirstWallet:
    """Open a project, mint, send, deposit and sign, as its issuer and its first holder; return when it can be spent."""
    chain, issuer, holder = stack.chain, stack.key("issuer"), stack.key("holder")
    sender = chain.sender(issuer)
    models = stack.gateway.parts.models.values()
    sellers = stack.gateway.parts.standings.offers.sellers
    terms = Terms(
        name=NAME,
        symbol=SYMBOL,
        par=Par(parse_assets("0.01")),
        markup=BasisPoints(1_000),
        fee_recipient=issuer.address,
        public_mint=True,
        kind=Kind.ROUTED,
        providers=tuple(sorted({each.provider_id for each in models} | {each.provider_id for each in sellers})),
        allowlist=False,
        mint_cap=parse_credits("1000000"),
        payout_cap=parse_assets("100000"),
    )
    token = open_project(chain, sender, terms).token
    mint_credits(chain, sender, token, CREDITS, to=issuer.address)
    transfer_credits(chain, sender, token, holder.address, CREDITS)
    account = AccountKey(token, stack.gateway.address, holder.address, holder.address)
    deposit_credits(chain, chain.sender(holder), account, CREDITS)

    deadline = UnixSeconds(chain.rpc.block().timestamp + _DAYS)
    issued = issue_voucher(chain.domain, holder, account, epoch=0, max_spend=CREDITS, deadline=deadline)
    _wait_until_spendable(stack, issued.text)
    return FirstWallet(
        api_key=issued.text,
        model=next(model.id for model in models if model.endpoint is Endpoint.CHAT and not model.needs),
        embedding_model=next(model.id for model in models if model.endpoint is Endpoint.EMBEDDINGS),
        token=token,
        symbol=SYMBOL,
        credits=CREDITS,
    )


def _wait_until_spendable(stack: "LocalStack", api_key: str) -> None:
    """The gateway reads the chain on its own; until it has, it knows neither the project nor the deposit."""
    until = time.monotonic() + _READY_SECONDS
    while True:
        try:
            if int(read_credits(f"{stack.gateway_url}/v1", api_key)["spendable_nanocredits"]):
                return
        except GatewayRefused:
            if time.monotonic() >= until:
                raise
        if time.monotonic() >= until:
            raise Draining("the gateway has not seen the deposit yet")
        time.sleep(0.05)
