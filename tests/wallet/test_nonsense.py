"""Whatever is sent to the holder's side, it is answered; and never by a fault of ours."""

import json
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.openapi import from_url
from tests.conftest import new_database
from tests.databases import KINDS
from tests.gateway.rig import IDENTITY, Rig, rig
from tests.wallet.browser import Browser

from mintery.ledger.store import open_ledger

EXAMPLES = 4
load_all_checks()
NO_FAULT = CHECKS.get_by_names(["not_a_server_error"])
PATHS = (
    "/v1/wallet/sign-in", "/v1/wallet/sign-in/nonce", "/v1/wallet/sign-in/dev", "/v1/operator/sign-in",
    "/v1/wallet/vouchers/offer", "/v1/wallet/keys", "/v1/wallet/keys/{key_id}", "/v1/wallet/keys/{key_id}/rotate",
    "/v1/wallet/limits", "/v1/wallet/limits/{limit_id}", "/v1/wallet/time-zone", "/v1/wallet/authorities",
    "/v1/wallet/authorities/{authority_id}",
)  # fmt: skip


@pytest.fixture(scope="module", params=KINDS)
def gateway(request: pytest.FixtureRequest) -> Iterator[tuple[Rig, Browser]]:
    with new_database(request, request.param) as database, open_ledger(database.url, IDENTITY) as ledger:
        with rig(ledger) as running:
            running.fund(100)
            yield running, Browser(running)
        ledger.check()


@pytest.mark.parametrize("path", PATHS)
def test_nonsense_is_refused(gateway: tuple[Rig, Browser], path: str):
    running, browser = gateway
    token = browser.sign_in(keep="token").json()["token"]
    schema = from_url(running.base_url + "/openapi.json")

    for method in schema[path]:
        if method == "delete" and path == "/v1/wallet/sign-in":
            continue  # it would sign out
        operation = schema[path][method]
        cases = st.one_of(
            operation.as_strategy(generation_mode=GenerationMode.POSITIVE),
            operation.as_strategy(generation_mode=GenerationMode.NEGATIVE),
        )

        @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None)
        @given(case=cases)
        def send(case: Case) -> None:
            response = case.call(headers={"Authorization": f"Bearer {token}"}, timeout=20)
            case.validate_response(response, checks=NO_FAULT)

        send()


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/v1/wallet/keys/%00", None),
        ("DELETE", "/v1/wallet/limits/%00", None),
        ("DELETE", "/v1/wallet/authorities/key:%00", None),
        ("POST", "/v1/wallet/keys", {"label": "x", "beside": "\0"}),
        ("POST", "/v1/wallet/sign-in", {"message": "a\ud800", "signature": "0x" + "11" * 65}),
        ("POST", "/v1/wallet/sign-in", {"message": "a", "signature": "0x" + "zz" * 65}),
        ("PUT", "/v1/wallet/time-zone", {"time_zone": "\0"}),
    ],
)
def test_what_a_database_would_choke_on_is_refused_before(
    gateway: tuple[Rig, Browser], method: str, path: str, body: dict | None
):
    running, browser = gateway
    token = browser.sign_in(keep="token").json()["token"]

    content = None if body is None else json.dumps(body)  # in ASCII: what no text may hold is escaped
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    answer = running.http.request(method, running.base_url + path, content=content, headers=headers)

    assert 400 <= answer.status_code < 500
