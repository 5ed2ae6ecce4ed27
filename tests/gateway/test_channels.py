"""Channels over HTTP and by the command line: the operator's alone, and on the next request."""

import json
import re
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.gateway.rig import OPERATOR, Rig, key_text
from tests.wallet.browser import Browser

from mintery.cli.exits import ExitCode
from mintery.cli.run import run

WHY = {"reason": "as agreed", "by": "ann"}
TERMS = {"units": ["input_token"], "endpoint": "embeddings", "max_output_tokens": 0, "context_tokens": 100}
CHANNEL = "/admin/channels/test/echo"
ROUTES: list[tuple[str, str, dict[str, Any] | None]] = [
    ("GET", "/admin/channels", None),
    ("GET", "/admin/channels/history", None),
    ("GET", "/admin/channels/discovered", None),
    ("POST", "/admin/channels", {"channel": "test/none", **WHY}),
    ("POST", f"{CHANNEL}/remove", WHY),
    ("PUT", f"{CHANNEL}/enabled", {"on": False, **WHY}),
    ("PUT", f"{CHANNEL}/own-key", {"on": True, **WHY}),
    ("PUT", f"{CHANNEL}/multiplier", {"basis_points": 0, **WHY}),
    ("PUT", f"{CHANNEL}/primary", {"backups": [], **WHY}),
    ("PUT", "/admin/channels/providers/test/resale", {"on": False, **WHY}),
]


def ask(gateway: Rig, method: str, path: str, body: object = None, key: str | None = OPERATOR) -> httpx2.Response:
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    return gateway.http.request(method, gateway.base_url + path, json=body, headers=headers)


def test_all_of_it_is_the_operators_alone_and_without_the_key_nothing_changes(gateway: Rig):
    for method, path, body in ROUTES:
        refused = [ask(gateway, method, path, body, key).status_code for key in (None, key_text())]
        assert refused == [401, 403], path

    assert ask(gateway, "GET", "/admin/channels/history").json()["data"] == []
    assert gateway.chat().status_code == 200


def test_a_change_acts_on_the_next_request_and_is_written_down(gateway: Rig):
    changed = ask(gateway, "PUT", "/admin/channels/providers/test/resale", {"on": False, **WHY})
    refused = gateway.chat()
    listed = ask(gateway, "GET", "/admin/channels").json()
    closed = gateway.http.get(f"{gateway.base_url}/healthz").json()["closed"]
    ask(gateway, "PUT", "/admin/channels/providers/test/resale", {"on": True, **WHY})
    ask(gateway, "PUT", f"{CHANNEL}/enabled", {"on": False, **WHY})
    disabled = gateway.chat()
    ask(gateway, "PUT", f"{CHANNEL}/enabled", {"on": True, **WHY})

    assert changed.json()["change"] | {"at": ""} == {
        "seq": 1, "scope": "provider", "name": "test", "setting": "resale", "revision": 1, "before": None, "after": False,
        "by": "ann", "reason": "as agreed", "at": "",
    }  # fmt: skip
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "resale_forbidden")
    assert (disabled.status_code, disabled.json()["error"]["code"]) == (503, "channel_disabled")
    assert refused.headers["x-should-retry"] == disabled.headers["x-should-retry"] == "false"
    why = gateway.get(f"/v1/why/{disabled.headers['x-request-id']}").json()
    assert why["cause"] == "routing"
    assert {each["state"] for each in listed["routed"]} == {"resale_forbidden"}
    assert listed["official"][0]["channel"] == "test/official"
    assert closed["test/echo"] == "test does not let its models be sold on"
    assert "test/official" not in closed
    assert gateway.untouched()
    assert gateway.chat().status_code == 200
    told = ask(gateway, "GET", "/admin/channels/history?name=test/echo&limit=1").json()["data"]
    assert [(each["setting"], each["before"], each["after"]) for each in told] == [("enabled", False, True)]


def test_what_is_refused_says_what_is_wrong(gateway: Rig):
    refusals = [
        ask(gateway, "PUT", f"{CHANNEL}/multiplier", {"basis_points": 5, **WHY}),
        ask(gateway, "PUT", f"{CHANNEL}/multiplier", {"basis_points": -5, **WHY}),
        ask(gateway, "PUT", f"{CHANNEL}/primary", {"backups": [], **WHY}),
        ask(gateway, "PUT", f"{CHANNEL}/enabled", {"on": False}),
        ask(gateway, "PUT", "/admin/channels/test/none/enabled", {"on": False, **WHY}),
        ask(gateway, "POST", "/admin/channels", {"channel": "test/new", "terms": {"units": []}, **WHY}),
        ask(gateway, "POST", "/admin/channels", {"channel": "test/new", **WHY}),
    ]

    told = [(each.status_code, each.json()["error"]["code"]) for each in refusals]
    assert told == [
        (422, "multiplier_above_markup"),
        (422, "malformed_request"),
        (422, "channel_setting_refused"),
        (422, "malformed_request"),
        (404, "unknown_channel"),
        (422, "channel_setting_refused"),
        (404, "unknown_channel"),
    ]
    assert (refusals[0].json()["error"]["actual"], refusals[0].json()["error"]["limit"]) == (5, 0)


def test_the_command_line_does_the_same(gateway: Rig, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    def channel(*arguments: str) -> dict[str, Any]:
        asked = [*arguments, "--operator-key", OPERATOR, "--url", f"{gateway.base_url}/v1", "--json"]
        code = run(["channel", *asked])
        told = capsys.readouterr().out
        return dict(json.loads(told)) if code == ExitCode.OK else {"code": code}

    why = ("--reason", "as agreed", "--by", "ann")
    gateway.stub.control.offered = ("echo", "brand-new")
    [found] = channel("discover", "test")["data"]
    assert (found["new"], "test/slow" in found["gone"], "test/echo" in found["gone"]) == (["brand-new"], True, False)
    assert found["unpriced"] == ["test/unpriced"]

    file = tmp_path / "terms.json"
    file.write_text(json.dumps(TERMS))
    added = channel("add", "test/brand-new", "--terms", str(file), *why)["channel"]
    assert (added["state"], added["added"], added["upstream_model"]) == ("model_unpriced", True, "brand-new")
    assert channel("discover", "test")["data"][0]["new"] == []
    assert channel("remove", "test/brand-new", *why)["channel"] is None
    assert channel("disable", "test/echo", *why)["channel"]["state"] == "channel_disabled"
    assert channel("enable", "test/echo", *why)["channel"]["state"] == "for_sale"
    assert channel("multiplier", "test/echo", "0", *why)["channel"]["multiplier_bps"] == 0
    assert channel("multiplier", "test/echo", *why)["channel"]["multiplier_bps"] is None
    assert channel("own-key", "test/echo", *why)["channel"]["own_key"] is True
    assert channel("resale", "test", "--off", *why)["change"]["after"] is False
    assert channel("primary", "test/echo", *why)["code"] != ExitCode.OK
    assert channel("enable", "test/nobody", *why)["code"] != ExitCode.OK
    listed = channel("list")
    assert (listed["removed"], listed["providers"][0]["forbidden_by"]) == (["test/brand-new"], ["the operator"])
    changes = channel("history")["data"]
    assert {(each["by"], each["reason"]) for each in changes} == {("ann", "as agreed")}
    assert len(changes) == 8

    for shown in (["list"], ["history"], ["discover"]):
        assert run(["channel", *shown, "--operator-key", OPERATOR, "--url", f"{gateway.base_url}/v1"]) == ExitCode.OK
    words = capsys.readouterr().out
    assert "as the file" not in next(line for line in words.splitlines() if "multiplier" in line)
    for said in (
        "project's markup",
        "1 official channels",
        "ordinary routes",
        "resale forbidden",
        "brand-new",
    ):
        assert said in words


def test_whoever_is_signed_in_is_named_by_the_sign_in(gateway: Rig):
    browser = Browser(gateway)
    begun = browser.call("POST", "/v1/operator/sign-in", json={"key": OPERATOR})
    browser.cookies, browser.csrf = dict(begun.cookies), begun.json()["csrf"]
    path, change = "/admin/channels/test/echo/enabled", {"on": False, "reason": "as agreed"}

    refused = browser.call("PUT", path, json={**change, "by": "ann"})
    told = browser.call("PUT", path, json=change).json()

    assert (refused.status_code, refused.json()["error"]["param"]) == (400, "by")
    assert re.fullmatch("sin_[0-9a-f]{16}", told["change"]["by"])
    assert gateway.ledger.channel_changes()[0].changed_by == told["change"]["by"]
