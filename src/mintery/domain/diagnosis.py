"""Which part of the way a failed request failed at, and what shows it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from mintery.domain.attempt import AttemptOutcome, RouteAttempt
from mintery.errors import (
    AssetDepegged,
    ChainError,
    CredentialRefused,
    HoldAboveStaleLimit,
    IdempotencyConflict,
    LedgerBehind,
    MalformedInput,
    MalformedVoucher,
    MarketUnread,
    MembershipNeeded,
    MembershipNotSold,
    MinteryError,
    ModelNotCovered,
    ModelUnpriced,
    NoRoute,
    NoRouteNow,
    OutOfFunds,
    PayoutCapReached,
    PriceQueued,
    PriceStale,
    ProviderFailed,
    ReserveShort,
    RouteBroken,
    RouteOnTrial,
    SkuUnroutable,
    UnknownMembership,
    UnknownModel,
    VoucherAlreadyUsed,
)


class Cause(StrEnum):
    """What is at fault."""

    PRICING = "pricing"
    """No price is good now, or credits are not worth their par."""
    BALANCE = "balance"
    """The account, the voucher or the project's payouts leave too little."""
    ROUTING = "routing"
    """No route may take it, by the request's own preferences or because the gateway takes nothing."""
    PROVIDER = "provider"
    """What the provider did, or did not do."""
    KEY = "key"
    """The caller's key or voucher, or the gateway's own key at the provider."""
    MODEL = "model"
    """The model is unknown or not covered, or does not take what was asked."""


ADVICE: Mapping[Cause, str] = {
    Cause.PRICING: "wait until reporters agree on a price again; `mintery price show` and /healthz say which one",
    Cause.BALANCE: "deposit more, sign a voucher with a higher maximum, or ask for less with a smaller max_tokens",
    Cause.ROUTING: "ask with fewer limits; `mintery route explain` says why each route is left out",
    Cause.PROVIDER: "send it again later, or by a name that several routes share, so that another stands in",
    Cause.KEY: "make a new key (`mintery voucher issue`); where it is the gateway's own, its operator must renew it",
    Cause.MODEL: "GET /v1/models lists what is sold and takes which credits; the message says what was not understood",
}
_CAUSES: Mapping[type[MinteryError], Cause] = {
    CredentialRefused: Cause.KEY,
    MalformedVoucher: Cause.KEY,
    VoucherAlreadyUsed: Cause.KEY,
    IdempotencyConflict: Cause.KEY,
    OutOfFunds: Cause.BALANCE,
    PayoutCapReached: Cause.BALANCE,
    ModelUnpriced: Cause.PRICING,
    SkuUnroutable: Cause.PRICING,
    PriceStale: Cause.PRICING,
    PriceQueued: Cause.PRICING,
    HoldAboveStaleLimit: Cause.PRICING,
    MarketUnread: Cause.PRICING,
    LedgerBehind: Cause.PRICING,
    AssetDepegged: Cause.PRICING,
    ReserveShort: Cause.PRICING,
    ChainError: Cause.PRICING,
    UnknownModel: Cause.MODEL,
    ModelNotCovered: Cause.MODEL,
    MembershipNeeded: Cause.MODEL,
    MembershipNotSold: Cause.MODEL,
    UnknownMembership: Cause.MODEL,
    MalformedInput: Cause.MODEL,
    ProviderFailed: Cause.PROVIDER,
    RouteBroken: Cause.PROVIDER,
    RouteOnTrial: Cause.PROVIDER,
}
_LOCKED_OUT = frozenset({401, 403})
_UNDERSTOOD_NOT = frozenset({400, 404, 413, 415, 422})


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """``cause`` is None for a request that did not fail. ``evidence`` holds JSON values."""

    cause: Cause | None
    sentence: str
    evidence: Mapping[str, Any] = field(default_factory=dict)


def cause_of(error: MinteryError) -> Cause:
    """What is none of the others is routing: the gateway did not let it through."""
    if isinstance(error, NoRoute | NoRouteNow) and error.rejected:
        causes = {cause_of(reason) for _, reason in error.rejected}
        return causes.pop() if len(causes) == 1 else Cause.ROUTING
    for ancestor in type(error).__mro__:
        if (cause := _CAUSES.get(ancestor)) is not None:
            return cause
    return Cause.ROUTING


def diagnose_calls(calls: Sequence[RouteAttempt]) -> Diagnosis:
    """Of a request that every provider failed: the last one that was called decides."""
    called = [call for call in calls if call.outcome is not AttemptOutcome.SKIPPED]
    if not called:
        return Diagnosis(Cause.PROVIDER, "The provider failed, and its call was not recorded.")
    last = called[-1]
    evidence = {"route": last.route, "provider": last.provider, "outcome": last.outcome.value, "status": last.status}
    if last.status in _LOCKED_OUT:
        sentence = f"{last.provider} refused the gateway's own key with {last.status}; the caller's was good."
        return Diagnosis(Cause.KEY, sentence, evidence | {"whose": "gateway"})
    if last.status in _UNDERSTOOD_NOT:
        sentence = f"{last.route} refused the request itself: {last.provider} answered {last.status}."
        return Diagnosis(Cause.MODEL, sentence, evidence)
    others = f", after {len(called) - 1} other routes had failed" if len(called) > 1 else ""
    return Diagnosis(Cause.PROVIDER, f"{_said(last)}{others}; nothing else could stand in.", evidence)


def _said(call: RouteAttempt) -> str:
    match call.outcome:
        case AttemptOutcome.UNREACHABLE:
            return f"{call.provider} could not be reached"
        case AttemptOutcome.TIMED_OUT:
            return f"{call.provider} gave no answer in time"
        case AttemptOutcome.REFUSED:
            return f"{call.provider} answered {call.status}"
        case AttemptOutcome.FAILED_LATER:
            return f"{call.provider} took it and did not do it"
        case AttemptOutcome.BROKE:
            return f"The stream of {call.provider} broke"
        case _:
            return f"{call.provider} answered with something else than its format"
