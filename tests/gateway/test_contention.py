"""Many at once: no more are admitted than there is room for."""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest
from tests.databases import new_ledger
from tests.gateway.rig import IDENTITY, Rig, key_text, private_key, raised_text, rig

from mintery.ledger.store import open_ledger
from mintery.usecases.parts import GatewayLimits

FRIEND = private_key(107)
CHAT = {"model": "test/echo", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 20}


@pytest.fixture
def crowded(tmp_path: Path) -> Iterator[Rig]:
    """A gateway that answers two requests of one account at once."""
    limits = GatewayLimits(in_flight=10, in_flight_per_account=2)
    with (
        open_ledger(new_ledger(tmp_path / "ledger.sqlite"), IDENTITY) as ledger,
        rig(ledger, limits=limits, first_byte=10) as started,
    ):
        started.fund(100)
        yield started


def exact_usage(gateway: Rig) -> int:
    """Make each request cost exactly its hold; the hold in nanocredits."""
    quote = gateway.post("/v1/quote", json=CHAT).json()
    most = {line["sku"].rpartition(":")[2]: line["max_quantity"] for line in quote["lines"]}
    gateway.stub.control.usage = (most["input_token"], most["output_token"])
    return int(quote["max_cost_nanocredits"])


def send_all(gateway: Rig, count: int, key: str, headers: dict[str, str] | None = None) -> list:
    with ThreadPoolExecutor(count) as pool:
        jobs = [
            pool.submit(gateway.post, "/v1/chat/completions", key=key, json=CHAT, headers=headers or {})
            for _ in range(count)
        ]
        return [job.result() for job in jobs]


@pytest.mark.parametrize("scarce", ["voucher", "balance", "payout"])
def test_of_fifty_requests_with_room_for_ten_exactly_ten_are_answered(gateway: Rig, scarce: str):
    each = exact_usage(gateway)
    key = key_text()
    if scarce == "voucher":
        key = key_text(max_spend=10 * each + each - 1)
    elif scarce == "balance":
        gateway.start_exit((100 * 10**9 - 10 * each - each + 1) / 10**9)
    else:
        [token] = [gateway.account.token]
        window = gateway.market.payouts[token]
        room = -(-10 * each // 1_000)  # one asset unit is 1000 nanocredits at this par
        payouts = {**gateway.market.payouts, token: type(window)(room, window.ends)}
        gateway.market = replace(gateway.market, payouts=payouts)

    answers = send_all(gateway, 50, key)

    statuses = Counter(answer.status_code for answer in answers)
    assert statuses == {200: 10, (503 if scarce == "payout" else 402): 40}
    assert gateway.stub.control.requests == 10
    balance = gateway.balance
    assert (balance.held, balance.captured) == (0, 10 * each)
    assert {answer.headers["x-mintery-cost-nanocredits"] for answer in answers if answer.status_code == 200} == {
        str(each)
    }


def test_of_fifty_copies_of_a_raised_voucher_one_is_answered(gateway: Rig):
    raised = {"Mintery-Voucher": raised_text(credits_=1)}

    answers = send_all(gateway, 50, key_text(max_spend=0), raised)

    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: 49}
    assert gateway.stub.control.requests == 1
    conflict = next(answer for answer in answers if answer.status_code == 409)
    assert conflict.headers["x-should-retry"] == "false"
    assert conflict.json()["error"]["code"] == "voucher_already_used"
    assert gateway.balance.held == 0
    assert len(gateway.get("/v1/receipts").json()["data"]) == 1


def test_fifty_declared_retries_are_one_charge(gateway: Rig):
    body = {**CHAT, "model": "test/slow"}

    def send(count: int) -> httpx2.Response:
        return gateway.post(
            "/v1/chat/completions", content=json.dumps(body), headers={"x-stainless-retry-count": str(count)}
        )

    with ThreadPoolExecutor(50) as pool:
        first = pool.submit(send, 0)
        assert gateway.settled(lambda: gateway.stub.control.requests == 1)
        retries = [pool.submit(send, 1) for _ in range(49)]
        joined = gateway.parts.registry.get_sample_value
        assert gateway.settled(lambda: joined("mintery_requests_joined_total") == 49)
        gateway.stub.control.go_on.set()
        answers = [first.result(), *(job.result() for job in retries)]

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.headers["x-mintery-receipt"] for answer in answers}) == 1
    assert gateway.stub.control.requests == 1


def test_one_account_leaves_room_for_others_and_is_told_when_to_come_back(crowded: Rig):
    slow = {"model": "test/slow", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 20}
    with ThreadPoolExecutor(2) as pool:
        running = [pool.submit(crowded.post, "/v1/chat/completions", json=slow) for _ in range(2)]
        assert crowded.settled(lambda: crowded.stub.control.requests == 2)

        refused = crowded.post("/v1/chat/completions", json=CHAT)

        assert (refused.status_code, refused.json()["error"]["code"]) == (429, "rate_limit_exceeded")
        assert refused.headers["retry-after"] == "1"
        assert "x-should-retry" not in refused.headers
        assert crowded.post("/v1/chat/completions", json=CHAT, key=key_text(signer=FRIEND)).status_code == 402, (
            "another account is not refused for want of room"
        )
        crowded.stub.control.go_on.set()
        assert [each.result().status_code for each in running] == [200, 200]
    assert crowded.post("/v1/chat/completions", json=CHAT).status_code == 200


def test_the_stock_client_comes_back_when_its_account_has_room(crowded: Rig):
    slow = {"model": "test/slow", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 20}
    with ThreadPoolExecutor(2) as pool:
        running = [pool.submit(crowded.post, "/v1/chat/completions", json=slow) for _ in range(2)]
        assert crowded.settled(lambda: crowded.stub.control.requests == 2)
        threading.Timer(0.2, crowded.stub.control.go_on.set).start()

        answer = crowded.client().chat.completions.create(**CHAT)

        assert answer.choices[0].message.content is not None
        assert [each.result().status_code for each in running] == [200, 200]
