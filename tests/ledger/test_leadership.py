"""One leader for each job, whichever database the ledger is on; a leader that dies or is cut off leads no more."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest
from tests.databases import Database
from tests.ledger.samples import IDENTITY, Chain, deposit, wallet

from mintery.errors import LeadershipLost
from mintery.ledger.leadership import Leadership, open_leadership
from mintery.ledger.store import open_ledger

JOBS = ("sync", "settle")
LEAD_UNTIL_KILLED = """
import sys, time
from mintery.ledger.leadership import open_leadership
led = open_leadership(sys.argv[1], "one-that-dies").contend(["sync", "settle"])
print(*sorted(led), flush=True)
time.sleep(60)
"""

Open = Callable[[str], Leadership]


@pytest.fixture
def open_(database: Database) -> Iterator[Open]:
    """Each is what one process has; all are closed at the end."""
    with ExitStack() as opened:

        def one(process: str) -> Leadership:
            leadership = open_leadership(database.url, process)
            opened.callback(leadership.close)
            return leadership

        yield one


def taken_over(leadership: Leadership, *jobs: str) -> float:
    """Seconds until it leads every job."""
    began = time.monotonic()
    while leadership.contend(jobs) != frozenset(jobs):
        assert time.monotonic() < began + 5, "nobody took over"
        time.sleep(0.02)
    return time.monotonic() - began


def test_each_job_has_one_leader(open_: Open):
    first, second = open_("first"), open_("second")

    assert first.contend(["sync"]) == {"sync"}
    assert second.contend(JOBS) == {"settle"}
    assert first.contend(JOBS) == {"sync"}
    assert first.contend(JOBS) == {"sync"}, "to contend again changes nothing"

    first.check("sync")
    second.check("settle")
    with pytest.raises(LeadershipLost) as lost:
        first.check("settle")
    assert lost.value.job == "settle"


def test_every_process_sees_who_leads(open_: Open):
    first, second = open_("gateway-a:17"), open_("gateway-b:18")
    first.contend(JOBS)
    second.contend(JOBS)

    assert first.leaders() == second.leaders() == dict.fromkeys(JOBS, "gateway-a:17")


def test_who_never_contended_leads_nothing(open_: Open):
    with pytest.raises(LeadershipLost):
        open_("first").check("sync")


def test_who_stops_lets_the_next_one_lead(open_: Open):
    first, second = open_("first"), open_("second")
    first.contend(JOBS)
    first.close()

    assert second.contend(JOBS) == frozenset(JOBS)
    with pytest.raises(LeadershipLost):
        first.check("sync")
    assert first.contend(JOBS) == frozenset()


def test_whether_a_job_is_led_is_seen_by_who_never_contended_for_it(open_: Open):
    first, second = open_("first"), open_("second")
    first.contend(["process-1"])
    second.contend(JOBS)

    assert second.is_led("process-1")
    assert not second.is_led("process-2")
    first.close()
    assert not second.is_led("process-1")


def test_processes_tell_each_other_something_while_they_run(open_: Open):
    first, second, third = open_("first"), open_("second"), open_("third")
    first.contend(["process-1", "sync"])
    second.contend(["process-2"])
    third.contend(["process-3"])
    assert first.notes() == []

    first.announce("17")
    second.announce("18")

    assert (first.notes(), second.notes(), third.notes()) == (["18"], ["17"], ["17", "18"])
    assert first.leaders()["sync"] == "first"
    first.announce("")
    assert third.notes() == ["18"]
    second.close()
    assert third.notes() == []


def test_a_killed_leader_is_followed_within_a_second(open_: Open, database: Database):
    follower = open_("follower")
    leader = subprocess.Popen(
        [sys.executable, "-c", LEAD_UNTIL_KILLED, database.url], stdout=subprocess.PIPE, text=True
    )
    with leader:
        assert leader.stdout is not None
        assert leader.stdout.readline().split() == sorted(JOBS)
        assert follower.contend(JOBS) == frozenset()
        assert set(follower.leaders().values()) == {"one-that-dies"}

        os.kill(leader.pid, signal.SIGKILL)

        assert taken_over(follower, *JOBS) < 1


def test_a_session_that_the_server_ended_leads_nothing_and_begins_again(postgres_database: Database):
    first = open_leadership(postgres_database.url, "first")
    first.contend(JOBS)
    postgres_database.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'first'")

    with pytest.raises(LeadershipLost):
        first.check("sync")
    with pytest.raises(LeadershipLost):
        first.check("settle")

    assert first.contend(JOBS) == frozenset(JOBS)
    first.check("sync")
    first.close()


def test_who_asks_whether_a_job_is_led_finds_a_session_by_itself(postgres_database: Database):
    """Whoever waits for another process's answer must not wait for its own next turn to contend."""
    leader, asking = (open_leadership(postgres_database.url, name) for name in ("leader", "asking"))
    try:
        leader.contend(["process-1"])
        asking.contend(["process-2"])
        postgres_database.run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'asking'"
        )
        assert asking.is_led("process-1"), "where nothing can be known, it may run"
        assert asking.is_led("process-1")
        leader.close()

        assert not asking.is_led("process-1")
    finally:
        asking.close()


def test_a_lock_that_the_server_does_not_show_is_not_led(postgres_database: Database):
    """Some servers take the call and lock nothing; a pooler may give the next statement another session."""
    first = open_leadership(postgres_database.url, "first")
    first.contend(JOBS)
    assert first._session is not None
    first._session.exec_driver_sql("SELECT pg_advisory_unlock_all()")

    with pytest.raises(LeadershipLost):
        first.check("sync")
    first.close()


def test_an_unreachable_server_makes_nobody_a_leader(tmp_path: Path):
    nowhere = open_leadership(f"postgresql+psycopg://postgres@/none?host={tmp_path}", "first")

    assert nowhere.contend(JOBS) == frozenset()
    with pytest.raises(LeadershipLost):
        nowhere.check("sync")
    nowhere.close()


def test_a_session_that_falls_silent_is_given_up(postgres_database: Database):
    """A stopped process answers nobody and keeps its connection: the server must not wait for it for ever."""
    first = open_leadership(postgres_database.url, "first")
    first.contend(["sync"])
    assert first._session is not None
    (timeout,) = first._session.exec_driver_sql("SHOW idle_session_timeout").one()
    assert timeout == "10s"
    first._session.exec_driver_sql("SET idle_session_timeout = '50ms'")
    second = open_leadership(postgres_database.url, "second")

    taken_over(second, "sync")
    with pytest.raises(LeadershipLost):
        first.check("sync")
    first.close()
    second.close()


def test_a_file_that_somebody_removed_is_no_longer_a_lock(tmp_path: Path):
    database = tmp_path / "ledger.sqlite"
    first, second = open_leadership(database, "first"), open_leadership(database, "second")
    first.contend(["sync"])
    (tmp_path / "ledger.sqlite-sync.leader").unlink()

    assert second.contend(["sync"]) == {"sync"}
    with pytest.raises(LeadershipLost):
        first.check("sync")
    assert first.contend(["sync"]) == frozenset()
    first.close()
    second.close()


def test_files_of_the_dead_are_removed_and_those_of_the_living_are_not(tmp_path: Path):
    database = tmp_path / "ledger.sqlite"
    first = open_leadership(database, "first")
    first.contend(["sync"])
    (tmp_path / "ledger.sqlite-process-1.leader").touch()

    second = open_leadership(database, "second")

    assert [path.name for path in tmp_path.iterdir()] == ["ledger.sqlite-sync.leader"]
    assert second.contend(["sync"]) == frozenset()
    first.close()
    second.close()
    assert [*tmp_path.iterdir()] == []


def test_lock_files_are_their_owners_alone(tmp_path: Path):
    leadership = open_leadership(tmp_path / "ledger.sqlite", "first")
    leadership.contend(["sync"])

    assert (tmp_path / "ledger.sqlite-sync.leader").stat().st_mode & 0o777 == 0o600
    leadership.close()


def test_a_job_that_is_led_elsewhere_writes_nothing(tmp_path: Path):
    path = tmp_path / "ledger.sqlite"
    chain = Chain()
    first, second = open_leadership(path, "first"), open_leadership(path, "second")
    first.contend(["sync"])
    with open_ledger(path, IDENTITY) as ledger:
        fenced = ledger.fenced(partial(second.check, "sync"))
        with pytest.raises(LeadershipLost):
            fenced.commit([chain.block(deposit(wallet(1), 1_000))])
        assert ledger.last_block() is None

        first.close()
        second.contend(["sync"])
        block = chain.block(deposit(wallet(1), 1_000))
        fenced.commit([block])
        assert fenced.last_block() == ledger.last_block() == block.block
    second.close()
