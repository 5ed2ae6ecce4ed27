from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import cast

from mintery.domain.receipt import _ID
from mintery.usecases.parts import GatewayParts, RandomEnds, mark_of

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def test_the_ids_of_a_process_sort_by_time_and_name_it():
    clock = iter(NOON + timedelta(milliseconds=each) for each in range(1_000))
    parts = cast("GatewayParts", SimpleNamespace(mark="0a0b0c0d", clock=lambda: next(clock), ends=RandomEnds()))

    ids = [GatewayParts.new_request_id(parts) for _ in range(1_000)]

    assert ids == sorted(ids)
    assert all(_ID.fullmatch(each) and mark_of(each) == "0a0b0c0d" for each in ids)


def test_ids_of_one_instant_differ():
    parts = cast("GatewayParts", SimpleNamespace(mark="0a0b0c0d", clock=lambda: NOON, ends=RandomEnds()))

    assert len({GatewayParts.new_request_id(parts) for _ in range(1_000)}) == 1_000
