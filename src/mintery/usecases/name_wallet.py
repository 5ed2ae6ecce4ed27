"""What a holder's wallet of one project is called, and what its credits are worth."""

from typing import Any, NamedTuple

from mintery.domain.market import Market
from mintery.domain.voucher import Address
from mintery.units import NanoCredits, Par, format_nanocredits, format_usd, usd_of_nanocredits_down


class Wallet(NamedTuple):
    """All that a holder has of one project's credits at this gateway, in however many accounts.

    ``kind``: ``official`` or ``routed``; None, as ``par``, where the project is not among those that this gateway serves.
    """

    token: Address
    symbol: str
    name: str
    kind: str | None
    par: Par | None


def wallet_named(market: Market, token: Address) -> Wallet:
    project = market.projects.get(token)
    if project is None:
        return Wallet(token, token, token, None, None)
    return Wallet(token, project.symbol, project.name, project.kind.value, project.par)


def wallet_facts(wallet: Wallet) -> dict[str, Any]:
    return {"wallet": wallet.kind, "symbol": wallet.symbol, "token": wallet.token}


def amount_facts(name: str, amount: int, par: Par | None) -> dict[str, Any]:
    """``name_nanocredits``, ``name_credits``, ``name_usd``: exact, all three; dollars are None where the par is not known."""
    nanos = NanoCredits(amount)
    return {
        f"{name}_nanocredits": str(nanos),
        f"{name}_credits": format_nanocredits(nanos),
        f"{name}_usd": None if par is None else format_usd(usd_of_nanocredits_down(nanos, par)),
    }
