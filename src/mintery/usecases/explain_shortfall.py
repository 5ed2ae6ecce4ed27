"""What a 402 says: which balance is short, by how much, and what to do. No other balance is ever charged in its place."""

from typing import Any

from mintery.domain.market import Market
from mintery.errors import LimitReached, OutOfFunds
from mintery.units import NanoCredits, format_nanocredits
from mintery.usecases.show_credits import wallet_of
from mintery.usecases.verify_credential import Credential


def shortfall(market: Market, credential: Credential, error: OutOfFunds, *, month: bool = False) -> dict[str, Any]:
    """Members of the error's body. ``month``: it was a month that was to be paid, whose price is no bound and cannot be less."""
    wallet = wallet_of(market, credential)
    symbol, balance = wallet["symbol"], f"{wallet['kind'].capitalize()} balance"
    required = format_nanocredits(NanoCredits(error.required))
    available = format_nanocredits(NanoCredits(error.available))
    go_on = f"deposit more {symbol} into this wallet or sign a voucher with a higher maximum"
    if isinstance(error, LimitReached):
        go_on = f"raise your limit of the {error.period}, or wait until {error.resets_at}"
    needed, less = "this may need up to", "; or ask for less with a smaller max_tokens"
    if month:
        needed, less = "a month costs", ""
    return {
        "message": (
            f"{balance}: {needed} {required} {symbol}, and {available} can be spent ({error}). To go on, {go_on}{less}. "
            "No other balance was or will be charged for it."
        ),
        "wallet": {**wallet, "balance": balance},
        "required_nanocredits": str(error.required),
        "available_nanocredits": str(error.available),
    }
