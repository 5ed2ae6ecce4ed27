"""Every route that a stranger may ask is named, and each is bounded: how often, how large, and what it writes."""

import re
import socket
import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.databases import new_ledger
from tests.gateway.rig import IDENTITY, Rig, rig
from tests.gateway.strangers import CLOSED, Unread, called, concrete, routes

from mintery.gateway import health
from mintery.gateway.open_routes import HEALTH, OPEN, OPERATOR_KEYS, SMALL_BODY_BYTES, Bound, OpenRoutes
from mintery.gateway.paid import PATHS
from mintery.gateway.tries import Tries
from mintery.ledger.store import open_ledger
from mintery.usecases.parts import GatewayLimits
from mintery.usecases.report_health import report_health


@pytest.fixture(scope="module")
def ledger_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = tmp_path_factory.mktemp("open") / "ledger.sqlite"
    return path


@pytest.fixture(scope="module")
def gateway(ledger_file: Path) -> Iterator[Rig]:
    limits = GatewayLimits(body_seconds=1)
    with (
        open_ledger(new_ledger(ledger_file), IDENTITY) as ledger,
        rig(ledger, limits=limits, public=Unread()) as running,
    ):  # type: ignore[arg-type]  # nobody has read it
        yield running


@pytest.fixture(autouse=True)
def _uncounted(gateway: Rig) -> None:
    gateway.app.open_routes = OpenRoutes()


def test_every_route_that_answers_strangers_is_named_and_no_other(gateway: Rig):
    found = list(routes(gateway))
    bounds = {(method, path): gateway.app.open_routes.bound_of(method, concrete(path)) for method, path in found}

    for method, path in found:
        answer = called(gateway, method, path)
        closed = answer.status_code in CLOSED
        assert closed == (bounds[method, path] is None), f"{method} {path} answers {answer.status_code}"
    hit = {
        name
        for name in OPEN
        for method, path in found
        if method == name[0] and re.fullmatch(re.sub(r"\{[^}]*\}", ".+", name[1]), concrete(path))
    }
    assert hit == set(OPEN), "each that is named is there"
    assert len(found) > 60


def test_each_of_them_is_counted(gateway: Rig):
    for method, path in routes(gateway):
        bound = gateway.app.open_routes.bound_of(method, concrete(path))
        if not isinstance(bound, Bound):
            continue
        gateway.app.open_routes.tries[bound] = Tries(1, in_all=1)

        first, second = (called(gateway, method, path) for _ in range(2))

        assert first.status_code != 429, f"{method} {path}"
        assert (second.status_code, second.json()["error"]["code"]) == (429, "too_many_tries"), f"{method} {path}"
        assert "retry-after" in second.headers


def test_only_health_and_the_right_operator_key_are_not_counted_here():
    uncounted = {name: bound for name, bound in OPEN.items() if not isinstance(bound, Bound)}

    assert uncounted == {("GET", "/healthz"): HEALTH, ("POST", "/v1/operator/sign-in"): OPERATOR_KEYS}


def test_no_stranger_closes_health_to_a_load_balancer(gateway: Rig):
    for bound in gateway.app.open_routes.tries:
        gateway.app.open_routes.tries[bound] = Tries(1, in_all=1)

    assert 429 not in {called(gateway, "GET", "/healthz").status_code for _ in range(3)}


def test_one_report_of_health_serves_all_who_ask_within_a_second(gateway: Rig, monkeypatch: pytest.MonkeyPatch):
    made = []

    def counted(*args: Any) -> dict[str, Any]:
        made.append(1)
        return report_health(*args)

    monkeypatch.setattr(health, "report_health", counted)
    now = gateway.parts.clock() + timedelta(hours=1)
    clock = gateway.parts.clock
    try:
        for later in (0, 0.9, 0.9, 1.1):
            object.__setattr__(gateway.parts, "clock", lambda later=later: now + timedelta(seconds=later))
            called(gateway, "GET", "/healthz")
        assert len(made) == 2
        gateway.operator("POST", "/v1/operator/drain")
        told = called(gateway, "GET", "/healthz").json()["reasons"]
        gateway.operator("DELETE", "/v1/operator/drain")
        assert told == ["the gateway is stopping"]
    finally:
        object.__setattr__(gateway.parts, "clock", clock)


def test_a_page_that_only_asks_for_its_head_is_counted(gateway: Rig):
    for bound in gateway.app.open_routes.tries:
        gateway.app.open_routes.tries[bound] = Tries(1, in_all=1)

    assert [called(gateway, "HEAD", "/wallet").status_code for _ in range(2)] == [200, 429]


def test_a_proxy_that_nobody_named_is_told_of_once(gateway: Rig, caplog: pytest.LogCaptureFixture):
    for _ in range(3):
        called(gateway, "GET", "/healthz", headers={"X-Forwarded-For": "203.0.113.9"})

    assert [each.getMessage().partition(" ")[0] for each in caplog.records if "proxy" in each.msg] == [
        "proxy_not_named"
    ]


def test_a_stranger_writes_no_row(gateway: Rig, ledger_file: Path):
    connection = sqlite3.connect(ledger_file)
    names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    names.remove("refusals")  # of paid calls: kept for those who ask why, the newest alone, and written a little later
    every = " UNION ALL ".join(f'SELECT count(*) FROM "{name}"' for name in names)  # noqa: S608 -- names that the database gave

    def rows() -> int:
        return sum(count for (count,) in connection.execute(every))

    before = rows()
    for method, path in routes(gateway):
        called(gateway, method, path)

        assert rows() == before, f"{method} {path}"
    connection.close()


def test_no_body_is_longer_than_it_may_be(gateway: Rig):
    whole = b" " * (SMALL_BODY_BYTES + 1)
    headers = {"Content-Type": "application/json"}
    for method, path in routes(gateway):
        if method == "GET":
            continue
        declared = called(gateway, method, path, json=None, content=whole, headers=headers)
        paid = method == "POST" and path in {*PATHS, "/v1/quote", "/v1/route/explain"}
        assert declared.status_code == (401 if paid else 413), f"{method} {path}"


def test_a_body_of_no_declared_length_ends_where_it_is_too_long(gateway: Rig):
    pieces = (b" " * 65_536 for _ in range(4))

    answer = called(gateway, "POST", "/v1/wallet/sign-in", json=None, content=pieces)

    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "body_too_large")


def test_a_body_that_drips_in_is_waited_for_so_long(gateway: Rig):
    where = urlsplit(gateway.base_url)
    head = f"POST /v1/wallet/sign-in HTTP/1.1\r\nHost: {where.netloc}\r\nContent-Length: 100\r\n\r\n{{"
    with socket.create_connection((where.hostname, where.port), timeout=10) as connection:
        connection.sendall(head.encode())
        assert b" 408 " in connection.recv(4_096).partition(b"\r\n")[0]
