"""What a 402 says: which balance is short, by how much, and what to do. No other balance is ever charged in its place."""

from typing import Any

from mintery.domain.market import Market
from mintery.errors import LimitReached, OutOfFunds, VoucherExhausted
from mintery.units import NanoCredits, format_nanocredits
from mintery.usecases.show_credits import wallet_of
from mintery.usecases.verify_credential import Credential


def shortfall(market: Market, credential: Credential, error: OutOfFunds, *, month: bool = False) -> dict[str, Any]:
    """Members of the error's body. ``month``: it was a month that was to be paid, whose price is no bound and cannot be less."""
    wallet = wallet_of(market, credential)
    symbol, balance = wallet["symbol"], f"{wallet['kind'].capitalize()} balance"
    required = format_nanocredits(NanoCredits(error.required))
    available = format_nanocredits(NanoCredits(error.available))
    left, go_on = "can be spent", f"top up, or deposit more {symbol} into this wallet"
    if isinstance(error, VoucherExhausted):
        left, go_on = "is left of what the key's voucher promises", "sign a voucher with a higher maximum"
    if isinstance(error, LimitReached):
        left, go_on = f"is left of your limit {error.limit}", "raise the limit"
        if error.period:
            left += f" of the {error.period}"
            go_on += f", or wait until {error.resets_at}"
    needed, less = "this may need up to", "; or ask for less with a smaller max_tokens"
    if month:
        needed, less = "a month costs", ""
    return {
        "message": (
            f"{balance}: {needed} {required} {symbol}, and {available} {left}. To go on, {go_on}{less}. "
            "No other balance was or will be charged for it."
        ),
        "wallet": {**wallet, "balance": balance},
        "required_nanocredits": str(error.required),
        "available_nanocredits": str(error.available),
    }
