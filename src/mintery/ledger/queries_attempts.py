"""Reads of a request's calls to providers, and of refused requests."""

from collections.abc import Sequence

import orjson
from sqlalchemy import Connection, select

from mintery.domain.attempt import AttemptOutcome, Refusal, RouteAttempt
from mintery.domain.hold import RequestId
from mintery.domain.voucher import AccountId
from mintery.ledger.schema import receipts, refusals, requests, route_attempts
from mintery.ledger.work import instant_of


def attempts_of(connection: Connection, request: RequestId) -> Sequence[RouteAttempt]:
    """In their order."""
    query = select(route_attempts).where(route_attempts.c.request == request).order_by(route_attempts.c.position)
    return [
        RouteAttempt(
            row.route,
            row.provider,
            AttemptOutcome(row.outcome),
            began_at=instant_of(row.began_at),
            ended_at=instant_of(row.ended_at),
            status=row.status,
        )
        for row in connection.execute(query)
    ]


def last_route(connection: Connection, account: AccountId, session: str, limit: int) -> str | None:
    query = (
        select(receipts.c.model, requests.c.quoted)
        .join_from(receipts, requests, requests.c.id == receipts.c.request)
        .where(receipts.c.account == account)
        .order_by(receipts.c.seq.desc())
        .limit(limit)
    )
    for model, quoted in connection.execute(query):
        if orjson.loads(quoted).get("session") == session:
            return str(model)
    return None


def refusal(connection: Connection, request: RequestId) -> Refusal | None:
    row = connection.execute(select(refusals).where(refusals.c.request == request)).one_or_none()
    if row is None:
        return None
    return Refusal(
        request=RequestId(row.request),
        account=None if row.account is None else AccountId(row.account),
        asked=row.asked,
        code=row.code,
        message=row.message,
        evidence=orjson.loads(row.evidence),
        at=instant_of(row.at),
    )
