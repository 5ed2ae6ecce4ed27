"""``/v1/webhooks/stripe``: a card rail says that something happened. ``/admin/orders``: what a person decides."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from mintery.domain.order import Decision, OrderId, Payment
from mintery.errors import (
    CardCapReached,
    CredentialMissing,
    IdempotencyConflict,
    MalformedRequest,
    NotOperator,
    OrderTransitionRefused,
    RailError,
    RailNotOffered,
    RailRefused,
    RailUnavailable,
    TransactionReverted,
    UnknownOrder,
    WebhookForged,
)
from mintery.gateway.bodies import read_body
from mintery.gateway.entry import desk_of, operator_named, require_operator, till_of
from mintery.gateway.errors import ErrorTable, Problems, Shown
from mintery.units import parse_assets
from mintery.usecases.retry_order import retry_order
from mintery.usecases.review_orders import (
    decide_order,
    find_order,
    finish_refund,
    return_payment,
    take_bank_payment,
)
from mintery.usecases.show_orders import (
    dispute_in_full,
    given_up_json,
    order_in_full,
    order_json,
    postponed_json,
    refund_json,
)
from mintery.usecases.watch_orders import hear_webhook

ERRORS: ErrorTable = {
    UnknownOrder: Shown(404, "invalid_request_error", attributes=("order_id",)),
    OrderTransitionRefused: Shown(409, "conflict", attributes=("order_id", "status", "why")),
    WebhookForged: Shown(401, "authentication_error"),
    RailNotOffered: Shown(422, "invalid_request_error", attributes=("rail",)),
    RailRefused: Shown(502, "api_error", attributes=("rail",)),
    RailError: Shown(502, "api_error", attributes=("rail",)),
    RailUnavailable: Shown(503, "service_unavailable", attributes=("rail",), retry=True, wait=10),
    CardCapReached: Shown(429, "rate_limit_error", attributes=("whose", "actual", "limit")),
    TransactionReverted: Shown(422, "invalid_request_error", attributes=("error",)),
}
MOST_LISTED = 1_000


class _SaidIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    by: str | None = Field(
        default=None, min_length=1, max_length=200, description="Not to be given by whoever is signed in."
    )


class BankPaymentIn(_SaidIn):
    """A line of the bank's statement: ``reference`` is what the transfer says, ``payment`` the bank's own name of it."""

    reference: str = Field(min_length=1, max_length=200)
    payment: str = Field(min_length=1, max_length=200)
    usd: str = Field(max_length=40)
    at: datetime = Field(description="When the bank had it, with its time zone.")


class DecisionIn(_SaidIn):
    decision: Literal["accepted", "refused"]
    reason: str = Field(min_length=1, max_length=1_000)


class ReasonIn(_SaidIn):
    reason: str = Field(min_length=1, max_length=1_000)


class RefundDoneIn(_SaidIn):
    reference: str = Field(min_length=1, max_length=200)


def webhooks_router(problems: Problems) -> APIRouter:
    router = APIRouter(tags=["webhooks"])

    @router.post(
        "/v1/webhooks/stripe", responses=problems.responses(WebhookForged, RailNotOffered, RailUnavailable, RailRefused)
    )
    async def post_webhook(
        request: Request, stripe_signature: Annotated[str, Header(max_length=2_000)] = ""
    ) -> dict[str, Any]:
        """Stripe's news of a checkout. It is believed as far as Stripe's API says the same."""
        payload = await read_body(request, till_of(request).parts.limits)
        desk, now = desk_of(request), till_of(request).parts.clock()
        order = await run_in_threadpool(hear_webhook, desk, payload, stripe_signature, now)
        return {"object": "webhook", "order": None if order is None else order.id}

    return router


def order_admin_router(problems: Problems) -> APIRouter:
    router = APIRouter(
        prefix="/admin/orders",
        tags=["orders"],
        dependencies=[Depends(require_operator)],
        responses=problems.responses(CredentialMissing, NotOperator, MalformedRequest),
    )

    @router.get("")
    def get_orders(
        request: Request,
        queue: Literal["review", "unminted", "refunds", "waiting", "given_up", "disputes", "all"] = "review",
        limit: Annotated[int, Query(ge=1, le=MOST_LISTED)] = 100,
    ) -> dict[str, Any]:
        """What waits for a person (``review``), whose credits are not created yet, what is owed back, what is tried again later
        and why (``waiting``), what can never take effect on chain any more (``given_up``), disputes with where the credits
        are, or everything.
        """
        desk, now = desk_of(request), till_of(request).parts.clock()
        reads = desk.ledger.orders
        if queue == "refunds":
            return {"object": "list", "data": [refund_json(each) for each in reads.refunds_due(limit=limit)]}
        if queue == "waiting":
            waiting = desk.ledger.postponed.longest(limit=limit)
            return {"object": "list", "data": [postponed_json(each) for each in waiting]}
        if queue == "disputes":
            told = desk.ledger.disputes.recent(limit=limit)
            return {"object": "list", "data": [dispute_in_full(desk.ledger, each) for each in told]}
        if queue == "given_up":
            return {
                "object": "list",
                "data": [given_up_json(each) for each in desk.ledger.chain_calls.failed(limit=limit)],
            }
        listed = {"review": reads.in_review, "unminted": reads.unminted, "all": reads.recent}[queue](limit=limit)
        return {"object": "list", "data": [order_json(order, now) for order in listed]}

    @router.get("/{order_id}", responses=problems.responses(UnknownOrder))
    def get_order(request: Request, order_id: str) -> dict[str, Any]:
        """One order with its journal, its calls on chain and its refunds."""
        return _full(request, find_order(desk_of(request).ledger, OrderId(order_id)).id)

    _add_decisions(router, problems)
    return router


def _add_decisions(router: APIRouter, problems: Problems) -> None:
    refusals = problems.responses(UnknownOrder, OrderTransitionRefused, IdempotencyConflict)

    @router.post("/payments", responses=refusals)
    def post_payment(request: Request, body: BankPaymentIn) -> dict[str, Any]:
        """A transfer stands in the bank's statement. Its order waits for a decision from then on."""
        desk, now = desk_of(request), till_of(request).parts.clock()
        payment = Payment(body.payment, parse_assets(body.usd), body.at)
        return _full(
            request, take_bank_payment(desk.ledger, body.reference, payment, operator_named(request, body.by), now).id
        )

    @router.post("/{order_id}/decision", responses=refusals)
    def post_decision(request: Request, order_id: str, body: DecisionIn) -> dict[str, Any]:
        """Accept a payment in review, or refuse it: then it is owed back."""
        ledger, now = desk_of(request).ledger, till_of(request).parts.clock()
        decision = Decision(body.decision)
        return _full(
            request,
            decide_order(
                ledger, OrderId(order_id), decision, by=operator_named(request, body.by), why=body.reason, now=now
            ).id,
        )

    @router.post("/{order_id}/return", responses=refusals)
    def post_return(request: Request, order_id: str, body: ReasonIn) -> dict[str, Any]:
        """Give an accepted payment back whole, as long as its credits are not being created."""
        ledger, now = desk_of(request).ledger, till_of(request).parts.clock()
        return _full(
            request,
            return_payment(ledger, OrderId(order_id), by=operator_named(request, body.by), why=body.reason, now=now).id,
        )

    @router.post("/{subject}/retry", responses=refusals)
    def post_retry(request: Request, subject: str) -> dict[str, Any]:
        """Try again now what of an order or a refund waits for its next try."""
        return {"object": "retry", "id": subject, "tried_again": retry_order(desk_of(request).ledger, subject)}

    @router.post("/refunds/{refund_id}/done", responses=refusals)
    def post_refund_done(request: Request, refund_id: str, body: RefundDoneIn) -> dict[str, Any]:
        """The bank sent it back, under this name."""
        ledger, now = desk_of(request).ledger, till_of(request).parts.clock()
        return refund_json(
            finish_refund(ledger, refund_id, body.reference, by=operator_named(request, body.by), now=now)
        )


def _full(request: Request, order_id: OrderId) -> dict[str, Any]:
    desk, now = desk_of(request), till_of(request).parts.clock()
    return order_in_full(
        desk.ledger, find_order(desk.ledger, order_id), now, bank_details=desk.bank_details, card_hold=desk.card_hold
    )
