"""Faults are injected one at a time, and each is named with what shows it."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx2
import pytest
from tests.gateway.rig import OPERATOR, PROVIDER_ID, Rig, key_text, private_key

from mintery.cli.exits import ExitCode
from mintery.cli.run import run
from mintery.domain.hold import RequestId
from mintery.domain.price import Sku
from mintery.errors import ProviderRefused
from mintery.providers.calls import Reply
from mintery.usecases import refusals

Inject = Callable[[Rig], httpx2.Response]


def stale_price(gateway: Rig) -> httpx2.Response:
    sku = Sku("test/echo", "output_token")
    old = replace(gateway.market.prices[sku], refreshed_at=gateway.market.prices[sku].refreshed_at - 100_000)
    gateway.market = replace(gateway.market, prices={**gateway.market.prices, sku: old})
    return gateway.chat()


def empty_account(gateway: Rig) -> httpx2.Response:
    return gateway.chat(key=key_text(signer=private_key(4711)))


def closed_route(gateway: Rig) -> httpx2.Response:
    gateway.market = replace(
        gateway.market, inactive_providers=frozenset({PROVIDER_ID}), resale_forbidden=frozenset({PROVIDER_ID})
    )
    return gateway.chat("cheapest")


def failing_provider(gateway: Rig) -> httpx2.Response:
    return gateway.chat("test/fails", models=["test/busy"])


def forged_key(gateway: Rig) -> httpx2.Response:
    return gateway.chat(key=key_text(gateway=private_key(99).address))


def unknown_model(gateway: Rig) -> httpx2.Response:
    return gateway.chat("test/none")


FAULTS: dict[str, tuple[Inject, str, dict[str, Any]]] = {
    "pricing": (stale_price, "test/echo:output_token was last seen", {"code": "price_stale", "asked": "test/echo"}),
    "balance": (empty_account, "can be spent", {"code": "insufficient_balance", "available": 0}),
    "routing": (closed_route, "does not let its models be sold on", {"code": "no_route", "asked": "cheapest"}),
    "provider": (failing_provider, "test answered 429, after 1 other", {"outcome": "refused", "status": 429}),
    "key": (forged_key, "the voucher names gateway", {"code": "wrong_gateway"}),
    "model": (unknown_model, "no model 'test/none'", {"code": "model_not_found", "asked": "test/none"}),
}


@pytest.mark.parametrize("written", [False, True])
@pytest.mark.parametrize("cause", FAULTS)
def test_six_faults_six_answers(gateway: Rig, cause: str, written: bool, capsys: pytest.CaptureFixture[str]):
    inject, says, evidence = FAULTS[cause]
    answer = inject(gateway)
    assert not answer.is_success
    request = answer.headers["x-request-id"]
    if written and cause != "provider":  # that one has a row of its own
        assert gateway.settled(lambda: gateway.ledger.refusal(request) is not None)

    at = ["--url", gateway.base_url + "/v1", "--api-key", OPERATOR]
    assert run(["why", request, "--json", *at]) == ExitCode.OK
    told = json.loads(capsys.readouterr().out)

    assert told["cause"] == cause
    assert says in told["sentence"]
    assert evidence.items() <= told["evidence"].items()
    assert told["advice"]
    assert run(["why", request, *at]) == ExitCode.OK
    assert cause in capsys.readouterr().out


def why(gateway: Rig, request: str, *, key: str | None = None) -> dict[str, Any]:
    return gateway.get(f"/v1/why/{request}", key=key).json()


def test_the_gateways_own_key_at_its_provider(gateway: Rig, monkeypatch: pytest.MonkeyPatch):
    async def locked_out(*_: object) -> Reply:
        raise ProviderRefused("test", 401, b'{"error": {"message": "bad key sk-upstream-1234"}}')

    monkeypatch.setattr(gateway.parts.providers["test"], "ask", locked_out)
    answer = gateway.chat()

    told = why(gateway, answer.headers["x-request-id"])

    assert (told["cause"], told["evidence"]["whose"]) == ("key", "gateway")
    assert "sk-upstream" not in json.dumps(told)


def test_a_request_that_the_provider_refused_for_what_it_says(gateway: Rig):
    answer = gateway.chat("test/refuses")

    told = why(gateway, answer.headers["x-request-id"])

    assert (told["cause"], told["status"], told["evidence"]["status"]) == ("model", "released", 400)


def test_a_stream_that_broke(gateway: Rig):
    with pytest.raises(httpx2.RemoteProtocolError):
        gateway.chat("test/dies-midstream", stream=True)
    [record] = gateway.ledger.receipts()

    told = why(gateway, record.receipt.id)

    assert (told["cause"], told["status"], told["attempts"][0]["outcome"]) == ("provider", "captured", "broke")


def test_what_did_not_fail_has_no_cause(gateway: Rig):
    answer = gateway.chat()

    told = why(gateway, answer.headers["x-request-id"])

    assert (told["cause"], told["status"], told["evidence"]["route"]) == (None, "captured", "test/echo")


def test_only_its_account_and_the_operator_are_told(gateway: Rig):
    stranger = key_text(signer=private_key(4711))
    for answer in (gateway.chat("test/fails"), gateway.chat("test/none")):
        request = answer.headers["x-request-id"]
        assert gateway.get(f"/v1/why/{request}", key=stranger).status_code == 404
        assert gateway.get(f"/v1/why/{request}", key="nonsense").status_code == 401
        assert why(gateway, request)["request"] == request
        assert why(gateway, request, key=OPERATOR)["request"] == request
    assert gateway.get("/v1/why/req_" + "0" * 32, key=OPERATOR).status_code == 404


def test_whoever_had_no_good_key_is_told_what_they_were_told_then(gateway: Rig):
    answer = gateway.chat(key="mv1.nonsense")
    url = f"{gateway.base_url}/v1/why/{answer.headers['x-request-id']}"

    told = gateway.http.get(url).json()

    assert (told["cause"], told["sentence"]) == ("key", answer.json()["error"]["message"])
    assert gateway.http.get(f"{gateway.base_url}/v1/why/anything").status_code == 404


def test_what_comes_too_fast_is_answered_and_not_kept(gateway: Rig, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(refusals, "MOST_AT_ONCE", 2)

    refused = [gateway.chat("test/none") for _ in range(4)]

    assert {answer.status_code for answer in refused} == {404}
    requests = [RequestId(answer.headers["x-request-id"]) for answer in refused]
    assert gateway.settled(lambda: gateway.ledger.refusal(requests[1]) is not None)
    assert [gateway.ledger.refusal(each) is not None for each in requests] == [True, True, False, False]
    assert gateway.untouched()
