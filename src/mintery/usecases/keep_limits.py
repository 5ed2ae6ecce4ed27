"""A holder's own limits, and where the holder lives."""

from collections.abc import Sequence
from dataclasses import dataclass

from mintery.domain.keys import KeyId
from mintery.domain.limits import UTC_ZONE, LimitId, LimitPeriod, Span, SpendLimit, span_at
from mintery.domain.period import zone_of
from mintery.domain.voucher import Address
from mintery.errors import MalformedRequest, UnknownLimit, WrongToken
from mintery.ledger.commands import Done
from mintery.ledger.commands_wallet import ChangeLimit, EndLimit, SetLimit, SetTimeZone, SpreadAuthority
from mintery.ledger.reads_wallet import LimitAlert
from mintery.units import MAX_NANOCREDITS, NanoCredits
from mintery.usecases.keep_keys import check_model_name, check_way_name, key_of, new_limit_id
from mintery.usecases.meters import log_transition
from mintery.usecases.parts import GatewayParts


@dataclass(frozen=True, slots=True)
class LimitState:
    """A limit in its period now. ``used`` is what is charged and what is set aside; ``alerts`` are this period's."""

    limit: SpendLimit
    span: Span
    used: NanoCredits
    alerts: tuple[LimitAlert, ...]

    @property
    def left(self) -> NanoCredits:
        return NanoCredits(max(0, self.limit.ceiling - self.used))


@dataclass(frozen=True, slots=True)
class Scope:
    """What a limit counts: the project's token, and what narrows it down."""

    token: Address
    key: KeyId | None = None
    model: str | None = None
    way: str | None = None


def set_limit(
    parts: GatewayParts, holder: Address, scope: Scope, period: LimitPeriod, ceiling: NanoCredits
) -> LimitState:
    """A new limit. It counts from now on.

    Raises:
        WrongToken, UnknownGatewayKey, MalformedRequest
    """
    if scope.token not in parts.market().projects:
        raise WrongToken(scope.token)
    if scope.key is not None:
        its_token = key_of(parts, holder, scope.key).voucher.signed.voucher.token
        if its_token != scope.token:
            raise MalformedRequest(f"{scope.key} spends {its_token}", field="key")
    if scope.model is not None and scope.model not in parts.models:
        check_model_name(parts, scope.model, field="model")
        raise MalformedRequest("a limit names one route, not a name that routes share", field="model")
    if scope.way is not None:
        check_way_name(scope.way, field="intent")
    _check_ceiling(ceiling)
    limit = SpendLimit(
        new_limit_id(), holder, scope.token, period, ceiling, parts.clock(), scope.key, scope.model, scope.way
    )
    parts.ledger.commit([SetLimit(limit)])
    parts.ledger.commit([SpreadAuthority(holder)])
    log_transition("limit_set", limit=limit.id, holder=holder, period=period.value, ceiling_nanocredits=ceiling)
    return limit_state(parts, holder, limit.id)


def change_limit(parts: GatewayParts, holder: Address, limit: LimitId, ceiling: NanoCredits) -> LimitState:
    """Another ceiling, from the next hold on; what the period has counted stays.

    Raises:
        UnknownLimit, MalformedRequest
    """
    _check_ceiling(ceiling)
    [result] = parts.ledger.commit([ChangeLimit(holder, limit, ceiling)])
    if not isinstance(result, Done) or not result.changed:
        raise UnknownLimit(limit)
    parts.ledger.commit([SpreadAuthority(holder)])
    log_transition("limit_changed", limit=limit, holder=holder, ceiling_nanocredits=ceiling)
    return limit_state(parts, holder, limit)


def end_limit(parts: GatewayParts, holder: Address, limit: LimitId) -> None:
    """Raises UnknownLimit."""
    [result] = parts.ledger.commit([EndLimit(holder, limit, parts.clock())])
    if not isinstance(result, Done) or not result.changed:
        raise UnknownLimit(limit)
    parts.ledger.commit([SpreadAuthority(holder)])
    log_transition("limit_ended", limit=limit, holder=holder)


def set_time_zone(parts: GatewayParts, holder: Address, name: str) -> None:
    """Where days, weeks and months begin for this holder, from the next hold on.

    Raises:
        MalformedRequest
    """
    zone = zone_of(name)
    parts.ledger.commit([SetTimeZone(holder, zone.key)])
    parts.ledger.commit([SpreadAuthority(holder)])
    log_transition("time_zone_set", holder=holder, time_zone=zone.key)


def limit_states(parts: GatewayParts, holder: Address) -> Sequence[LimitState]:
    """All limits that stand, in their periods now."""
    ledger, now = parts.ledger, parts.clock()
    said = ledger.time_zone(holder)
    zone = UTC_ZONE if said is None else zone_of(said)
    alerts = ledger.limit_alerts(holder)
    found = []
    for limit in ledger.spend_limits(holder):
        span = span_at(limit.period, zone, now)
        own = tuple(each for each in alerts if (each.limit, each.first) == (limit.id, span.first.isoformat()))
        found.append(LimitState(limit, span, ledger.used(limit.counter(span)), own))
    return found


def limit_state(parts: GatewayParts, holder: Address, limit: LimitId) -> LimitState:
    """Raises UnknownLimit."""
    for state in limit_states(parts, holder):
        if state.limit.id == limit:
            return state
    raise UnknownLimit(limit)


def _check_ceiling(ceiling: NanoCredits) -> None:
    """Raises MalformedRequest."""
    if not 0 <= ceiling <= MAX_NANOCREDITS:
        raise MalformedRequest("the limit is out of range", field="ceiling")
