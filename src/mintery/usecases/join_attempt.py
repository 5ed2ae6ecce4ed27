"""A request that was sent before is not paid again: it reads the answer of its first attempt.

An attempt of this process is read as it grows. One that another process answers is followed in the ledger until it ends,
and its answer is then sent whole and byte for byte, a stream as its events: nothing of it is seen before its capture.
"""

import asyncio
from datetime import timedelta

import orjson

from mintery.domain.hold import HoldStatus, ReleaseReason
from mintery.errors import (
    AnswerGone,
    AttemptFailed,
    IdempotencyConflict,
    MinteryError,
    RequestUnderWay,
    RequestUnresolved,
    VoucherAlreadyUsed,
)
from mintery.ledger.commands import Answer, RequestKey, RequestKnown
from mintery.ledger.reads import RequestRecord
from mintery.providers.calls import JSON
from mintery.usecases.attempts import Attempt, Attempts, Head
from mintery.usecases.parts import GatewayParts, mark_of
from mintery.usecases.show_long_job import long_job_json

RETRIED_WITHIN = timedelta(hours=1)
"""Clients repeat a request by themselves within minutes. What says that it is a retry, and finds its body only in an
attempt of days ago, repeats another one that never arrived: it asks for an answer of now."""
FIRST_LOOK, LONGEST_PAUSE = 0.02, 0.25
"""Seconds between two looks at an attempt of another process."""
GONE_SECONDS = 2.0
"""A process that was not to be seen for so long is gone; one that lost its database for a moment is back by then."""


async def join_attempt(parts: GatewayParts, attempts: Attempts, key: RequestKey, *, declared: bool) -> Attempt | None:
    """The attempt that this request repeats; None when it is new.

    An idempotency key decides alone. Without one, only a request that declares itself a retry joins, and only an
    attempt of the last hour with the same credential and body whose answer was not fully delivered.

    Raises:
        IdempotencyConflict, AnswerGone, AttemptFailed, RequestUnresolved
    """
    ledger = parts.ledger
    if key.idempotency_key is not None:
        record = await asyncio.to_thread(ledger.by_idempotency_key, key.credential, key.idempotency_key)
        return None if record is None else await _join(parts, attempts, key, record)
    if not declared:
        return None
    if (running := attempts.newest(key)) is not None and running.key.raised == key.raised:
        return running
    record = await asyncio.to_thread(ledger.undelivered, key)
    if record is None or record.key.raised != key.raised or record.hold.placed_at < parts.clock() - RETRIED_WITHIN:
        return None
    return await _join(parts, attempts, key, record)


async def join_known(
    parts: GatewayParts, attempts: Attempts, key: RequestKey, known: RequestKnown, *, declared: bool
) -> Attempt:
    """What to answer when the ledger says that the raised voucher or the idempotency key was used by ``known``.

    Raises:
        VoucherAlreadyUsed, IdempotencyConflict, AnswerGone, AttemptFailed, RequestUnresolved
    """
    if known.by == "raised" and (not declared or known.body != key.body):
        raise VoucherAlreadyUsed(known.request)
    record = await asyncio.to_thread(parts.ledger.request, known.request)
    if record is None or record.key.credential != key.credential:
        raise VoucherAlreadyUsed(known.request)
    if known.by == "raised" and record.delivered_at is not None:
        raise VoucherAlreadyUsed(known.request)
    return await _join(parts, attempts, key, record)


async def _join(parts: GatewayParts, attempts: Attempts, key: RequestKey, read: RequestRecord) -> Attempt:
    if read.key.body != key.body:
        raise IdempotencyConflict(read.id)
    if (running := attempts.find(read.id)) is not None:
        return running
    # It may have ended between the reading and now, when it no longer runs.
    record = await asyncio.to_thread(parts.ledger.request, read.id) or read
    if (ended := await asyncio.to_thread(_ended, parts, record)) is None:
        if (running := attempts.find(read.id)) is not None:
            return running  # another retry follows it already
        if mark_of(record.id) == parts.mark:
            raise RequestUnresolved(record.id)  # it ran here, and was lost
        attempt = Attempt(record.id, record.key)
        attempts.register(attempt)
        attempts.start(attempt, _follow(parts, attempt))
        return attempt
    if isinstance(ended, MinteryError):
        raise ended
    return ended


def _ended(parts: GatewayParts, record: RequestRecord) -> Attempt | MinteryError | None:
    """What a retry of it reads or is told; None while it runs."""
    if record.answer is not None:
        return Attempt.replay(record.id, record.key, record.answer)
    job = parts.ledger.long_job(record.id)
    if job is not None and (job.upstream is not None or job.hold.released_for is ReleaseReason.UNRESOLVED):
        return Attempt.replay(record.id, record.key, Answer(200, JSON, orjson.dumps(long_job_json(job))))
    if record.hold.captured is not None or record.hold.released_for is ReleaseReason.UNRESOLVED:
        return AnswerGone(record.id)
    if record.hold.released_for is not None:
        return AttemptFailed(record.id)
    if record.hold.status_at(parts.clock()) is HoldStatus.UNRESOLVED:
        return RequestUnresolved(record.id)
    return None


async def _follow(parts: GatewayParts, attempt: Attempt) -> None:
    """Until it ends, its lease lapses, or the process that answers it is gone.

    Raises:
        AnswerGone, AttemptFailed, RequestUnresolved
    """
    loop = asyncio.get_running_loop()
    pause, gone_since = FIRST_LOOK, None
    try:
        while True:
            # First whether it still runs: what a process wrote before it went is there to be read afterwards.
            runs = await asyncio.to_thread(parts.runs, attempt.request)
            gone_since = None if runs else gone_since or loop.time()
            record = await asyncio.to_thread(parts.ledger.request, attempt.request)
            ended = (
                RequestUnresolved(attempt.request) if record is None else await asyncio.to_thread(_ended, parts, record)
            )
            if isinstance(ended, MinteryError):
                raise ended
            if ended is not None:
                await _copy(ended, attempt)
                return
            if gone_since is not None and loop.time() >= gone_since + GONE_SECONDS:
                raise RequestUnresolved(attempt.request)
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
    except asyncio.CancelledError:
        attempt.fail(RequestUnderWay(attempt.request))
        raise


async def _copy(ended: Attempt, attempt: Attempt) -> None:
    head: Head = await ended.head()
    attempt.begin(head)
    async for piece in ended.pieces():
        attempt.add(piece)
    if ended.error is not None:
        attempt.fail(ended.error)
    else:
        attempt.end()
