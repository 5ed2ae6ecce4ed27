"""From a dispatched hold to its end: the provider is called, the hold is captured or released, the answer is told."""

import asyncio
from contextlib import aclosing
from time import perf_counter
from typing import NamedTuple

from mintery.domain.hold import Capture, Hold, ReleaseReason, RequestId
from mintery.domain.quote import Quote, UsageSource
from mintery.domain.receipt import Receipt
from mintery.errors import HoldNotOpen, LedgerUnavailable, MinteryError, Overloaded, ProviderFailed, StreamBroke
from mintery.ledger.commands import Answer, CaptureHold, HoldNotEnding, ReleaseHold, Result
from mintery.providers.calls import StreamEvent, Usage
from mintery.providers.reading import produced_by
from mintery.units import NanoCredits
from mintery.usecases.attempts import EVENTS, Attempt, Head
from mintery.usecases.meter_usage import Metered, meter_usage
from mintery.usecases.meters import Meters, log_alarm, log_transition
from mintery.usecases.parts import GatewayParts
from mintery.usecases.shaped import ShapedRequest
from mintery.usecases.verify_credential import Credential

DOUBTFUL = frozenset({UsageSource.ESTIMATED, UsageSource.CLAMPED})
"""Each of these is alarmed."""
QUEUE_SECONDS = 0.05
"""Between two tries to write an end that the ledger cannot take now."""


class Dispatched(NamedTuple):
    """A request whose hold is durable: the provider may be called."""

    parts: GatewayParts
    meters: Meters
    attempt: Attempt
    credential: Credential
    request: ShapedRequest
    quote: Quote
    hold: Hold

    @property
    def id(self) -> RequestId:
        return self.hold.id


async def answer_json(work: Dispatched) -> None:
    """One call, one capture, one body.

    Raises:
        ProviderFailed: the hold was released.
        HoldNotOpen: the hold had ended before the capture.
    """
    provider = work.parts.providers[work.quote.model.provider]
    try:
        began = perf_counter()
        reply = await provider.ask(work.request.endpoint, work.request.body)
        work.meters.first_byte.observe(perf_counter() - began)
    except ProviderFailed as error:
        await _release(work, error)
        raise
    cost = await _capture(work, reply.usage, reply.produced, Answer(200, reply.content_type, reply.body))
    work.attempt.begin(Head(200, reply.content_type, work.hold.amount, cost))
    work.attempt.add(reply.body)
    work.attempt.end()


async def answer_stream(work: Dispatched) -> None:
    """Relay event by event; hold back the last usage and ``[DONE]`` until the capture has committed.

    Raises:
        ProviderFailed: before the first event, with the hold released; afterwards as StreamBroke, with what was
            delivered captured, or the hold released where nothing was.
    """
    relay = _Relay(work)
    provider = work.parts.providers[work.quote.model.provider]
    try:
        async with aclosing(provider.stream(work.request.endpoint, work.request.body)) as events:
            began = perf_counter()
            first = await anext(events)
            work.meters.first_byte.observe(perf_counter() - began)
            relay.pass_on(first)
            async for event in events:
                relay.pass_on(event)
    except ProviderFailed as error:
        await _break_off(work, relay, error)
        return
    end = relay.held_back()
    produced = relay.produced if relay.usage is None else 0
    await _capture(work, relay.usage, produced, Answer(200, EVENTS, work.attempt.so_far() + end))
    work.attempt.add(end)
    work.attempt.end()


class _Relay:
    """What passes to the client, what waits for the capture, and what it adds up to."""

    def __init__(self, work: Dispatched) -> None:
        self._work = work
        self._waiting: list[StreamEvent] = []
        self.usage: Usage | None = None

    @property
    def produced(self) -> int:
        """Bytes of text so far, counted when they are asked for: where usage is reported, nobody does."""
        return produced_by(self._work.attempt.so_far() + b"".join(event.raw for event in self._waiting))

    def pass_on(self, event: StreamEvent) -> None:
        attempt = self._work.attempt
        if not attempt.begun:
            attempt.begin(Head(200, EVENTS, self._work.hold.amount))
        if event.usage is not None:
            self.usage = event.usage
        if not event.last and self._waiting:
            attempt.add(self.held_back())  # what waited was not the end after all
            self._waiting.clear()
        if event.last or event.usage is not None:
            self._waiting.append(event)
        else:
            attempt.add(event.raw)

    def held_back(self) -> bytes:
        """What may leave once the capture has committed, without the usage that was not asked for."""
        shown = self._work.request.show_usage
        return b"".join(event.raw for event in self._waiting if shown or not event.only_usage)


async def _break_off(work: Dispatched, relay: _Relay, error: ProviderFailed) -> None:
    produced = relay.produced
    if not work.attempt.begun or not (produced or relay.usage is not None):
        await _release(work, error)
        raise error
    await _capture(work, relay.usage, produced, Answer(200, EVENTS, work.attempt.so_far()))
    log_alarm("stream_broke", request=work.id, provider=error.provider, produced=produced)
    raise StreamBroke(error.provider, work.id, type(error).__name__) from error


async def _capture(work: Dispatched, usage: Usage | None, produced: int, answer: Answer) -> NanoCredits:
    """Commit the charge, the receipt and the answer together; the cost in nanocredits."""
    metered = meter_usage(work.quote, work.request, usage, produced)
    if metered.source in DOUBTFUL:
        work.meters.alarms.labels(metered.source.value).inc()
        log_alarm(f"usage_{metered.source.value}", request=work.id, model=work.quote.model.id, reported=usage)
    kept = answer if len(answer.body) <= work.parts.limits.kept_answer_bytes else None
    result = await _commit(work, CaptureHold(work.id, _receipt(work, metered), kept))
    if isinstance(result, HoldNotEnding):
        log_alarm("capture_refused", request=work.id, status=result.status, cost=metered.cost)
        raise HoldNotOpen(work.id, result.status)
    assert isinstance(result, Capture)  # noqa: S101 -- the ledger answers a capture with nothing else
    model = work.quote.model.id
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


async def _release(work: Dispatched, error: MinteryError) -> None:
    await _commit(work, ReleaseHold(work.id, ReleaseReason.PROVIDER_FAILED, work.parts.clock()))
    work.meters.ended(work.quote.model.id, "released").inc()
    log_transition(
        "released", request=work.id, account=work.credential.account, amount=work.hold.amount, why=type(error).__name__
    )


async def _commit(work: Dispatched, command: CaptureHold | ReleaseHold) -> Result:
    """An end must be written: while the ledger's queue is full, or its database out of reach, it waits as long as the
    hold's lease lasts.

    Raises:
        Overloaded, LedgerUnavailable: the lease is over.
    """
    while True:
        try:
            [result] = await work.parts.ledger.commit_async([command])
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
        backup=False,
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
    )
