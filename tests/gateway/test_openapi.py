"""The OpenAPI document is true: what it allows is answered as it says, and nothing that is sent brings a server error."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.openapi import from_url
from tests.gateway.rig import IDENTITY, OPERATOR, Rig, key_text, rig

from mintery.ledger.store import open_ledger
from mintery.usecases.shape_chat import CHAT_FIELDS
from mintery.usecases.shape_embeddings import EMBEDDING_FIELDS

EXAMPLES = 60
SOLD = {
    "/v1/chat/completions": "test/echo",
    "/v1/responses": "test/see",
    "/v1/embeddings": "test/embed",
    "/v1/moderations": "test/judge",
    "/v1/audio/speech": "test/speak",
    "/v1/quote": "test/echo",
    "/v1/route/explain": "test/echo",
}
ELSEWHERE = ("/v1/jobs", "/v1/wallet", "/v1/webhooks/", "/admin/", "/v1/operator/sign-in")
"""Generic jobs are served by what videos are. The holder's side and what is administered: what is sent there is written down, and has tests of its own."""
OF_THE_OPERATOR = ("/metrics", "/v1/operator/")
load_all_checks()
UNSAID = CHECKS.get_by_names(["positive_data_acceptance"])
"""A body may be refused for good reasons that a schema cannot say: an unknown model, too many brackets, no funds."""
MENDED = [*UNSAID, *CHECKS.get_by_names(["negative_data_rejection"])]
"""A model put into a body may be all that was wrong with it."""
ROUNDS = 8
PATHS = (
    "/v1/chat/completions", "/v1/responses", "/v1/embeddings", "/v1/moderations", "/v1/images/generations",
    "/v1/audio/speech", "/v1/audio/transcriptions", "/v1/quote", "/v1/route/explain", "/v1/why/{request_id}", "/v1/credits", "/v1/key", "/v1/generation", "/v1/receipts", "/v1/receipts/{request_id}",
    "/v1/videos", "/v1/videos/{request_id}", "/v1/videos/{request_id}/content",
    "/v1/models", "/v1/models/{model}", "/v1/memberships", "/v1/memberships/{membership}", "/healthz", "/metrics", "/v1/operator/status",
    "/v1/operator/reconciliation", "/v1/operator/drain",
)  # fmt: skip


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    folder: Path = tmp_path_factory.mktemp("openapi")
    with open_ledger(folder / "ledger.sqlite", IDENTITY) as ledger:
        with rig(ledger) as running:
            running.fund(100_000)
            yield running
        ledger.check()


def test_every_path_is_tried(gateway: Rig):
    document = gateway.http.get(gateway.base_url + "/openapi.json").json()

    assert {path for path in document["paths"] if not path.startswith(ELSEWHERE)} == set(PATHS)


@pytest.mark.parametrize("path", PATHS)
def test_the_document_tells_what_happens(gateway: Rig, path: str):
    schema = from_url(gateway.base_url + "/openapi.json")
    key = OPERATOR if path.startswith(OF_THE_OPERATOR) else key_text(credits_=100_000)
    answered: list[int] = []

    for method in schema[path]:
        operation = schema[path][method]
        cases = st.one_of(
            operation.as_strategy(generation_mode=GenerationMode.POSITIVE),
            operation.as_strategy(generation_mode=GenerationMode.NEGATIVE),
        )

        @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None)
        @given(case=cases, sells=st.booleans(), raised=st.booleans())
        def send(case: Case, sells: bool, raised: bool) -> None:
            sold = sells and isinstance(case.body, dict) and path in SOLD
            if sold:
                case.body["model"] = SOLD[path]
            if not raised and case.headers:
                case.headers.pop("Mintery-Voucher", None)
            response = case.call(headers={"Authorization": f"Bearer {key}"}, timeout=20)
            answered.append(response.status_code)
            case.validate_response(response, excluded_checks=MENDED if sold else UNSAID)

        send()
        # What is drawn may all be refused, by chance: then as much again, a few times.
        for _ in range(ROUNDS if path in SOLD else 0):
            if 200 not in answered:
                send()

    gateway.operator("DELETE", "/v1/operator/drain")
    assert answered
    assert path not in SOLD or 200 in answered


def test_the_schemas_name_the_fields_that_pass(gateway: Rig):
    document = gateway.http.get(gateway.base_url + "/openapi.json").json()

    def fields(path: str) -> set[str]:
        body = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]
        assert body["additionalProperties"] is False
        return set(body["properties"])

    assert fields("/v1/chat/completions") == CHAT_FIELDS
    assert fields("/v1/embeddings") == EMBEDDING_FIELDS
