"""What ``/v1/route/explain`` and ``mintery route explain`` say is what then happens."""

import json

import pytest
from tests.gateway.rig import Rig, key_text

from mintery.cli.exits import ExitCode
from mintery.cli.run import run

ECHO = {"messages": [{"role": "user", "content": "hello"}], "max_tokens": 20}


@pytest.mark.parametrize("model", ["best", "cheapest", "fastest", "consistent", "auto", "test/echo"])
def test_the_choice_that_is_explained_is_the_one_that_is_made(gateway: Rig, model: str):
    body = {
        "model": model,
        **ECHO,
        "provider": {"only": ["test/echo", "test/slow", "test/busy"], "order": ["test/echo"]},
    }

    told = gateway.post("/v1/route/explain", json=body).json()
    answer = gateway.post("/v1/chat/completions", json=body)

    assert told["chosen"]["route"] == "test/echo"
    assert told["hold_nanocredits"] == answer.headers["x-mintery-quote-nanocredits"]
    receipt = gateway.get(f"/v1/receipts/{answer.headers['x-request-id']}").json()
    assert receipt["model"] == "test/echo"


def test_each_other_route_has_its_role_or_its_reason(gateway: Rig):
    for _ in range(3):
        gateway.chat("test/busy")
    told = gateway.post(
        "/v1/route/explain", json={"model": "cheapest", **ECHO, "provider": {"ignore": ["test/slow"]}}
    ).json()

    named = [told["chosen"], *told["runners_up"], *told["rejected"]]
    assert {each["route"] for each in named} == set(gateway.parts.models)
    assert [each["role"] for each in told["runners_up"]][:2] == ["backup", "backup"]
    reasons = {each["route"]: each for each in told["rejected"]}
    assert reasons["test/slow"]["reason"] == "test/slow is left out: provider.ignore names it"
    assert reasons["test/busy"]["code"] == "route_broken"
    assert reasons["test/official"]["code"] == "model_not_covered"
    assert reasons["test/unpriced"]["code"] == "model_unpriced"
    assert reasons["test/embed"]["code"] == "route_excluded"
    assert told["rule"].startswith("the route that is cheapest")
    assert gateway.untouched()


def test_a_route_that_is_named_stands_alone(gateway: Rig):
    told = gateway.post("/v1/route/explain", json={"model": "test/echo", **ECHO}).json()

    assert (told["chosen"]["route"], told["runners_up"], told["rejected"]) == ("test/echo", [], [])
    assert "one route" in told["rule"]
    refused = gateway.post("/v1/route/explain", json={"model": "test/official", **ECHO}).json()
    assert (refused["chosen"], refused["rejected"][0]["code"]) == (None, "model_not_covered")


def test_the_command_prints_it(gateway: Rig, capsys: pytest.CaptureFixture[str]):
    at = ["--url", gateway.base_url + "/v1", "--api-key", key_text(), "--provider", '{"only": ["test/echo"]}']

    assert run(["route", "explain", "--model", "best", *at]) == ExitCode.OK
    shown = " ".join(capsys.readouterr().out.split())
    assert "highest declared quality" in shown
    assert "TEST" in shown
    assert "provider.only does not name it" in shown
    assert run(["route", "explain", "--model", "best", "--json", *at]) == ExitCode.OK
    assert json.loads(capsys.readouterr().out)["chosen"]["route"] == "test/echo"


def test_names_and_intents_are_listed_with_their_rules(gateway: Rig):
    listed = {each["id"]: each["mintery"] for each in gateway.get("/v1/models").json()["data"]}

    assert listed["test/echo"]["quality"] == 500
    assert listed["cheapest"]["rule"].startswith("the route that is cheapest")
    assert set(listed["auto"]["routes"]) == set(gateway.parts.models)
    assert gateway.get("/v1/models/auto").json()["mintery"] == listed["auto"]
