"""The route that a session last used, where another process answered it, or this one before it was started again.

Nothing is written for it: the session's mark stands among the facts that a hold has anyway, and only a ``consistent`` request of
a session that is unknown here reads the account's newest receipts, once.
"""

import asyncio
import hashlib

from mintery.domain.intent import Intent
from mintery.usecases.parts import GatewayParts
from mintery.usecases.plan_request import Plan
from mintery.usecases.routes import Session

LOOKED_AT = 20
"""Receipts of the account: a session that was idle for longer begins anew."""
_MARK_DIGITS = 16


def session_mark(session: Session) -> str:
    """What is kept of its name: clients name users by it."""
    return hashlib.sha256(session[1].encode()).hexdigest()[:_MARK_DIGITS]


def is_forgotten(parts: GatewayParts, plan: Plan) -> bool:
    return plan.asked == Intent.CONSISTENT and parts.routes.last_of(plan.session) is None


async def recall_session(parts: GatewayParts, session: Session) -> None:
    account, _ = session
    route = await asyncio.to_thread(parts.ledger.last_route, account, session_mark(session), limit=LOOKED_AT)
    if route is not None and parts.routes.last_of(session) is None:
        parts.routes.remember(session, route)
