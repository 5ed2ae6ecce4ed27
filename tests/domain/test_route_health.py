import pytest

from mintery.domain.route_health import (
    BUCKET_SECONDS,
    BUCKETS,
    FAILURES_TO_OPEN,
    FIRST_PAUSE,
    LONGEST_PAUSE,
    Breaker,
    BreakerState,
    HealthBoard,
    RouteHealth,
)
from mintery.errors import RouteBroken, RouteOnTrial

NOW = 1_800_000_000.0
SECOND = 10**6


def test_a_breaker_opens_after_failures_in_a_row_and_closes_by_its_trial():
    breaker = Breaker()
    for _ in range(FAILURES_TO_OPEN - 1):
        breaker.fail(NOW)
    breaker.succeed()
    for _ in range(FAILURES_TO_OPEN - 1):
        breaker.fail(NOW)
    assert breaker.state_at(NOW) is BreakerState.CLOSED

    breaker.fail(NOW)

    assert breaker.state_at(NOW + FIRST_PAUSE - 0.1) is BreakerState.OPEN
    assert breaker.state_at(NOW + FIRST_PAUSE) is BreakerState.HALF_OPEN
    breaker.succeed()
    assert breaker.state_at(NOW + FIRST_PAUSE) is BreakerState.CLOSED


def test_each_failed_trial_doubles_the_pause_up_to_a_bound():
    breaker, now, pauses = Breaker(), NOW, []
    for _ in range(FAILURES_TO_OPEN - 1):
        breaker.fail(now)
    for _ in range(5):
        breaker.fail(now)
        pauses.append(breaker.open_until - now)
        now = breaker.open_until

    assert pauses == [10, 20, 40, LONGEST_PAUSE, LONGEST_PAUSE]


def test_what_was_sent_before_it_opened_does_not_lengthen_the_pause():
    breaker = Breaker()
    for _ in range(20):
        breaker.fail(NOW)

    assert breaker.open_until == NOW + FIRST_PAUSE


@pytest.mark.parametrize(("wait", "pause"), [(2, FIRST_PAUSE), (30, 30), (86_400, LONGEST_PAUSE)])
def test_a_provider_that_asks_to_be_left_alone_is(wait: float, pause: float):
    breaker = Breaker()
    breaker.fail(NOW, wait)

    assert breaker.open_until == NOW + pause


def test_figures_of_streams_and_of_whole_answers():
    health = RouteHealth()
    health.answer(NOW, whole_us=3 * SECOND, first_us=SECOND, tokens=200)  # 200 tokens in 2 s
    health.fail(NOW)
    figures = health.figures(NOW)

    assert (figures.calls, figures.failures) == (2, 1)
    assert (figures.latency_us, figures.milli_tokens) == (SECOND, 100_000)
    assert figures.expected_us == SECOND + 2_560_000

    whole = RouteHealth()
    whole.answer(NOW, whole_us=2 * SECOND, first_us=None, tokens=0)
    assert whole.figures(NOW).expected_us == whole.figures(NOW).latency_us == 2 * SECOND


def test_a_window_moves_and_forgets_failures_but_no_speed():
    health = RouteHealth()
    health.answer(NOW, whole_us=SECOND, first_us=None, tokens=256)
    health.fail(NOW)
    later = NOW + BUCKETS * BUCKET_SECONDS

    figures = health.figures(later)
    assert (figures.calls, figures.failures, figures.expected_us) == (0, 0, SECOND)

    health.answer(later, whole_us=3 * SECOND, first_us=None, tokens=256)
    assert health.figures(later).expected_us == 3 * SECOND


def test_few_calls_do_not_make_a_route_unreliable():
    health = RouteHealth()
    for _ in range(4):
        health.fail(NOW)
        assert health.figures(NOW).reliable
    health.fail(NOW)
    assert not health.figures(NOW).reliable


def broken(board: HealthBoard) -> None:
    """The breaker of a/b opens now."""
    for _ in range(FAILURES_TO_OPEN):
        board.begin("a/b", NOW)
        board.failed("a/b", NOW)


def test_a_board_bars_what_is_open_or_on_trial():
    board = HealthBoard()
    broken(board)
    [(route, reason)] = board.barred(NOW).items()
    assert (route, type(reason)) == ("a/b", RouteBroken)

    assert board.barred(NOW + FIRST_PAUSE) == {}
    trial = board.begin("a/b", NOW + FIRST_PAUSE)
    assert type(board.barred(NOW + FIRST_PAUSE)["a/b"]) is RouteOnTrial
    board.undecided("a/b", trial=trial)
    assert board.barred(NOW + FIRST_PAUSE) == {}
    trial = board.begin("a/b", NOW + FIRST_PAUSE)
    board.answered("a/b", NOW, whole_us=1, first_us=None, tokens=1, trial=trial)
    assert board.barred(NOW) == {}


def test_a_call_from_before_the_breaker_opened_is_no_trial():
    board, later = HealthBoard(), NOW + FIRST_PAUSE
    for _ in range(3):
        assert not board.begin("a/b", NOW)
    broken(board)
    assert board.barred(later) == {}

    board.failed("a/b", later)
    assert board.barred(later) == {}
    board.answered("a/b", later, whole_us=1, first_us=1, tokens=1)
    trial = board.begin("a/b", later)
    second = board.begin("a/b", later)
    assert (trial, second) == (True, False)
    board.undecided("a/b", trial=second)
    board.undecided("a/b")
    assert type(board.barred(later)["a/b"]) is RouteOnTrial

    board.failed("a/b", later, trial=trial)
    assert board.barred(later + 2 * FIRST_PAUSE - 1).keys() == {"a/b"}
    assert board.barred(later + 2 * FIRST_PAUSE) == {}


def test_an_old_answer_does_not_close_an_open_breaker():
    board = HealthBoard()
    board.begin("a/b", NOW)
    broken(board)

    board.answered("a/b", NOW, whole_us=1, first_us=None, tokens=1)

    assert type(board.barred(NOW)["a/b"]) is RouteBroken


def test_a_trial_is_seen_at_once_when_it_begins_and_when_it_ends():
    board, later = HealthBoard(), NOW + FIRST_PAUSE
    board.begin("a/b", NOW)
    broken(board)
    versions = [board.version]
    trial = board.begin("a/b", later)
    versions.append(board.version)
    board.undecided("a/b", trial=trial)
    versions.append(board.version)

    assert len(set(versions)) == 3


def test_a_trial_that_streams_passes_at_its_first_byte_and_may_still_fail_as_a_call():
    board = HealthBoard()
    broken(board)
    now = NOW + FIRST_PAUSE
    assert board.begin("a/b", now)
    version = board.version

    board.passed("a/b")

    assert board.barred(now) == {}
    assert board.version > version
    assert not board.begin("a/b", now)  # others may call it meanwhile, and none of them is on trial
    board.failed("a/b", now)
    board.failed("a/b", now)
    assert board.barred(now) == {}  # two failures in a row are not three
    assert board.of("a/b").trying == 0
