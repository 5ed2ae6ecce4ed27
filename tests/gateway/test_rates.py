"""How much one account may ask for in a minute, as clients are told."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import openai
import pytest
from tests.gateway.members import members_rig, offers
from tests.gateway.rig import key_text, private_key

from mintery.domain.rates import Rates

CHAT = {"model": "test/echo", "messages": [{"role": "user", "content": "hello there"}], "max_tokens": 50}
FRIEND = private_key(107)


def test_every_answer_says_what_is_left_and_what_is_too_much_is_refused_before_it_costs(tmp_path: Path):
    with members_rig(tmp_path, offers(Rates(requests=3, tokens=10_000), Rates(requests=6, tokens=10_000))) as gateway:
        gateway.fund(10, signer=FRIEND)
        first, second, third, refused = [gateway.chat() for _ in range(4)]
        other = gateway.chat(key=key_text(signer=FRIEND))
        spent, asked = gateway.balance.captured, gateway.stub.control.requests
        bought = [gateway.chat(headers={"Mintery-Membership": "pro"}) for _ in range(2)]

    assert [each.status_code for each in (first, second, third, other)] == [200] * 4
    assert [each.headers["x-ratelimit-remaining-requests"] for each in (first, second, third)] == ["2", "1", "0"]
    assert first.headers["x-ratelimit-limit-requests"] == "3"
    assert first.headers["x-ratelimit-reset-requests"] == "20s"
    assert first.headers["x-ratelimit-limit-tokens"] == "10000"
    assert 9_900 < int(first.headers["x-ratelimit-remaining-tokens"]) < 9_950
    assert first.headers["x-ratelimit-reset-tokens"].endswith("ms")
    error = refused.json()["error"]
    assert (refused.status_code, error["code"], error["by"], error["limit"]) == (
        429,
        "rate_limit_exceeded",
        "requests",
        3,
    )
    assert 15 <= int(refused.headers["retry-after"]) <= 20
    assert refused.headers["x-ratelimit-remaining-requests"] == "0"
    assert refused.headers["x-request-id"].startswith("req_")
    assert "x-should-retry" not in refused.headers, "the client comes back by itself"
    assert asked == 4
    assert spent == sum(int(each.headers["x-mintery-cost-nanocredits"]) for each in (first, second, third))
    assert Counter(each.status_code for each in bought) == {429: 2}, "a full minute is full for members too"


def test_tokens_count_as_what_is_sent_and_the_most_that_may_come_back(tmp_path: Path):
    with members_rig(tmp_path, offers(Rates(tokens=1_000))) as gateway:
        told = gateway.post("/v1/quote", json={**CHAT, "max_tokens": 900}).json()
        answered = gateway.chat(max_tokens=900)
        refused, never = gateway.chat(max_tokens=900), gateway.chat(max_tokens=1_000)

    counted = told["counts_as_tokens"]
    assert 900 < counted < 950
    assert told["rates"] == {"requests_per_minute": None, "tokens_per_minute": 1_000}
    assert answered.headers["x-ratelimit-remaining-tokens"] == str(1_000 - counted)
    assert "x-ratelimit-limit-requests" not in answered.headers
    assert (refused.status_code, refused.json()["error"]["by"]) == (429, "tokens")
    assert 40 < int(refused.headers["retry-after"]) < 60
    assert never.json()["error"]["code"] == "rate_above_limit"
    assert never.headers["x-should-retry"] == "false"
    assert "retry-after" not in never.headers


def test_a_retry_that_joins_its_first_attempt_counts_once(tmp_path: Path):
    headers = {"Idempotency-Key": "one"}
    with members_rig(tmp_path, offers(Rates(requests=2))) as gateway:
        first, again, other = gateway.chat(headers=headers), gateway.chat(headers=headers), gateway.chat()

    assert again.headers["x-mintery-replayed"] == "true"
    assert "x-ratelimit-remaining-requests" not in again.headers
    assert (first.status_code, other.headers["x-ratelimit-remaining-requests"]) == (200, "0")


def test_forty_at_once_are_no_more_than_the_rate(tmp_path: Path):
    with members_rig(tmp_path, offers(Rates(requests=10))) as gateway, ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: gateway.chat(), range(40)))
        called = gateway.stub.control.requests
        assert gateway.balance.held == 0

    assert Counter(each.status_code for each in answers) == {200: 10, 429: 30}
    assert called == 10


def test_the_stock_client_names_the_error_and_its_wait(tmp_path: Path):
    with members_rig(tmp_path, offers(Rates(requests=1))) as gateway:
        client = gateway.client(max_retries=0)
        client.chat.completions.create(**CHAT)
        with pytest.raises(openai.RateLimitError) as refused:
            client.chat.completions.create(**CHAT)

    assert refused.value.code == "rate_limit_exceeded"
    assert int(refused.value.response.headers["retry-after"]) > 30
