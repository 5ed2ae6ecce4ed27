"""How a paid request ends in the ledger: charged with its receipt and its answer in one commit, or with its hold released."""

import asyncio

from mintery.domain.attempt import RouteAttempt
from mintery.domain.hold import Capture, ReleaseReason
from mintery.domain.long_job import LONG_FORMS, JobFailure
from mintery.domain.receipt import Receipt
from mintery.errors import HoldNotOpen, LedgerUnavailable, MinteryError, Overloaded, snake_case
from mintery.ledger.commands import Answer, CaptureHold, CloseLongJob, Command, HoldNotEnding, ReleaseHold, Result
from mintery.units import NanoCredits
from mintery.usecases.dispatched import Dispatched
from mintery.usecases.meter_usage import Metered
from mintery.usecases.meters import log_alarm, log_transition

QUEUE_SECONDS = 0.05
"""Between two tries to write an end that the ledger cannot take now."""


async def capture(
    work: Dispatched, calls: tuple[RouteAttempt, ...], metered: Metered, answer: Answer | None
) -> NanoCredits:
    """Commit the charge, the receipt and the answer together; the cost in nanocredits. ``answer`` None was never whole.

    Raises:
        HoldNotOpen: the hold had ended before.
        Overloaded, LedgerUnavailable: for as long as the hold's lease lasted.
    """
    kept = answer if answer is not None and len(answer.body) <= work.parts.limits.kept_answer_bytes else None
    result = await write_end(work, CaptureHold(work.id, _receipt(work, metered), kept, calls))
    if isinstance(result, HoldNotEnding):
        log_alarm("capture_refused", request=work.id, status=result.status, cost=metered.cost)
        raise HoldNotOpen(work.id, result.status)
    assert isinstance(result, Capture)  # noqa: S101 -- the ledger answers a capture with nothing else
    model = work.quote.model.id
    work.parts.routes.remember(work.plan.session, model)
    work.meters.charged(model).inc(result.captured)
    work.meters.ended(model, "captured").inc()
    log_transition(
        "captured",
        request=work.id,
        account=work.credential.account,
        model=model,
        cost_nanocredits=result.captured,
        released_nanocredits=result.released,
        usage=metered.source.value,
    )
    return result.captured


async def release(work: Dispatched, error: MinteryError) -> None:
    """Nothing is charged. Raises as ``capture``."""
    ended = ReleaseHold(work.id, ReleaseReason.PROVIDER_FAILED, work.parts.clock(), attempts=work.tried)
    await write_end(work, ended, *_closed(work, error))
    work.meters.ended(work.quote.model.id, "released").inc()
    log_transition(
        "released", request=work.id, account=work.credential.account, amount=work.hold.amount, why=type(error).__name__
    )


def _closed(work: Dispatched, error: MinteryError) -> tuple[CloseLongJob, ...]:
    """A long job that nobody took is over: nothing of what it was asked with is kept."""
    if work.request.endpoint not in LONG_FORMS:
        return ()
    return (CloseLongJob(work.id, failure=JobFailure(snake_case(type(error).__name__), str(error))),)


async def write_end(work: Dispatched, command: Command, *beside: Command) -> Result:
    """What follows a provider's word must be written: while the ledger's queue is full, or its database out of reach, it
    waits as long as the hold's lease lasts. The result is ``command``'s.

    Raises:
        Overloaded, LedgerUnavailable: the lease is over.
    """
    while True:
        try:
            result, *_ = await work.parts.ledger.commit_async([command, *beside])
        except (Overloaded, LedgerUnavailable):
            if work.parts.clock() >= work.hold.lease_until:
                raise
            await asyncio.sleep(QUEUE_SECONDS)
        else:
            return result


def _receipt(work: Dispatched, metered: Metered) -> Receipt:
    model, signed = work.quote.model, work.credential.admits
    return Receipt(
        id=work.id,
        domain=work.parts.domain,
        account=signed.account,
        epoch=signed.voucher.epoch,
        model=model.id,
        provider=model.provider,
        upstream=model.upstream,
        kind=model.kind,
        backup=work.is_backup,
        stream=work.request.stream,
        test=model.test,
        state=work.quote.state,
        lines=metered.lines,
        source=metered.source,
        par=work.quote.par,
        markup=work.quote.markup,
        held=work.hold.amount,
        cost=metered.cost,
        captured_at=work.parts.clock(),
        settler=work.parts.settler.address,
        asked=work.plan.asked,
        key=work.credential.key_id,
        own_key=work.quote.own_key,
    )
