"""A long job is opened: its intent is durable before the provider is asked, the provider's id before the client is told.

One hold never has two jobs. Another route is asked only where it is certain that the one before has none: it was not
reached, or refused. Where that is not certain, a provider that takes the same request for the same job is asked again;
with any other the hold is released, the holder pays nothing, and what the provider may make is the operator's loss. The
same goes for a process that dies in between: see ``follow_long_jobs``.
"""

import asyncio
from datetime import timedelta

import orjson

from mintery.domain.keys import KeyId
from mintery.domain.long_job import JobQuote, NewJob
from mintery.domain.quoted import Quoted
from mintery.errors import (
    HoldNotOpen,
    NotInItsFormat,
    ProviderFailed,
    ProviderRefused,
    ProviderUnreachable,
)
from mintery.ledger.commands import AcceptLongJob, NotWritten, PlaceHold, RerouteLongJob
from mintery.providers.calls import JSON, OPENING_TRIES
from mintery.providers.job_forms import JobReport
from mintery.providers.long_jobs import JobProvider
from mintery.usecases.answer_request import go_on, head_of
from mintery.usecases.call_route import RouteCall
from mintery.usecases.dispatched import Dispatched
from mintery.usecases.end_request import release, write_end
from mintery.usecases.meters import log_alarm, log_transition
from mintery.usecases.parts import GatewayParts
from mintery.usecases.plan_request import Leg, Plan
from mintery.usecases.show_long_job import long_job_json

_SERVICE_UNAVAILABLE = 503
_SERVERS_FAULT = 500


def new_long_job(parts: GatewayParts, plan: Plan, placed: PlaceHold) -> NewJob:
    """The intent, for the first leg of ``plan``."""
    leg, now = plan.legs[0], placed.placed_at
    return NewJob(
        request=placed.request,
        form=leg.request.endpoint,
        quote=job_quote_of(leg, plan, placed.quoted.key),
        begun_at=now,
        follow_until=now + timedelta(seconds=plan.seconds + plan.follow + parts.limits.grace_seconds),
        shown=leg.request.shown,
        sent=kept_body(parts, leg),
    )


def job_quote_of(leg: Leg, plan: Plan, key: KeyId | None, *, backup: bool = False) -> JobQuote:
    """``key``: the gateway key that asked. ``backup``: another route was asked before."""
    request, quote = leg
    stands_in = backup or (plan.asked is not None and quote.model.backup > 0)
    asked = {line.sku.unit: request.known[line.sku.unit] for line in quote.lines if line.sku.unit in request.known}
    return JobQuote(Quoted.of(quote, stream=False, asked=plan.asked, key=key), asked, request.variants, stands_in)


def kept_body(parts: GatewayParts, leg: Leg) -> bytes | None:
    """Only where it may be sent again."""
    provider = parts.job_providers[leg.quote.model.provider]
    return leg.request.body if provider.form.key_header else None


def may_run(error: ProviderFailed) -> bool:
    """Whether the provider may have the job all the same."""
    if isinstance(error, ProviderRefused):
        return error.status >= _SERVERS_FAULT and error.status != _SERVICE_UNAVAILABLE
    return not isinstance(error, ProviderUnreachable | NotInItsFormat)


async def open_long_job(work: Dispatched) -> None:
    """One provider after another until one has it; the answer is the job as it stands then.

    Raises:
        ProviderFailed: the hold was released.
        HoldNotOpen: the hold had ended before the provider's id was recorded.
    """
    while True:
        provider = work.parts.job_providers[work.quote.model.provider]
        call = RouteCall(work)
        try:
            report = await _ask(work, provider)
            break
        except ProviderFailed as error:
            if may_run(error):
                await _give_up(work, call, error)
                raise
            work = await go_on(work, call, error)
            await _reroute(work)
        except BaseException:
            call.undecided()
            raise
    call.answered(None)
    await _accept(work, provider, report)
    job = await asyncio.to_thread(work.parts.ledger.long_job, work.id)
    if job is None:
        raise HoldNotOpen(work.id, "unknown")
    work.attempt.begin(head_of(work, JSON))
    work.attempt.add(orjson.dumps(long_job_json(job)))
    work.attempt.end()


async def _ask(work: Dispatched, provider: JobProvider) -> JobReport:
    """Once one try may have left a job, no later refusal undoes it. Raises the error that says so, where there is one."""
    model, body = work.quote.model, work.request.body
    doubt: ProviderFailed | None = None
    for left in reversed(range(OPENING_TRIES if provider.form.key_header else 1)):
        try:
            return await provider.open(model.upstream, body, work.id)
        except ProviderFailed as error:
            if doubt is None and may_run(error):
                doubt = error
            if not left or doubt is None:
                raise doubt or error from None
            log_transition("long_job_asked_again", request=work.id, provider=provider.name, why=type(error).__name__)
    raise AssertionError


async def _reroute(work: Dispatched) -> None:
    """Raises HoldNotOpen: nobody else is asked."""
    leg = Leg(work.request, work.quote)
    result = await write_end(
        work,
        RerouteLongJob(
            work.id,
            job_quote_of(leg, work.plan, work.credential.key_id, backup=True),
            work.tried,
            work.parts.clock(),
            kept_body(work.parts, leg),
        ),
    )
    if isinstance(result, NotWritten):
        raise HoldNotOpen(work.id, "ended")


async def _accept(work: Dispatched, provider: JobProvider, report: JobReport) -> None:
    """Raises HoldNotOpen: the job is nobody's, and ended where that can be done."""
    result = await write_end(work, AcceptLongJob(work.id, report.upstream, work.parts.clock()))
    if isinstance(result, NotWritten):
        log_alarm("long_job_orphaned", request=work.id, provider=provider.name, upstream=report.upstream)
        try:
            await provider.cancel(report.upstream)
        except ProviderFailed as error:
            log_alarm("long_job_not_cancelled", request=work.id, provider=provider.name, why=type(error).__name__)
        raise HoldNotOpen(work.id, "ended")
    work.parts.routes.remember(work.plan.session, work.quote.model.id)
    log_transition(
        "long_job_opened",
        request=work.id,
        account=work.credential.account,
        model=work.quote.model.id,
        upstream=report.upstream,
    )


async def _give_up(work: Dispatched, call: RouteCall, error: ProviderFailed) -> None:
    log_alarm("long_job_may_run", request=work.id, provider=error.provider, why=type(error).__name__)
    await release(work._replace(tried=(*work.tried, call.failed(error))), error)
