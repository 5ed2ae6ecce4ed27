"""A holder's wallet: one balance for each project, what of it is spoken for, and what lies outside of every account."""

from collections.abc import Iterable, Mapping
from typing import Any

from mintery.domain.market import Market
from mintery.domain.project import Project
from mintery.domain.voucher import AccountId, Address
from mintery.ledger.reads import AccountBalance
from mintery.units import (
    AssetUnits,
    CreditUnits,
    NanoCredits,
    format_assets,
    format_credits,
    format_nanocredits,
    format_usd,
    nanocredits_down,
    usd_of_nanocredits_down,
)
from mintery.usecases.parts import GatewayParts


def show_wallet(parts: GatewayParts, holder: Address, accounts: Iterable[AccountId]) -> dict[str, Any]:
    """JSON values: nanocredits and dollars as text, exact, beside readable credits. Projects that the holder has nothing of
    are left out.

    ``spendable`` is what new requests may take; ``held`` is set aside for those under way; ``leaving`` is on its way back to
    the holder's own wallet; ``outside`` lies in that wallet, and None says that the chain is not open to this process.

    Raises:
        NotAvailable, RpcUnavailable, RpcRefused
    """
    market, read_at = parts.reading()
    wanted = set(accounts)
    balances = [each for each in parts.ledger.accounts(holder=holder) if each.id in wanted]
    outside = _outside(parts, market, holder)
    shown = []
    for token, project in market.projects.items():
        own = [each for each in balances if each.key.token == token]
        there = outside.get(token)
        if own or there:
            shown.append(_balance(project, own, there, known=parts.relay is not None))
    return {
        "object": "wallet",
        "holder": holder,
        "balances": shown,
        "as_of": {"block": market.block_number, "age_seconds": max(0, int((parts.clock() - read_at).total_seconds()))},
    }


def _outside(parts: GatewayParts, market: Market, holder: Address) -> Mapping[Address, CreditUnits]:
    if parts.relay is None:
        return {}
    return parts.relay.in_wallets(holder, tuple(market.projects), parts.relay.chain.rpc.block(market.block_number))


def _balance(
    project: Project, own: list[AccountBalance], outside: CreditUnits | None, *, known: bool
) -> dict[str, Any]:
    leaving = sum(each.available if each.closing else each.exiting for each in own)
    spendable = sum(each.available for each in own) - leaving
    frozen = sum(each.frozen for each in own if not each.closing)
    lying = nanocredits_down(outside or CreditUnits(0)) if known else None
    amounts = {
        "spendable": NanoCredits(spendable),
        "held": NanoCredits(sum(each.held for each in own)),
        "leaving": NanoCredits(max(0, leaving - frozen)),
        "frozen": NanoCredits(frozen),
        "outside": lying,
    }
    told: dict[str, Any] = {
        "token": project.token,
        "name": project.name,
        "symbol": project.symbol,
        "kind": project.kind.value,
        "usd_per_credit": format_assets(AssetUnits(project.par)),
        "takes_deposits": project.retired_at is None,
        "accounts": [each.id for each in own],
        "outside_exact_credits": None if outside is None else format_credits(outside),
    }
    for name, amount in amounts.items():
        told |= {
            f"{name}_nanocredits": None if amount is None else str(amount),
            f"{name}_credits": None if amount is None else format_nanocredits(amount),
            f"{name}_usd": None if amount is None else format_usd(usd_of_nanocredits_down(amount, project.par)),
        }
    return told
