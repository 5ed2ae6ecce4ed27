"""Which of a holder's limits a hold must fit under."""

from collections.abc import Iterable
from zoneinfo import ZoneInfo

from mintery.domain.hold import Constraint, Ending
from mintery.domain.limits import SpendLimit
from mintery.usecases.parts import GatewayParts
from mintery.usecases.plan_request import Plan, way_of
from mintery.usecases.verify_credential import Credential


def limits_in_force(parts: GatewayParts, credential: Credential, plan: Plan) -> tuple[Constraint, ...]:
    """By the holder's calendar now. A request counts for the period in which its hold is placed, whenever it ends.

    A limit of one model binds wherever that model may come to answer, and counts in the end only where it did.
    """
    if not credential.limits:
        return ()
    models, way = [leg.quote.model.id for leg in plan.legs], way_of(plan)
    binding = [limit for limit in credential.limits if limit.binds(models, way)]
    return constraints_of(parts, binding, credential.zone)


def constraints_of(parts: GatewayParts, limits: Iterable[SpendLimit], zone: ZoneInfo) -> tuple[Constraint, ...]:
    """Each counts in the period that is now in ``zone``."""
    now = parts.clock()
    return tuple(
        Constraint(
            limit.counter(parts.calendar.span_at(limit.period, zone, now)), limit.ceiling, Ending.NEVER, limit.model
        )
        for limit in limits
    )
