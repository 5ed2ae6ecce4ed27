"""From a dispatched hold to its end: the provider is called, the hold is captured or released, the answer is told."""

from contextlib import aclosing

from mintery.domain.quote import UsageSource
from mintery.errors import AnswerTooLong, ProviderFailed, StreamBroke
from mintery.ledger.commands import Answer
from mintery.providers.calls import StreamEvent, Usage
from mintery.providers.reading import produced_by
from mintery.units import NanoCredits
from mintery.usecases.attempts import EVENTS, Head
from mintery.usecases.call_route import RouteCall, next_leg
from mintery.usecases.dispatched import Dispatched
from mintery.usecases.end_request import capture, release
from mintery.usecases.meter_usage import Metered, meter_uncarried, meter_unfinished, meter_usage, told_of_input
from mintery.usecases.meters import log_alarm, log_transition

DOUBTFUL = frozenset({UsageSource.ESTIMATED, UsageSource.BOUND, UsageSource.CLAMPED})
"""Each of these is alarmed."""


async def answer_json(work: Dispatched) -> None:
    """One call after another until one answers, one capture, one body.

    Raises:
        AnswerTooLong: it was charged.
        ProviderFailed: the hold was released.
        HoldNotOpen: the hold had ended before the capture.
    """
    while True:
        provider = work.parts.providers[work.quote.model.provider]
        call = RouteCall(work)
        try:
            reply = await provider.ask(work.request.endpoint, work.request.body, work.provider_key)
            break
        except AnswerTooLong as error:
            await _charge_uncarried(work, call, None, error)
            raise
        except ProviderFailed as error:
            work = await go_on(work, call, error)
        except BaseException:
            call.undecided()
            raise
    call.answered(reply.usage)
    calls = (*work.tried, call.delivered()) if work.tried else ()
    metered = _meter(work, reply.usage, reply.produced)
    cost = await capture(work, calls, metered, Answer(200, reply.content_type, reply.body))
    work.attempt.begin(head_of(work, reply.content_type, cost))
    work.attempt.add(reply.body)
    work.attempt.end()


async def answer_stream(work: Dispatched) -> None:
    """Relay event by event; hold back the last usage and ``[DONE]`` until the capture has committed.

    Raises:
        AnswerTooLong: it was charged.
        ProviderFailed: before the first event, with the hold released; afterwards as StreamBroke, with what was
            delivered captured, or the hold released where nothing was.
    """
    while True:
        relay = _Relay(work)
        call = RouteCall(work)
        try:
            await _relay_events(work, call, relay)
            break
        except AnswerTooLong as error:
            await _charge_uncarried(work, call, relay.told_for_good, error)
            raise
        except ProviderFailed as error:
            if work.attempt.begun:
                await _break_off(work, call, relay, error)
                return
            work = await go_on(work, call, error)
        except BaseException:
            call.undecided()
            raise
    call.answered(relay.told)
    end = relay.held_back()
    calls = (*work.tried, call.delivered()) if work.tried else ()
    metered = _meter_stream(work, relay, final=relay.nothing_followed)
    await capture(work, calls, metered, Answer(200, EVENTS, work.attempt.so_far() + end))
    work.attempt.add(end)
    work.attempt.end()


async def _relay_events(work: Dispatched, call: RouteCall, relay: "_Relay") -> None:
    provider = work.parts.providers[work.quote.model.provider]
    async with aclosing(provider.stream(work.request.endpoint, work.request.body, work.provider_key)) as events:
        first = await anext(events)
        call.first()
        relay.pass_on(first)
        async for event in events:
            relay.pass_on(event)


async def go_on(work: Dispatched, call: RouteCall, error: ProviderFailed) -> Dispatched:
    """At the next route, where there is one that may answer; else the hold is released, and ``error`` is the answer."""
    following = next_leg(work, call.failed(error), error)
    if not following.stands:
        await release(following, error)
        raise error
    work.meters.fallback(work.quote.model.id).inc()
    log_transition(
        "fell_back",
        request=work.id,
        failed=work.quote.model.id,
        why=type(error).__name__,
        model=following.quote.model.id,
    )
    return following


def head_of(work: Dispatched, content_type: str, cost: NanoCredits | None = None) -> Head:
    """An answer whose route was chosen here says which it was."""
    routed = work.plan.asked is not None or bool(work.tried)
    route = work.quote.model.id if routed else None
    return Head(200, content_type, work.hold.amount, cost, route=route, backup=work.is_backup, left=work.left)


class _Relay:
    """What passes to the client, what waits for the capture, and what it adds up to."""

    def __init__(self, work: Dispatched) -> None:
        self._work = work
        self._waiting: list[StreamEvent] = []
        self._told_by: StreamEvent | None = None
        self._since: list[bytes] = []

    @property
    def told(self) -> Usage | None:
        """The last figures that came, which may be of the middle of the stream."""
        return None if self._told_by is None else self._told_by.usage

    @property
    def nothing_followed(self) -> bool:
        """No text has come since the figures did: at the end of the stream they are its last ones."""
        return not produced_by(b"".join(self._since))

    @property
    def told_for_good(self) -> Usage | None:
        """Of a stream that broke: its last figures, or of figures of its middle those of the input."""
        return self.told if self.told is None or self.told_alone else told_of_input(self.told)

    @property
    def told_alone(self) -> bool:
        """The figures came in an event of their own, as at the end, and nothing followed."""
        return self._told_by is not None and self._told_by.only_usage and self.nothing_followed

    @property
    def produced(self) -> int:
        """Bytes of text so far, counted when they are asked for: where usage is reported, nobody does."""
        return produced_by(self._work.attempt.so_far() + b"".join(event.raw for event in self._waiting))

    def pass_on(self, event: StreamEvent) -> None:
        attempt = self._work.attempt
        if not attempt.begun:
            attempt.begin(head_of(self._work, EVENTS))
        if event.usage is not None:
            self._told_by = event
            self._since.clear()
        elif self._told_by is not None:
            self._since.append(event.raw)
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


async def _break_off(work: Dispatched, call: RouteCall, relay: _Relay, error: ProviderFailed) -> None:
    produced = relay.produced
    attempts = (*work.tried, call.failed(error))
    if not (produced or relay.told is not None):
        await release(work._replace(tried=attempts), error)
        raise error
    answer = Answer(200, EVENTS, work.attempt.so_far())
    await capture(work, attempts, _meter_stream(work, relay, final=relay.told_alone), answer)
    log_alarm("stream_broke", request=work.id, provider=error.provider, produced=produced)
    raise StreamBroke(error.provider, work.id, type(error).__name__) from error


async def _charge_uncarried(work: Dispatched, call: RouteCall, usage: Usage | None, error: AnswerTooLong) -> None:
    """No other route is asked: the work is done, and would be as long again. What had left as a stream is kept."""
    answer = Answer(200, EVENTS, work.attempt.so_far()) if work.attempt.begun else None
    metered = _alarmed(work, meter_uncarried(work.quote, work.request, usage), usage)
    await capture(work, (*work.tried, call.failed(error)), metered, answer)
    log_alarm("answer_too_long", request=work.id, provider=error.provider, limit=error.limit)


def _meter_stream(work: Dispatched, relay: _Relay, *, final: bool) -> Metered:
    """``final``: what the stream told last are its last figures."""
    if relay.told is None or final:
        return _meter(work, relay.told, 0 if final and relay.told is not None else relay.produced)
    return _alarmed(work, meter_unfinished(work.quote, work.request, relay.told, relay.produced), relay.told)


def _meter(work: Dispatched, usage: Usage | None, produced: int) -> Metered:
    return _alarmed(work, meter_usage(work.quote, work.request, usage, produced), usage)


def _alarmed(work: Dispatched, metered: Metered, usage: Usage | None) -> Metered:
    if metered.source in DOUBTFUL:
        work.meters.alarms.labels(metered.source.value).inc()
        log_alarm(f"usage_{metered.source.value}", request=work.id, model=work.quote.model.id, reported=usage)
    return metered
