"""How a new request is known again: by its idempotency key, its raised voucher, or its body and what it says of itself."""

from collections.abc import Sequence
from dataclasses import dataclass

from mintery.domain.hold import RequestId
from mintery.ledger.bulk import Row
from mintery.ledger.commands import PlaceHold, RequestCommand
from mintery.ledger.memory import Memory
from mintery.ledger.work import micros

Identity = tuple[bytes, bytes, bytes | None]
"""Credential, body, and digest of the raised voucher."""


@dataclass(frozen=True, slots=True)
class KnownRow:
    """``placed_at`` is microseconds since 1970."""

    request: RequestId
    placed_at: int
    body: bytes


def newest(rows: Sequence[Row]) -> dict[Identity, KnownRow]:
    return {
        (credential, body, raised): KnownRow(id_, placed_at, body)
        for id_, placed_at, credential, _, _, raised, body in sorted(rows, key=lambda row: row[1])
    }


def overtaken_by_retries(commands: Sequence[RequestCommand], memory: Memory) -> list[tuple[bytes, bytes]]:
    """Of new requests whose account saw a declared retry placed since they came: few, and mostly none."""
    found = set()
    for each in commands:
        if isinstance(each, PlaceHold) and each.key.idempotency_key is None:
            account = memory.accounts.get(each.account)
            if account is not None and account.retried_at is not None and account.retried_at >= micros(each.placed_at):
                found.add((each.key.credential, each.key.body))
    return sorted(found)


def is_retry(placed: PlaceHold) -> bool:
    """It says that it was sent before, and is known again by its body alone."""
    return placed.repeats_since is not None and placed.key.idempotency_key is None
