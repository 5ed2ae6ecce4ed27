"""The life of a paid request: hold, call, capture, answer.

The hold is durable before the provider sees a byte. The capture is durable before the client sees the end: the whole
of a JSON answer, the last usage chunk and ``[DONE]`` of a stream. Nothing here depends on the client still being there.
"""

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from time import perf_counter
from typing import NamedTuple

from mintery.domain.hold import Constraint, Ending, Hold
from mintery.domain.market import Market
from mintery.domain.model import Endpoint
from mintery.domain.quote import Quote
from mintery.domain.quoted import Quoted
from mintery.errors import AnswerLost, Draining, HoldTooLong, LedgerInconsistent, MinteryError, RequestUnderWay
from mintery.ledger.commands import HoldPlaced, HoldRefused, PlaceHold, RequestKey, RequestKnown
from mintery.units import NanoCredits, nanocredits_of_assets_down
from mintery.usecases.answer_request import Dispatched, answer_json, answer_stream
from mintery.usecases.attempts import Attempt, Attempts
from mintery.usecases.deliveries import Deliveries
from mintery.usecases.explain_refusal import explain_refusal
from mintery.usecases.join_attempt import RETRIED_WITHIN, join_attempt, join_known
from mintery.usecases.meters import Meters, log_transition
from mintery.usecases.parts import GatewayParts
from mintery.usecases.quote_request import quote_request
from mintery.usecases.read_form import boundary_of, read_form
from mintery.usecases.shape_request import find_model, read_fields, shape_request
from mintery.usecases.shaped import ShapedRequest
from mintery.usecases.verify_credential import Credential, check_may_spend

PAYOUT_CONSTRAINT = "payout:"


class Asked(NamedTuple):
    """One request as it came in.

    Attributes:
        form: the content type of a body that is a form; None for JSON.
        declared_retry: the client says that it sent this before.
    """

    endpoint: Endpoint
    path: str
    body: bytes
    idempotency_key: str | None = None
    declared_retry: bool = False
    form: str | None = None

    def key(self, credential: Credential) -> RequestKey:
        """Known again by method, path and body under the same credential. Clients draw a form's boundary anew each time."""
        said = self.body if self.form is None else self.body.replace(boundary_of(self.form), b"boundary")
        body = hashlib.sha256(b"POST " + self.path.encode() + b"\n" + said).digest()
        return RequestKey(credential.identity, body, self.idempotency_key, credential.raised)


@dataclass(frozen=True, slots=True)
class Till:
    """Where requests are paid: the parts, what is running, what was delivered, and what is counted."""

    parts: GatewayParts
    attempts: Attempts
    deliveries: Deliveries
    meters: Meters


def open_till(parts: GatewayParts, meters: Meters) -> Till:
    attempts = Attempts(parts.limits.in_flight, per_account=parts.limits.in_flight_per_account)
    return Till(parts, attempts, Deliveries(parts, attempts), meters)


async def pay_for_request(till: Till, market: Market, credential: Credential, asked: Asked) -> Attempt:
    """The attempt that answers ``asked``: a new one that is paid, or the one that it repeats.

    Raises:
        Conflict, MalformedInput, NotFound, NotAvailable, OutOfFunds, WrongEpoch, VoucherExpired: nothing was charged.
    """
    parts, attempts = till.parts, till.attempts
    key = asked.key(credential)
    check_may_spend(parts, market, credential)
    joined = await join_attempt(parts, attempts, key, declared=asked.declared_retry)
    if joined is not None:
        till.meters.joined.inc()
        log_transition("joined", request=joined.request, account=credential.account)
        return joined

    if attempts.draining:
        raise Draining("the gateway is stopping")
    attempts.check_room(credential.account)
    request, quote = price_body(parts, market, credential, asked.endpoint, asked.body, form=asked.form)
    attempt = Attempt(parts.new_request_id(), key, credential.account)
    attempts.register(attempt)
    try:
        began = perf_counter()
        quoted = Quoted.of(quote, stream=request.stream)
        placed = await _place(
            parts, market, credential, attempt, quoted, amount=quote.amount, declared=asked.declared_retry
        )
        till.meters.placing.observe(perf_counter() - began)
    except BaseException as error:
        attempts.forget(attempt, error if isinstance(error, MinteryError) else AnswerLost(attempt.request))
        till.meters.ended(quote.model.id, "refused").inc()
        raise
    if isinstance(placed, RequestKnown):
        attempts.forget(attempt, RequestUnderWay(placed.request))
        return await join_known(parts, attempts, key, placed, declared=asked.declared_retry)

    log_transition(
        "dispatched",
        request=attempt.request,
        account=credential.account,
        model=quote.model.id,
        held_nanocredits=placed.amount,
    )
    work = Dispatched(parts, till.meters, attempt, credential, request, quote, placed)
    attempts.start(attempt, answer_stream(work) if request.stream else answer_json(work))
    return attempt


def price_body(
    parts: GatewayParts,
    market: Market,
    credential: Credential,
    endpoint: Endpoint | None,
    body: bytes,
    *,
    form: str | None = None,
) -> tuple[ShapedRequest, Quote]:
    """What the body asks for, and the most it may cost. ``form``: the content type of a body that is a form.

    Raises:
        MalformedRequest, Unsupported, UnknownModel, ModelNotCovered, NotAvailable
    """
    fields = read_fields(body) if form is None else read_form(body, form)
    model = find_model(parts.models, fields, endpoint)
    terms = parts.providers[model.provider].terms
    request = shape_request(model, terms, fields, choices=parts.limits.choices, endpoint=endpoint)
    return request, quote_request(parts, market, credential.admits.voucher.token, request)


async def _place(
    parts: GatewayParts,
    market: Market,
    credential: Credential,
    attempt: Attempt,
    quoted: Quoted,
    *,
    amount: NanoCredits,
    declared: bool,
) -> Hold | RequestKnown:
    """Set the quote's ``amount`` aside, marked dispatched, in one durable commit. A ``declared`` retry whose first attempt
    another process recorded meanwhile is not placed.

    Raises:
        HoldTooLong, InsufficientBalance, VoucherExhausted, LimitReached, PayoutCapReached, WrongEpoch
    """
    seconds = parts.providers[quoted.provider].terms.longest + parts.limits.grace_seconds
    if seconds > (longest := parts.exit_delay - parts.settlement_interval):
        raise HoldTooLong(seconds, longest)
    token = credential.admits.voucher.token
    now = parts.clock()
    command = PlaceHold(
        request=attempt.request,
        key=attempt.key,
        account=credential.account,
        signed=credential.admits,
        digest=credential.digest,
        quoted=quoted,
        amount=amount,
        placed_at=now,
        lease_until=now + timedelta(seconds=seconds),
        repeats_since=now - RETRIED_WITHIN if declared else None,
        constraints=(
            Constraint(
                PAYOUT_CONSTRAINT + token,
                nanocredits_of_assets_down(market.payouts[token].room, quoted.par),
                Ending.SETTLEMENT,
            ),
        ),
    )
    [result] = await parts.ledger.commit_async([command])
    match result:
        case HoldPlaced(hold):
            return hold
        case RequestKnown():
            return result
        case HoldRefused():
            raise explain_refusal(parts, market, credential, result)
        case _:
            raise LedgerInconsistent(f"a hold was answered with {type(result).__name__}")
