"""Why the ledger would not set credits aside, as the error that its holder can act on."""

from functools import partial

from mintery.domain.limits import COUNTER_PREFIX, limit_of_counter
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
            return _limit_reached(parts, credential, refused, rule)


def _limit_reached(parts: GatewayParts, credential: Credential, refused: HoldRefused, rule: str) -> LimitReached:
    reached = partial(LimitReached, account=credential.account, required=refused.required, available=refused.available)
    if not rule.startswith(COUNTER_PREFIX):
        return reached(limit=rule)
    named, _ = limit_of_counter(rule)
    limit = next((each for each in credential.limits if each.id == named), None)
    if limit is None:  # it was set after the credential was read
        return reached(limit=named)
    span = parts.calendar.span_at(limit.period, credential.zone, parts.clock())
    return reached(limit=named, period=limit.period.value, resets_at=span.ends.isoformat())


def explain_rate(rates: Rates, reached: RateReached, *, tokens: int) -> MinteryError:
    """``tokens``: what the request counts as."""
    limit = (rates.requests if reached.by == "requests" else rates.tokens) or 0
    if reached.wait is None:
        return RateAboveLimit(reached.by, actual=tokens, limit=limit, left=reached.left)
    return RateLimited(reached.by, limit, retry_after=ceil_div(reached.wait, _SECOND), left=reached.left)
