"""How often one may try, and who one is."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from types import SimpleNamespace

import pytest
from starlette.applications import Starlette
from starlette.requests import Request

from mintery.domain.peer import TrustedProxies
from mintery.errors import TooManyTries
from mintery.gateway import tries as tries_module
from mintery.gateway.tries import SITE_TIMES, Tries

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def _from(connected: str | None, *forwarded: str) -> Request:
    app = Starlette()
    proxies = TrustedProxies((ip_network("127.0.0.1"),))
    app.state.till = SimpleNamespace(parts=SimpleNamespace(proxies=proxies, clock=lambda: NOON))
    headers = [(b"x-forwarded-for", each.encode()) for each in forwarded]
    client = None if connected is None else (connected, 1)
    return Request({"type": "http", "app": app, "client": client, "headers": headers})


def _counts(tries: Tries, request: Request) -> bool:
    try:
        tries.count(request)
    except TooManyTries:
        return False
    return True


def test_tries_are_counted():
    tries = Tries(2, in_all=5)

    for name in ("a", "a", "b", "c", "c"):
        tries.count_one(name, NOON)
    for name in ("a", "b", "c"):
        with pytest.raises(TooManyTries):
            tries.count_one(name, NOON)
    tries.count_one("a", NOON + timedelta(minutes=1))


def test_a_few_peers_leave_every_other_its_own_share():
    tries = Tries(20, in_all=40)
    for peer in ("203.0.113.1", "203.0.113.2"):
        assert [_counts(tries, _from(peer)) for _ in range(21)] == [True] * 20 + [False]

    for peer in ("203.0.113.3", "203.0.113.4"):
        assert [_counts(tries, _from(peer)) for _ in range(3)] == [True, True, False]
    assert not _counts(tries, _from("203.0.113.1"))


def test_whoever_calls_by_many_names_leaves_room_for_one_more(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tries_module, "MOST_NAMES", 3)
    tries = Tries(2, in_all=1_000)
    for each in range(3):
        assert _counts(tries, _from(f"203.0.113.{each}"))

    assert [_counts(tries, _from("198.51.100.1")) for _ in range(3)] == [True, True, False]


def test_what_is_refused_counts_against_nobody():
    tries = Tries(1, in_all=2)
    tries.count_one("a", NOON)
    for _ in range(5):
        with pytest.raises(TooManyTries):
            tries.count_one("a", NOON)

    tries.count_one("b", NOON)


def test_behind_a_proxy_each_caller_is_counted_for_itself():
    tries = Tries(1, in_all=100)

    assert _counts(tries, _from("127.0.0.1", "203.0.113.9"))
    assert _counts(tries, _from("127.0.0.1", "203.0.113.10"))
    assert not _counts(tries, _from("127.0.0.1", "198.51.100.1, 203.0.113.9"))
    assert not _counts(tries, _from("127.0.0.1", "198.51.100.1", "::ffff:203.0.113.9"))


def test_who_comes_straight_is_believed_nothing():
    tries = Tries(1, in_all=100)

    assert _counts(tries, _from("203.0.113.9", "198.51.100.1"))
    assert not _counts(tries, _from("203.0.113.9", "198.51.100.2"))
    assert _counts(tries, _from(None))
    assert not _counts(tries, _from(None, "198.51.100.3"))


def test_an_ipv6_subscriber_is_one_and_a_site_a_few():
    tries = Tries(2, in_all=1_000)

    assert [_counts(tries, _from(f"2001:db8:0:1::{each}")) for each in range(4)] == [True, True, False, False]
    subscribers = [_counts(tries, _from(f"2001:db8:0:{each:x}::1")) for each in range(2, 40)]
    assert sum(subscribers) == 2 * SITE_TIMES - 2
    assert _counts(tries, _from("2001:db8:1::1"))
