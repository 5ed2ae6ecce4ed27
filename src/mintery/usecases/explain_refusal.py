"""Why the ledger would not set credits aside, as the error that its holder can act on."""

from mintery.domain.market import Market
from mintery.domain.rates import Rates
from mintery.errors import (
    InsufficientBalance,
    LimitReached,
    MinteryError,
    PayoutCapReached,
    RateAboveLimit,
    RateLimited,
    VoucherExhausted,
    WrongEpoch,
)
from mintery.ledger.commands import HoldRefused, RateReached
from mintery.units import ceil_div
from mintery.usecases.parts import GatewayParts
from mintery.usecases.verify_credential import Credential

_SECOND = 1_000_000


def explain_refusal(parts: GatewayParts, market: Market, credential: Credential, refused: HoldRefused) -> MinteryError:
    """The typed error for the rule that refused. Amounts are nanocredits."""
    account, required, available = credential.account, refused.required, refused.available
    token = credential.admits.voucher.token
    match refused.rule:
        case "voucher":
            return VoucherExhausted(account=account, required=required, available=available)
        case "balance" | "account":
            return InsufficientBalance(account=account, required=required, available=available)
        case "epoch":
            known = parts.ledger.account(account)
            return WrongEpoch(credential.admits.voucher.epoch, 0 if known is None else known.epoch)
        case rule if rule.startswith("payout:"):
            wait = max(1, market.payouts[token].ends - parts.chain_now(market))
            return PayoutCapReached(token, required=required, available=available, retry_after=wait)
        case rule:
            return LimitReached(account=account, required=required, available=available, limit=rule)


def explain_rate(rates: Rates, reached: RateReached, *, tokens: int) -> MinteryError:
    """``tokens``: what the request counts as."""
    limit = (rates.requests if reached.by == "requests" else rates.tokens) or 0
    if reached.wait is None:
        return RateAboveLimit(reached.by, actual=tokens, limit=limit, left=reached.left)
    return RateLimited(reached.by, limit, retry_after=ceil_div(reached.wait, _SECOND), left=reached.left)
