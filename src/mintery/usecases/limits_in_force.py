"""Which of a holder's limits a hold must fit under."""

from mintery.domain.hold import Constraint, Ending
from mintery.usecases.parts import GatewayParts
from mintery.usecases.plan_request import Plan, way_of
from mintery.usecases.verify_credential import Credential


def limits_in_force(parts: GatewayParts, credential: Credential, plan: Plan) -> tuple[Constraint, ...]:
    """By the holder's calendar now. A request counts for the period in which its hold is placed, whenever it ends.

    A limit of one model binds wherever that model may come to answer, and counts in the end only where it did.
    """
    if not credential.limits:
        return ()
    now, way = parts.clock(), way_of(plan)
    models = [leg.quote.model.id for leg in plan.legs]
    return tuple(
        Constraint(
            limit.counter(parts.calendar.span_at(limit.period, credential.zone, now)),
            limit.ceiling,
            Ending.NEVER,
            limit.model,
        )
        for limit in credential.limits
        if limit.binds(models, way)
    )
