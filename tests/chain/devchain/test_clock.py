import pytest
from hypothesis import given
from hypothesis import strategies as st

from mintery.chain.devchain.clock import Clock
from mintery.chain.devchain.faults import RpcFault

NOON = 1_800_000_000


def test_blocks_of_one_second_share_its_timestamp():
    clock = Clock(lambda: NOON + 0.9)
    assert [clock.take(NOON), clock.take(NOON)] == [NOON, NOON]


@given(st.lists(st.floats(0, 100, allow_nan=False), min_size=1))
def test_an_unmoved_clock_never_runs_ahead_and_never_back(gaps: list[float]):
    wall = [float(NOON)]
    clock = Clock(lambda: wall[0])
    parent = NOON
    for gap in gaps:
        wall[0] += gap
        taken = clock.take(parent)
        assert parent <= taken <= wall[0]
        parent = taken


def test_a_wall_clock_set_back_does_not_take_block_time_with_it():
    assert Clock(lambda: NOON - 60).take(NOON) == NOON


def test_advancing_adds_up_and_says_so():
    clock = Clock(lambda: NOON)
    assert (clock.advance(10), clock.advance(5)) == (10, 15)
    assert clock.take(NOON) == NOON + 15


def test_a_set_timestamp_is_used_once_and_time_goes_on_from_there():
    wall = [NOON]
    clock = Clock(lambda: wall[0])
    clock.set_next(NOON + 1000, NOON)
    assert clock.peek(NOON) == clock.peek(NOON) == clock.take(NOON) == NOON + 1000
    wall[0] += 7
    assert clock.take(NOON + 1000) == NOON + 1007


def test_a_timestamp_before_the_parents_is_refused():
    with pytest.raises(RpcFault, match="lower than the previous block's timestamp"):
        Clock(lambda: NOON).set_next(NOON - 1, NOON)


def test_restoring_brings_back_the_offset_and_forgets_a_set_timestamp():
    clock = Clock(lambda: NOON)
    clock.advance(100)
    clock.set_next(NOON + 500, NOON)
    clock.restore(0)
    assert clock.take(NOON) == NOON
