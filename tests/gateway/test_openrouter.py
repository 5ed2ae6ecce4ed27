"""What reads OpenRouter's answers reads ours."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.gateway.rig import OPERATOR, OTHER_TOKEN, Rig, key_text

from mintery.gateway.openrouter import SHARED, as_ours


def ask(gateway: Rig, path: str, key: str | None = None) -> dict[str, Any]:
    """The numbers exactly as they are written."""
    answer = gateway.get(path, key=key)
    assert answer.status_code == 200, answer.text
    shown: dict[str, Any] = json.loads(answer.text, parse_float=Decimal, parse_int=Decimal)["data"]
    return shown


def spent(gateway: Rig) -> Decimal:
    """Dollars: one credit is one in the rig."""
    return Decimal(gateway.balance.captured) / 10**9


def test_credits_are_dollars_to_the_last_digit_beside_our_own_form(gateway: Rig):
    gateway.chat()

    shown = ask(gateway, "/v1/credits")

    assert (shown["total_usage"], shown["total_credits"]) == (spent(gateway), 100)
    assert 0 < shown["total_usage"] < Decimal("0.001")
    assert gateway.get("/v1/credits").json()["captured_nanocredits"] == str(gateway.balance.captured)


def test_a_key_tells_its_limit_and_what_is_left_of_it(gateway: Rig):
    key = key_text(credits_=40)
    gateway.chat(key=key)

    shown = ask(gateway, "/v1/key", key)

    used = spent(gateway)
    assert (shown["limit"], shown["usage"], shown["limit_remaining"]) == (40, used, 40 - used)
    assert shown["label"].startswith("mv1...")
    assert datetime.fromisoformat(shown["expires_at"]) > datetime.now(UTC)
    assert ask(gateway, "/api/v1/auth/key", key) == shown


def test_use_is_counted_from_the_day_the_week_and_the_month(gateway: Rig, monkeypatch: pytest.MonkeyPatch):
    gateway.chat()
    used, now = spent(gateway), datetime.now(UTC)

    def shown_at(instant: datetime) -> list[Decimal]:
        object.__setattr__(gateway.parts, "clock", lambda: instant)
        shown = ask(gateway, "/v1/key")
        return [shown[f"usage_{period}"] for period in ("daily", "weekly", "monthly")]

    assert shown_at(now) == [used, used, used]
    monday = (now + timedelta(days=7 - now.weekday())).replace(hour=0, minute=0)
    first = (now.replace(day=1) + timedelta(days=32)).replace(day=1, hour=0, minute=0)
    assert shown_at(monday)[:2] == [0, 0]
    assert shown_at(monday)[2] == (used if monday.month == now.month else 0)
    assert shown_at(first)[2] == 0


def test_a_generation_is_told_by_its_requests_id(gateway: Rig):
    answer = gateway.chat("test/fails", models=["test/echo"])
    receipt = gateway.get(f"/v1/receipts/{answer.headers['x-request-id']}").json()

    shown = ask(gateway, f"/v1/generation?id={receipt['id']}")

    assert (shown["id"], shown["model"], shown["provider_name"]) == (receipt["id"], "test/echo", "test")
    assert shown["total_cost"] == shown["usage"] == Decimal(receipt["cost_nanocredits"]) / 10**9
    assert shown["upstream_inference_cost"] == Decimal(receipt["cost_usd_wad"]) / 10**18
    used = {line["sku"].rpartition(":")[2]: line["quantity"] for line in receipt["usage"]}
    assert shown["native_tokens_prompt"] == used["input_token"]
    assert shown["native_tokens_completion"] == shown["tokens_completion"] == used["output_token"]
    assert [each["status"] for each in shown["provider_responses"]] == [500, None]
    assert 0 <= shown["generation_time"] < 60_000


def test_a_picture_is_media_and_a_tiers_tokens_are_tokens(gateway: Rig):
    body = {"model": "test/paint", "prompt": "a hill", "n": 2, "size": "1024x1024", "quality": "low"}
    answer = gateway.post("/v1/images/generations", json=body)

    shown = ask(gateway, f"/v1/generation?id={answer.headers['x-request-id']}")

    assert (shown["num_media_completion"], shown["native_tokens_prompt"]) == (2, 0)


def test_nobody_reads_anothers_generation(gateway: Rig):
    request = gateway.chat().headers["x-request-id"]
    gateway.fund(1, token=OTHER_TOKEN)
    path = f"/v1/generation?id={request}"

    assert gateway.get(path, key=key_text(token=OTHER_TOKEN)).status_code == 404
    assert gateway.http.get(gateway.base_url + path).status_code == 401
    assert gateway.get("/v1/generation?id=req_0").status_code == 404
    assert ask(gateway, path, OPERATOR)["id"] == request


def test_a_client_of_openrouters_works_by_its_own_paths(gateway: Rig):
    client = gateway.client().with_options(base_url=gateway.base_url + "/api/v1")

    answer = client.chat.completions.create(model="test/echo", messages=[{"role": "user", "content": "hello there"}])

    assert answer.choices[0].message.content
    assert gateway.balance.captured > 0
    assert {model.id for model in client.models.list()} >= {"test/echo"}
    assert ask(gateway, "/api/v1/credits")["total_usage"] == spent(gateway)
    # The same request by either name: what is sent again joins, and is not charged again.
    body = {"model": "test/echo", "messages": [{"role": "user", "content": "hello there"}], "max_tokens": 9}
    once = {"json": body, "headers": {"Idempotency-Key": "one"}}
    first, second = (gateway.post(f"{start}/chat/completions", **once) for start in ("/v1", "/api/v1"))
    assert first.headers["x-request-id"] == second.headers["x-request-id"]


@pytest.mark.parametrize("path", ["/api/v1/operator/status", "/api/v1/wallet/statement", "/api/v1/receipts", "/api"])
def test_nothing_else_has_a_second_name(gateway: Rig, path: str):
    assert gateway.get(path, key=OPERATOR).status_code == 404
    assert {"/v1/credits", "/v1/chat/completions"} <= SHARED
    assert as_ours({"type": "websocket", "path": "/api/v1/credits"})["path"] == "/api/v1/credits"
