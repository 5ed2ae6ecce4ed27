from hypothesis import given
from hypothesis import strategies as st

from mintery.domain.rates import MINUTE, Gauge, Rates, after, excess, gauge

NOON = 1_700_000_000_000_000


def admitted(empty_at: int | None, units: int, limit: int, now: int) -> int | None:
    """The bucket afterwards, or None for what is refused."""
    filled = after(empty_at, units, limit, now)
    return None if excess(filled, now) else filled


@given(
    limit=st.integers(1, 100_000),
    steps=st.lists(st.tuples(st.integers(0, 2 * MINUTE), st.integers(1, 200_000)), max_size=40),
)
def test_no_minute_brings_more_than_twice_the_limit_and_no_long_time_more_than_its_share(limit: int, steps: list):
    """A full bucket, and what runs out of it meanwhile: in any span, at most the limit and the span's share of it."""
    now, empty_at = NOON, None
    let_in: list[tuple[int, int]] = []
    for pause, units in steps:
        now += pause
        if (filled := admitted(empty_at, units, limit, now)) is not None:
            empty_at = filled
            let_in.append((now, units))

    for first, (began, _) in enumerate(let_in):
        for last in range(first, len(let_in)):
            span = let_in[last][0] - began
            sum_of = sum(units for _, units in let_in[first : last + 1])
            assert sum_of * MINUTE <= limit * (MINUTE + span)


@given(limit=st.integers(1, 10_000), used=st.integers(0, 10_000), later=st.integers(0, MINUTE))
def test_what_remains_is_let_in_and_one_more_is_not(limit: int, used: int, later: int):
    empty_at = None
    if used := min(used, limit):
        empty_at = admitted(None, used, limit, NOON)
        assert empty_at is not None
    now = NOON + later
    left = gauge(empty_at, limit, now)
    assert left is not None

    assert left.remaining == 0 or admitted(empty_at, left.remaining, limit, now) is not None
    assert admitted(empty_at, left.remaining + 1, limit, now) is None


def test_a_refused_request_is_told_when_it_would_be_let_in():
    full = admitted(None, 60, 60, NOON)

    wait = excess(after(full, 1, 60, NOON), NOON)

    assert wait == MINUTE // 60
    assert admitted(full, 1, 60, NOON + wait - 1) is None
    assert admitted(full, 1, 60, NOON + wait) is not None


def test_a_gauge_reads_what_is_left_and_when_all_is():
    half = admitted(None, 30, 60, NOON)

    assert gauge(half, 60, NOON) == Gauge(60, 30, MINUTE // 2)
    assert gauge(half, 60, NOON + MINUTE) == Gauge(60, 60, 0)
    assert gauge(half, None, NOON) is None


def test_the_higher_of_two_rates_is_of_each_and_no_limit_is_the_highest():
    assert Rates(10, 500).raised_to(Rates(20, 100)) == Rates(20, 500)
    assert Rates(10, 500).raised_to(Rates(None, 100)) == Rates(None, 500)
