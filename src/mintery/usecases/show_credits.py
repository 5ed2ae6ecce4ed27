"""What an account has, and what its key may still spend of it."""

from typing import Any

from mintery.domain.market import Market
from mintery.units import NanoCredits, format_nanocredits
from mintery.usecases.parts import GatewayParts
from mintery.usecases.verify_credential import Credential


def show_credits(parts: GatewayParts, market: Market, credential: Credential) -> dict[str, Any]:
    """The account's buckets and the voucher's room, as JSON values. Amounts are nanocredits, as text.

    ``spendable`` is what the next hold may take at most: the smallest of these, and of what the holder's limits leave to
    every request that this credential makes.
    """
    account = parts.ledger.account(credential.account)
    voucher = credential.admits.voucher
    available = held = captured = spent = exiting = NanoCredits(0)
    if account is not None:
        available, held, captured = account.available, account.held, account.captured
        spent, exiting = account.spent, account.available if account.closing else account.exiting
    free = max(0, available - exiting)
    room = max(0, voucher.max_nanocredits - spent - held)
    now = parts.clock()
    left = [
        limit.ceiling - parts.ledger.used(limit.counter(parts.calendar.span_at(limit.period, credential.zone, now)))
        for limit in credential.limits
        if limit.model is None and limit.way is None
    ]
    spendable = NanoCredits(max(0, min(free, room, *left)))
    if account is not None and account.epoch != voucher.epoch:
        spendable = NanoCredits(0)
    return {
        "object": "credits",
        "wallet": wallet_of(market, credential),
        "epoch": voucher.epoch if account is None else account.epoch,
        "spendable_nanocredits": str(spendable),
        "spendable_credits": format_nanocredits(spendable),
        "available_nanocredits": str(available),
        "exiting_nanocredits": str(exiting),
        "held_nanocredits": str(held),
        "captured_nanocredits": str(captured),
        "voucher": {
            "epoch": voucher.epoch,
            "max_nanocredits": str(voucher.max_nanocredits),
            "spent_nanocredits": str(spent),
            "room_nanocredits": str(room),
            "deadline": voucher.deadline,
            "usable_until": voucher.deadline - parts.exit_delay,
        },
    }


def wallet_of(market: Market, credential: Credential) -> dict[str, str]:
    """Which wallet pays: the account and whose it is."""
    key = credential.signed.account
    project = market.projects[key.token]
    return {
        "account": credential.account,
        "token": key.token,
        "symbol": project.symbol,
        "kind": project.kind.value,
        "gateway": key.gateway,
        "holder": key.holder,
        "signer": key.signer,
    }
