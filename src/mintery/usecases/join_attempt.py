"""A request that was sent before is not paid again: it reads the answer of its first attempt."""

import asyncio
from datetime import datetime, timedelta

from mintery.domain.hold import ReleaseReason, RequestId
from mintery.errors import AnswerGone, AttemptFailed, IdempotencyConflict, RequestUnderWay, VoucherAlreadyUsed
from mintery.ledger.commands import RequestKey, RequestKnown
from mintery.ledger.reads import Ledger, RequestRecord
from mintery.usecases.attempts import Attempt, Attempts

RETRIED_WITHIN = timedelta(hours=1)
"""Clients repeat a request by themselves within minutes. What says that it is a retry, and finds its body only in an
attempt of days ago, repeats another one that never arrived: it asks for an answer of now."""


async def join_attempt(
    ledger: Ledger, attempts: Attempts, key: RequestKey, *, declared: bool, now: datetime
) -> Attempt | None:
    """The attempt that this request repeats; None when it is new.

    An idempotency key decides alone. Without one, only a request that declares itself a retry joins, and only an
    attempt of the last hour with the same credential and body whose answer was not fully delivered.

    Raises:
        IdempotencyConflict, AnswerGone, AttemptFailed, RequestUnderWay
    """
    if key.idempotency_key is not None:
        record = await asyncio.to_thread(ledger.by_idempotency_key, key.credential, key.idempotency_key)
        return None if record is None else await _join(ledger, attempts, key, record)
    if not declared:
        return None
    if (running := attempts.newest(key)) is not None and running.key.raised == key.raised:
        return running
    record = await asyncio.to_thread(ledger.undelivered, key)
    if record is None or record.key.raised != key.raised or record.hold.placed_at < now - RETRIED_WITHIN:
        return None
    return await _join(ledger, attempts, key, record)


async def join_known(
    ledger: Ledger, attempts: Attempts, key: RequestKey, known: RequestKnown, *, declared: bool
) -> Attempt:
    """What to answer when the ledger says that the raised voucher or the idempotency key was used by ``known``.

    Raises:
        VoucherAlreadyUsed, IdempotencyConflict, AnswerGone, AttemptFailed, RequestUnderWay
    """
    if known.by == "raised" and (not declared or known.body != key.body):
        raise VoucherAlreadyUsed(known.request)
    record = await asyncio.to_thread(ledger.request, known.request)
    if record is None or record.key.credential != key.credential:
        raise VoucherAlreadyUsed(known.request)
    if known.by == "raised" and record.delivered_at is not None:
        raise VoucherAlreadyUsed(known.request)
    return await _join(ledger, attempts, key, record)


async def _join(ledger: Ledger, attempts: Attempts, key: RequestKey, read: RequestRecord) -> Attempt:
    request: RequestId = read.id
    if read.key.body != key.body:
        raise IdempotencyConflict(request)
    if (running := attempts.find(request)) is not None:
        return running
    # It may have ended between the reading and now, when it no longer runs.
    record = await asyncio.to_thread(ledger.request, request) or read
    if record.answer is not None:
        return Attempt.replay(request, record.key, record.answer)
    if record.hold.captured is not None or record.hold.released_for is ReleaseReason.UNRESOLVED:
        raise AnswerGone(request)
    if record.hold.released_for is not None:
        raise AttemptFailed(request)
    raise RequestUnderWay(request)
