"""The life of a paid request: hold, call, capture, answer.

The hold is durable before the provider sees a byte. The capture is durable before the client sees the end: the whole
of a JSON answer, the last usage chunk and ``[DONE]`` of a stream. Nothing here depends on the client still being there.
"""

import asyncio
import hashlib
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from datetime import timedelta
from time import perf_counter
from typing import NamedTuple

from mintery.domain.hold import Constraint, Ending
from mintery.domain.long_job import LONG_FORMS
from mintery.domain.market import Market
from mintery.domain.membership import Standing
from mintery.domain.model import Endpoint
from mintery.domain.quoted import Quoted
from mintery.domain.rates import RateUse
from mintery.errors import (
    AnswerLost,
    ClientGone,
    CredentialRefused,
    Draining,
    HoldTooLong,
    LedgerInconsistent,
    MinteryError,
    NotFound,
    RequestUnderWay,
)
from mintery.ledger.commands import (
    HoldPlaced,
    HoldRefused,
    OpenLongJob,
    PlaceHold,
    RateReached,
    RequestKey,
    RequestKnown,
)
from mintery.providers.calls import ProviderKey
from mintery.units import nanocredits_of_assets_down
from mintery.usecases.answer_request import answer_json, answer_stream
from mintery.usecases.attempts import Attempt, Attempts
from mintery.usecases.choose_route import counter_of
from mintery.usecases.deliveries import Deliveries
from mintery.usecases.dispatched import Dispatched
from mintery.usecases.explain_refusal import explain_rate, explain_refusal
from mintery.usecases.join_attempt import RETRIED_WITHIN, join_attempt, join_known
from mintery.usecases.key_changes import if_changed, key_as_it_is
from mintery.usecases.limits_in_force import limits_in_force
from mintery.usecases.meters import Meters, log_transition
from mintery.usecases.open_long_job import new_long_job, open_long_job
from mintery.usecases.parts import GatewayParts
from mintery.usecases.place_in_queue import priority_of
from mintery.usecases.plan_request import Plan, check_allowed, plan_request
from mintery.usecases.rate_tokens import rate_tokens
from mintery.usecases.read_form import boundary_of, read_form
from mintery.usecases.recall_session import is_forgotten, recall_session, session_mark
from mintery.usecases.refusals import Refusals
from mintery.usecases.shape_request import read_fields
from mintery.usecases.verify_credential import Credential, check_may_spend, refresh_credential

PAYOUT_CONSTRAINT = "payout:"


class Asked(NamedTuple):
    """One request as it came in.

    Attributes:
        endpoint: None takes any that the body may be written for.
        form: the content type of a body that is a form; None for JSON.
        declared_retry: the client says that it sent this before.
        session: as its header names it.
        membership: the offer that its header buys for it alone, where the account does not have it.
        provider_key: the caller's own, which pays the provider; it is no part of what the request is known by.
        gone: whether the client has left; asked once the request has waited for room.
    """

    endpoint: Endpoint | None
    path: str
    body: bytes
    idempotency_key: str | None = None
    declared_retry: bool = False
    form: str | None = None
    session: str | None = None
    membership: str | None = None
    provider_key: ProviderKey | None = None
    gone: Callable[[], bool] = lambda: False

    @property
    def may_repeat(self) -> bool:
        return self.declared_retry or self.idempotency_key is not None

    def key(self, credential: Credential) -> RequestKey:
        """Known again by method, path and body under the same credential. Clients draw a form's boundary anew each time."""
        said = self.body if self.form is None else self.body.replace(boundary_of(self.form), b"")
        body = hashlib.sha256(b"POST " + self.path.encode() + b"\n" + said).digest()
        return RequestKey(credential.identity, body, self.idempotency_key, credential.raised)


@dataclass(frozen=True, slots=True)
class Till:
    """Where requests are paid: the parts, what is running, what was delivered and what refused, and what is
    counted.
    """

    parts: GatewayParts
    attempts: Attempts
    deliveries: Deliveries
    refusals: Refusals
    meters: Meters


def open_till(parts: GatewayParts, meters: Meters) -> Till:
    limits = parts.limits
    attempts = Attempts(
        limits.in_flight,
        per_account=limits.in_flight_per_account,
        waiting=limits.waiting,
        wait_seconds=limits.wait_seconds,
    )
    return Till(parts, attempts, Deliveries(parts, attempts), Refusals(parts, attempts), meters)


async def pay_for_request(till: Till, market: Market, credential: Credential, asked: Asked) -> Attempt:
    """The attempt that answers ``asked``: a new one that is paid, or the one that it repeats.

    Raises:
        Conflict, MalformedInput, NotFound, NotAvailable, OutOfFunds, WrongEpoch, VoucherExpired: nothing was charged.
    """
    parts, attempts = till.parts, till.attempts
    key = asked.key(credential)
    credential = await key_as_it_is(parts, market, credential, repeats=asked.may_repeat)
    joined = await join_attempt(parts, attempts, key, declared=asked.declared_retry)
    if joined is not None:
        till.meters.joined.inc()
        log_transition("joined", request=joined.request, account=credential.account)
        return joined

    if attempts.draining:
        raise Draining("the gateway is stopping")
    credential, plan = await _planned(till, market, credential, asked)
    if is_forgotten(parts, plan):
        attempts.pass_on()
        await recall_session(parts, plan.session)
        credential, plan = await _planned(till, parts.market(), credential, asked)
    attempt = Attempt(parts.new_request_id(), key, credential.account)
    attempts.register(attempt)
    try:
        began = perf_counter()
        plan, placed, credential = await _place(parts, market, credential, attempt, plan, declared=asked.declared_retry)
        till.meters.placing.observe(perf_counter() - began)
    except BaseException as error:
        attempts.forget(attempt, error if isinstance(error, MinteryError) else AnswerLost(attempt.request))
        till.meters.ended(plan.legs[0].quote.model.id, "refused").inc()
        raise
    if isinstance(placed, RequestKnown):
        attempts.forget(attempt, RequestUnderWay(placed.request))
        return await join_known(parts, attempts, key, placed, declared=asked.declared_retry)

    request, quote = plan.legs[0]
    log_transition(
        "dispatched",
        request=attempt.request,
        account=credential.account,
        model=quote.model.id,
        held_nanocredits=placed.hold.amount,
    )
    work = Dispatched(
        parts,
        till.meters,
        attempt,
        credential,
        plan,
        request,
        quote,
        placed.hold,
        left=placed.left,
        provider_key=asked.provider_key,
    )
    attempts.start(attempt, _answer(work))
    return attempt


def _answer(work: Dispatched) -> Coroutine[None, None, None]:
    if work.request.endpoint in LONG_FORMS:
        return open_long_job(work)
    return answer_stream(work) if work.request.stream else answer_json(work)


def standing_for(parts: GatewayParts, market: Market, credential: Credential, bought: str | None) -> Standing:
    """What the account has, and what it buys for this call.

    Raises:
        UnknownMembership, MembershipNotSold
    """
    if bought is None:
        return parts.standings.of(credential.account, parts.clock())
    kind = market.projects[credential.admits.voucher.token].kind
    return parts.standings.buying(credential.account, parts.clock(), bought, kind)


async def _planned(till: Till, market: Market, credential: Credential, asked: Asked) -> tuple[Credential, Plan]:
    """A key whose rules were widened meanwhile plans by the new ones."""
    try:
        return credential, await _plan_in_room(till, market, credential, asked)
    except (CredentialRefused, NotFound):
        if (changed := await if_changed(till.parts, market, credential)) is None:
            raise
        return changed, await _plan_in_room(till, market, changed, asked)


async def _plan_in_room(till: Till, market: Market, credential: Credential, asked: Asked) -> Plan:
    """Nothing is waited for between finding room and returning, so whoever registers at once has it."""
    standing = standing_for(till.parts, market, credential, asked.membership)
    priority = standing.priority
    if not till.attempts.has_room(credential.account):
        priority = await priority_of(till.parts, market, credential, standing)
    if await till.attempts.find_room(credential.account, priority):
        till.meters.waited.inc()
        return _plan_after_waiting(till, credential, asked, standing)
    return plan_body(till.parts, market, credential, asked, standing)


def _plan_after_waiting(till: Till, credential: Credential, asked: Asked, standing: Standing) -> Plan:
    """Prices moved meanwhile, and the gateway or the client may not go on: then others take the room."""
    parts = till.parts
    try:
        _check_wanted(till, asked)
        market = parts.market()
        check_may_spend(parts, market, credential)
        return plan_body(parts, market, credential, asked, standing)
    except BaseException:
        till.attempts.pass_on()
        raise


def _check_wanted(till: Till, asked: Asked) -> None:
    """Raises Draining, ClientGone."""
    if till.attempts.draining:
        raise Draining("the gateway is stopping")
    if asked.gone():
        raise ClientGone


def plan_body(parts: GatewayParts, market: Market, credential: Credential, asked: Asked, standing: Standing) -> Plan:
    """Which routes may answer the body, and the most that each may cost this credential's account.

    Raises:
        MalformedRequest, Unsupported, UnknownModel, ModelNotCovered, MembershipNeeded, NotAvailable, NoRoute
    """
    body = asked.body
    fields = read_fields(body) if asked.form is None else read_form(body, asked.form)
    counter = counter_of(parts, market, credential, standing)
    if asked.provider_key is not None:
        counter = counter._replace(own_key=True)
    return plan_request(counter, asked.endpoint, fields, size=len(body), session=asked.session)


async def _place(
    parts: GatewayParts, market: Market, credential: Credential, attempt: Attempt, plan: Plan, *, declared: bool
) -> tuple[Plan, HoldPlaced | RequestKnown, Credential]:
    """Set aside what the dearest leg may cost, marked dispatched, in one durable commit. Stand-ins that the account cannot
    pay are left out rather than the request refused. A ``declared`` retry whose first attempt another process recorded
    meanwhile is not placed.

    Raises:
        HoldTooLong, InsufficientBalance, VoucherExhausted, LimitReached, PayoutCapReached, WrongEpoch, RateLimited,
        RateAboveLimit
    """
    if (longest := plan.seconds + plan.follow) > parts.longest_hold:
        grace = parts.limits.grace_seconds
        raise HoldTooLong(longest + grace, parts.longest_hold + grace)
    while True:
        command = _hold_of(parts, market, credential, plan, attempt)
        jobs = _job_of(parts, plan, command)
        if declared:
            command = replace(command, repeats_since=command.placed_at - RETRIED_WITHIN)
        result, *_ = await parts.ledger.commit_async([command, *jobs])
        match result:
            case HoldPlaced() | RequestKnown():
                return plan, result, credential
            case RateReached():
                raise explain_rate(plan.standing.rates, result, tokens=rate_tokens(plan.legs[0].request))
            case HoldRefused(rule="authority"):
                credential = await asyncio.to_thread(refresh_credential, parts, market, credential)
                check_may_spend(parts, market, credential)
                check_allowed(credential.rules, plan)
            case HoldRefused():
                if (fewer := plan.within(result.available)) is None:
                    raise explain_refusal(parts, market, credential, result)
                plan = fewer
            case _:
                raise LedgerInconsistent(f"a hold was answered with {type(result).__name__}")


def _job_of(parts: GatewayParts, plan: Plan, placed: PlaceHold) -> tuple[OpenLongJob, ...]:
    """Written with its hold, where the answer is a job."""
    if plan.legs[0].request.endpoint not in LONG_FORMS:
        return ()
    return (OpenLongJob(new_long_job(parts, plan, placed)),)


def _quoted(plan: Plan, credential: Credential) -> Quoted:
    request, quote = plan.legs[0]
    quoted = Quoted.of(quote, stream=request.stream, asked=plan.asked, key=credential.key_id)
    return quoted if plan.asked is None else quoted._replace(session=session_mark(plan.session))


def _hold_of(parts: GatewayParts, market: Market, credential: Credential, plan: Plan, attempt: Attempt) -> PlaceHold:
    (request, quote), rates = plan.legs[0], plan.standing.rates
    token = credential.admits.voucher.token
    now = parts.clock()
    return PlaceHold(
        request=attempt.request,
        key=attempt.key,
        account=credential.account,
        signed=credential.admits,
        digest=credential.digest,
        quoted=_quoted(plan, credential),
        amount=plan.amount,
        placed_at=now,
        lease_until=now + timedelta(seconds=plan.seconds + parts.limits.grace_seconds),
        constraints=(
            Constraint(
                PAYOUT_CONSTRAINT + token,
                nanocredits_of_assets_down(market.payouts[token].room, quote.par),
                Ending.SETTLEMENT,
            ),
            *limits_in_force(parts, credential, plan),
        ),
        rate=RateUse(rates, 0 if rates.tokens is None else rate_tokens(request)) if rates.limited else None,
        authority=credential.authority,
    )
