"""Ways to break the product on purpose, in a forked gateway alone: a harness that finds none of them finds nothing."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from mintery.chain import blocks
from mintery.domain.hold import Capture, Hold
from mintery.jobs import works
from mintery.ledger import apply_holds, apply_settled
from mintery.ledger.commands import AbandonBatch, BatchSettledSeen, CaptureHold, HoldPlaced, MarkDelivered, PlaceHold
from mintery.ledger.groups import GroupWriter
from mintery.ledger.store import LedgerStore
from mintery.ledger.work import Work
from mintery.usecases import answer_request, pay_for_request, send_attempt
from mintery.usecases.onchain import OnChain

LATE = 0.2
"""Seconds: far longer than anything takes that should have waited for it."""


def answer_before_capture() -> None:
    """The client has its answer's end before the charge is durable."""
    capture = answer_request.capture

    async def later(work: Any, calls: Any, metered: Any, answer: Any) -> Any:
        _kept.append(asyncio.ensure_future(_after(LATE, capture, work, calls, metered, answer)))
        return metered.cost

    answer_request.capture = later


def call_before_hold() -> None:
    """The provider is asked before the hold is durable."""
    commit_async = LedgerStore.commit_async

    async def placed(self: LedgerStore, commands: Any) -> Any:
        if not isinstance(commands[0], PlaceHold):
            return await commit_async(self, commands)
        task = asyncio.get_running_loop().create_task(_after(LATE, commit_async, self, commands))
        _kept.append(task)
        command = commands[0]
        hold = Hold(
            command.request, command.account, command.amount, command.placed_at, command.lease_until, command.placed_at
        )
        return [HoldPlaced(hold)]

    LedgerStore.commit_async = placed


_kept: list[Any] = []


async def _after(seconds: float, work: Callable[..., Any], *arguments: Any) -> Any:
    await asyncio.sleep(seconds)
    return await work(*arguments)


def told_before_commit() -> None:
    """Callers hear of their writes before COMMIT; the next transaction commits them."""
    transaction = GroupWriter._transaction

    def late(self: GroupWriter, lists: Any) -> Any:
        cursor = self._connect()
        if cursor.connection.in_transaction:  # SQLite's
            cursor.execute("COMMIT")
        return transaction(self, lists)

    GroupWriter._transaction = late
    Work.commit = Work._catch_up


def join_nothing() -> None:
    """A declared retry is paid again: neither the use case nor the ledger looks for its first try."""

    async def new(*_arguments: Any, **_options: Any) -> None:
        return None

    pay_for_request.join_attempt = new
    apply_holds._repeated = lambda *_: None


def delivered_at_once() -> None:
    """An answer counts as delivered when it is captured."""
    commit_async = LedgerStore.commit_async

    async def delivered(self: LedgerStore, commands: Any) -> Any:
        results = await commit_async(self, commands)
        if isinstance(commands[0], CaptureHold) and isinstance(results[0], Capture):
            await commit_async(self, [MarkDelivered(commands[0].request, commands[0].receipt.captured_at)])
        return results

    LedgerStore.commit_async = delivered


def forget_idempotency_keys() -> None:
    """A key is not written with its request."""
    commit_async = LedgerStore.commit_async

    async def keyless(self: LedgerStore, commands: Any) -> Any:
        forgetful = [
            replace(one, key=replace(one.key, idempotency_key=None)) if isinstance(one, PlaceHold) else one
            for one in commands
        ]
        return await commit_async(self, forgetful)

    LedgerStore.commit_async = keyless


def broadcast_before_saving() -> None:
    """An attempt leaves before it is saved."""
    save = send_attempt._saved

    def sent_first(settlement: Any, batch_id: int, signed: Any, now: Any) -> bool:
        settlement.settler.deliver(signed.raw)
        return save(settlement, batch_id, signed, now)

    send_attempt._saved = sent_first


def forget_what_may_be_sent() -> None:
    """A batch of which nobody said that it was taken is formed anew at once, and not remembered when the chain has it."""
    deliver = send_attempt._deliver

    def forgetful(settlement: Any, record: Any, raw: bytes, tx_hash: str, now: Any, **options: Any) -> Any:
        result = deliver(settlement, record, raw, tx_hash, now, **options)
        if isinstance(result, send_attempt.BatchWaiting):
            attempts = settlement.ledger.batch(record.batch.batch_id).attempts
            settlement.ledger.commit([AbandonBatch(record.batch.batch_id, "lost", now, dead_attempts=len(attempts))])
        return result

    send_attempt._deliver = forgetful
    apply_settled.restore_batch = lambda *_, **__: False


def expire_at_once() -> None:
    """Dispatched holds are ended as if their leases had lapsed and nothing had come."""
    expire = works.expire_holds
    works.expire_holds = lambda ledger, domain, settler, now, **how: expire(
        ledger, domain, settler, now + timedelta(days=1), **how
    )


def believe_empty_ranges() -> None:
    """A range that leaves events out is taken as it is."""
    blocks.is_complete = lambda *_: True


def believe_the_head() -> None:
    """No confirmations are waited for."""
    OnChain.confirmed_block = lambda self: self.rpc.block()


def overlook_settlements() -> None:
    """The chain's own word on a batch is not read."""
    from mintery.usecases import sync_chain  # noqa: PLC0415 -- patched only here

    mapped = sync_chain.map_event

    def deaf(seen: Any, gateway: Any, knows: Any) -> Any:
        event = mapped(seen, gateway, knows)
        return None if isinstance(event, BatchSettledSeen) else event

    sync_chain.map_event = deaf


def choose(name: str | None) -> None:
    """For every gateway that is forked from here on; None: nothing is broken."""
    global chosen  # noqa: PLW0603 -- forks inherit it
    chosen = None if name is None else BREAKAGES[name]


def break_as_chosen() -> None:
    if chosen is not None:
        chosen()


chosen: Callable[[], None] | None = None
BREAKAGES: Mapping[str, Callable[[], None]] = {
    breakage.__name__: breakage
    for breakage in (
        answer_before_capture,
        call_before_hold,
        told_before_commit,
        join_nothing,
        delivered_at_once,
        forget_idempotency_keys,
        broadcast_before_saving,
        forget_what_may_be_sent,
        expire_at_once,
        believe_empty_ranges,
        believe_the_head,
        overlook_settlements,
    )
}
