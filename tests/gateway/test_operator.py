"""What only the operator may do, and what everyone may see."""

from dataclasses import replace

import pytest
from tests.gateway.rig import Rig, key_text
from tests.gateway.test_market import CLOSED, SKU, aged

OPERATORS = [
    ("GET", "/metrics"),
    ("GET", "/v1/operator/status"),
    ("GET", "/v1/operator/reconciliation"),
    ("POST", "/v1/operator/drain"),
    ("DELETE", "/v1/operator/drain"),
]


@pytest.mark.parametrize(("method", "path"), OPERATORS)
def test_operator_routes_are_the_operators_alone(gateway: Rig, method: str, path: str):
    def ask(headers: dict[str, str]) -> tuple[int, str]:
        response = gateway.http.request(method, gateway.base_url + path, headers=headers)
        return response.status_code, response.json()["error"]["code"]

    assert ask({}) == (401, "credential_missing")
    assert ask({"Authorization": f"Bearer {key_text()}"}) == (403, "not_operator")
    assert gateway.operator(method, path).status_code == 200
    assert gateway.chat().status_code in {200, 503}


def test_metrics_count_what_was_charged(gateway: Rig):
    gateway.chat()

    text = gateway.operator("GET", "/metrics").text

    assert 'mintery_requests_total{model="test/echo",outcome="captured"} 1.0' in text
    assert f'mintery_captured_nanocredits_total{{model="test/echo"}} {float(gateway.balance.captured)}' in text


def test_status_agrees_with_the_account(gateway: Rig):
    gateway.chat()

    status = gateway.operator("GET", "/v1/operator/status").json()

    [totals] = status["totals"]
    assert totals["captured_nanocredits"] == totals["receipts_nanocredits"] == str(gateway.balance.captured)
    assert status["open_holds"] == []
    assert (status["process"], status["leaders"], status["alarms"]) == ("", {}, [])


def test_draining_refuses_new_requests_and_finishes_old_ones(gateway: Rig):
    gateway.operator("POST", "/v1/operator/drain")
    refused = gateway.chat()
    health = gateway.http.get(gateway.base_url + "/healthz")
    gateway.operator("DELETE", "/v1/operator/drain")

    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "draining")
    assert (health.status_code, health.json()["status"]) == (503, "down")
    assert gateway.chat().status_code == 200


def test_health_names_each_price(gateway: Rig):
    health = gateway.http.get(gateway.base_url + "/healthz").json()
    assert health["status"] == "degraded"
    assert "unpriced" in health["skus"].values()
    assert health["skus"][str(SKU)] == "normal"

    gateway.market = aged(gateway.market, 22_000)
    assert gateway.http.get(gateway.base_url + "/healthz").json()["skus"][str(SKU)] == "hard_stale"

    gateway.market = CLOSED["depegged"][0](gateway.market)
    assert gateway.http.get(gateway.base_url + "/healthz").status_code == 503

    gateway.market = replace(gateway.market, depegged=False, prices={})
    assert gateway.http.get(gateway.base_url + "/healthz").json()["status"] == "down"


def test_the_openapi_document_shows_examples_and_keys(gateway: Rig):
    document = gateway.http.get(gateway.base_url + "/openapi.json").json()

    chat = document["paths"]["/v1/chat/completions"]["post"]
    assert set(chat["requestBody"]["content"]["application/json"]["examples"]) == {"whole", "streamed"}
    assert {"200", "400", "401", "402", "404", "409", "413", "422", "502", "503", "504"} <= set(chat["responses"])
    assert document["components"]["securitySchemes"]["voucher"]["scheme"] == "bearer"
